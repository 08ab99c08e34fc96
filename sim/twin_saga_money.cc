// The money of sagas: every side of every posting is computed anew, and each posting has a reason in the same entry.

#include <algorithm>

#include "sim/twin_sagas.h"
#include "sim/twin_words.h"

namespace sim {

using model::EventNumber;
using model::TransferKind;
using model::TransferState;

Complaint SagaReader::take(const model::HoldPlaced& event) {
  Movement movement;
  movement.debit = twin_.at(event.debit.account).name;
  movement.credit = twin_.at(event.credit.account).name;
  movement.asset = twin_.assets_[event.asset - 1].asset;
  movement.amount = event.amount;
  movement.hold = true;
  Request sender;
  sender.tenant = entry_.command.tenant;
  if (const auto outcome = twin_.ladder(sender, movement, entry_.at); outcome != model::Outcome::done) return "money held although " + name_of(outcome);
  const auto expected = std::get<model::HoldPlaced>(twin_.move(movement, {}, entry_.at, at_event_, 0, sender.tenant));
  if (!(event == expected)) return "a hold with other particulars than it must have";
  twin_.note_hold(at_event_, expected, sender.tenant);
  placed_[at_event_] = 0;
  return std::nullopt;
}

Complaint SagaReader::take(const model::HoldResolved& event) {
  const auto found = twin_.holds_.find(event.hold);
  if (found == twin_.holds_.end() || found->second.transfer == 0) return "a hold resolved that no transfer keeps";
  if (found->second.resolution) return "a hold resolved twice";
  const bool captured = event.resolution == model::HoldResolution::captured;
  if (event.resolution == model::HoldResolution::expired) return "a transfer's hold expired";
  const auto expected = twin_.resolve(event.hold, event.resolution, captured ? found->second.amount : 0, at_event_);
  if (!(event == expected)) return "a hold resolved with other particulars";
  resolved_[found->second.transfer] = captured ? Resolved::captured : Resolved::released;
  touched_.insert(found->second.transfer);
  return std::nullopt;
}

Complaint SagaReader::take(const model::HoldRedirected& event) {
  const auto found = twin_.holds_.find(event.hold);
  if (found == twin_.holds_.end() || found->second.transfer == 0 || found->second.resolution) return "a hold redirected that no transfer keeps";
  Twin::Hold& hold = found->second;
  if (event.debit.account != hold.credit || event.amount != hold.amount) return "a hold redirected from another account";
  Twin::Account &from = twin_.at(hold.credit), &to = twin_.at(event.credit.account);
  from.counters.credits_pending -= hold.amount;
  to.counters.credits_pending += hold.amount;
  from.open_holds.erase(event.hold);
  to.open_holds.insert(event.hold);
  model::HoldRedirected expected{event.hold, hold.amount, hold.asset, {}, {}};
  expected.debit = twin_.side_after(hold.credit, at_event_);
  expected.credit = twin_.side_after(event.credit.account, at_event_);
  if (!(event == expected)) return "a hold redirected with other particulars";
  hold.credit = event.credit.account;
  return std::nullopt;
}

Complaint SagaReader::take(const model::TransferPosted& event) {
  Movement movement;
  movement.debit = twin_.at(event.debit.account).name;
  movement.credit = twin_.at(event.credit.account).name;
  movement.amount = event.amount;
  model::TransferItem sent;
  sent.reference = event.reference;
  sent.metadata = event.metadata;
  const auto expected = std::get<model::TransferPosted>(twin_.move(movement, sent, entry_.at, at_event_, 0, entry_.command.tenant));
  if (!(event == expected)) return "a posting with other particulars than it must have";
  twin_.posted_[at_event_] = {entry_.command.tenant, event.amount};
  postings_.push_back({.event = at_event_, .debit = event.debit.account, .credit = event.credit.account, .amount = event.amount});
  return std::nullopt;
}

Complaint SagaReader::take(const model::RefundCounted& event) {
  SagaRefunds& refunds = book_.refunds[event.original];
  const SagaTransfer* original = find(event.original);
  if (SagaTransfer* refund = find(event.refund)) {
    if (original == nullptr || refund->original != event.original) return "a refund counted for another transfer";
    refunds.captured = original->amount;
    if (!refund->counted) {
      refunds.pending += refund->amount;
      refund->counted = true;
    } else {
      if (!model::is_final(refund->state) || refunds.pending < refund->amount) return "a refund counted that has not ended";
      refunds.pending -= refund->amount;
      if (refund->state == TransferState::settled) refunds.posted += refund->amount;
    }
  } else {
    if (postings_.empty() || postings_.back().event != event.refund) return "a refund counted that did not happen";
    const auto posted = twin_.posted_.find(event.original);
    const auto held = twin_.holds_.find(event.original);
    if (posted == twin_.posted_.end() && held == twin_.holds_.end()) return "a refund of nothing";
    refunds.captured = posted != twin_.posted_.end() ? posted->second.amount : held->second.captured;
    refunds.posted += postings_.back().amount;
    postings_.back().explained = true;
  }
  if (refunds.pending + refunds.posted > refunds.captured) return "refunds of " + number(event.original) + " exceed what it moved";
  if (event.captured != refunds.captured || event.pending != refunds.pending || event.posted != refunds.posted) return "refunds of " + number(event.original) + " miscounted";
  return std::nullopt;
}

// --- what an entry must leave behind -----------------------------------------------------------------------------------------------

Complaint SagaReader::check_hold(EventNumber number_of, const SagaTransfer& transfer) const {
  const auto says = [&](const char* what) { return Complaint("transfer " + number(number_of) + " " + what); };
  const auto resolved = resolved_.find(number_of);
  const bool waits = transfer.kind == TransferKind::payout && (transfer.state == TransferState::held || transfer.state == TransferState::parked ||
                                                               model::is_with_rail(transfer.state));
  if (waits) {
    if (resolved != resolved_.end()) return says("gave up its hold while its outcome is open");
    const auto hold = twin_.holds_.find(transfer.hold);
    if (hold == twin_.holds_.end() || hold->second.resolution || hold->second.amount != transfer.amount) return says("has lost its hold");
    return std::nullopt;
  }
  if (resolved == resolved_.end()) return std::nullopt;
  const bool captured = resolved->second == Resolved::captured;
  if (captured != (transfer.state == TransferState::settled)) return says(captured ? "took the money without having settled" : "released the money although it settled");
  return std::nullopt;
}

Complaint SagaReader::finish() {
  for (const Posting& posting : postings_) {
    if (!posting.explained) return "money moved by posting " + number(posting.event) + " for no reason";
  }
  for (const auto& [hold, transfer] : placed_) {
    if (transfer == 0) return "hold " + number(hold) + " was placed for no transfer";
  }
  for (const EventNumber touched : touched_) {
    if (auto complaint = check_hold(touched, book_.transfers.at(touched))) return complaint;
  }
  if (!chosen_.empty()) return "a rail was chosen, and nothing was sent";
  return std::nullopt;
}

}  // namespace sim
