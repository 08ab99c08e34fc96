// What time does by itself: deadlines, inquiries, silence, age alarms, and parked transfers that can go on.

#include "base/check.h"
#include "core/transfer/saga.h"

namespace core {

using model::MoveCause;
using model::RailReason;
using model::TransferState;

namespace {

// An attempt that nobody reported on: what became of it is unknown, and the rail is judged by it.
void fall_silent(Draft& draft, model::EventNumber number) {
  const TransferRecord& transfer = draft.transfer(number);
  observe(draft, transfer, model::RailResult::unknown, RailReason::reply_timed_out, {});
  move_to(draft, number, {TransferState::outcome_unknown, MoveCause::silence, RailReason::reply_timed_out});
}

void ask_again(Draft& draft, model::EventNumber number, const Move& when_used_up) {
  const TransferRecord& transfer = draft.transfer(number);
  const RailRecord& rail = draft.rail(transfer.rail);
  const bool past_horizon = draft.at().ns >= transfer.send_not_after_ns + rail.visibility_horizon_ns;
  const bool can_void = rail.can(model::void_supported) && transfer.status() == TransferState::outcome_unknown && past_horizon;
  if (!rail.can(model::inquiry_supported) && !can_void) return move_to(draft, number, when_used_up);
  if (transfer.inquiries - transfer.inquiries_before >= rail.inquiries_max) return move_to(draft, number, when_used_up);
  // Once a tombstone was asked for, it is asked for again: the answer to a void says as much as one to a question.
  ask(draft, number, can_void && (transfer.void_asked != 0 || !rail.can(model::inquiry_supported)));
}

void wake(Draft& draft, model::EventNumber number) {
  const TransferRecord& transfer = draft.transfer(number);
  if (transfer.alarm_ns != 0 && transfer.alarm_ns <= draft.at().ns) {
    draft.emit(model::AgeAlarmRaised{.transfer = number, .state = transfer.status(), .since = {transfer.since_ns}});
  }
  if (transfer.due_ns == 0 || transfer.due_ns > draft.at().ns) return;
  switch (transfer.status()) {
    case TransferState::reviewing: return end(draft, number, {TransferState::rejected, MoveCause::expiry});
    case TransferState::parked: return send_or_park(draft, number);
    case TransferState::sending: return fall_silent(draft, number);
    case TransferState::accepted:
      return ask_again(draft, number, {TransferState::outcome_unknown, MoveCause::inquiries_used_up, RailReason::none});
    case TransferState::outcome_unknown:
      return ask_again(draft, number, {TransferState::manual_review, MoveCause::inquiries_used_up, RailReason::none});
    default: CHECK_THAT(false, "no other state waits for time");
  }
}

// Parked transfers by what they want, oldest first, until a rail takes none of them any more. Looking costs no event.
void resume(Draft& draft, std::size_t steps_left) {
  const auto& parked = draft.state().sagas().parked();
  std::size_t misses = 0;
  for (auto next = parked.begin(); next != parked.end() && steps_left > 0;) {
    const auto& [asset, country, number] = *next;
    const TransferRecord& transfer = *draft.state().sagas().transfer(number);
    // One with a due time of its own before its end waits for that; one that another step of this decision moved has moved.
    const bool waits = transfer.due_ns != transfer.send_by_ns || draft.at().ns >= transfer.send_by_ns || draft.transfer_moved(number);
    if (!waits) {
      if (find_route(draft, question_of(transfer), asset).chosen != 0) {
        send_or_park(draft, number);
        --steps_left;
      } else if (++misses >= draft.limits().parked_scan_max) {
        next = parked.lower_bound({asset, static_cast<model::Country>(country + 1), 0});
        if (country == UINT16_MAX) next = parked.lower_bound({asset + 1, 0, 0});
        misses = 0;
        continue;
      }
    }
    const model::Country before = country;
    ++next;
    if (next != parked.end() && std::get<1>(*next) != before) misses = 0;
  }
}

}  // namespace

void decide(Draft& draft, const model::Tick& body) {
  std::size_t steps_left = body.expiries_max > draft.event_count() ? body.expiries_max - draft.event_count() : 0;
  for (const auto& [wakes_at_ns, number] : draft.state().sagas().deadlines()) {
    if (wakes_at_ns > draft.at().ns || steps_left == 0) break;
    // A step of another one may have moved it meanwhile (a refund its original); then its time is another.
    const std::int64_t now = draft.transfer(number).wakes_at_ns();
    if (now == 0 || now > draft.at().ns) continue;
    wake(draft, number);
    --steps_left;
  }
  resume(draft, steps_left);
}

}  // namespace core
