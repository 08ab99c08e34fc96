#include "core/routing/router.h"

#include <algorithm>

#include "core/routing/health.h"

namespace core {

using model::RouteVerdict;

namespace {

// splitmix64: spreads consecutive numbers evenly.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ull;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

bool reaches(const RailRecord& rail, model::Country country) {
  if (rail.countries[0] == 0) return true;
  if (country == 0) return false;   // a rail that is not for every country has to know which
  return std::find(std::begin(rail.countries), std::end(rail.countries), country) != std::end(rail.countries);
}

// What rules a rail out; `chosen` if nothing does. Rules that never change for this transfer come first.
RouteVerdict hard_rule(const RouteQuestion& question, const RailView& view, const RoutingPolicy& policy, base::Instant at, bool& half_open) {
  const RailRecord& rail = *view.rail;
  if (question.wanted != 0 && question.wanted != view.number) return RouteVerdict::not_the_wanted_rail;
  if (std::find(question.tried.begin(), question.tried.end(), view.number) != question.tried.end()) return RouteVerdict::tried_before;
  if (question.gives_back) {
    if (!rail.can(model::recall_supported)) return RouteVerdict::direction_not_carried;
  } else {
    if ((rail.directions & (question.inbound ? model::collects : model::payouts)) == 0) return RouteVerdict::direction_not_carried;
    if (question.amount < rail.amount_min) return RouteVerdict::amount_below_minimum;
    if (rail.amount_max != 0 && question.amount > rail.amount_max) return RouteVerdict::amount_above_maximum;
    if (!reaches(rail, question.country)) return RouteVerdict::country_not_reached;
  }
  if (view.account_unusable) return RouteVerdict::account_unusable;
  if (rail.paused != 0) return RouteVerdict::paused;
  if (at.ns >= rail.maintenance_from_ns && at.ns < rail.maintenance_until_ns) return RouteVerdict::in_maintenance;
  if (rail.breaker == static_cast<std::uint8_t>(model::Breaker::open)) {
    if (at.ns < rail.open_until_ns) return RouteVerdict::breaker_open;
    if (rail.probes >= policy.probes_max || at.ns - rail.last_probe_ns < policy.probe_distance.ns) return RouteVerdict::probes_under_way;
    half_open = true;
  } else if (rail.in_flight >= policy.silent_attempts_min &&
             at.ns - rail.quiet_since_ns > std::max(policy.silent_after.ns, 4 * rail.latency_ns)) {
    return RouteVerdict::silent;
  }
  if (rail.in_flight >= rail.in_flight_max) return RouteVerdict::in_flight_full;
  if (rail.rate_per_second != 0 && rail.rate_second == static_cast<std::uint32_t>(at.ns / 1'000'000'000) &&
      rail.rate_count >= rail.rate_per_second) {
    return RouteVerdict::rate_used_up;
  }
  return RouteVerdict::chosen;
}

std::uint32_t success_of(const RailView& view, base::Instant at) {
  std::uint32_t success = success_at(health_of(*view.rail), at);
  for (const CellRecord* cell : {view.country, view.instrument}) {
    if (cell != nullptr) success = success_within(success, cell->successes, cell->attempts, at - base::Instant{cell->observed_at_ns});
  }
  return success;
}

}  // namespace

std::int64_t expected_value(base::U128 amount, const RailRecord& rail, std::uint32_t success, const RoutingPolicy& policy) {
  __extension__ typedef __int128 I128;
  // Beyond 2^80 units all amounts weigh the same; 80 bits of money, 14 of basis points and 16 of probability fit.
  constexpr base::U128 weighed_max = static_cast<base::U128>(1) << 80;
  const base::U128 money = std::min(amount, weighed_max);
  const base::U128 won = money * std::min(policy.margin_basis_points, 10'000u) * success / certain;
  const base::U128 cost = std::min(rail.cost_fixed, weighed_max) * 10'000 + money * rail.cost_basis_points;
  const auto waited_ms = static_cast<std::uint64_t>(std::clamp<std::int64_t>(rail.latency_ns / 1'000'000, 0, 600'000));
  const base::U128 waiting = money * std::min(policy.latency_basis_points_per_second, 10'000u) * waited_ms / 1000;
  const I128 value = static_cast<I128>(won) - static_cast<I128>(cost) - static_cast<I128>(waiting);
  return static_cast<std::int64_t>(std::clamp<I128>(value, -INT64_MAX, INT64_MAX));
}

Route route(const RouteQuestion& question, std::span<const RailView> rails, const RoutingPolicy& policy, base::Instant at) {
  Route route;
  route.choices.reserve(std::min(rails.size(), model::route_choices_max));
  struct Candidate {
    const RailView* view = nullptr;
    std::int64_t value = 0;
    bool better(const Candidate& other) const { return other.view == nullptr || value > other.value; }
  };
  Candidate best, probe, unknown;
  std::uint64_t known_least = 100 * one_attempt;   // explored is what has fewer attempts than this
  for (const RailView& view : rails) {
    bool half_open = false;
    model::RouteChoice choice{.rail = view.number, .verdict = hard_rule(question, view, policy, at, half_open)};
    route.may_come_back = route.may_come_back || model::may_come_back(choice.verdict);
    if (choice.verdict == RouteVerdict::chosen) {
      const std::uint32_t success = success_of(view, at);
      choice.success = static_cast<std::uint16_t>(success);
      choice.value = expected_value(question.amount, *view.rail, success, policy);
      choice.verdict = RouteVerdict::worth_less;
      const Candidate candidate{&view, choice.value};
      if (half_open) {
        if (candidate.better(probe)) probe = candidate;
      } else {
        if (candidate.better(best)) best = candidate;
        const std::uint64_t known = decayed(view.rail->attempts, at - base::Instant{view.rail->observed_at_ns}, health_half_life);
        if (known < known_least) {
          known_least = known;
          unknown = candidate;
        }
      }
    }
    // Where there are too many to name, those that can never carry it are left out first.
    if (route.choices.size() < model::route_choices_max) {
      route.choices.push_back(choice);
    } else if (model::was_eligible(choice.verdict) || model::may_come_back(choice.verdict)) {
      const auto idle = std::find_if(route.choices.begin(), route.choices.end(), [](const model::RouteChoice& one) {
        return !model::was_eligible(one.verdict) && !model::may_come_back(one.verdict);
      });
      if (idle != route.choices.end()) {
        route.choices.erase(idle);
        route.choices.push_back(choice);
      }
    }
  }

  const std::uint64_t draw = mixed(question.draw);
  Candidate chosen = best;
  RouteVerdict verdict = RouteVerdict::chosen;
  if (probe.view != nullptr && (best.view == nullptr || draw % 10'000 < policy.probe_per_10000)) {
    chosen = probe;
    verdict = RouteVerdict::chosen_as_probe;
  } else if (unknown.view != nullptr && unknown.view != best.view && (draw >> 32) % 10'000 < policy.explore_per_10000) {
    chosen = unknown;
    verdict = RouteVerdict::chosen_to_explore;
  }
  if (chosen.view == nullptr) return route;
  route.chosen = chosen.view->number;
  route.probe = verdict == RouteVerdict::chosen_as_probe;
  const auto said = std::find_if(route.choices.begin(), route.choices.end(),
                                 [&](const model::RouteChoice& one) { return one.rail == route.chosen; });
  if (said != route.choices.end()) {
    said->verdict = verdict;
  } else {
    // More eligible rails than can be named: the chosen one takes the place of the last.
    route.choices.back() = {.rail = route.chosen, .verdict = verdict, .success = static_cast<std::uint16_t>(success_of(*chosen.view, at)), .value = chosen.value};
    std::ranges::sort(route.choices, {}, &model::RouteChoice::rail);
  }
  return route;
}

}  // namespace core
