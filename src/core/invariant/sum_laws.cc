#include "core/invariant/laws.h"

namespace core {

// --- debits equal credits -------------------------------------------------------------------------------------------------

void DebitsEqualCredits::see(const State& state, model::AccountNumber number) {
  const AccountRecord& account = *state.account(number);
  if (seen_.size() <= number) seen_.resize(number + 1u);
  if (differences_.size() <= account.asset) differences_.resize(account.asset + 1u);
  const model::Counters& before = seen_[number];
  const model::Counters& now = account.counters;
  Difference& difference = differences_[account.asset];
  difference.posted += (now.debits_posted - before.debits_posted) - (now.credits_posted - before.credits_posted);
  difference.pending += (now.debits_pending - before.debits_pending) - (now.credits_pending - before.credits_pending);
  seen_[number] = now;
}

std::optional<Violation> DebitsEqualCredits::judge(model::AssetNumber asset, model::AccountNumber account) const {
  const Difference& difference = differences_[asset];
  if (difference.posted != 0) {
    return Violation{name(), "posted debits and credits of asset " + std::to_string(asset) + " differ", account};
  }
  if (difference.pending != 0) {
    return Violation{name(), "pending debits and credits of asset " + std::to_string(asset) + " differ", account};
  }
  return std::nullopt;
}

std::optional<Violation> DebitsEqualCredits::check(const State& state) {
  seen_.clear();
  differences_.assign(state.asset_count() + 1u, {});
  for (model::AccountNumber number = 1; number <= state.account_count(); ++number) see(state, number);
  for (model::AssetNumber asset = 1; asset <= state.asset_count(); ++asset) {
    if (auto violation = judge(asset, 0)) return violation;
  }
  return std::nullopt;
}

std::optional<Violation> DebitsEqualCredits::check_touched(const State& state, std::span<const model::Event> events) {
  const std::vector<model::AccountNumber> touched = touched_accounts(events);
  for (const model::AccountNumber number : touched) see(state, number);
  for (const model::AccountNumber number : touched) {
    if (auto violation = judge(state.account(number)->asset, number)) return violation;
  }
  return std::nullopt;
}

// --- pending equals open holds --------------------------------------------------------------------------------------------

PendingEqualsOpenHolds::Held& PendingEqualsOpenHolds::held_by(model::AccountNumber number) {
  if (held_.size() <= number) held_.resize(number + 1u);
  return held_[number];
}

std::optional<Violation> PendingEqualsOpenHolds::judge(const State& state, model::AccountNumber number) {
  const model::Counters& counters = state.account(number)->counters;
  const Held& held = held_by(number);
  if (counters.debits_pending != held.debits) {
    return Violation{name(), "pending debits " + base::to_decimal(counters.debits_pending) + ", open holds " + base::to_decimal(held.debits),
                     number};
  }
  if (counters.credits_pending != held.credits) {
    return Violation{
        name(), "pending credits " + base::to_decimal(counters.credits_pending) + ", open holds " + base::to_decimal(held.credits), number};
  }
  return std::nullopt;
}

std::optional<Violation> PendingEqualsOpenHolds::check(const State& state) {
  held_.assign(state.account_count() + 1u, {});
  for (std::uint32_t slot = 0; slot < state.hold_slot_count(); ++slot) {
    const HoldRecord& hold = state.hold_slot(slot);
    if (hold.placed == 0) continue;
    held_by(hold.debit).debits += hold.amount;
    held_by(hold.credit).credits += hold.amount;
  }
  for (model::AccountNumber number = 1; number <= state.account_count(); ++number) {
    if (auto violation = judge(state, number)) return violation;
  }
  return std::nullopt;
}

std::optional<Violation> PendingEqualsOpenHolds::check_touched(const State& state, std::span<const model::Event> events) {
  for (const model::Event& event : events) {
    if (const auto* placed = std::get_if<model::HoldPlaced>(&event.body)) {
      held_by(placed->debit.account).debits += placed->amount;
      held_by(placed->credit.account).credits += placed->amount;
    } else if (const auto* resolved = std::get_if<model::HoldResolved>(&event.body)) {
      held_by(resolved->debit.account).debits -= resolved->held;
      held_by(resolved->credit.account).credits -= resolved->held;
    } else if (const auto* redirected = std::get_if<model::HoldRedirected>(&event.body)) {
      held_by(redirected->debit.account).credits -= redirected->amount;
      held_by(redirected->credit.account).credits += redirected->amount;
    }
  }
  for (const model::AccountNumber number : touched_accounts(events)) {
    if (auto violation = judge(state, number)) return violation;
  }
  return std::nullopt;
}

}  // namespace core
