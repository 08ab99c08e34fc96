// What people and programs ask for: payouts, collects, cancellations, reviews, refunds.

#include <algorithm>

#include "base/check.h"
#include "core/transfer/saga.h"

namespace core {

using model::MoveCause;
using model::Outcome;
using model::RailReason;
using model::TransferKind;
using model::TransferState;
using model::VoteKind;

namespace {

model::TransferItem hold_item(Draft& draft, model::AccountNumber account, model::AccountNumber clearing, model::AssetNumber asset, base::U128 amount) {
  model::TransferItem item;
  item.debit = account;
  item.credit = clearing;
  item.asset = draft.state().asset(asset)->asset();
  item.amount = amount;
  item.hold = true;
  return item;
}

// The account that a hold is for: that of the chosen rail, or of the first that may come back. 0 if no rail ever can.
model::AccountNumber clearing_for(Draft& draft, const Route& route) {
  if (route.chosen != 0) return draft.rail(route.chosen).clearing;
  for (const model::RouteChoice& choice : route.choices) {
    if (model::may_come_back(choice.verdict)) return draft.rail(choice.rail).clearing;
  }
  return 0;
}

// Nothing stands between a transfer and its rail any more: this route was found, and the movement of a payout checked with it.
void begin(Draft& draft, model::EventNumber number, Route route, MoveCause cause) {
  const TransferRecord& transfer = draft.transfer(number);
  model::EventNumber hold = 0;
  if (transfer.what() == TransferKind::payout) {
    hold = draft.place_hold(hold_item(draft, transfer.account, clearing_for(draft, route), transfer.asset, transfer.amount));
  }
  make_ready(draft, number, cause, RailReason::none, hold);
  send_or_park(draft, number, 0, std::move(route));
}

// A request whose own fields are good: is there a rail, is there the money?
Outcome check_sendable(Draft& draft, const TransferRecord& wanted, Route& route) {
  route = find_route(draft, question_of(wanted), wanted.asset);
  if (route.chosen == 0 && !route.may_come_back) return wanted.original != 0 ? Outcome::rail_cannot_give_back : Outcome::no_rail_carries_this;
  if (wanted.what() == TransferKind::payout) {
    const model::AccountNumber clearing = clearing_for(draft, route);
    CHECK(clearing != 0);
    return draft.check_movement(hold_item(draft, wanted.account, clearing, wanted.asset, wanted.amount));
  }
  const AccountRecord& account = draft.account_now(wanted.account);
  if ((account.flags & model::closed) != 0) return Outcome::credit_account_closed;
  if ((account.flags & model::frozen_for_credits) != 0) return Outcome::credit_account_frozen;
  return Outcome::done;
}

// As the record will be once the request is an event; its number is that of the next event.
TransferRecord record_of(Draft& draft, const model::TransferRequested& request) {
  TransferRecord record;
  record.requested = draft.next_event();
  record.amount = request.amount;
  record.account = request.account;
  record.asset = request.asset;
  record.kind = static_cast<std::uint8_t>(request.kind);
  record.wanted = request.wanted;
  record.country = request.country;
  record.instrument = request.instrument;
  record.original = request.original;
  record.send_by_ns = request.send_by.ns;
  return record;
}

void request(Draft& draft, const model::TransferRequested& request, Route route) {
  const model::EventNumber number = draft.emit(request);
  if (request.original != 0) {
    RefundRecord refund = draft.refunds_of(request.original);
    const TransferRecord& original = draft.transfer(request.original);
    draft.emit(model::RefundCounted{.original = request.original,
                                    .refund = number,
                                    .asset = request.asset,
                                    .captured = original.amount,
                                    .pending = refund.pending + request.amount,
                                    .posted = refund.posted});
    if (refund.pending + request.amount + refund.posted == original.amount) {
      move_to(draft, request.original, {TransferState::reversing, MoveCause::refund});
    }
  }
  if (request.approvals != 0) return move_to(draft, number, {TransferState::reviewing, MoveCause::request});
  begin(draft, number, std::move(route), MoveCause::request);
}

void create(Draft& draft, const model::RailRequest& body, TransferKind kind) {
  const State& state = draft.state();
  const SagaBounds& limits = draft.limits();
  const bool payout = kind == TransferKind::payout;
  model::Refused particulars{.amount = body.amount};
  (payout ? particulars.debit : particulars.credit) = body.account;
  const auto refuse = [&](Outcome outcome) { draft.refuse(outcome, particulars); };

  if (body.amount == 0) return refuse(Outcome::amount_must_not_be_zero);
  if (body.amount > base::amount_max) return refuse(Outcome::amount_exceeds_maximum);
  const model::AssetNumber asset = state.asset_by_code(draft.command().tenant, body.asset.code);
  if (asset == 0 || state.asset(asset)->scale != body.asset.scale) return refuse(Outcome::asset_not_registered);
  const AccountRecord* account = state.account(body.account);
  if (account == nullptr || state.tenant_of(*account) != draft.command().tenant) {
    return refuse(payout ? Outcome::debit_account_not_found : Outcome::credit_account_not_found);
  }
  if (state.sagas().is_rail_account(body.account)) return refuse(Outcome::accounts_must_be_different);
  if (account->asset != asset) return refuse(Outcome::asset_differs_from_accounts);
  if (body.wanted_unknown || (body.wanted != 0 && state.sagas().rail(body.wanted) == nullptr)) return refuse(Outcome::rail_not_found);
  if (body.send_within.ns != 0 && (body.send_within < limits.send_within_min || body.send_within > limits.send_within_max)) {
    return refuse(Outcome::send_within_out_of_range);
  }
  if (state.sagas().head().open_transfers >= limits.open_transfers_max) return refuse(Outcome::too_many_open_transfers);
  CHECK(body.approvals <= model::approvals_max);

  const model::TransferRequested wanted{.kind = kind,
                                        .account = body.account,
                                        .requester = draft.command().principal,
                                        .asset = asset,
                                        .amount = body.amount,
                                        .wanted = body.wanted,
                                        .country = body.country,
                                        .instrument = body.instrument,
                                        .approvals = body.approvals,
                                        .send_by = draft.at() + (body.send_within.ns == 0 ? limits.send_within_default : body.send_within),
                                        .original = 0,
                                        .original_attempt = 0,
                                        .beneficiary = body.beneficiary,
                                        .reference = body.reference,
                                        .metadata = body.metadata};
  Route route;
  const Outcome outcome = check_sendable(draft, record_of(draft, wanted), route);
  if (outcome != Outcome::done) return refuse(outcome);
  request(draft, wanted, std::move(route));
}

// Who may decide about a transfer; `done` if this principal may.
Outcome check_person(Draft& draft, const TransferRecord& transfer, VoteKind vote) {
  const model::PrincipalNumber principal = draft.command().principal;
  const ClientRecord* client = draft.state().client(principal);
  if (client == nullptr || client->kind != static_cast<std::uint8_t>(model::PrincipalKind::person)) return Outcome::approver_must_be_a_person;
  if (principal == transfer.requester) return Outcome::approver_must_not_be_requester;
  if (transfer.vote == static_cast<std::uint8_t>(vote) &&
      std::find(std::begin(transfer.voters), std::end(transfer.voters), principal) != std::end(transfer.voters)) {
    return Outcome::approver_counted_already;
  }
  return Outcome::done;
}

// Counts a voice; true if there are enough of it now.
bool count_vote(Draft& draft, model::EventNumber number, VoteKind vote, std::uint8_t needed, const std::optional<model::Commitment>& reason) {
  const TransferRecord& transfer = draft.transfer(number);
  const auto counted = static_cast<std::uint8_t>((transfer.vote == static_cast<std::uint8_t>(vote) ? transfer.votes : 0) + 1);
  draft.emit(model::VoteRecorded{
      .transfer = number, .person = draft.command().principal, .vote = vote, .counted = counted, .needed = needed, .reason = reason});
  return counted >= needed;
}

// --- refunds ------------------------------------------------------------------------------------------------------------------

// Between accounts: given back in the same commit.
void refund_posted(Draft& draft, const model::RefundTransfer& body) {
  const State& state = draft.state();
  const model::OriginalTransfer& original = body.standing;
  const AccountRecord* debit = state.account(original.credit);
  CHECK_THAT(debit != nullptr && state.account(original.debit) != nullptr, "what was posted has accounts");
  model::Refused particulars{.debit = original.credit, .credit = original.debit, .subject = body.original};
  // What a saga posted is given back by its own refund or by people.
  if (state.sagas().is_rail_account(original.debit) || state.sagas().is_rail_account(original.credit)) {
    return draft.refuse(Outcome::transfer_not_refundable, particulars);
  }
  const RefundRecord refund = draft.refunds_of(body.original);
  const base::U128 left = original.amount - refund.posted;
  const base::U128 amount = body.amount.value_or(left);
  particulars.amount = amount;
  if (body.amount && amount == 0) return draft.refuse(Outcome::refund_must_not_be_zero, particulars);
  if (amount == 0 || amount > left) return draft.refuse(Outcome::refund_exceeds_captured, particulars);
  model::TransferItem item;
  item.debit = original.credit;
  item.credit = original.debit;
  item.asset = state.asset(debit->asset)->asset();
  item.amount = amount;
  item.reference = body.reference;
  item.metadata = body.metadata;
  const Outcome outcome = draft.check_movement(item);
  if (outcome != Outcome::done) return draft.refuse(outcome, particulars);
  const model::EventNumber posting = draft.post(item);
  draft.emit(model::RefundCounted{.original = body.original,
                                  .refund = posting,
                                  .asset = debit->asset,
                                  .captured = original.amount,
                                  .pending = 0,
                                  .posted = refund.posted + amount});
}

}  // namespace

void decide(Draft& draft, const model::CreatePayout& body) { create(draft, body.request, TransferKind::payout); }
void decide(Draft& draft, const model::CreateCollect& body) { create(draft, body.request, TransferKind::collect); }

void decide(Draft& draft, const model::CancelTransfer& body) {
  const TransferRecord* transfer = draft.find_transfer(body.transfer);
  if (transfer == nullptr) return draft.refuse(Outcome::transfer_not_found, {.subject = body.transfer});
  if (model::is_final(transfer->status())) return draft.refuse(Outcome::transfer_already_finished, {.subject = body.transfer});
  if (model::is_with_rail(transfer->status())) return draft.refuse(Outcome::transfer_already_sent, {.subject = body.transfer});
  end(draft, body.transfer, {TransferState::cancelled, MoveCause::cancellation});
}

void decide(Draft& draft, const model::ReviewTransfer& body) {
  const TransferRecord* found = draft.find_transfer(body.transfer);
  if (found == nullptr) return draft.refuse(Outcome::transfer_not_found, {.subject = body.transfer});
  const model::Refused particulars{.amount = found->amount, .subject = body.transfer};
  // Its own time may have passed before a tick came to say so.
  const bool expired = draft.at().ns >= found->send_by_ns;
  if (found->status() != TransferState::reviewing || expired) return draft.refuse(Outcome::transfer_not_in_review, particulars);
  const VoteKind vote = body.approve ? VoteKind::approve : VoteKind::reject;
  const Outcome person = check_person(draft, *found, vote);
  if (person != Outcome::done) return draft.refuse(person, particulars);
  if (!body.approve) {
    count_vote(draft, body.transfer, vote, 1, body.reason);
    return end(draft, body.transfer, {TransferState::rejected, MoveCause::rejection});
  }
  // The last voice sets money in motion: whatever stands in the way now is the answer, and the transfer goes on waiting.
  Route route;
  if (found->votes + 1 >= found->approvals) {
    const Outcome outcome = check_sendable(draft, *found, route);
    if (outcome != Outcome::done) return draft.refuse(outcome, particulars);
  }
  if (count_vote(draft, body.transfer, vote, found->approvals, body.reason)) begin(draft, body.transfer, std::move(route), MoveCause::approval);
}

void decide(Draft& draft, const model::ResolveUnknown& body) {
  const TransferRecord* found = draft.find_transfer(body.transfer);
  if (found == nullptr) return draft.refuse(Outcome::transfer_not_found, {.subject = body.transfer});
  const model::Refused particulars{.amount = found->amount, .subject = body.transfer};
  if (found->status() != TransferState::manual_review) return draft.refuse(Outcome::transfer_not_in_manual_review, particulars);
  const bool settled = body.verdict == model::Verdict::settled;
  const VoteKind vote = settled ? VoteKind::resolve_settled : VoteKind::resolve_failed;
  const Outcome person = check_person(draft, *found, vote);
  if (person != Outcome::done) return draft.refuse(person, particulars);
  if (!count_vote(draft, body.transfer, vote, 2, body.reason)) return;
  if (settled) return settle(draft, body.transfer, MoveCause::resolution, RailReason::none, std::nullopt);
  // People may be wrong, and the payment only late: what the rail still has of it is to die there. Its answer is judged like any other.
  if (draft.rail(found->rail).can(model::void_supported)) ask(draft, body.transfer, true);
  end(draft, body.transfer, {TransferState::failed, MoveCause::resolution});
}

void decide(Draft& draft, const model::RefundTransfer& body) {
  const TransferRecord* original = draft.find_transfer(body.original);
  const model::Refused particulars{.amount = body.amount.value_or(0), .subject = body.original};
  if (original == nullptr) {
    if (!body.standing.found) return draft.refuse(Outcome::transfer_not_found, particulars);
    if (!body.standing.posted) return draft.refuse(Outcome::transfer_not_refundable, particulars);
    return refund_posted(draft, body);
  }
  const TransferState state = original->status();
  const bool settled = state == TransferState::settled || state == TransferState::reversing || state == TransferState::reversed;
  if (!settled || original->original != 0 || original->has_case(model::CaseKind::account_unusable, original->attempt)) {
    return draft.refuse(Outcome::transfer_not_refundable, particulars);
  }
  if (body.amount && *body.amount == 0) return draft.refuse(Outcome::refund_must_not_be_zero, particulars);
  const RefundRecord refund = draft.refunds_of(body.original);
  const base::U128 left = original->amount - refund.pending - refund.posted;
  const base::U128 amount = body.amount.value_or(left);
  if (amount == 0 || amount > left) return draft.refuse(Outcome::refund_exceeds_captured, particulars);
  if (draft.state().sagas().head().open_transfers >= draft.limits().open_transfers_max) return draft.refuse(Outcome::too_many_open_transfers, particulars);
  CHECK(body.approvals <= model::approvals_max);
  const model::TransferRequested wanted{.kind = original->what() == TransferKind::payout ? TransferKind::recall : TransferKind::payout,
                                        .account = original->account,
                                        .requester = draft.command().principal,
                                        .asset = original->asset,
                                        .amount = amount,
                                        .wanted = original->rail,
                                        .country = original->country,
                                        .instrument = original->instrument,
                                        .approvals = body.approvals,
                                        .send_by = draft.at() + draft.limits().send_within_default,
                                        .original = body.original,
                                        .original_attempt = original->attempt_event,
                                        .beneficiary = {},
                                        .reference = body.reference,
                                        .metadata = body.metadata};
  Route route;
  const Outcome outcome = check_sendable(draft, record_of(draft, wanted), route);
  if (outcome != Outcome::done) return draft.refuse(outcome, particulars);
  request(draft, wanted, std::move(route));
}

}  // namespace core
