#pragma once
// The law: what a command leads to. Pure: state, command, instant in; events out. Nothing is changed here; the caller
// applies the events in order, each to the state the one before left. decide() is the door for all commands
// (core/decide.cc); behind it the ledger's own law is here, that of transfers over rails in core/transfer, which the
// ledger does not know.

#include <vector>

#include "core/ledger/state.h"
#include "core/tables/registry_records.h"
#include "core/tables/saga_bounds.h"
#include "model/command.h"
#include "model/event.h"

namespace core {

/// Bounds of the ledger that an operator may set. They are journaled nowhere: a smaller bound refuses new commands and
/// never touches what was decided.
struct LedgerBounds {
  std::uint32_t accounts_max = 50'000'000;
  std::uint32_t open_holds_max = 10'000'000;
  base::Duration hold_for_min = base::seconds(1);
  base::Duration hold_for_max = base::seconds(400LL * 86400);
  SagaBounds sagas;
  RegistryBounds registry;
};

/// Decides one command at an instant. Writes the events, in order, to `events` (emptied first, capacity kept). Every
/// admitted command leads to at least one event, with one exception: a Tick with nothing to resolve leads to none.
/// `at` must not lie before state.head().last_instant.
///
/// A CreateTransfer of n items leads to n events, one per item in order. If one item of a group is refused, all are:
/// the culprit with its own outcome, the others with atomic_group_refused.
///
/// Events of other commands: the first says what the command itself came to (docs/transfers.md has them in order).
void decide(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds,
            std::vector<model::Event>& events);

/// False if a Tick at this instant would lead to no event. Cheap; true may be wrong while transfers are parked.
bool is_anything_due(const State& state, base::Instant at);

/// The ledger's part of decide(): every command but those of rails and transfers over them. Of a Tick: expiries.
void decide_ledger(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds,
                   std::vector<model::Event>& events);

}  // namespace core
