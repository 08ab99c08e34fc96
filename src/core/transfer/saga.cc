#include "core/transfer/saga.h"

#include <algorithm>

#include "base/check.h"
#include "base/planted_bug.h"
#include "core/routing/health.h"

namespace core {

using model::MoveCause;
using model::RailReason;
using model::TransferKind;
using model::TransferState;

namespace {

bool is_unusable(Draft& draft, const RailRecord& rail, const RouteQuestion& question) {
  const AccountRecord& clearing = draft.account_now(rail.clearing);
  const model::Counters& counters = clearing.counters;
  if (question.inbound) {
    return (clearing.flags & model::frozen_for_debits) != 0 ||
           !base::checked_add(counters.debits_posted + counters.debits_pending, question.amount);
  }
  return (clearing.flags & model::frozen_for_credits) != 0 ||
         !base::checked_add(counters.credits_posted + counters.credits_pending, question.amount);
}

// Bounded so that doublings cannot pass the longest distance or the type.
base::Duration inquiry_distance(const RailRecord& rail, std::uint32_t asked) {
  const std::uint32_t doublings = std::min(asked, 20u);
  const std::int64_t distance = rail.inquiry_first_ns > rail.inquiry_max_ns >> doublings ? rail.inquiry_max_ns : rail.inquiry_first_ns << doublings;
  return {distance};
}

// A parked transfer that was not sent waits a little longer each time before the same rails are tried again.
base::Instant retry_at(Draft& draft, const TransferRecord& transfer) {
  const int doublings = std::min<int>(transfer.attempt, 9);
  const base::Instant retry = draft.at() + base::seconds(1LL << doublings);
  return std::min(retry, base::Instant{transfer.send_by_ns});
}

// What became of a transfer that gives another one back.
void count_refund(Draft& draft, const TransferRecord& transfer, bool settled) {
  RefundRecord refund = draft.refunds_of(transfer.original);
  CHECK_THAT(refund.pending >= transfer.amount, "an open refund is counted as pending");
  refund.pending -= transfer.amount;
  if (settled && !base::planted_bug(24)) refund.posted += transfer.amount;
  draft.emit(model::RefundCounted{.original = transfer.original,
                                  .refund = transfer.requested,
                                  .asset = transfer.asset,
                                  .captured = refund.captured,
                                  .pending = refund.pending,
                                  .posted = refund.posted});
  const TransferRecord& original = draft.transfer(transfer.original);
  if (original.status() != TransferState::reversing) return;
  if (refund.posted == refund.captured) {
    move_to(draft, transfer.original, {TransferState::reversed, MoveCause::refund});
  } else if (refund.pending + refund.posted < refund.captured) {
    move_to(draft, transfer.original, {TransferState::settled, MoveCause::refund});
  }
}

// A recall that the core itself asked for: it brings a late success back to suspense.
bool is_compensation(Draft& draft, const TransferRecord& transfer) {
  return transfer.what() == TransferKind::recall && transfer.account == draft.rail(transfer.wanted).suspense;
}

}  // namespace

RouteQuestion question_of(const TransferRecord& transfer) {
  return {.draw = transfer.requested * 64 + transfer.attempt,
          .amount = transfer.amount,
          .inbound = transfer.what() != TransferKind::payout,
          .gives_back = transfer.original != 0,
          .country = transfer.country,
          .instrument = transfer.instrument,
          .wanted = transfer.wanted,
          .tried = transfer.refused_by};
}

Route find_route(Draft& draft, const RouteQuestion& question, model::AssetNumber asset, model::RailNumber avoided) {
  const SagaTables& tables = draft.state().sagas();
  std::vector<RailView> views;
  const auto& rails = tables.rails_of(asset);
  views.reserve(rails.size());
  for (const model::RailNumber number : rails) {
    if (number == avoided) continue;
    const RailRecord& rail = draft.rail(number);
    views.push_back({.number = number,
                     .rail = &rail,
                     .country = question.country == 0 ? nullptr : tables.cell(number, model::Dimension::country, question.country),
                     .instrument = question.instrument == 0 ? nullptr : tables.cell(number, model::Dimension::instrument, question.instrument),
                     .account_unusable = is_unusable(draft, rail, question)});
  }
  return route(question, views, draft.limits().routing, draft.at());
}

// --- timers -----------------------------------------------------------------------------------------------------------------

base::Instant due_in(Draft& draft, const TransferRecord& transfer, TransferState state) {
  const base::Instant at = draft.at();
  const base::Instant send_by{transfer.send_by_ns};
  switch (state) {
    case TransferState::reviewing:
    case TransferState::parked:
      return send_by;
    case TransferState::sending: {
      const RailRecord& rail = draft.rail(transfer.rail);
      return at + base::Duration{rail.send_window_ns + rail.reply_timeout_ns} + draft.limits().reply_grace;
    }
    case TransferState::accepted:
      return at + base::Duration{draft.rail(transfer.rail).settle_within_ns};
    case TransferState::outcome_unknown: {
      const RailRecord& rail = draft.rail(transfer.rail);
      if (rail.can(model::inquiry_supported)) return at + base::Duration{rail.inquiry_first_ns};
      // Nothing to ask: a callback or a statement may still come until the horizon.
      return std::max(at + base::Duration{rail.inquiry_first_ns}, base::Instant{transfer.send_not_after_ns} + base::Duration{rail.visibility_horizon_ns});
    }
    default:
      return {};
  }
}

base::Instant alarm_in(Draft& draft, TransferState state) {
  const SagaBounds& limits = draft.limits();
  switch (state) {
    case TransferState::reviewing: return draft.at() + limits.alarm_reviewing;
    case TransferState::parked: return draft.at() + limits.alarm_parked;
    case TransferState::sending: return draft.at() + limits.alarm_sending;
    case TransferState::accepted: return draft.at() + limits.alarm_accepted;
    case TransferState::outcome_unknown: return draft.at() + limits.alarm_unknown;
    case TransferState::manual_review: return draft.at() + limits.alarm_manual_review;
    case TransferState::reversing: return draft.at() + limits.alarm_reversing;
    default: return {};
  }
}

void move_to(Draft& draft, model::EventNumber number, const Move& move) {
  const TransferRecord& transfer = draft.transfer(number);
  draft.emit(model::TransferMoved{.transfer = number,
                                  .from = transfer.status(),
                                  .to = move.to,
                                  .cause = move.cause,
                                  .reason = move.reason,
                                  .rail = 0,
                                  .hold = 0,
                                  .due = due_in(draft, transfer, move.to),
                                  .alarm_at = alarm_in(draft, move.to)});
}

void ask(Draft& draft, model::EventNumber number, bool is_void) {
  const TransferRecord& transfer = draft.transfer(number);
  const RailRecord& rail = draft.rail(transfer.rail);
  base::Instant due = draft.at() + inquiry_distance(rail, transfer.inquiries - transfer.inquiries_before);
  // From the horizon on an answer may prove absence: that question is not put off.
  const base::Instant horizon = base::Instant{transfer.send_not_after_ns} + base::Duration{rail.visibility_horizon_ns};
  if (draft.at() < horizon) due = std::min(due, horizon);
  draft.emit(model::InquiryStarted{.transfer = number,
                                   .attempt = transfer.attempt,
                                   .rail = transfer.rail,
                                   .inquiry = transfer.inquiries + 1,
                                   .is_void = is_void,
                                   .due = due});
}

// --- sending ----------------------------------------------------------------------------------------------------------------

void make_ready(Draft& draft, model::EventNumber number, MoveCause cause, RailReason reason, model::EventNumber hold) {
  const TransferRecord& transfer = draft.transfer(number);
  const TransferState ready = transfer.what() == TransferKind::payout ? TransferState::held : TransferState::requested;
  if (transfer.status() == ready) return;
  draft.emit(model::TransferMoved{
      .transfer = number, .from = transfer.status(), .to = ready, .cause = cause, .reason = reason, .rail = 0, .hold = hold, .due = {}, .alarm_at = {}});
}

void send_or_park(Draft& draft, model::EventNumber number, model::RailNumber avoided, std::optional<Route> decided) {
  const TransferRecord& transfer = draft.transfer(number);
  const bool parked = transfer.status() == TransferState::parked;
  const bool expired = draft.at().ns >= transfer.send_by_ns;
  const bool may_send = !expired && transfer.attempt < model::attempts_max;
  Route route;
  if (may_send) route = decided ? std::move(*decided) : find_route(draft, question_of(transfer), transfer.asset, avoided);
  const bool later = may_send && (route.may_come_back || avoided != 0);
  if (route.chosen == 0) {
    // A rail that was avoided this once may be tried again soon; what comes back by itself is noticed by every tick.
    const base::Instant due = avoided != 0 && later ? retry_at(draft, transfer) : base::Instant{transfer.send_by_ns};
    draft.emit(model::RouteDecided{.transfer = number, .choices = std::move(route.choices), .due = parked && later ? due : base::Instant{}});
    if (!later) return end(draft, number, {TransferState::failed, expired ? MoveCause::expiry : MoveCause::routing, static_cast<RailReason>(transfer.reason)});
    if (parked) return;
    draft.emit(model::TransferMoved{.transfer = number,
                                    .from = transfer.status(),
                                    .to = TransferState::parked,
                                    .cause = MoveCause::routing,
                                    .reason = RailReason::none,
                                    .rail = 0,
                                    .hold = 0,
                                    .due = due,
                                    .alarm_at = alarm_in(draft, TransferState::parked)});
    return;
  }
  draft.emit(model::RouteDecided{.transfer = number, .choices = std::move(route.choices), .due = {}});
  const RailRecord& rail = draft.rail(route.chosen);
  if (transfer.hold != 0) draft.redirect(transfer, rail.clearing);
  const base::Instant window_ends = draft.at() + base::Duration{rail.send_window_ns};
  const base::Instant send_not_after = base::planted_bug(26) ? window_ends : std::min(window_ends, base::Instant{transfer.send_by_ns});
  draft.emit(model::TransferMoved{.transfer = number,
                                  .from = transfer.status(),
                                  .to = TransferState::sending,
                                  .cause = MoveCause::routing,
                                  .reason = RailReason::none,
                                  .rail = route.chosen,
                                  .hold = 0,
                                  .due = send_not_after + base::Duration{rail.reply_timeout_ns} + draft.limits().reply_grace,
                                  .alarm_at = alarm_in(draft, TransferState::sending)});
  draft.emit(model::AttemptStarted{.transfer = number,
                                   .attempt = static_cast<std::uint8_t>(transfer.attempt + 1),
                                   .rail = route.chosen,
                                   .kind = transfer.what(),
                                   .asset = transfer.asset,
                                   .amount = transfer.amount,
                                   .original = transfer.original,
                                   .original_attempt = transfer.original_attempt,
                                   .probe = route.probe,
                                   .send_not_after = send_not_after});
}

void observe(Draft& draft, const TransferRecord& transfer, model::RailResult result, RailReason reason, base::Duration latency) {
  const bool success = result == model::RailResult::accepted || result == model::RailResult::settled;
  if (!success && !model::row_of(reason).rails_fault) return;
  const SagaTables& tables = draft.state().sagas();
  const auto cell = [&](model::Dimension dimension, std::uint16_t value) -> model::DimensionHealth {
    if (value == 0) return {};
    const CellRecord* known = tables.cell(transfer.rail, dimension, value);
    if (known == nullptr && tables.cell_count() >= routing_cells_max) return {};
    const CellRecord before = known == nullptr ? CellRecord{} : *known;
    return observed({before.successes, before.attempts, value}, {before.observed_at_ns}, success, draft.at());
  };
  draft.emit(model::RailObserved{.rail = transfer.rail,
                                 .health = observed(health_of(draft.rail(transfer.rail)), success, latency, draft.at()),
                                 .country = cell(model::Dimension::country, transfer.country),
                                 .instrument = cell(model::Dimension::instrument, transfer.instrument)});
}

// --- ends -------------------------------------------------------------------------------------------------------------------

void open_case(Draft& draft, model::EventNumber number, std::uint8_t attempt, model::RailNumber rail, model::CaseKind kind,
               base::U128 amount, model::EventNumber posting) {
  if (draft.transfer(number).has_case(kind, attempt)) return;
  draft.emit(model::CaseOpened{.transfer = number, .attempt = attempt, .rail = rail, .kind = kind, .amount = amount, .posting = posting});
}

void end(Draft& draft, model::EventNumber number, const Move& move) {
  const TransferRecord& transfer = draft.transfer(number);
  if (transfer.hold != 0) draft.release(transfer);
  move_to(draft, number, move);
  if (transfer.original == 0) return;
  if (transfer.what() == TransferKind::recall && is_compensation(draft, transfer)) {
    open_case(draft, transfer.original, 0, transfer.wanted, model::CaseKind::recall_failed, transfer.amount, 0);
  } else {
    count_refund(draft, transfer, false);
  }
}

void book_difference(Draft& draft, model::EventNumber number, base::U128 moved) {
  const TransferRecord& transfer = draft.transfer(number);
  if (moved == transfer.amount) return;
  const RailRecord& rail = draft.rail(transfer.rail);
  const bool more = moved > transfer.amount;
  const base::U128 difference = more ? moved - transfer.amount : transfer.amount - moved;
  const bool to_suspense = more == (transfer.what() != TransferKind::payout);
  const model::EventNumber posting = to_suspense ? draft.post_fact(rail.clearing, rail.suspense, difference)
                                                 : draft.post_fact(rail.suspense, rail.clearing, difference);
  open_case(draft, number, transfer.attempt, transfer.rail, model::CaseKind::other_amount, difference, posting);
}

void settle(Draft& draft, model::EventNumber number, MoveCause cause, RailReason reason, std::optional<base::U128> amount) {
  const TransferRecord& transfer = draft.transfer(number);
  const RailRecord& rail = draft.rail(transfer.rail);
  if (transfer.what() == TransferKind::payout) {
    draft.capture(transfer);
  } else if (draft.post_fact(rail.clearing, transfer.account, transfer.amount) == 0) {
    const model::EventNumber posting = draft.post_fact(rail.clearing, rail.suspense, transfer.amount);
    open_case(draft, number, transfer.attempt, transfer.rail, model::CaseKind::account_unusable, transfer.amount, posting);
  }
  if (amount) book_difference(draft, number, *amount);
  move_to(draft, number, {TransferState::settled, cause, reason});
  if (transfer.original != 0 && !is_compensation(draft, transfer)) count_refund(draft, transfer, true);
}

}  // namespace core
