#pragma once
// What a rail's past says of its next attempt, in integers. Weights count attempts in units of 1/65536 and halve with time;
// a posterior starts from nine good attempts in ten and is as bold as what was seen allows. Pure functions of numbers:
// what they give is journaled (RailObserved), so that a replay needs none of them.

#include <cstdint>

#include "model/rail.h"

namespace core {

constexpr std::uint64_t one_attempt = 1u << 16;
constexpr base::Duration health_half_life = base::seconds(600);
constexpr base::Duration recent_half_life = base::seconds(5);
constexpr std::uint16_t breaker_faults_in_a_row = 5;
/// Values of dimensions that are remembered; what comes after is judged by its rail alone.
constexpr std::size_t routing_cells_max = 100'000;
constexpr base::Duration breaker_open_min = base::seconds(2);
constexpr base::Duration breaker_open_max = base::seconds(60);
/// Probability that is certainty; all probabilities are out of it.
constexpr std::uint32_t certain = 65535;

/// What is left of a weight after a while. Never grows; time that runs backwards leaves it as it is.
std::uint64_t decayed(std::uint64_t weight, base::Duration elapsed, base::Duration half_life);

/// The rail after one more attempt that counts: a success, or a fault that the rail is responsible for. `latency` 0 is not
/// measured. Opens the breaker after five faults in a row, or where of recent attempts (five faults at least) half failed;
/// half-open, one success closes it and one fault opens it for longer.
model::RailHealth observed(model::RailHealth before, bool success, base::Duration latency, base::Instant at);

/// The same for one value of a dimension.
model::DimensionHealth observed(model::DimensionHealth before, base::Instant observed_at, bool success, base::Instant at);

/// Probability of success at the rail, out of `certain`.
std::uint32_t success_at(const model::RailHealth& rail, base::Instant at);
/// Narrowed by what is known of one value of one dimension.
std::uint32_t success_within(std::uint32_t of_rail, std::uint64_t successes, std::uint64_t attempts, base::Duration age);

}  // namespace core
