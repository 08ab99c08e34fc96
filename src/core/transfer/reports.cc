// Everything that is said of an attempt, by whomever: reply, callback, inquiry, statement line, operator, recovery. What is
// decided stays decided; what comes late is recorded beside it, and money that moved without a hold is posted at once.

#include "base/check.h"
#include "base/planted_bug.h"
#include "core/transfer/saga.h"

namespace core {

using model::CaseKind;
using model::IgnoredWhy;
using model::MoveCause;
using model::RailReason;
using model::RailResult;
using model::ReportRail;
using model::ReportSource;
using model::TransferKind;
using model::TransferState;

namespace {

class Judgement {
 public:
  Judgement(Draft& draft, const ReportRail& report) : draft_(draft), report_(report), transfer_(draft.transfer(report.transfer)) {}

  void run() {
    if (!is_of_attempt()) return ignore(IgnoredWhy::no_such_attempt);
    // Money in another asset is not this payment: whatever the rail says of it, nothing is known.
    if (report_.asset && *report_.asset != draft_.state().asset(transfer_.asset)->asset()) {
      report_.result = RailResult::unknown;
      report_.reason = RailReason::reply_contradicts_request;
    }
    const bool newest = report_.attempt == transfer_.attempt;
    const TransferState state = transfer_.status();
    if (newest && model::is_with_rail(state)) return judge_open(state);
    if (newest && state == TransferState::parked) return judge_parked();
    judge_past(newest, state);
  }

 private:
  bool is_of_attempt() const {
    if (report_.attempt == 0 || report_.attempt > transfer_.attempt) return false;
    if (report_.attempt == transfer_.attempt) return report_.rail == transfer_.rail && report_.reference == transfer_.attempt_event;
    const RailRecord* rail = draft_.state().sagas().rail(report_.rail);
    return rail != nullptr && rail->asset == transfer_.asset;
  }

  void ignore(IgnoredWhy why) {
    draft_.emit(model::ReportIgnored{.transfer = report_.transfer,
                                     .attempt = report_.attempt,
                                     .source = report_.source,
                                     .result = report_.result,
                                     .reason = report_.reason,
                                     .why = why,
                                     .amount = report_.amount,
                                     .body = report_.body});
  }

  void believe() {
    draft_.emit(model::AttemptReported{.transfer = report_.transfer,
                                       .attempt = report_.attempt,
                                       .rail = report_.rail,
                                       .source = report_.source,
                                       .result = report_.result,
                                       .reason = report_.reason,
                                       .latency = report_.latency,
                                       .amount = report_.amount,
                                       .rail_reference = report_.rail_reference,
                                       .body = report_.body,
                                       .rail_reference_key = report_.rail_reference_key});
    // Routing learns from how an attempt leaves `sending`; what is found out later is not the rail's answer any more.
    if (transfer_.status() == TransferState::sending) observe(draft_, transfer_, report_.result, report_.reason, report_.latency);
  }

  // The attempt is over without money and without doubt: the transfer goes on, to another rail if there is one.
  void go_on() {
    believe();
    make_ready(draft_, report_.transfer, MoveCause::report, report_.reason, 0);
    send_or_park(draft_, report_.transfer, report_.result == RailResult::not_sent ? report_.rail : model::RailNumber{0});
  }

  void move_on(TransferState to) {
    believe();
    move_to(draft_, report_.transfer, {to, MoveCause::report, report_.reason});
  }

  void end_as(TransferState to) {
    believe();
    end(draft_, report_.transfer, {to, MoveCause::report, report_.reason});
  }

  void settle_now() {
    believe();
    settle(draft_, report_.transfer, MoveCause::report, report_.reason, report_.amount);
  }

  // --- the attempt may be with the rail -------------------------------------------------------------------------------------

