#include "sim/sweep.h"

#include <bit>

namespace sim {

namespace {

constexpr std::uint64_t rails_percent = 45;

bool told_well(const Story& story, SweepReport& report, std::uint64_t* steps = nullptr) {
  const Verdict verdict = World(story).run();
  ++report.runs;
  report.figures.add(verdict.figures);
  if (steps != nullptr) *steps = verdict.step;
  if (!verdict.violation) return true;
  report.violation = verdict.violation;
  report.violated = story;
  return false;
}

}  // namespace

SweepReport sweep_faults(unsigned at_once, std::uint64_t seeds, std::uint64_t commands, std::uint64_t first_seed) {
  SweepReport report;
  for (std::uint32_t bits = 1; bits < 1u << rows_max; ++bits) {
    if (static_cast<unsigned>(std::popcount(bits)) > at_once) continue;
    ++report.combinations;
    for (std::uint64_t i = 0; i < seeds; ++i) {
      Story story;
      story.seed = first_seed + i * (1u << rows_max) + bits;
      story.commands = commands;
      story.faults = 4;
      story.rails_percent = rails_percent;
      story.rows = FaultSet::from_bits(bits);
      if (!told_well(story, report)) return report;
    }
  }
  return report;
}

SweepReport kill_after_every_step(std::uint64_t seeds, std::uint64_t commands, std::uint64_t first_seed) {
  SweepReport report;
  for (std::uint64_t i = 0; i < seeds; ++i) {
    Story story;
    story.seed = first_seed + i;
    story.commands = commands;
    story.faults = 0;
    story.rails_percent = rails_percent;
    story.rows = FaultSet().with(Row::G2).with(Row::G3).with(Row::G5);
    std::uint64_t steps = 0;
    if (!told_well(story, report, &steps)) return report;
    ++report.combinations;
    for (story.kill_at_step = 1; story.kill_at_step <= steps; ++story.kill_at_step) {
      if (!told_well(story, report)) return report;
    }
  }
  return report;
}

}  // namespace sim
