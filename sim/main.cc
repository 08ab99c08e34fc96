// holdfast-sim: lives in the false world, one for each seed.

#include <csignal>
#include <cinttypes>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include "base/planted_bug.h"
#include "sim/kth_call.h"
#include "sim/sweep.h"
#include "sim/world.h"

namespace {

constexpr const char* usage =
    "holdfast-sim: the real ledger, journal and recovery on a false machine\n"
    "\n"
    "  holdfast-sim --seed 42                     one life of 10,000 commands and 24 faults\n"
    "  holdfast-sim --seed 1 --seeds 100          a hundred of them\n"
    "  holdfast-sim --fresh --minutes 30          new seeds for half an hour\n"
    "  holdfast-sim --kept tests/seeds            every seed that ever failed\n"
    "  holdfast-sim --kth-call                    fail the first disk call, then the second, ... until none is left\n"
    "  holdfast-sim --sweep 3                     every combination of up to three named faults, as short lives\n"
    "  holdfast-sim --every-step                  short lives, killed after the first step, then after the second, ...\n"
    "  holdfast-sim --fault-table                 the named faults as a table (docs/chaos.md)\n"
    "  holdfast-sim --check-fault-table FILE      is that table in the file?\n"
    "\n"
    "  --commands N   commands of one life (10000)     --faults N    faults of our own machine in one life (24)\n"
    "  --faults LIST  only these named faults (G3,C1), all the time; `none` is a list too\n"
    "  --without-rails   transfers between accounts only\n"
    "  --rails-percent N   steps in which something is asked for over rails (8)\n"
    "  --kill-at-step N  the process dies after that step as well\n"
    "  --twice        tell every life twice and compare the digests\n"
    "  --keep DIR     where the file of a failing seed goes (tests/seeds)\n"
    "  --verbose      what happens, step by step\n"
    "  --planted N    switch a planted bug on (only in a build with HOLDFAST_PLANTED_BUGS)\n"
    "\n"
    "Exit: 0 all held, 1 a violation was found, 2 misuse.\n";

struct Settings {
  sim::Story story;
  std::uint64_t seeds = 1;
  double minutes = 0;
  bool twice = false;
  bool kth_call = false;
  unsigned sweep = 0;            // named faults at once; 0: no sweep
  bool every_step = false;
  bool commands_given = false;
  bool fault_table = false;
  std::string fault_table_in;    // a file that must hold it
  std::string kept;
  std::string keep = "tests/seeds";
};

struct Seed {
  sim::Story story;
  std::string from;   // file it was kept in
};

// After an abort (a CHECK) only the place is known; that is enough to live it again.
void on_abort(int) {
  char line[128];
  const int size = std::snprintf(line, sizeof line, "stopped by a CHECK: seed %" PRIu64 ", step %" PRIu64 "\n", sim::place.seed, sim::place.step);
  if (size > 0 && write(STDERR_FILENO, line, static_cast<std::size_t>(size)) < 0) std::_Exit(1);
  std::_Exit(1);
}

void keep(const Settings& settings, const sim::Story& story, const sim::Verdict& verdict) {
  std::error_code ignored;
  std::filesystem::create_directories(settings.keep, ignored);
  const std::string path = settings.keep + "/seed-" + std::to_string(story.seed) + ".txt";
  std::ofstream file(path);
  file << "# " << *verdict.violation << "\n"
       << "seed " << story.seed << "\ncommands " << story.commands << "\nfaults " << story.faults << "\nrails " << (story.rails ? 1 : 0)
       << "\nrails_percent " << story.rails_percent << "\nrows " << story.rows.text() << "\n";
  if (story.kill_at_step != 0) file << "kill_at_step " << story.kill_at_step << "\n";
  std::printf("kept as %s\n", path.c_str());
}

std::vector<Seed> read_kept(const Settings& settings) {
  std::vector<Seed> seeds;
  std::vector<std::string> paths;
  for (const auto& file : std::filesystem::directory_iterator(settings.kept)) {
    if (file.path().extension() == ".txt") paths.push_back(file.path().string());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    Seed seed{.story = settings.story, .from = path};
    seed.story.rails = false;   // older files know of none
    std::ifstream lines(path);
    std::string word;
    while (lines >> word) {
      if (word == "seed") lines >> seed.story.seed;
      else if (word == "commands") lines >> seed.story.commands;
      else if (word == "faults") lines >> seed.story.faults;
      else if (word == "rails") lines >> seed.story.rails;
      else if (word == "rails_percent") lines >> seed.story.rails_percent;
      else if (word == "kill_at_step") lines >> seed.story.kill_at_step;
      else if (word == "rows" && lines >> word) seed.story.rows = sim::FaultSet::parse(word).value_or(sim::FaultSet::all());
      else std::getline(lines, word);
    }
    seeds.push_back(seed);
  }
  return seeds;
}

// False if a law was broken.
bool tell(const Settings& settings, const Seed& seed, sim::Figures& sum) {
  const sim::Verdict verdict = sim::World(seed.story).run();
  sum.add(verdict.figures);
  const sim::Figures& f = verdict.figures;
  std::printf("seed %" PRIu64 "  digest %s  commands %" PRIu64 " events %" PRIu64 " replays %" PRIu64 " faults %" PRIu64 " crashes %" PRIu64
              " damage found %" PRIu64 " snapshots %" PRIu64 " over rails %" PRIu64 " attempts %" PRIu64 " rail faults %" PRIu64 " with people %" PRIu64 "%s%s\n",
              seed.story.seed, verdict.digest.c_str(), f.commands, f.events, f.replays, f.faults, f.crashes, f.damage_found, f.snapshots,
              f.transfers, f.attempts, f.rail_faults, f.with_people,
              seed.from.empty() ? "" : "  ", seed.from.c_str());
  std::fflush(stdout);
  if (verdict.violation) {
    std::printf("VIOLATION: seed %" PRIu64 ", step %" PRIu64 ": %s\n", seed.story.seed, verdict.step, verdict.violation->c_str());
    if (seed.from.empty()) keep(settings, seed.story, verdict);
    return false;
  }
  if (settings.twice && sim::World(seed.story).run().digest != verdict.digest) {
    std::printf("VIOLATION: seed %" PRIu64 " has another digest the second time\n", seed.story.seed);
    return false;
  }
  return true;
}

bool parse(int argc, char** argv, Settings& settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto number = [&]() -> std::uint64_t { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    const auto text = [&]() -> std::string { return i + 1 < argc ? argv[++i] : ""; };
    if (name == "--seed") settings.story.seed = number();
    else if (name == "--seeds") settings.seeds = number();
    else if (name == "--commands") {
      settings.story.commands = number();
      settings.commands_given = true;
    }
    else if (name == "--faults") {
      const std::string value = text();
      const bool is_count = !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
      const auto rows = is_count ? std::optional(settings.story.rows) : sim::FaultSet::parse(value);
      if (!rows) return false;
      settings.story.rows = *rows;
      if (is_count) settings.story.faults = std::strtoull(value.c_str(), nullptr, 10);
    }
    else if (name == "--sweep") settings.sweep = static_cast<unsigned>(number());
    else if (name == "--every-step") settings.every_step = true;
    else if (name == "--fault-table") settings.fault_table = true;
    else if (name == "--check-fault-table") settings.fault_table_in = text();
    else if (name == "--without-rails") settings.story.rails = false;
    else if (name == "--rails-percent") settings.story.rails_percent = number();
    else if (name == "--kill-at-step") settings.story.kill_at_step = number();
    else if (name == "--minutes") settings.minutes = std::strtod(text().c_str(), nullptr);
    else if (name == "--fresh") settings.story.seed = static_cast<std::uint64_t>(std::time(nullptr)) * 1'000;
    else if (name == "--verbose") settings.story.verbose = true;
    else if (name == "--twice") settings.twice = true;
    else if (name == "--kth-call") settings.kth_call = true;
    else if (name == "--kept") settings.kept = text();
    else if (name == "--keep") settings.keep = text();
#ifdef HOLDFAST_PLANTED_BUGS
    else if (name == "--planted") base::planted_bug_number = static_cast<int>(number());
#endif
    else return false;
  }
  return settings.story.commands > 0;
}

// A sweep or a series of kills; the exit code.
int sweep(const Settings& settings) {
  const std::uint64_t commands = settings.commands_given ? settings.story.commands : settings.every_step ? 60 : 150;
  const auto started = std::chrono::steady_clock::now();
  const sim::SweepReport report = settings.every_step ? sim::kill_after_every_step(settings.seeds, commands, settings.story.seed)
                                                      : sim::sweep_faults(settings.sweep, settings.seeds, commands, settings.story.seed);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const sim::Figures& f = report.figures;
  std::printf("%" PRIu64 " %s, %" PRIu64 " lives of %" PRIu64 " commands in %.1f s: %" PRIu64 " events, %" PRIu64 " transfers over rails, %" PRIu64 " attempts, %" PRIu64
              " faults of rails, %" PRIu64 " of the machine, %" PRIu64 " crashes, %" PRIu64 " left with people; %d violations\n",
              report.combinations, settings.every_step ? "stories killed after every step" : "combinations of named faults", report.runs, commands, seconds, f.events,
              f.transfers, f.attempts, f.rail_faults, f.faults, f.crashes, f.with_people, report.violation ? 1 : 0);
  if (!report.violation) return 0;
  std::printf("VIOLATION: seed %" PRIu64 ", faults %s: %s\n", report.violated.seed, report.violated.rows.text().c_str(), report.violation->c_str());
  keep(settings, report.violated, {.violation = report.violation, .digest = {}, .figures = {}});
  return 1;
}

int check_fault_table(const std::string& path) {
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.find(sim::fault_table()) != std::string::npos) return 0;
  std::printf("%s does not hold the table of named faults: put in what holdfast-sim --fault-table prints\n", path.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (argc < 2 || !parse(argc, argv, settings)) {
    std::fputs(usage, argc < 2 ? stdout : stderr);
    return 2;
  }
  // Simulated disks come and go by the megabyte; fresh pages from the kernel would take a fifth of the time.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  std::signal(SIGABRT, on_abort);
  if (settings.fault_table) return std::printf("%s", sim::fault_table().c_str()) > 0 ? 0 : 1;
  if (!settings.fault_table_in.empty()) return check_fault_table(settings.fault_table_in);
  if (settings.sweep != 0 || settings.every_step) return sweep(settings);
  if (settings.kth_call) {
    const sim::KthCallReport report = sim::fail_every_call();
    std::printf("%" PRIu64 " runs, each with one failing call, of %" PRIu64 " calls; %" PRIu64 " stopped the process\n", report.runs, report.calls, report.stopped);
    if (report.violation) std::printf("VIOLATION: %s\n", report.violation->c_str());
    return report.violation ? 1 : 0;
  }
  std::vector<Seed> seeds;
  if (!settings.kept.empty()) seeds = read_kept(settings);
  const auto started = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count(); };
  sim::Figures sum;
  std::uint64_t lived = 0, broken = 0;
  for (const Seed& seed : seeds) {
    ++lived;
    broken += tell(settings, seed, sum) ? 0u : 1u;
  }
  const bool only_kept = !settings.kept.empty() && settings.seeds == 1 && settings.minutes <= 0;
  for (std::uint64_t i = 0; !only_kept && (settings.minutes > 0 ? elapsed() < settings.minutes * 60 : i < settings.seeds); ++i) {
    Seed seed{.story = settings.story, .from = {}};
    seed.story.seed += i;
    ++lived;
    broken += tell(settings, seed, sum) ? 0u : 1u;
  }
  std::printf("%" PRIu64 " seeds in %.1f s: %" PRIu64 " commands, %" PRIu64 " events, %" PRIu64 " replays, %" PRIu64 " faults, %" PRIu64
              " crashes, %" PRIu64 " times damage found, %" PRIu64 " snapshots, %" PRIu64 " key indexes rebuilt; %" PRIu64 " violations\n",
              lived, elapsed(), sum.commands, sum.events, sum.replays, sum.faults, sum.crashes, sum.damage_found, sum.snapshots, sum.runs_rebuilt, broken);
  return broken == 0 ? 0 : 1;
}
