#pragma once
// Many short stories instead of one long one: every combination of named faults up to so many at once, and a kill after every step.

#include <cstdint>

#include "sim/world.h"

namespace sim {

struct SweepReport {
  std::uint64_t combinations = 0;   ///< of a sweep; of kills: stories that were cut
  std::uint64_t runs = 0;
  Figures figures;
  Complaint violation;
  Story violated;                   ///< to be told again
};

/// Every combination of one to `at_once` rows of the table, each as `seeds` stories of `commands` commands. Stops at the first
/// violation.
SweepReport sweep_faults(unsigned at_once, std::uint64_t seeds, std::uint64_t commands, std::uint64_t first_seed);

/// For each of `seeds` stories of `commands` commands with rails that lose replies: the process is killed after the first step, then
/// after the second, until the story is told without it.
SweepReport kill_after_every_step(std::uint64_t seeds, std::uint64_t commands, std::uint64_t first_seed);

}  // namespace sim
