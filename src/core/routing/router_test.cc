#include "core/routing/router.h"

#include <algorithm>

#include "core/routing/health.h"

#include <doctest/doctest.h>

using namespace core;
using model::RouteVerdict;

namespace {

const base::Instant noon{1'800'000'000'000'000'000};

struct World {
  std::vector<RailRecord> rails;
  RoutingPolicy policy;
  RouteQuestion question;
  base::Instant at = noon;

  explicit World(std::size_t count) {
    policy.explore_per_10000 = 0;
    question.amount = 10'000;
    for (std::size_t i = 0; i < count; ++i) {
      RailRecord rail;
      rail.directions = model::payouts;
      rail.in_flight_max = 100;
      rail.amount_min = 1;
      rails.push_back(rail);
    }
  }
  Route ask() {
    std::vector<RailView> views;
    for (std::size_t i = 0; i < rails.size(); ++i) views.push_back({.number = static_cast<model::RailNumber>(i + 1), .rail = &rails[i]});
    return route(question, views, policy, at);
  }
  RouteVerdict verdict(std::size_t index = 0) { return ask().choices.at(index).verdict; }
};

void observe(RailRecord& rail, bool success, base::Instant at, base::Duration latency = {}) {
  const model::RailHealth health = observed(health_of(rail), success, latency, at);
  rail.successes = health.successes;
  rail.attempts = health.attempts;
  rail.recent_faults = health.recent_faults;
  rail.recent_attempts = health.recent_attempts;
  rail.observed_at_ns = health.observed_at.ns;
  rail.latency_ns = health.latency.ns;
  rail.open_until_ns = health.open_until.ns;
  rail.faults_in_a_row = health.faults_in_a_row;
  rail.openings_in_a_row = health.openings_in_a_row;
  rail.breaker = static_cast<std::uint8_t>(health.breaker);
}

}  // namespace

TEST_CASE("weights halve with their half-life and never grow") {
  CHECK(decayed(1000, base::seconds(600), base::seconds(600)) == 500);
  CHECK(decayed(1000, base::seconds(-5), base::seconds(600)) == 1000);
  CHECK(decayed(UINT64_MAX, base::seconds(600 * 70), base::seconds(600)) == 0);
  std::uint64_t before = 1u << 30;
  for (int i = 0; i <= 2000; ++i) {
    const std::uint64_t now = decayed(1u << 30, base::milliseconds(i * 700), base::seconds(600));
    CHECK(now <= before);
    before = now;
  }
  const std::uint64_t half = decayed(1u << 30, base::seconds(300), base::seconds(600));
  CHECK(half > (1u << 30) * 707ull / 1000);
  CHECK(half < (1u << 30) * 708ull / 1000);
}

TEST_CASE("what a rail is worth follows what it did, its cost and its latency") {
  World world(2);
  CHECK(world.ask().chosen == 1);   // alike: the first
  world.rails[0].cost_basis_points = 50;
  CHECK(world.ask().chosen == 2);
  for (int i = 0; i < 40; ++i) observe(world.rails[1], i % 2 == 0, noon + base::seconds(i * 20));
  world.at = noon + base::seconds(900);
  CHECK(world.ask().chosen == 1);   // cheap, but half of it fails
  CHECK(world.ask().choices[1].success < world.ask().choices[0].success);
  World slow(2);
  observe(slow.rails[0], true, noon, base::seconds(9));
  observe(slow.rails[1], true, noon, base::milliseconds(90));
  CHECK(slow.ask().chosen == 2);
}

