#pragma once
// What the router would have made of a log of past attempts, beside choices that look at nothing: each rail alone, the cheapest, all
// in turn, and the best that was possible. The router is the real one (core/routing); it learns only from what it chose itself.

#include <cstdint>
#include <string>
#include <vector>

#include "apps/holdfast/rail_log.h"
#include "core/tables/saga_bounds.h"

namespace holdfast {

/// What a way of choosing came to.
struct StrategyResult {
  std::string name;                 ///< `router`, `always bank-a`, `cheapest`, `in turn`, `best possible`
  std::uint64_t decided = 0;        ///< payments for which it named a rail
  std::uint64_t evidence = 0;       ///< of them: the log says what that rail made of it; the others count for nothing
  std::uint64_t settled = 0;
  std::int64_t earned = 0;          ///< margin less cost less waiting, in 1/10,000 of the smallest unit; over the evidence
};

/// The router first; `cheapest` and `best possible` only of a complete log. Deterministic.
std::vector<StrategyResult> simulate_rails(const RailLog& log, const core::RoutingPolicy& policy);

}  // namespace holdfast
