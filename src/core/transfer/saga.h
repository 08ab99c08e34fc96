#pragma once
// The steps of a saga (design section 7): what each command and each report leads to, made of a few common ones. Every
// function adds events to a draft. The table of moves is model/transfer.h; docs/transfers.md tells the whole story.
//
// Where this differs from the first sketch, and why:
// - A hold is placed for the clearing account of the rail that will carry the payout. Another rail later takes the hold over
//   (HoldRedirected) instead of voiding and holding anew: the customer's account, its limits and freezes are not asked twice.
// - A definite rejection that follows an unknown outcome fails the transfer even if its reason is reroutable: after unknown
//   another rail is tried only when absence is proven.
// - A parked transfer whose earlier attempt turns out to have settled takes that settlement: its money is still held.
// - Facts between a rail's clearing and suspense accounts: money that left without a hold debits suspense, money that came
//   back without a place credits it. So suspense/RAIL shows what people have to clear.

#include "core/transfer/draft.h"

namespace core {

// --- commands (each refuses, or emits at least one event) -----------------------------------------------------------------
void decide(Draft& draft, const model::ConfigureRail& body);
void decide(Draft& draft, const model::ControlRail& body);
void decide(Draft& draft, const model::CreatePayout& body);
void decide(Draft& draft, const model::CreateCollect& body);
void decide(Draft& draft, const model::CancelTransfer& body);
void decide(Draft& draft, const model::ReviewTransfer& body);
void decide(Draft& draft, const model::ResolveUnknown& body);
void decide(Draft& draft, const model::RefundTransfer& body);
/// Takes due steps and resumes parked transfers, at most body.expiries_max of them.
void decide(Draft& draft, const model::Tick& body);

/// Judges what somebody says of an attempt whose transfer is known. Emits at least one event.
void judge(Draft& draft, const model::ReportRail& report);

// --- common steps -----------------------------------------------------------------------------------------------------------

/// Which rail would carry it now. `avoided` (0 none) is left out this once.
Route find_route(Draft& draft, const RouteQuestion& question, model::AssetNumber asset, model::RailNumber avoided = 0);
RouteQuestion question_of(const TransferRecord& transfer);

/// From requested, held or parked: decides a rail and starts an attempt, or parks, or fails. A parked one that stays parked
/// is told when to be looked at again. `decided`, if given, is the route found for it by this very decision.
void send_or_park(Draft& draft, model::EventNumber transfer, model::RailNumber avoided = 0, std::optional<Route> decided = {});
/// Ready to be sent: held with its hold, or requested where nothing is held; from the states before sending or after
/// absence. `hold` is the one just placed, 0 where it is kept or there is none.
void make_ready(Draft& draft, model::EventNumber transfer, model::MoveCause cause, model::RailReason reason, model::EventNumber hold);

/// Another state, with nothing but its timers.
struct Move {
  model::TransferState to;
  model::MoveCause cause;
  model::RailReason reason = model::RailReason::none;
};
void move_to(Draft& draft, model::EventNumber transfer, const Move& move);
/// The end without success: the hold is released, what it was to give back may be asked for again.
void end(Draft& draft, model::EventNumber transfer, const Move& move);
/// The end with success: captured or credited. `amount` is what the rail says moved, if it says so.
void settle(Draft& draft, model::EventNumber transfer, model::MoveCause cause, model::RailReason reason, std::optional<base::U128> amount);
/// Our books follow the promise; the difference to what the rail says moved waits in suspense for people, once.
void book_difference(Draft& draft, model::EventNumber transfer, base::U128 moved);

/// Tells people once of each kind and attempt.
void open_case(Draft& draft, model::EventNumber transfer, std::uint8_t attempt, model::RailNumber rail, model::CaseKind kind,
               base::U128 amount, model::EventNumber posting);
/// What routing learns from an attempt that leaves `sending`.
void observe(Draft& draft, const TransferRecord& transfer, model::RailResult result, model::RailReason reason, base::Duration latency);

/// When a state is left by time alone, and when its age alarms.
base::Instant due_in(Draft& draft, const TransferRecord& transfer, model::TransferState state);
base::Instant alarm_in(Draft& draft, model::TransferState state);
/// Asks the rail once more, or voids there.
void ask(Draft& draft, model::EventNumber transfer, bool is_void);

}  // namespace core
