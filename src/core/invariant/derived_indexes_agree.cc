#include "core/invariant/laws.h"

namespace core {

std::optional<Violation> DerivedIndexesAgree::check_counts(const State& state) const {
  const std::size_t open = state.open_hold_slots().size();
  if (state.head().open_holds != open) return Violation{name(), "the count of open holds is not the number of their slots", 0};
  if (state.expiries().size() > open) return Violation{name(), "more expiries than open holds", 0};
  if (open > state.hold_slot_count()) return Violation{name(), "more open holds than slots", 0};
  return std::nullopt;
}

std::optional<Violation> DerivedIndexesAgree::check_slots(const State& state) const {
  std::size_t open = 0, expiring = 0;
  for (std::uint32_t slot = 0; slot < state.hold_slot_count(); ++slot) {
    const HoldRecord& hold = state.hold_slot(slot);
    if (hold.placed == 0) continue;
    ++open;
    const auto found = state.open_hold_slots().find(hold.placed);
    if (found == state.open_hold_slots().end() || found->second != slot) {
      return Violation{name(), "hold " + std::to_string(hold.placed) + " is not found in its slot", hold.debit};
    }
    if (hold.expires_at_ns == 0) continue;
    ++expiring;
    if (!state.expiries().contains({hold.expires_at_ns, hold.placed})) {
      return Violation{name(), "hold " + std::to_string(hold.placed) + " would never expire", hold.debit};
    }
  }
  if (open != state.open_hold_slots().size()) return Violation{name(), "a slot is known for a hold that is not open", 0};
  if (expiring != state.expiries().size()) return Violation{name(), "an expiry is known for a hold that is not open", 0};

  std::vector<bool> listed(state.hold_slot_count());
  std::size_t free = 0;
  for (std::uint32_t next = state.head().first_free_hold; next != 0; next = state.hold_slot(next - 1).next_free) {
    if (next > state.hold_slot_count() || listed[next - 1] || state.hold_slot(next - 1).placed != 0) {
      return Violation{name(), "the list of free hold slots runs into slot " + std::to_string(next), 0};
    }
    listed[next - 1] = true;
    ++free;
  }
  if (free + open != state.hold_slot_count()) return Violation{name(), "a hold slot is neither open nor free", 0};
  return std::nullopt;
}

std::uint32_t& DerivedIndexesAgree::holds_of(model::AccountNumber number) {
  if (holds_.size() <= number) holds_.resize(number + 1u);
  return holds_[number];
}

std::optional<Violation> DerivedIndexesAgree::check_accounts(const State& state) {
  holds_.assign(state.account_count() + 1u, 0);
  for (std::uint32_t slot = 0; slot < state.hold_slot_count(); ++slot) {
    const HoldRecord& hold = state.hold_slot(slot);
    if (hold.placed == 0) continue;
    holds_[hold.debit] += 1;
    holds_[hold.credit] += 1;
  }
  std::vector<bool> limits(state.limits_count() + 1u);
  for (model::AccountNumber number = 1; number <= state.account_count(); ++number) {
    const AccountRecord& account = *state.account(number);
    if (account.open_holds != holds_[number]) return Violation{name(), "the account's count of open holds is wrong", number};
    if (account.limits_slot == 0) continue;
    if (limits[account.limits_slot]) return Violation{name(), "the account shares its limits with another", number};
    limits[account.limits_slot] = true;
  }
  return std::nullopt;
}

std::optional<Violation> DerivedIndexesAgree::check(const State& state) {
  if (auto violation = check_counts(state)) return violation;
  if (auto violation = check_slots(state)) return violation;
  return check_accounts(state);
}

std::optional<Violation> DerivedIndexesAgree::check_events(const State& state, std::span<const model::Event> events) {
  model::EventNumber number = state.head().next_event - events.size();
  for (const model::Event& event : events) {
    if (const auto* placed = std::get_if<model::HoldPlaced>(&event.body)) {
      holds_of(placed->debit.account) += 1;
      holds_of(placed->credit.account) += 1;
      // A later event of the same run may have resolved it; then the run's own check of that event speaks.
      if (const HoldRecord* hold = state.open_hold(number)) {
        if (hold->placed != number || hold->amount != placed->amount || hold->debit != placed->debit.account ||
            (hold->credit != placed->credit.account && hold->transfer == 0) || hold->expires_at_ns != placed->expires_at.ns) {
          return Violation{name(), "hold " + std::to_string(number) + " is not what was placed", placed->debit.account};
        }
        if (hold->expires_at_ns != 0 && !state.expiries().contains({hold->expires_at_ns, number})) {
          return Violation{name(), "hold " + std::to_string(number) + " would never expire", placed->debit.account};
        }
      }
    } else if (const auto* resolved = std::get_if<model::HoldResolved>(&event.body)) {
      holds_of(resolved->debit.account) -= 1;
      holds_of(resolved->credit.account) -= 1;
      if (state.open_hold(resolved->hold) != nullptr) {
        return Violation{name(), "hold " + std::to_string(resolved->hold) + " is open after it was resolved", resolved->debit.account};
      }
    } else if (const auto* redirected = std::get_if<model::HoldRedirected>(&event.body)) {
      holds_of(redirected->debit.account) -= 1;
      holds_of(redirected->credit.account) += 1;
    }
    ++number;
  }
  return std::nullopt;
}

std::optional<Violation> DerivedIndexesAgree::check_touched(const State& state, std::span<const model::Event> events) {
  if (auto violation = check_counts(state)) return violation;
  if (auto violation = check_events(state, events)) return violation;
  for (const model::AccountNumber touched : touched_accounts(events)) {
    if (state.account(touched)->open_holds != holds_of(touched)) return Violation{name(), "the account's count of open holds is wrong", touched};
  }
  return std::nullopt;
}

}  // namespace core
