#pragma once
// One movement of money between two accounts: the ladder of checks and the resulting sides. Works on copies of the two
// accounts, so that the items of an atomic group can see each other before any of them is applied.

#include <optional>

#include "core/ledger/decide.h"
#include "core/ledger/records.h"
#include "model/command.h"
#include "model/event.h"
#include "model/outcome.h"

namespace core {

/// An account as a movement sees it: its record and, if it has any, its limits.
struct AccountView {
  model::AccountNumber number = 0;
  AccountRecord record;
  std::optional<LimitsRecord> limits;
};

/// An account that exists, as the state has it.
AccountView view_of(const State& state, model::AccountNumber number);

/// What stands in the way of the item before its accounts are looked into: amount, assets, sides. Accounts of other
/// tenants do not exist for it. `done` if nothing does, and then both accounts exist.
model::Outcome check_shape(const State& state, model::TenantNumber tenant, const model::TransferItem& item);

/// The rest of the ladder, for an item whose shape is good. Checks in the order of outcome.def; `done` means that both
/// views were changed as the movement will change them and that `links` of both sides are to be taken with take_side().
model::Outcome move(const model::TransferItem& item, base::Instant at, const LedgerBounds& bounds, AccountView& debit,
                    AccountView& credit);

/// Side of an event for an account whose counters were just changed; advances the view's history as apply() will.
model::Side take_side(AccountView& view, model::EventNumber event);

/// Takes over a side that an earlier event of the same decision gave the account; as apply() will.
void follow_side(AccountView& view, const model::Side& side, model::EventNumber event);

/// The end of an open hold, as event number `event`; changes both views as apply() will.
model::HoldResolved resolve_hold(const HoldRecord& hold, model::HoldResolution resolution, base::U128 captured, AccountView& debit,
                                 AccountView& credit, model::EventNumber event);

/// What a debit may still use: posted credits - posted debits - pending debits; 0 where that is negative.
base::U128 available_balance(const model::Counters& counters);

/// What an account was debited, by transfers and holds, on the UTC day of `at` so far.
base::U128 debited_on_day_of(const AccountRecord& account, base::Instant at);
/// Counts one more debit. Sums beyond the largest amount stay there.
void count_daily_debit(AccountRecord& account, base::Instant at, base::U128 amount);

}  // namespace core
