#include "core/routing/health.h"

#include <algorithm>
#include <array>

namespace core {

namespace {

// 2^(-i/16) in 1/65536, rounded.
constexpr std::array<std::uint64_t, 17> halving = {65536, 62757, 60097, 57549, 55109, 52773, 50535, 48393, 46341,
                                                   44376, 42495, 40693, 38968, 37316, 35734, 34219, 32768};

// The posterior starts from these, and a dimension from ten attempts at the rail's own rate.
constexpr std::uint64_t prior_successes = 9 * one_attempt;
constexpr std::uint64_t prior_attempts = 10 * one_attempt;
constexpr std::uint64_t dimension_prior = 10 * one_attempt;
// No weight passes this, so that products fit 64 bits: some millions of attempts within minutes.
constexpr std::uint64_t weight_max = std::uint64_t{1} << 46;

void count(std::uint64_t& weight) { weight = std::min(weight + one_attempt, weight_max); }

base::Duration open_for(std::uint16_t openings) {
  const int doublings = std::min<int>(openings, 5);
  return std::min(base::Duration{breaker_open_min.ns << doublings}, breaker_open_max);
}

}  // namespace

std::uint64_t decayed(std::uint64_t weight, base::Duration elapsed, base::Duration half_life) {
  if (elapsed.ns <= 0) return weight;
  const std::int64_t halvings = elapsed.ns / half_life.ns;
  if (halvings >= 63) return 0;
  weight = std::min(weight, weight_max) >> halvings;
  // The rest of a half-life: between two entries of the table, on the straight line.
  const auto place = static_cast<std::uint64_t>((elapsed.ns % half_life.ns) / (half_life.ns / 4096));
  const std::uint64_t index = std::min<std::uint64_t>(place / 256, 15), rest = std::min<std::uint64_t>(place - index * 256, 256);
  const std::uint64_t factor = (halving[index] * (256 - rest) + halving[index + 1] * rest) / 256;
  return static_cast<std::uint64_t>((static_cast<base::U128>(weight) * factor) >> 16);
}

model::RailHealth observed(model::RailHealth health, bool success, base::Duration latency, base::Instant at) {
  const base::Duration elapsed = at - health.observed_at;
  health.successes = decayed(health.successes, elapsed, health_half_life);
  health.attempts = decayed(health.attempts, elapsed, health_half_life);
  health.recent_faults = decayed(health.recent_faults, elapsed, recent_half_life);
  health.recent_attempts = decayed(health.recent_attempts, elapsed, recent_half_life);
  health.observed_at = std::max(at, health.observed_at);
  count(health.attempts);
  count(health.recent_attempts);
  if (latency.ns > 0) health.latency.ns += health.latency.ns == 0 ? latency.ns : (latency.ns - health.latency.ns) / 8;

  const bool half_open = health.breaker == model::Breaker::open && at >= health.open_until;
  if (success) {
    count(health.successes);
    health.faults_in_a_row = 0;
    if (half_open) {
      health.breaker = model::Breaker::closed;
      health.recent_faults = 0;
      health.recent_attempts = 0;
    } else if (health.breaker == model::Breaker::closed && at - health.open_until > breaker_open_max) {
      health.openings_in_a_row = 0;
    }
    return health;
  }
  count(health.recent_faults);
  if (health.faults_in_a_row < UINT16_MAX) ++health.faults_in_a_row;
  const bool too_many = health.faults_in_a_row >= breaker_faults_in_a_row ||
                        (health.recent_faults >= breaker_faults_in_a_row * one_attempt && health.recent_faults * 2 >= health.recent_attempts);
  if (half_open || (health.breaker == model::Breaker::closed && too_many)) {
    health.breaker = model::Breaker::open;
    health.open_until = at + open_for(health.openings_in_a_row);
    if (health.openings_in_a_row < UINT16_MAX) ++health.openings_in_a_row;
  }
  return health;
}

model::DimensionHealth observed(model::DimensionHealth health, base::Instant observed_at, bool success, base::Instant at) {
  health.successes = decayed(health.successes, at - observed_at, health_half_life);
  health.attempts = decayed(health.attempts, at - observed_at, health_half_life);
  count(health.attempts);
  if (success) count(health.successes);
  return health;
}

std::uint32_t success_at(const model::RailHealth& rail, base::Instant at) {
  const base::Duration age = at - rail.observed_at;
  const std::uint64_t successes = decayed(rail.successes, age, health_half_life) + prior_successes;
  const std::uint64_t attempts = decayed(rail.attempts, age, health_half_life) + prior_attempts;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(successes * certain / attempts, certain));
}

std::uint32_t success_within(std::uint32_t of_rail, std::uint64_t successes, std::uint64_t attempts, base::Duration age) {
  const std::uint64_t good = decayed(successes, age, health_half_life) * certain + dimension_prior * of_rail;
  const std::uint64_t all = decayed(attempts, age, health_half_life) + dimension_prior;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(good / all, certain));
}

}  // namespace core
