#pragma once
// The laws that a frozen state can be asked for at the price of one walk over its accounts and holds, with no memory of its
// own but a few sums for each asset: what production asks of the states that leave the core's thread.

#include <optional>

#include "core/invariant/invariant.h"
#include "core/ledger/state.h"

namespace core {

/// The first law that does not hold: debits_equal_credits (posted and pending, each asset), pending_equals_open_holds (in
/// sum, each asset), counters_within_bounds, no_overdraft, closed_accounts_are_at_rest, history_is_linked. Any thread. About
/// 30 ms for a million accounts.
std::optional<Violation> frozen_violation(const FrozenState& state);

/// The same as a statement: where a law does not hold the process stops, having named law and account on standard error.
void require_laws(const FrozenState& state);

}  // namespace core
