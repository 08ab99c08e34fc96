// The key index under the load of a running ledger: every key is looked up (and not found), then inserted, while a second
// thread writes runs and merges them.
//
//   key_index_bench DIR [KEYS] [FAN_OUT] [GENERATION]
//
// DIR must not exist; it is left behind for `du` and for opening again. Prints one line per tenth of the keys, then the
// rates of look-ups that hit, the time to open, and the memory.

#include <time.h>

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/check.h"
#include "io/posix_file.h"
#include "store/keys/key_index.h"

namespace {

double seconds_on(clockid_t clock) {
  timespec now{};
  CHECK(clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double resident_mib() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  CHECK(file != nullptr);
  unsigned long pages = 0;
  unsigned long resident = 0;
  CHECK(std::fscanf(file, "%lu %lu", &pages, &resident) == 2);
  std::fclose(file);
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

base::Tag128 key_of(std::uint64_t number) { return store::hold_resolution_key(number); }

template <typename T>
T must(base::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", result.error().code, result.error().message.c_str());
    std::exit(1);
  }
  return std::move(result).value();
}

constexpr std::uint64_t batch = 8190;
constexpr std::uint64_t ahead = 24;

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: key_index_bench DIR [KEYS] [FAN_OUT] [GENERATION]\n");
    return 2;
  }
  const std::string directory = argv[1];
  const std::uint64_t keys = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20'000'000;
  io::RealFileSystem files;
  store::KeyIndexOptions options;
  options.journal_end = model::event_number_max;
  if (argc > 3) options.fan_out = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  if (argc > 4) options.generation_keys = static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10));
  auto index = must(store::KeyIndex::open(files, directory, options));

  std::atomic<std::uint64_t> durable{0};
  std::atomic<bool> stop{false};
  std::atomic<double> background_cpu{0};
  std::thread background([&] {
    for (;;) {
      const bool last = stop.load();
      const bool more = must(index->flush_step(durable.load()));
      background_cpu.store(seconds_on(CLOCK_THREAD_CPUTIME_ID));
      if (more) continue;
      if (last) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });

  std::printf("%12s %12s %14s %14s %8s %6s %10s\n", "keys", "keys/s", "core ns/key", "backgr ns/key", "frozen", "runs",
              "pages read");
  const double begin = seconds_on(CLOCK_MONOTONIC);
  double worst_batch = 0;
  double waited = 0;
  double segment_wall = begin;
  double segment_cpu = seconds_on(CLOCK_THREAD_CPUTIME_ID);
  double segment_background = 0;
  std::uint64_t segment_keys = 0;
  std::uint64_t next_report = keys / 10;
  for (std::uint64_t first = 1; first <= keys; first += batch) {
    const std::uint64_t end = std::min(first + batch, keys + 1);
    const double batch_begin = seconds_on(CLOCK_MONOTONIC);
    for (std::uint64_t number = first; number < std::min(first + ahead, end); ++number) index->prefetch(key_of(number));
    for (std::uint64_t number = first; number < end; ++number) {
      if (number + ahead < end) index->prefetch(key_of(number + ahead));
      const base::Tag128 key = key_of(number);
      CHECK(!must(index->find(store::KeyKind::idempotency, key)).has_value());
      index->insert(store::KeyKind::idempotency, key, number);
    }
    index->complete_through(end - 1);
    durable.store(end - 1);
    worst_batch = std::max(worst_batch, seconds_on(CLOCK_MONOTONIC) - batch_begin);
    const double wait_begin = seconds_on(CLOCK_MONOTONIC);
    while (index->stats().frozen_generations > 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      index->complete_through(end - 1);
    }
    waited += seconds_on(CLOCK_MONOTONIC) - wait_begin;
    if (end - 1 >= next_report) {
      const double wall = seconds_on(CLOCK_MONOTONIC);
      const double cpu = seconds_on(CLOCK_THREAD_CPUTIME_ID);
      const double other = background_cpu.load();
      const auto count = static_cast<double>(end - 1 - segment_keys);
      const store::KeyIndexStats stats = index->stats();
      std::printf("%12" PRIu64 " %12.0f %14.1f %14.1f %8u %6u %10" PRIu64 "\n", end - 1, count / (wall - segment_wall),
                  (cpu - segment_cpu) / count * 1e9, (other - segment_background) / count * 1e9, stats.frozen_generations,
                  stats.runs, stats.pages_read);
      std::fflush(stdout);
      segment_wall = wall;
      segment_cpu = cpu;
      segment_background = other;
      segment_keys = end - 1;
      next_report += keys / 10;
    }
  }
  const double total = seconds_on(CLOCK_MONOTONIC) - begin;
  stop.store(true);
  background.join();
  const store::KeyIndexStats stats = index->stats();
  std::printf("\n%.0f keys/s over all, %.2f s waited for the background, worst batch of %" PRIu64 " %.1f ms\n",
              static_cast<double>(keys) / total, waited, batch, worst_batch * 1e3);
  std::printf("background %.1f CPU ns/key; index memory %.0f MiB, resident %.0f MiB\n",
              background_cpu.load() / static_cast<double>(keys) * 1e9, static_cast<double>(stats.memory_bytes) / (1 << 20),
              resident_mib());

  index->complete_through(keys);
  const std::uint64_t probes = std::min<std::uint64_t>(keys / 2, 200'000);
  const double hits_begin = seconds_on(CLOCK_MONOTONIC);
  for (std::uint64_t i = 1; i <= probes; ++i) {
    const std::uint64_t number = i * 7919 % (keys / 2) + 1;
    CHECK(must(index->find(store::KeyKind::idempotency, key_of(number))) == number);
  }
  std::printf("look-up of an old key: %.0f ns\n",
              (seconds_on(CLOCK_MONOTONIC) - hits_begin) / static_cast<double>(probes) * 1e9);
  index.reset();
  const double open_begin = seconds_on(CLOCK_MONOTONIC);
  index = must(store::KeyIndex::open(files, directory, options));
  std::printf("opened in %.3f s, covers event %" PRIu64 "\n", seconds_on(CLOCK_MONOTONIC) - open_begin, index->covered());
  return 0;
}
