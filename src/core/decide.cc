// The door of the law: ledger commands to the ledger, those of rails and transfers to the sagas, others to laws of their own, time to all.

#include "core/ledger/decide.h"

#include <variant>

#include "base/check.h"
#include "core/reconciliation/reconciliation.h"
#include "core/registry/registry.h"
#include "core/transfer/saga.h"
#include "core/webhook/webhooks.h"

namespace core {

void decide(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds,
            std::vector<model::Event>& events) {
  CHECK_THAT(at >= state.head().last_instant, "time in the core never goes back");
  events.clear();
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        constexpr bool is_of_sagas = requires(Draft& draft) { decide(draft, body); };
        constexpr bool is_of_keys = requires(Docket& docket) { decide(docket, body); };
        constexpr bool is_of_ledger = !is_of_sagas && !is_of_keys;
        if constexpr (is_of_ledger || std::is_same_v<Body, model::Tick>) decide_ledger(state, command, at, bounds, events);
        if constexpr (is_of_sagas) {
          Draft draft(state, command, at, bounds, events);
          decide(draft, body);
          if constexpr (std::is_same_v<Body, model::Tick>) {
            sweep_statements(draft);
            Docket docket(state, command, at, bounds, events);
            pass_time_of_keys(docket, body);
          }
        }
        if constexpr (is_of_keys) {
          Docket docket(state, command, at, bounds, events);
          decide(docket, body);
        }
      },
      command.body);
}

bool is_anything_due(const State& state, base::Instant at) {
  const auto is_due = [at](const auto& index) { return !index.empty() && index.begin()->first <= at.ns; };
  return is_due(state.expiries()) || is_due(state.sagas().deadlines()) || !state.sagas().parked().empty() || !state.reconciliation().unswept().empty() ||
         is_due(state.registry().version_deadlines()) || is_due(state.registry().import_deadlines());
}

}  // namespace core
