#pragma once
// Which rail carries a transfer (design section 7, "Routing"). Pure: rails as they are, the question, the policy and the
// instant in; a decision with a reason for every rail out. Hard rules come first (what a rail can carry, pause, maintenance,
// breaker, silence, bulkhead, rate), then the score: probability of success x margin - cost - latency penalty. The draw for
// probes and exploration is made from the numbers of transfer and attempt, so that a replay draws the same.

#include <span>
#include <vector>

#include "core/tables/saga_bounds.h"
#include "core/tables/saga_records.h"
#include "model/event.h"

namespace core {

/// A rail of the asset as the router sees it.
struct RailView {
  model::RailNumber number = 0;
  const RailRecord* rail = nullptr;
  const CellRecord* country = nullptr;      ///< what is known of the beneficiary's country there; null if nothing
  const CellRecord* instrument = nullptr;
  bool account_unusable = false;            ///< its clearing account is frozen, or a counter would pass its maximum
};

struct RouteQuestion {
  std::uint64_t draw = 0;                   ///< differs from decision to decision: transfer and attempt
  base::U128 amount = 0;
  bool inbound = false;                     ///< brings money in
  bool gives_back = false;                  ///< a recall, or a collect paid back: only on the rail that carried the original
  model::Country country = 0;
  model::Instrument instrument = 0;
  model::RailNumber wanted = 0;             ///< no other
  std::span<const model::RailNumber> tried; ///< not again
};

struct Route {
  model::RailNumber chosen = 0;             ///< 0 none
  bool probe = false;
  bool may_come_back = false;               ///< none now, but some rail may take it later
  std::vector<model::RouteChoice> choices;  ///< ascending by rail, at most model::route_choices_max
};

/// `rails` ascend by number. A few microseconds for twenty rails (bench/routing_bench.cc).
Route route(const RouteQuestion& question, std::span<const RailView> rails, const RoutingPolicy& policy, base::Instant at);

/// Expected value in 1/10,000 of the smallest unit, bounded to 63 bits. For simulations and tests as well.
std::int64_t expected_value(base::U128 amount, const RailRecord& rail, std::uint32_t success, const RoutingPolicy& policy);

}  // namespace core