  // A rail that confirms its tombstone refuses whatever arrives later under the reference.
  bool is_tombstone() const {
    return report_.reason == RailReason::tombstoned && report_.source <= ReportSource::inquiry &&
           draft_.state().sagas().rail(report_.rail)->can(model::void_supported);
  }
  bool is_past_horizon() const {
    const RailRecord& rail = *draft_.state().sagas().rail(report_.rail);
    return report_.source == ReportSource::inquiry && report_.reason == RailReason::not_found_at_rail && report_.inquiry != 0 &&
           report_.inquiry == transfer_.inquiries &&
           (transfer_.inquired_at_ns >= transfer_.send_not_after_ns + rail.visibility_horizon_ns || base::planted_bug(22));
  }
  // Design section 7: "not found" past the horizon, of a rail that has no tombstones and honours valid_until; or a tombstone;
  // or our own sender's word that nothing left.
  bool is_absence_proven() const {
    if (is_tombstone()) return true;
    if (report_.source == ReportSource::reply) return report_.reason != RailReason::not_found_at_rail && report_.reason != RailReason::tombstoned;
    const RailRecord& rail = *draft_.state().sagas().rail(report_.rail);
    return is_past_horizon() && !rail.can(model::void_supported) && rail.can(model::expiry_honoured);
  }

  void judge_open(TransferState state) {
    const bool unclear = state == TransferState::outcome_unknown || state == TransferState::manual_review;
    // One person's word is no evidence: two people decide, by ResolveUnknown.
    if (unclear && report_.source == ReportSource::operator_decision) return ignore(IgnoredWhy::no_news);
    switch (report_.result) {
      case RailResult::settled:
        return settle_now();
      case RailResult::accepted:
        if (state == TransferState::accepted) return ignore(IgnoredWhy::duplicate);
        return move_on(TransferState::accepted);
      case RailResult::rejected:
        if (report_.reason == RailReason::returned_by_beneficiary_bank) return end_as(TransferState::returned);
        if (state == TransferState::sending && model::row_of(report_.reason).reroutable) return go_on();
        return end_as(TransferState::failed);
      case RailResult::not_sent:
        if (state == TransferState::accepted) {
          return is_tombstone() ? end_as(TransferState::failed) : ignore(IgnoredWhy::absence_not_proven);
        }
        if (is_absence_proven()) return go_on();
        ignore(IgnoredWhy::absence_not_proven);
        // Past the horizon a rail with tombstones is asked for one at once.
        if (state == TransferState::outcome_unknown && is_past_horizon() && transfer_.void_asked == 0 &&
            draft_.state().sagas().rail(report_.rail)->can(model::void_supported)) {
          ask(draft_, report_.transfer, true);
        }
        return;
      case RailResult::unknown:
        if (state != TransferState::sending) return ignore(IgnoredWhy::no_news);
        if (base::planted_bug(21)) return go_on();
        if (base::planted_bug(23) && transfer_.hold != 0) draft_.release(transfer_);
        return move_on(TransferState::outcome_unknown);
    }
  }

  // --- the attempt was over, nothing else is under way, and the money is still held ----------------------------------------------

  void judge_parked() {
    switch (report_.result) {
      case RailResult::settled: return settle_now();
      case RailResult::accepted: return move_on(TransferState::accepted);
      case RailResult::unknown: return ignore(IgnoredWhy::late);
      case RailResult::rejected:
      case RailResult::not_sent: return ignore(IgnoredWhy::duplicate);
    }
  }

  // --- the attempt or the transfer is history --------------------------------------------------------------------------------------

