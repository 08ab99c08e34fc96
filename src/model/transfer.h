#pragma once
// Transfers over rails: kinds, states, the table of moves between states, and the small words of their events. Numbers are
// part of the formats. The diagram in docs/transfers.md is made from the table here, and a test compares them.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/ids.h"
#include "model/rail.h"

namespace model {

/// What a saga carries. Transfers between accounts settle in their own commit and are none.
enum class TransferKind : std::uint8_t {
  payout = 1,    ///< account -> rail -> beneficiary; with an original: gives a collected payment back
  collect = 2,   ///< payer -> rail -> account
  recall = 3,    ///< asks the rail for a settled payout back: beneficiary -> rail -> account; always has an original
};

enum class TransferState : std::uint8_t {
  requested = 1,         ///< durable, nothing done; for what brings money in also: ready to be sent
  reviewing = 2,         ///< waits for people; nothing is held
  held = 3,              ///< a payout's money is held on its account; ready to be sent
  parked = 4,            ///< no rail can take it now; goes on by itself
  sending = 5,           ///< an attempt may have left
  accepted = 6,          ///< the rail has it
  outcome_unknown = 7,   ///< it may or may not have happened; only asking helps
  manual_review = 8,     ///< asking did not help; two people decide, unless evidence arrives
  settled = 9,
  failed = 10,
  returned = 11,         ///< the rail had accepted and gave it back
  rejected = 12,         ///< by people
  cancelled = 13,
  reversing = 14,        ///< settled, and a refund or recall of all of it is under way
  reversed = 15,
};
constexpr std::size_t transfer_state_count = 15;

std::string_view name_of(TransferState state);
std::string_view name_of(TransferKind kind);

/// Ended: no timer but the archive's, and no report moves it; what arrives late is recorded beside it.
constexpr bool is_final(TransferState state) { return state >= TransferState::settled; }
/// The rail may have the current attempt. A payout's hold cannot go away here without a final result.
constexpr bool is_with_rail(TransferState state) {
  return state >= TransferState::sending && state <= TransferState::manual_review;
}

/// One move that a saga can make. Nothing else is possible: State::apply() checks it.
struct TransferMove {
  TransferState from;
  TransferState to;
  std::string_view why;   ///< label in the diagram
};

inline constexpr std::array transfer_moves = {
    TransferMove{TransferState::requested, TransferState::reviewing, "policy asks for people"},
    TransferMove{TransferState::requested, TransferState::held, "money held"},
    TransferMove{TransferState::requested, TransferState::sending, "rail chosen (nothing to hold)"},
    TransferMove{TransferState::requested, TransferState::parked, "no rail now (nothing to hold)"},
    TransferMove{TransferState::requested, TransferState::failed, "no rail is left (nothing to hold)"},
    TransferMove{TransferState::reviewing, TransferState::requested, "approved (nothing to hold)"},
    TransferMove{TransferState::reviewing, TransferState::held, "approved"},
    TransferMove{TransferState::reviewing, TransferState::rejected, "rejected, or nobody decided in time"},
    TransferMove{TransferState::reviewing, TransferState::cancelled, "cancelled"},
    TransferMove{TransferState::held, TransferState::sending, "rail chosen"},
    TransferMove{TransferState::held, TransferState::parked, "no rail now"},
    TransferMove{TransferState::held, TransferState::failed, "no rail is left"},
    TransferMove{TransferState::parked, TransferState::sending, "a rail is back"},
    TransferMove{TransferState::parked, TransferState::failed, "time is up"},
    TransferMove{TransferState::parked, TransferState::cancelled, "cancelled"},
    TransferMove{TransferState::parked, TransferState::accepted, "an earlier attempt was accepted after all"},
    TransferMove{TransferState::parked, TransferState::settled, "an earlier attempt settled after all"},
    TransferMove{TransferState::sending, TransferState::held, "not sent, or rejected and reroutable"},
    TransferMove{TransferState::sending, TransferState::requested, "the same (nothing to hold)"},
    TransferMove{TransferState::sending, TransferState::accepted, "accepted"},
    TransferMove{TransferState::sending, TransferState::settled, "settled"},
    TransferMove{TransferState::sending, TransferState::failed, "rejected"},
    TransferMove{TransferState::sending, TransferState::returned, "given back"},
    TransferMove{TransferState::sending, TransferState::outcome_unknown, "no answer, or none that can be believed"},
    TransferMove{TransferState::accepted, TransferState::settled, "settled"},
    TransferMove{TransferState::accepted, TransferState::failed, "rejected"},
    TransferMove{TransferState::accepted, TransferState::returned, "given back"},
    TransferMove{TransferState::accepted, TransferState::outcome_unknown, "the rail no longer knows"},
    TransferMove{TransferState::outcome_unknown, TransferState::accepted, "found accepted"},
    TransferMove{TransferState::outcome_unknown, TransferState::settled, "found settled"},
    TransferMove{TransferState::outcome_unknown, TransferState::failed, "found rejected"},
    TransferMove{TransferState::outcome_unknown, TransferState::returned, "found given back"},
    TransferMove{TransferState::outcome_unknown, TransferState::held, "absence proven"},
    TransferMove{TransferState::outcome_unknown, TransferState::requested, "absence proven (nothing to hold)"},
    TransferMove{TransferState::outcome_unknown, TransferState::manual_review, "asking did not help"},
    TransferMove{TransferState::manual_review, TransferState::accepted, "late evidence"},
    TransferMove{TransferState::manual_review, TransferState::settled, "late evidence, or two people"},
    TransferMove{TransferState::manual_review, TransferState::failed, "late evidence, or two people"},
    TransferMove{TransferState::manual_review, TransferState::returned, "late evidence"},
    TransferMove{TransferState::manual_review, TransferState::held, "absence proven"},
    TransferMove{TransferState::manual_review, TransferState::requested, "absence proven (nothing to hold)"},
    TransferMove{TransferState::settled, TransferState::reversing, "refund or recall of all of it under way"},
    TransferMove{TransferState::reversing, TransferState::settled, "not given back"},
    TransferMove{TransferState::reversing, TransferState::reversed, "given back"},
};

constexpr bool may_move(TransferState from, TransferState to) {
  for (const TransferMove& move : transfer_moves) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

/// The table as a mermaid state diagram, one line for each move.
std::string transfer_diagram();

/// Why a state was left, beside the rail's own reason.
enum class MoveCause : std::uint8_t {
  request = 1,           ///< the command that asked for the transfer
  approval = 2,
  rejection = 3,         ///< by a person
  cancellation = 4,
  expiry = 5,            ///< not sent in time, or nobody decided in time
  routing = 6,
  report = 7,            ///< what a rail said
  silence = 8,           ///< nothing was heard in time
  inquiries_used_up = 9,
  resolution = 10,       ///< two people
  refund = 11,           ///< what became of its refund or recall
};

/// What the router made of a rail. Ascending severity does not matter; numbers are part of the formats.
enum class RouteVerdict : std::uint8_t {
  chosen = 1,
  chosen_to_explore = 2,        ///< little is known of it; one in a hundred
  chosen_as_probe = 3,          ///< its breaker is half-open
  worth_less = 4,
  paused = 5,
  in_maintenance = 6,
  breaker_open = 7,
  probes_under_way = 8,         ///< half-open, and as many probes as allowed are out
  silent = 9,                   ///< attempts are out and nothing has been heard for too long
  in_flight_full = 10,
  rate_used_up = 11,
  account_unusable = 12,        ///< clearing account frozen, or a counter would pass its maximum
  tried_before = 13,
  direction_not_carried = 14,
  amount_below_minimum = 15,
  amount_above_maximum = 16,
  country_not_reached = 17,
  not_the_wanted_rail = 18,
};
constexpr RouteVerdict route_verdict_last = RouteVerdict::not_the_wanted_rail;
std::string_view name_of(RouteVerdict verdict);
constexpr bool is_chosen(RouteVerdict verdict) { return verdict <= RouteVerdict::chosen_as_probe; }
/// It could have been chosen: only another was better.
constexpr bool was_eligible(RouteVerdict verdict) { return verdict <= RouteVerdict::worth_less; }
/// The rail may be able to take this transfer later.
constexpr bool may_come_back(RouteVerdict verdict) {
  return verdict >= RouteVerdict::paused && verdict <= RouteVerdict::account_unusable;
}

/// One rail in a decision.
struct RouteChoice {
  RailNumber rail = 0;
  RouteVerdict verdict = RouteVerdict::chosen;
  std::uint16_t success = 0;   ///< probability of success in 1/65535; 0 where it was not looked at
  std::int64_t value = 0;      ///< expected value in 1/10,000 of the asset's smallest unit, bounded; 0 where not looked at
  bool operator==(const RouteChoice&) const = default;
};
/// A decision names at most this many rails: those that could carry the transfer first.
constexpr std::size_t route_choices_max = 64;

/// Why a report changed nothing.
enum class IgnoredWhy : std::uint8_t {
  no_such_attempt = 1,
  earlier_attempt = 2,        ///< of an attempt that was over before; says nothing new
  duplicate = 3,
  late = 4,                   ///< of an order of things that is past
  contradicts_result = 5,     ///< other than what was decided: a case is open
  no_news = 6,                ///< still unknown
  absence_not_proven = 7,     ///< "not found" too early, to an old question, or by a rail that never proves absence
};
constexpr IgnoredWhy ignored_why_last = IgnoredWhy::absence_not_proven;
std::string_view name_of(IgnoredWhy why);

/// What people must look into. One case of a kind and attempt, however often it is reported.
enum class CaseKind : std::uint8_t {
  late_success = 1,          ///< money moved at the rail after the transfer had failed, or by an attempt thought absent
  return_after_settlement = 2,
  other_amount = 3,          ///< settled for another amount than asked
  contradiction = 4,         ///< a rail took back what it had said, without money
  account_unusable = 5,      ///< collected money could not be credited to its account
  recall_failed = 6,         ///< a late success could not be called back
};
constexpr CaseKind case_kind_last = CaseKind::recall_failed;
std::string_view name_of(CaseKind kind);

/// What two people decide about an unknown outcome.
enum class Verdict : std::uint8_t { settled = 1, failed = 2 };

/// What a vote was about.
enum class VoteKind : std::uint8_t { approve = 1, reject = 2, resolve_settled = 3, resolve_failed = 4 };

/// A beneficiary's instrument class (account, card, wallet...), chosen by whoever configures rails; 0 is not given.
using Instrument = std::uint16_t;

constexpr std::uint8_t attempts_max = 64;
/// Rails that one transfer can be refused by, with a reason that lets it go on to another.
constexpr std::size_t refusals_max = 8;
constexpr std::uint8_t approvals_max = 2;

}  // namespace model
