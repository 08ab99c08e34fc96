#include "core/invariant/invariant.h"

#include "core/invariant/laws.h"

namespace core {

std::vector<std::unique_ptr<Law>> all_laws() {
  std::vector<std::unique_ptr<Law>> laws;
  laws.push_back(std::make_unique<CountersWithinBounds>());   // first: the others form sums of counters
  laws.push_back(std::make_unique<DebitsEqualCredits>());
  laws.push_back(std::make_unique<PendingEqualsOpenHolds>());
  laws.push_back(std::make_unique<NoOverdraft>());
  laws.push_back(std::make_unique<ClosedAccountsAreAtRest>());
  laws.push_back(std::make_unique<HistoryIsLinked>());
  laws.push_back(std::make_unique<DerivedIndexesAgree>());
  laws.push_back(std::make_unique<SagasKeepTheirHolds>());
  laws.push_back(std::make_unique<OneAttemptAtATime>());
  laws.push_back(std::make_unique<RefundsWithinCaptured>());
  laws.push_back(std::make_unique<LinesAreExplained>());
  laws.push_back(std::make_unique<OneActiveVersion>());
  laws.push_back(std::make_unique<VersionsAreExplained>());
  return laws;
}

std::optional<Violation> first_violation(std::span<const std::unique_ptr<Law>> laws, const State& state) {
  for (const auto& law : laws) {
    if (auto violation = law->check(state)) return violation;
  }
  return std::nullopt;
}

std::optional<Violation> first_violation(std::span<const std::unique_ptr<Law>> laws, const State& state,
                                         std::span<const model::Event> events) {
  for (const auto& law : laws) {
    if (auto violation = law->check_touched(state, events)) return violation;
  }
  return std::nullopt;
}

}  // namespace core