  void judge_past(bool newest, TransferState state) {
    const bool success = newest && (state == TransferState::settled || state == TransferState::reversing || state == TransferState::reversed);
    const bool late_success = transfer_.has_case(CaseKind::late_success, report_.attempt);
    switch (report_.result) {
      case RailResult::settled:
        if (success) {
          if (report_.amount && transfer_.amount_stated == 0) return learn_amount();
          const bool altered = report_.amount && *report_.amount != transfer_.amount && !transfer_.has_case(CaseKind::other_amount, report_.attempt);
          return altered ? contradict() : ignore(IgnoredWhy::duplicate);
        }
        if (late_success && !base::planted_bug(25)) return ignore(IgnoredWhy::duplicate);
        // It settled before it was given back.
        if (newest && state == TransferState::returned) return ignore(IgnoredWhy::late);
        return record_late_success();
      case RailResult::rejected:
        if (success || late_success) {
          return report_.reason == RailReason::returned_by_beneficiary_bank ? record_return() : contradict();
        }
        return ignore(newest ? IgnoredWhy::duplicate : IgnoredWhy::earlier_attempt);
      case RailResult::accepted:
      case RailResult::not_sent:
      case RailResult::unknown:
        return ignore(newest ? IgnoredWhy::late : IgnoredWhy::earlier_attempt);
    }
  }

  // People settled it, or somebody who did not say how much: this is the first word about the amount, unless people booked what a
  // statement says of it.
  void learn_amount() {
    const AttemptRecord* attempt = draft_.state().reconciliation().attempt(report_.reference);
    if (attempt != nullptr && attempt->moved() != transfer_.amount) {
      return attempt->moved() == *report_.amount ? ignore(IgnoredWhy::duplicate) : contradict();
    }
    believe();
    book_difference(draft_, report_.transfer, *report_.amount);
  }

  void contradict() {
    ignore(IgnoredWhy::contradicts_result);
    open_case(draft_, report_.transfer, report_.attempt, report_.rail, CaseKind::contradiction, 0, 0);
  }

  void record_return() {
    if (transfer_.has_case(CaseKind::return_after_settlement, report_.attempt)) return ignore(IgnoredWhy::duplicate);
    believe();
    const RailRecord& rail = draft_.rail(report_.rail);
    const base::U128 amount = report_.amount.value_or(transfer_.amount);
    const bool payout = transfer_.what() == TransferKind::payout;
    const model::EventNumber posting = payout ? draft_.post_fact(rail.clearing, rail.suspense, amount) : draft_.post_fact(rail.suspense, rail.clearing, amount);
    open_case(draft_, report_.transfer, report_.attempt, report_.rail, CaseKind::return_after_settlement, amount, posting);
  }

  // Money moved at the rail for something that had ended, or by an attempt thought absent: posted to suspense, told to people,
  // and asked back where the rail can be asked.
  void record_late_success() {
    believe();
    const RailRecord rail = draft_.rail(report_.rail);
    const base::U128 amount = report_.amount.value_or(transfer_.amount);
    const bool payout = transfer_.what() == TransferKind::payout;
    const model::EventNumber posting = payout ? draft_.post_fact(rail.suspense, rail.clearing, amount) : draft_.post_fact(rail.clearing, rail.suspense, amount);
    open_case(draft_, report_.transfer, report_.attempt, report_.rail, CaseKind::late_success, amount, posting);
    if (!payout || posting == 0 || !rail.can(model::recall_supported)) return;
    const model::EventNumber recall = draft_.emit(model::TransferRequested{.kind = TransferKind::recall,
                                                                           .account = rail.suspense,
                                                                           .requester = 0,
                                                                           .asset = transfer_.asset,
                                                                           .amount = amount,
                                                                           .wanted = report_.rail,
                                                                           .country = transfer_.country,
                                                                           .instrument = transfer_.instrument,
                                                                           .approvals = 0,
                                                                           .send_by = draft_.at() + draft_.limits().send_within_default,
                                                                           .original = report_.transfer,
                                                                           .original_attempt = report_.reference,
                                                                           .beneficiary = {},
                                                                           .reference = {},
                                                                           .metadata = {}});
    send_or_park(draft_, recall);
  }

  Draft& draft_;
  ReportRail report_;
  const TransferRecord& transfer_;   // follows the draft's own steps
};

}  // namespace

void judge(Draft& draft, const ReportRail& report) { Judgement(draft, report).run(); }

}  // namespace core
