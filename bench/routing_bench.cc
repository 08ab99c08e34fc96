// What one routing decision costs in process: rails of one asset with pasts of their own, all eligible, country and instrument
// known. Budget: 5 microseconds for twenty rails. Then a whole payout through decide() and apply(), and 100,000 open ones.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "core/ledger/decide.h"
#include "core/routing/router.h"

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

void bench_route(std::size_t count) {
  std::vector<core::RailRecord> rails(count);
  std::vector<core::CellRecord> cells(count * 2);
  std::vector<core::RailView> views;
  const base::Instant now{1'800'000'000'000'000'000};
  for (std::size_t i = 0; i < count; ++i) {
    core::RailRecord& rail = rails[i];
    rail.directions = model::payouts;
    rail.in_flight_max = 1000;
    rail.amount_min = 1;
    rail.cost_fixed = i;
    rail.successes = (900 - i) << 16;
    rail.attempts = 1000 << 16;
    rail.observed_at_ns = now.ns - static_cast<std::int64_t>(i) * 1'000'000'000;
    rail.latency_ns = 80'000'000;
    for (std::size_t d = 0; d < 2; ++d) {
      cells[i * 2 + d].successes = 90 << 16;
      cells[i * 2 + d].attempts = 100 << 16;
      cells[i * 2 + d].observed_at_ns = rail.observed_at_ns;
    }
    views.push_back({.number = static_cast<model::RailNumber>(i + 1), .rail = &rail, .country = &cells[i * 2], .instrument = &cells[i * 2 + 1]});
  }
  const core::RoutingPolicy policy;
  core::RouteQuestion question;
  question.amount = 12'345;
  std::vector<double> batches;
  std::uint64_t sum = 0;
  for (int batch = 0; batch < 200; ++batch) {
    constexpr int decisions = 500;
    const auto start = Clock::now();
    for (int i = 0; i < decisions; ++i) {
      ++question.draw;
      sum += core::route(question, views, policy, now).chosen;
    }
    batches.push_back(microseconds(Clock::now() - start) / decisions);
  }
  std::ranges::sort(batches);
  std::printf("route, %zu rails: median %.2f us, p99 %.2f us a decision (%llu)\n", count, batches[batches.size() / 2],
              batches[batches.size() * 99 / 100], static_cast<unsigned long long>(sum));
}

void bench_payouts() {
  core::State state;
  core::LedgerBounds bounds;
  std::vector<model::Event> events;
  base::Instant now{1'800'000'000'000'000'000};
  const model::Asset usd = *model::parse_asset("USD/2");
  const auto run = [&](model::CommandBody body) {
    core::decide(state, {.tenant = 1, .principal = 1, .trace = {}, .idempotency = {}, .body = std::move(body)}, now, bounds, events);
    const model::EventNumber first = state.head().next_event;
    for (const model::Event& event : events) state.apply(event);
    return first;
  };
  run(model::OpenTenant{});
  run(model::RegisterAsset{.asset = usd, .world_name = {}});
  run(model::OpenAccount{.name = {}, .asset = usd, .flags = 0, .limits = {}, .metadata = {}});
  for (int i = 0; i < 20; ++i) {
    model::ConfigureRail rail;
    rail.name = *model::parse_rail_name("rail-" + std::to_string(i));
    rail.asset = usd;
    rail.profile->in_flight_max = 1'000'000;
    run(rail);
  }
  constexpr int payouts = 20'000;
  const auto start = Clock::now();
  std::uint64_t made = 0;
  for (int i = 0; i < payouts; ++i) {
    now.ns += 500'000;
    const model::EventNumber transfer = run(model::CreatePayout{{.account = 2, .asset = usd, .amount = 100, .country = 7, .beneficiary = {}, .reference = {}, .metadata = {}}});
    made += events.size();
    const core::TransferRecord& record = *state.sagas().transfer(transfer);
    model::ReportRail report;
    report.reference = record.attempt_event;
    report.transfer = transfer;
    report.attempt = 1;
    report.rail = record.rail;
    report.result = model::RailResult::settled;
    run(report);
    made += events.size();
  }
  const double each = microseconds(Clock::now() - start) / payouts;
  std::printf("payout requested, routed over 20 rails, settled: %.2f us, %.1f events\n", each, static_cast<double>(made) / payouts);
}

// A restart in the middle of many payouts: the state is built from its bytes, and time moves all of them on.
void bench_open_sagas() {
  constexpr int sagas = 100'000;
  core::State state;
  core::LedgerBounds bounds;
  std::vector<model::Event> events;
  base::Instant now{1'800'000'000'000'000'000};
  const model::Asset usd = *model::parse_asset("USD/2");
  const auto run = [&](core::State& on, model::CommandBody body) {
    core::decide(on, {.tenant = 1, .principal = 1, .trace = {}, .idempotency = {}, .body = std::move(body)}, now, bounds, events);
    for (const model::Event& event : events) on.apply(event);
    return events.size();
  };
  run(state, model::OpenTenant{});
  run(state, model::RegisterAsset{.asset = usd, .world_name = {}});
  run(state, model::OpenAccount{.name = {}, .asset = usd, .flags = 0, .limits = {}, .metadata = {}});
  model::ConfigureRail rail;
  rail.name = *model::parse_rail_name("rail");
  rail.asset = usd;
  rail.profile->in_flight_max = 1'000'000;
  rail.profile->capabilities = model::inquiry_supported;
  run(state, rail);
  bounds.sagas.routing.silent_attempts_min = UINT32_MAX;
  for (int i = 0; i < sagas; ++i) {
    run(state, model::CreatePayout{{.account = 2, .asset = usd, .amount = 100, .beneficiary = {}, .reference = {}, .metadata = {}}});
  }
  auto start = Clock::now();
  const core::FrozenState frozen = state.freeze();
  core::StateLoader loader;
  for (const core::StateSection section : core::all_state_sections) {
    frozen.for_each_piece(section, [&](base::ByteView piece) { loader.take(section, piece); });
  }
  auto loaded = loader.finish();
  std::printf("%d open sagas: state from its bytes in %.0f ms", sagas, microseconds(Clock::now() - start) / 1000);
  if (!loaded.ok()) {
    std::printf(": %s\n", loaded.error().message.c_str());
    return;
  }
  now.ns += 60'000'000'000;
  start = Clock::now();
  std::size_t ticks = 0;
  while (run(*loaded, model::Tick{}) != 0) ++ticks;
  std::printf("; all fall silent in %.0f ms, %zu ticks\n", microseconds(Clock::now() - start) / 1000, ticks);
}

}  // namespace

int main() {
  for (const std::size_t count : {3u, 20u, 60u}) bench_route(count);
  bench_payouts();
  bench_open_sagas();
}