TEST_CASE("what is known of a country narrows a rail's success") {
  CellRecord cell;
  cell.attempts = 100 * one_attempt;
  cell.observed_at_ns = noon.ns;
  CHECK(success_within(60'000, 0, cell.attempts, {}) < 8'000);
  CHECK(success_within(60'000, 0, 0, {}) == 60'000);
  World world(2);
  std::vector<RailView> views = {{.number = 1, .rail = &world.rails[0], .country = &cell}, {.number = 2, .rail = &world.rails[1]}};
  CHECK(route(world.question, views, world.policy, noon).chosen == 2);
}

TEST_CASE("each hard rule rules out and says so") {
  World world(1);
  RailRecord& rail = world.rails[0];
  const RailRecord good = rail;
  const auto with = [&](auto change) {
    rail = good;
    change(rail);
    return world.verdict();
  };
  CHECK(with([](auto&) {}) == RouteVerdict::chosen);
  CHECK(with([](auto& r) { r.paused = 1; }) == RouteVerdict::paused);
  CHECK(with([](auto& r) { r.maintenance_from_ns = noon.ns, r.maintenance_until_ns = noon.ns + 1; }) == RouteVerdict::in_maintenance);
  CHECK(with([](auto& r) { r.maintenance_from_ns = noon.ns - 2, r.maintenance_until_ns = noon.ns; }) == RouteVerdict::chosen);
  CHECK(with([](auto& r) { r.directions = model::collects; }) == RouteVerdict::direction_not_carried);
  CHECK(with([](auto& r) { r.amount_min = 10'001; }) == RouteVerdict::amount_below_minimum);
  CHECK(with([](auto& r) { r.amount_max = 9'999; }) == RouteVerdict::amount_above_maximum);
  CHECK(with([](auto& r) { r.countries[0] = 7; }) == RouteVerdict::country_not_reached);
  CHECK(with([](auto& r) { r.in_flight = r.in_flight_max, r.quiet_since_ns = noon.ns; }) == RouteVerdict::in_flight_full);
  CHECK(with([](auto& r) { r.rate_per_second = 5, r.rate_count = 5, r.rate_second = 1'800'000'000; }) == RouteVerdict::rate_used_up);
  CHECK(with([](auto& r) { r.in_flight = 3, r.quiet_since_ns = noon.ns - 1'000'000'001; }) == RouteVerdict::silent);
  CHECK(with([](auto& r) { r.in_flight = 2, r.quiet_since_ns = noon.ns - 9'000'000'000; }) == RouteVerdict::chosen);
  CHECK(with([](auto& r) { r.breaker = 1, r.open_until_ns = noon.ns + 1; }) == RouteVerdict::breaker_open);
  CHECK(with([](auto& r) { r.breaker = 1, r.open_until_ns = noon.ns; }) == RouteVerdict::chosen_as_probe);
  CHECK(with([](auto& r) { r.breaker = 1, r.probes = 2; }) == RouteVerdict::probes_under_way);
  world.question.wanted = 2;
  CHECK(with([](auto&) {}) == RouteVerdict::not_the_wanted_rail);
  world.question.wanted = 0;
  const model::RailNumber tried[] = {1};
  world.question.tried = tried;
  CHECK(with([](auto&) {}) == RouteVerdict::tried_before);
  world.question.tried = {};
  world.question.gives_back = true;
  CHECK(with([](auto&) {}) == RouteVerdict::direction_not_carried);
  CHECK(with([](auto& r) { r.capabilities = model::recall_supported; }) == RouteVerdict::chosen);
  const RailView frozen{.number = 1, .rail = &rail, .account_unusable = true};
  CHECK(route(world.question, {&frozen, 1}, world.policy, noon).choices[0].verdict == RouteVerdict::account_unusable);
  for (int i = 1; i <= static_cast<int>(model::route_verdict_last); ++i) CHECK(!name_of(static_cast<RouteVerdict>(i)).empty());
}

TEST_CASE("the breaker opens on faults, probes within bounds, closes on a success, and stays open longer each time") {
  World world(2);
  RailRecord& rail = world.rails[0];
  base::Instant at = noon;
  for (int i = 0; i < 5; ++i) observe(rail, false, at = at + base::milliseconds(10));
  CHECK(rail.breaker == 1);
  CHECK(rail.open_until_ns == (at + base::seconds(2)).ns);
  world.at = at;
  CHECK(world.ask().chosen == 2);
  world.at = base::Instant{rail.open_until_ns};
  int probes = 0;
  for (world.question.draw = 1; world.question.draw <= 10'000; ++world.question.draw) probes += world.ask().probe;
  CHECK(probes > 1'000);
  CHECK(probes < 1'500);
  rail.probes = 2;
  CHECK(world.ask().chosen == 2);
  rail.probes = 0;
  observe(rail, false, world.at);
  CHECK(rail.open_until_ns == (world.at + base::seconds(4)).ns);
  for (int i = 0; i < 10; ++i) observe(rail, false, base::Instant{rail.open_until_ns});
  CHECK(rail.open_until_ns - rail.observed_at_ns == base::seconds(60).ns);
  observe(rail, true, base::Instant{rail.open_until_ns});
  CHECK(rail.breaker == 0);
  // Half of many fail, one after the other: never five in a row, and still it opens.
  RailRecord flapping;
  at = noon;
  for (int i = 0; i < 40 && flapping.breaker == 0; ++i) observe(flapping, i % 2 == 1, at = at + base::milliseconds(5));
  CHECK(flapping.breaker == 1);
}

TEST_CASE("exploration is bounded, deterministic and never breaks a rule") {
  World world(3);
  world.policy.explore_per_10000 = 100;
  for (int i = 0; i < 200; ++i) observe(world.rails[0], true, noon);
  world.rails[2].paused = 1;
  int explored = 0;
  for (world.question.draw = 1; world.question.draw <= 20'000; ++world.question.draw) {
    const Route first = world.ask();
    CHECK(first.chosen == world.ask().chosen);
    CHECK(first.chosen != 3);
    explored += first.chosen == 2;
  }
  CHECK(explored > 100);
  CHECK(explored < 300);
}

TEST_CASE("nothing now is told apart from nothing ever; more rails than can be named") {
  World world(2);
  world.rails[0].paused = 1;
  world.rails[1].amount_max = 1;
  CHECK(world.ask().chosen == 0);
  CHECK(world.ask().may_come_back);
  world.rails[0].amount_max = 1;
  CHECK_FALSE(world.ask().may_come_back);
  World many(200);
  for (std::size_t i = 0; i < 150; ++i) many.rails[i].amount_max = 1;
  many.rails[199].cost_fixed = 0;
  for (std::size_t i = 0; i < 199; ++i) many.rails[i].cost_fixed = 50;
  const Route route = many.ask();
  CHECK(route.chosen == 200);
  CHECK(route.choices.size() == model::route_choices_max);
  CHECK(std::ranges::is_sorted(route.choices, {}, &model::RouteChoice::rail));
  CHECK(std::ranges::count_if(route.choices, [](const auto& one) { return model::is_chosen(one.verdict); }) == 1);
}

TEST_CASE("amounts of any size are weighed without overflow") {
  RailRecord rail;
  rail.cost_basis_points = 10'000;
  rail.cost_fixed = base::amount_max;
  rail.latency_ns = INT64_MAX;
  CHECK(expected_value(base::amount_max, rail, certain, {.margin_basis_points = UINT32_MAX, .latency_basis_points_per_second = UINT32_MAX}) < 0);
  RailRecord free;
  CHECK(expected_value(base::amount_max, free, certain, {}) == INT64_MAX);
  CHECK(expected_value(10'000, free, certain, {}) == 3'000'000);
}
