// The naive ledger: accounts as plain numbers, movements and holds as the documents tell them.

#include <algorithm>

#include "sim/twin.h"
#include "sim/twin_words.h"

namespace sim {

using model::EventNumber;
using model::Outcome;

Twin::Account* Twin::find_account(model::TenantNumber tenant, const std::string& name) {
  const auto found = names_.find({tenant, name});
  return found == names_.end() ? nullptr : &accounts_[found->second - 1];
}
const Twin::Account* Twin::find_account(model::TenantNumber tenant, const std::string& name) const {
  return const_cast<Twin*>(this)->find_account(tenant, name);
}

model::AccountNumber Twin::account_number(model::TenantNumber tenant, const std::string& name) const {
  const auto found = names_.find({tenant, name});
  return found == names_.end() ? 0 : found->second;
}

model::AssetNumber Twin::find_asset(model::TenantNumber tenant, const model::AssetCode& code) const {
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    if (assets_[i].tenant == tenant && assets_[i].asset.code == code) return static_cast<model::AssetNumber>(i + 1);
  }
  return 0;
}

model::AccountNumber Twin::open_account(Account account) {
  const auto result = static_cast<model::AccountNumber>(accounts_.size() + 1);
  names_[{account.tenant, account.name}] = result;
  accounts_.push_back(std::move(account));
  return result;
}

model::Refused Twin::refused(const Request& request, Outcome outcome, const model::Entry& entry) const {
  return {.outcome = outcome, .operation = operation_of(request), .trace = entry.command.trace};
}

model::Side Twin::side_after(model::AccountNumber account, EventNumber event) {
  Account& a = at(account);
  model::Side side{.account = account, .after = a.counters, .links = {}};
  if (!a.postings.empty()) side.links.previous = a.postings.back();
  a.postings.push_back(event);
  const std::size_t n = a.postings.size();
  if (n % 64 == 0 && n > 64) side.links.previous_64 = a.postings[n - 65];
  if (n % 4096 == 0 && n > 4096) side.links.previous_4096 = a.postings[n - 4097];
  return side;
}

Twin::Bodies Twin::decide(const Request& request, const Part& part, const model::Entry& entry) {
  switch (request.kind) {
    case Kind::transfer:
    case Kind::batch: return decide_transfers(request, part, entry);
    case Kind::capture:
    case Kind::void_hold: return decide_resolution(request, entry);
    case Kind::create_client:
    case Kind::rotate_client:
    case Kind::revoke_client: return decide_client(request, entry);
    case Kind::cancel_key: {
      const auto used = keys_.find({request.tenant, request.principal, request.cancelled_operation, request.cancelled_key});
      if (used != keys_.end()) {
        model::Refused refusal = refused(request, Outcome::idempotency_key_already_used, entry);
        refusal.subject = used->second.event;
        return {refusal};
      }
      const auto* command = std::get_if<model::CancelKey>(&entry.command.body);
      return {model::KeyCancelled{command == nullptr ? base::Tag128{} : command->cancelled}};
    }
    default: return decide_account(request, entry);
  }
}

