#include "model/transfer.h"

#include "base/check.h"

namespace model {

std::string_view name_of(TransferState state) {
  switch (state) {
    case TransferState::requested: return "requested";
    case TransferState::reviewing: return "reviewing";
    case TransferState::held: return "held";
    case TransferState::parked: return "parked";
    case TransferState::sending: return "sending";
    case TransferState::accepted: return "accepted";
    case TransferState::outcome_unknown: return "outcome_unknown";
    case TransferState::manual_review: return "manual_review";
    case TransferState::settled: return "settled";
    case TransferState::failed: return "failed";
    case TransferState::returned: return "returned";
    case TransferState::rejected: return "rejected";
    case TransferState::cancelled: return "cancelled";
    case TransferState::reversing: return "reversing";
    case TransferState::reversed: return "reversed";
  }
  CHECK_THAT(false, "a state outside the enumeration");
  return "";
}

std::string_view name_of(TransferKind kind) {
  switch (kind) {
    case TransferKind::payout: return "payout";
    case TransferKind::collect: return "collect";
    case TransferKind::recall: return "recall";
  }
  CHECK_THAT(false, "a kind outside the enumeration");
  return "";
}

std::string_view name_of(RouteVerdict verdict) {
  switch (verdict) {
    case RouteVerdict::chosen: return "chosen";
    case RouteVerdict::chosen_to_explore: return "chosen_to_explore";
    case RouteVerdict::chosen_as_probe: return "chosen_as_probe";
    case RouteVerdict::worth_less: return "worth_less";
    case RouteVerdict::paused: return "paused";
    case RouteVerdict::in_maintenance: return "in_maintenance";
    case RouteVerdict::breaker_open: return "breaker_open";
    case RouteVerdict::probes_under_way: return "probes_under_way";
    case RouteVerdict::silent: return "silent";
    case RouteVerdict::in_flight_full: return "in_flight_full";
    case RouteVerdict::rate_used_up: return "rate_used_up";
    case RouteVerdict::account_unusable: return "account_unusable";
    case RouteVerdict::tried_before: return "tried_before";
    case RouteVerdict::direction_not_carried: return "direction_not_carried";
    case RouteVerdict::amount_below_minimum: return "amount_below_minimum";
    case RouteVerdict::amount_above_maximum: return "amount_above_maximum";
    case RouteVerdict::country_not_reached: return "country_not_reached";
    case RouteVerdict::not_the_wanted_rail: return "not_the_wanted_rail";
  }
  CHECK_THAT(false, "a verdict outside the enumeration");
  return "";
}

std::string_view name_of(IgnoredWhy why) {
  switch (why) {
    case IgnoredWhy::no_such_attempt: return "no_such_attempt";
    case IgnoredWhy::earlier_attempt: return "earlier_attempt";
    case IgnoredWhy::duplicate: return "duplicate";
    case IgnoredWhy::late: return "late";
    case IgnoredWhy::contradicts_result: return "contradicts_result";
    case IgnoredWhy::no_news: return "no_news";
    case IgnoredWhy::absence_not_proven: return "absence_not_proven";
  }
  CHECK_THAT(false, "a reason outside the enumeration");
  return "";
}

std::string_view name_of(CaseKind kind) {
  switch (kind) {
    case CaseKind::late_success: return "late_success";
    case CaseKind::return_after_settlement: return "return_after_settlement";
    case CaseKind::other_amount: return "other_amount";
    case CaseKind::contradiction: return "contradiction";
    case CaseKind::account_unusable: return "account_unusable";
    case CaseKind::recall_failed: return "recall_failed";
  }
  CHECK_THAT(false, "a case outside the enumeration");
  return "";
}

std::string transfer_diagram() {
  std::string text = "stateDiagram-v2\n    [*] --> requested\n";
  for (const TransferMove& move : transfer_moves) {
    text.append("    ").append(name_of(move.from)).append(" --> ").append(name_of(move.to)).append(": ").append(move.why).append("\n");
  }
  for (std::size_t i = 1; i <= transfer_state_count; ++i) {
    const auto state = static_cast<TransferState>(i);
    if (is_final(state) && state != TransferState::reversing) text.append("    ").append(name_of(state)).append(" --> [*]\n");
  }
  return text;
}

}  // namespace model
