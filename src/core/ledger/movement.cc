#include "core/ledger/movement.h"

#include "base/check.h"
#include "base/planted_bug.h"

namespace core {

using model::Outcome;

namespace {

constexpr std::int64_t ns_per_day = 86'400'000'000'000;
std::uint16_t day_of(base::Instant at) { return static_cast<std::uint16_t>(at.ns / ns_per_day); }

// Sums of counters cannot wrap: each is at most 2^127 - 1, and posted + pending of one side is kept there too.
base::U128 debits(const model::Counters& c) { return c.debits_posted + c.debits_pending; }
base::U128 credits(const model::Counters& c) { return c.credits_posted + c.credits_pending; }

base::U128 positive_difference(base::U128 a, base::U128 b) { return a > b ? a - b : 0; }

Outcome check_limits(const model::TransferItem& item, base::Instant at, const AccountView& debit, const AccountView& credit) {
  if (debit.limits) {
    const LimitsRecord& limits = *debit.limits;
    if (limits.has_debit_amount_max && item.amount > limits.debit_amount_max) return Outcome::exceeds_debit_amount_limit;
    if (limits.has_daily_debits_max) {
      const auto sum = base::checked_add(debited_on_day_of(debit.record, at), item.amount);
      if (!sum || *sum > limits.daily_debits_max) return Outcome::exceeds_daily_debit_limit;
    }
  }
  if (credit.limits && credit.limits->has_balance_max) {
    // Both sums fit: amounts, counters and limits are at most 2^127 - 1. A balance below zero leaves that much more room.
    const model::Counters& counters = credit.record.counters;
    if ((base::planted_bug(2) ? counters.credits_posted : credits(counters)) + item.amount > counters.debits_posted + credit.limits->balance_max) return Outcome::exceeds_balance_limit;
  }
  return Outcome::done;
}

}  // namespace

base::U128 available_balance(const model::Counters& counters) {
  return positive_difference(counters.credits_posted, debits(counters));
}

base::U128 debited_on_day_of(const AccountRecord& account, base::Instant at) {
  return account.day == day_of(at) || base::planted_bug(7) ? account.debited_on_day : 0;
}

void count_daily_debit(AccountRecord& account, base::Instant at, base::U128 amount) {
  const auto sum = base::checked_add(debited_on_day_of(account, at), amount);
  account.day = day_of(at);
  account.debited_on_day = sum ? *sum : base::amount_max;
}

AccountView view_of(const State& state, model::AccountNumber number) {
  const AccountRecord* record = state.account(number);
  CHECK(record != nullptr);
  AccountView view{.number = number, .record = *record, .limits = {}};
  if (const LimitsRecord* limits = state.limits_of(*record)) view.limits = *limits;
  return view;
}

Outcome check_shape(const State& state, model::TenantNumber tenant, const model::TransferItem& item) {
  if (item.amount == 0) return Outcome::amount_must_not_be_zero;
  if (item.amount > base::amount_max) return Outcome::amount_exceeds_maximum;
  // Names resolve within the tenant; a number from elsewhere is treated like a name that does not exist.
  const auto own_account = [&state, tenant](model::AccountNumber number) {
    const AccountRecord* record = state.account(number);
    return record != nullptr && state.tenant_of(*record) == tenant ? record : nullptr;
  };
  const AccountRecord* debit = own_account(item.debit);
  const AccountRecord* credit = own_account(item.credit);
  if (debit != nullptr && credit != nullptr && debit != credit && debit->asset == credit->asset &&
      state.asset(debit->asset)->asset() == item.asset) [[likely]] {
    return Outcome::done;
  }
  const model::AssetNumber asset = state.asset_by_code(tenant, item.asset.code);
  if (asset == 0 || state.asset(asset)->scale != item.asset.scale) return Outcome::asset_not_registered;
  if (debit == nullptr) return Outcome::debit_account_not_found;
  if (credit == nullptr) return Outcome::credit_account_not_found;
  if (item.debit == item.credit) return Outcome::accounts_must_be_different;
  if (debit->asset != credit->asset) return Outcome::accounts_have_different_assets;
  return Outcome::asset_differs_from_accounts;
}

Outcome move(const model::TransferItem& item, base::Instant at, const LedgerBounds& bounds, AccountView& debit,
             AccountView& credit) {
  const model::AccountFlags debit_flags = debit.record.flags, credit_flags = credit.record.flags;
  if ((debit_flags & model::closed) != 0) return Outcome::debit_account_closed;
  if ((credit_flags & model::closed) != 0) return Outcome::credit_account_closed;
  if ((debit_flags & model::frozen_for_debits) != 0) return Outcome::debit_account_frozen;
  if ((credit_flags & model::frozen_for_credits) != 0 && !base::planted_bug(6)) return Outcome::credit_account_frozen;
  if (item.hold && item.hold_for.ns != 0 && (item.hold_for < bounds.hold_for_min || item.hold_for > bounds.hold_for_max)) {
    return Outcome::hold_duration_out_of_range;
  }
  if (debit.limits || credit.limits) {
    const Outcome outcome = check_limits(item, at, debit, credit);
    if (outcome != Outcome::done) return outcome;
  }
  model::Counters& from = debit.record.counters;
  model::Counters& to = credit.record.counters;
  if ((debit_flags & model::debits_must_not_exceed_credits) != 0 && item.amount > (base::planted_bug(1) ? from.credits_posted : available_balance(from))) {
    return Outcome::exceeds_available_balance;
  }
  if ((credit_flags & model::credits_must_not_exceed_debits) != 0 &&
      item.amount > positive_difference(to.debits_posted, credits(to))) {
    return Outcome::exceeds_available_debits;
  }
  if (!base::checked_add(debits(from), item.amount)) return Outcome::debit_counter_would_overflow;
  if (!base::checked_add(credits(to), item.amount)) return Outcome::credit_counter_would_overflow;

  if (item.hold) {
    from.debits_pending += item.amount;
    to.credits_pending += item.amount;
  } else {
    from.debits_posted += item.amount;
    to.credits_posted += item.amount;
  }
  count_daily_debit(debit.record, at, item.amount);
  return Outcome::done;
}

model::Side take_side(AccountView& view, model::EventNumber event) {
  AccountRecord& record = view.record;
  model::Side side{.account = view.number, .after = record.counters, .links = {.previous = record.last_posting}};
  record.last_posting = event;
  record.postings += 1;
  if (record.postings % 64 == 0) {
    side.links.previous_64 = record.last_64;
    record.last_64 = event;
  }
  if (record.postings % 4096 == 0) {
    side.links.previous_4096 = record.last_4096;
    record.last_4096 = event;
  }
  return side;
}

void follow_side(AccountView& view, const model::Side& side, model::EventNumber event) {
  CHECK(view.number == side.account);
  const model::Side taken = take_side(view, event);
  CHECK(taken.links == side.links);
  view.record.counters = side.after;
}

model::HoldResolved resolve_hold(const HoldRecord& hold, model::HoldResolution resolution, base::U128 captured, AccountView& debit,
                                 AccountView& credit, model::EventNumber event) {
  model::Counters& from = debit.record.counters;
  model::Counters& to = credit.record.counters;
  const auto from_pending = base::checked_sub(from.debits_pending, base::planted_bug(3) ? captured : hold.amount);
  const auto to_pending = base::checked_sub(to.credits_pending, hold.amount);
  CHECK_THAT(from_pending && to_pending && captured <= hold.amount, "pending counters cover every open hold");
  from.debits_pending = *from_pending;
  to.credits_pending = *to_pending;
  from.debits_posted += captured;   // cannot overflow: posted + pending is bounded and pending shrank by at least as much
  to.credits_posted += captured;
  model::Side debit_side = take_side(debit, event), credit_side = take_side(credit, event);
  return {.hold = hold.placed,
          .resolution = resolution,
          .held = hold.amount,
          .captured = captured,
          .asset = hold.asset,
          .debit = debit_side,
          .credit = credit_side};
}

}  // namespace core