Outcome Twin::ladder(const Request& request, const Movement& m, base::Instant at) const {
  constexpr std::int64_t ns_per_day = 86'400'000'000'000;
  const Account* from = find_account(request.tenant, m.debit);
  const Account* to = find_account(request.tenant, m.credit);
  const model::AssetNumber asset = find_asset(request.tenant, m.asset.code);
  if (m.amount == 0) return Outcome::amount_must_not_be_zero;
  if (m.amount > base::amount_max) return Outcome::amount_exceeds_maximum;
  if (asset == 0 || assets_[asset - 1].asset.scale != m.asset.scale) return Outcome::asset_not_registered;
  if (from == nullptr) return Outcome::debit_account_not_found;
  if (to == nullptr) return Outcome::credit_account_not_found;
  if (from == to) return Outcome::accounts_must_be_different;
  if (from->asset != to->asset) return Outcome::accounts_have_different_assets;
  if (from->asset != asset) return Outcome::asset_differs_from_accounts;
  if (from->flags & model::closed) return Outcome::debit_account_closed;
  if (to->flags & model::closed) return Outcome::credit_account_closed;
  if (from->flags & model::frozen_for_debits) return Outcome::debit_account_frozen;
  if (to->flags & model::frozen_for_credits) return Outcome::credit_account_frozen;
  if (m.hold && m.hold_seconds != 0 && (m.hold_seconds < 1 || m.hold_seconds > 400 * 86'400)) return Outcome::hold_duration_out_of_range;
  const model::Counters &f = from->counters, &t = to->counters;
  if (from->limits.debit_amount_max && m.amount > *from->limits.debit_amount_max) return Outcome::exceeds_debit_amount_limit;
  if (from->limits.daily_debits_max) {
    const base::U128 today = from->day == at.ns / ns_per_day ? from->debited_on_day : 0;
    if (today + m.amount > *from->limits.daily_debits_max) return Outcome::exceeds_daily_debit_limit;
  }
  if (to->limits.balance_max && t.credits_posted + t.credits_pending + m.amount > t.debits_posted + *to->limits.balance_max) {
    return Outcome::exceeds_balance_limit;
  }
  if ((from->flags & model::debits_must_not_exceed_credits) && f.debits_posted + f.debits_pending + m.amount > f.credits_posted) {
    return Outcome::exceeds_available_balance;
  }
  if ((to->flags & model::credits_must_not_exceed_debits) && t.credits_posted + t.credits_pending + m.amount > t.debits_posted) {
    return Outcome::exceeds_available_debits;
  }
  if (f.debits_posted + f.debits_pending + m.amount > base::amount_max) return Outcome::debit_counter_would_overflow;
  if (t.credits_posted + t.credits_pending + m.amount > base::amount_max) return Outcome::credit_counter_would_overflow;
  return Outcome::done;
}

model::EventBody Twin::move(const Movement& m, const model::TransferItem& sent, base::Instant instant, EventNumber event,
                            EventNumber group, model::TenantNumber tenant) {
  const model::AccountNumber debit = account_number(tenant, m.debit), credit = account_number(tenant, m.credit);
  Account &from = at(debit), &to = at(credit);
  (m.hold ? from.counters.debits_pending : from.counters.debits_posted) += m.amount;
  (m.hold ? to.counters.credits_pending : to.counters.credits_posted) += m.amount;
  const std::int64_t day = instant.ns / 86'400'000'000'000;
  if (from.day != day) from.debited_on_day = 0;
  from.day = day;
  from.debited_on_day = std::min(from.debited_on_day + m.amount, base::amount_max);
  const model::Side debit_side = side_after(debit, event), credit_side = side_after(credit, event);
  if (!m.hold) {
    return model::TransferPosted{m.amount, from.asset, debit_side, credit_side, group, sent.reference, sent.metadata};
  }
  const base::Instant expires = m.hold_seconds == 0 ? base::Instant{} : instant + base::seconds(m.hold_seconds);
  return model::HoldPlaced{m.amount, from.asset, debit_side, credit_side, expires, group, sent.reference, sent.metadata};
}

Twin::Bodies Twin::decide_transfers(const Request& request, const Part& part, const model::Entry& entry) {
  const auto* command = std::get_if<model::CreateTransfer>(&entry.command.body);
  static const model::TransferItem none;
  const auto item_of = [&](std::size_t i) -> const model::TransferItem& {
    return command != nullptr && i < command->items.size() ? command->items[i] : none;
  };
  std::map<model::AccountNumber, Account> before;
  Bodies bodies;
  std::uint32_t holds = 0;
  Outcome outcome = Outcome::done;
  for (std::size_t i = 0; i < part.count && outcome == Outcome::done; ++i) {
    const Movement& m = request.movements[part.first + i];
    outcome = ladder(request, m, entry.at);
    if (outcome == Outcome::done && m.hold && open_holds_ + ++holds > bounds_.open_holds_max) outcome = Outcome::too_many_open_holds;
    if (outcome != Outcome::done) {
      for (auto& [number, account] : before) accounts_[number - 1] = account;
      bodies.clear();
      for (std::size_t k = 0; k < part.count; ++k) {
        const Movement& other = request.movements[part.first + k];
        model::Refused refusal = refused(request, k == i ? outcome : Outcome::atomic_group_refused, entry);
        refusal.debit = account_number(request.tenant, other.debit);
        refusal.credit = account_number(request.tenant, other.credit);
        refusal.amount = other.amount;
        bodies.push_back(refusal);
      }
      return bodies;
    }
    for (const std::string& name : {m.debit, m.credit}) {
      const auto number = account_number(request.tenant, name);
      before.try_emplace(number, at(number));
    }
    bodies.push_back(move(m, item_of(i), entry.at, entry.first_event + i, part.count > 1 ? entry.first_event : 0, request.tenant));
  }
  for (std::size_t i = 0; i < part.count; ++i) {
    const Movement& m = request.movements[part.first + i];
    const EventNumber event = entry.first_event + i;
    if (!m.reference.empty()) references_[{request.tenant, m.reference}].push_back(event);
    const auto* held = std::get_if<model::HoldPlaced>(&bodies[i]);
    if (held == nullptr) {
      posted_[event] = {request.tenant, m.amount};
      continue;
    }
    note_hold(event, *held, request.tenant);
  }
  return bodies;
}

void Twin::note_hold(EventNumber event, const model::HoldPlaced& held, model::TenantNumber tenant) {
  holds_[event] = {.tenant = tenant, .amount = held.amount, .debit = held.debit.account, .credit = held.credit.account,
                   .asset = held.asset, .expires_at_ns = held.expires_at.ns, .resolution = {}};
  at(held.debit.account).open_holds.insert(event);
  at(held.credit.account).open_holds.insert(event);
  placed_holds_.push_back(event);
  ++open_holds_;
  if (held.expires_at.ns != 0) due_.insert({held.expires_at.ns, event});
}

model::HoldResolved Twin::resolve(EventNumber number, model::HoldResolution resolution, base::U128 captured, EventNumber event) {
  Hold& hold = holds_.at(number);
  hold.resolution = resolution;
  hold.resolved_by = event;
  hold.captured = captured;
  --open_holds_;
  due_.erase({hold.expires_at_ns, number});
  Account &from = at(hold.debit), &to = at(hold.credit);
  from.open_holds.erase(number);
  to.open_holds.erase(number);
  from.counters.debits_pending -= hold.amount;
  from.counters.debits_posted += captured;
  to.counters.credits_pending -= hold.amount;
  to.counters.credits_posted += captured;
  const model::Side debit = side_after(hold.debit, event), credit = side_after(hold.credit, event);
  return {number, resolution, hold.amount, captured, hold.asset, debit, credit};
}

Twin::Bodies Twin::decide_resolution(const Request& request, const model::Entry& entry) {
  const bool capture = request.kind == Kind::capture;
  model::Refused refusal = refused(request, Outcome::transfer_not_found, entry);
  refusal.subject = request.hold;
  refusal.amount = capture ? request.amount.value_or(0) : 0;
  const auto found = holds_.find(request.hold);
  if (found == holds_.end() || found->second.tenant != request.tenant) {
    const auto posted = posted_.find(request.hold);
    if (posted != posted_.end() && posted->second.tenant == request.tenant) refusal.outcome = Outcome::transfer_is_not_a_hold;
    return {refusal};
  }
  const Hold& hold = found->second;
  if (hold.resolution) {
    refusal.outcome = *hold.resolution == model::HoldResolution::captured ? Outcome::hold_already_captured
                      : *hold.resolution == model::HoldResolution::voided ? Outcome::hold_already_voided
                                                                          : Outcome::hold_expired;
    return {refusal};
  }
  if (!capture && hold.transfer != 0) {
    refusal.outcome = Outcome::hold_belongs_to_transfer;
    refusal.debit = hold.debit;
    refusal.credit = hold.credit;
    return {refusal};
  }
  if (!capture) return {resolve(request.hold, model::HoldResolution::voided, 0, entry.first_event)};
  refusal.debit = hold.debit;
  refusal.credit = hold.credit;
  const base::U128 amount = request.amount.value_or(hold.amount);
  refusal.amount = amount;
  refusal.outcome = amount == 0 ? Outcome::capture_must_not_be_zero : Outcome::capture_exceeds_held_amount;
  if (amount == 0 || amount > hold.amount) return {refusal};
  if (hold.transfer != 0) {
    refusal.outcome = Outcome::hold_belongs_to_transfer;
    return {refusal};
  }
  return {resolve(request.hold, model::HoldResolution::captured, amount, entry.first_event)};
}

}  // namespace sim
