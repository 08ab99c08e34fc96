#include "core/invariant/frozen_laws.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "core/invariant/laws.h"

namespace core {

namespace {

// Debits minus credits, and holds, modulo 2^128: sums of many accounts may pass the type, and equality survives that.
struct AssetSums {
  base::U128 posted = 0;
  base::U128 pending = 0;
  base::U128 debits_pending = 0;
  base::U128 held = 0;
};

std::optional<Violation> judge(const std::vector<AssetSums>& assets) {
  const std::string_view sums = DebitsEqualCredits().name(), holds = PendingEqualsOpenHolds().name();
  for (std::size_t i = 1; i < assets.size(); ++i) {
    const std::string asset = "asset " + std::to_string(i);
    if (assets[i].posted != 0) return Violation{sums, "posted debits and credits of " + asset + " differ", 0};
    if (assets[i].pending != 0) return Violation{sums, "pending debits and credits of " + asset + " differ", 0};
    if (assets[i].debits_pending != assets[i].held) return Violation{holds, "pending debits and open holds of " + asset + " differ", 0};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Violation> frozen_violation(const FrozenState& state) {
  const CountersWithinBounds bounds;
  const NoOverdraft overdraft;
  const ClosedAccountsAreAtRest at_rest;
  const HistoryIsLinked linked;
  const std::array<const AccountLaw*, 4> laws{&bounds, &overdraft, &at_rest, &linked};
  std::vector<AssetSums> assets(state.assets.size() + 1);
  model::AccountNumber number = 0;
  for (std::size_t chunk = 0; chunk < state.accounts.chunk_count(); ++chunk) {
    for (const AccountRecord& account : state.accounts.chunk(chunk)) {
      ++number;
      for (const AccountLaw* law : laws) {
        std::string wrong = law->fault(state.head, account);
        if (!wrong.empty()) return Violation{law->name(), std::move(wrong), number};
      }
      if (account.asset == 0 || account.asset >= assets.size()) return Violation{DebitsEqualCredits().name(), "an account of no asset", number};
      const model::Counters& counters = account.counters;
      AssetSums& sums = assets[account.asset];
      sums.posted += counters.debits_posted - counters.credits_posted;
      sums.pending += counters.debits_pending - counters.credits_pending;
      sums.debits_pending += counters.debits_pending;
    }
  }
  for (std::size_t chunk = 0; chunk < state.holds.chunk_count(); ++chunk) {
    for (const HoldRecord& hold : state.holds.chunk(chunk)) {
      if (hold.placed == 0) continue;
      if (hold.asset == 0 || hold.asset >= assets.size()) return Violation{PendingEqualsOpenHolds().name(), "a hold of no asset", hold.debit};
      assets[hold.asset].held += hold.amount;
    }
  }
  return judge(assets);
}

void require_laws(const FrozenState& state) {
  const auto violation = frozen_violation(state);
  if (!violation) [[likely]]
    return;
  const std::string sentence = "the law " + std::string(violation->law) + " holds at event " + std::to_string(state.head.next_event - 1) +
                               ": account " + std::to_string(violation->account) + ": " + violation->sentence;
  CHECK_THAT(!violation, sentence.c_str());
}

}  // namespace core
