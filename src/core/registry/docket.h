#pragma once
// A decision about keys in the making: events come out, the state is not touched. A decision takes at most one step for a key, so no
// step has to see the ones before it.

#include <utility>
#include <vector>

#include "core/ledger/decide.h"

namespace core {

class Docket {
 public:
  /// `events` may hold what others decided for the same command already.
  Docket(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds, std::vector<model::Event>& events)
      : state_(state), command_(command), at_(at), bounds_(bounds), events_(events) {}

  const State& state() const { return state_; }
  const RegistryTables& registry() const { return state_.registry(); }
  const model::Command& command() const { return command_; }
  base::Instant at() const { return at_; }
  const RegistryBounds& bounds() const { return bounds_.registry; }
  std::size_t event_count() const { return events_.size(); }

  /// Adds an event and gives its number.
  template <typename Body>
  model::EventNumber emit(Body body) {
    const model::EventNumber number = state_.head().next_event + events_.size();
    events_.push_back({at_, std::move(body)});
    return number;
  }
  /// `subject` is the import or key concerned.
  void refuse(model::Outcome outcome, model::EventNumber subject = 0) {
    emit(model::Refused{.outcome = outcome, .operation = model::operation_of(command_.body), .subject = subject, .trace = command_.trace});
  }

 private:
  const State& state_;
  const model::Command& command_;
  const base::Instant at_;
  const LedgerBounds& bounds_;
  std::vector<model::Event>& events_;
};

}  // namespace core
