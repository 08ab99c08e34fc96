// How fast the journal alone is, on the disk that holds DIR: groups of 8190 entries of about 250 bytes, with their
// leaves, body hash and sync.
//
//   journal_bench DIR [ENTRIES_PER_GROUP [GROUPS]]
//
// Prints entries per second for prepare and commit on one thread, for the two on two threads as the service runs them,
// and for a full read with all checks; beside them the bare write and sync of the same bytes.

#include <time.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "io/clock.h"
#include "io/posix_file.h"
#include "store/journal/journal.h"

namespace {

using Clock = std::chrono::steady_clock;

/// Processor time of this thread: on a busy machine it tells more than the clock on the wall.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

[[noreturn]] void stop(const base::Error& error) {
  std::fprintf(stderr, "%s: %s\n", error.code, error.message.c_str());
  std::exit(1);
}
template <typename T>
T value_of(base::Result<T> result) {
  if (!result.ok()) stop(result.error());
  return std::move(result).value();
}

struct Run {
  Run(io::FileSystem& files, std::string directory) : files(files) {
    options.directory = std::move(directory);
    options.clock = &clock;
    options.id_if_new[0] = 1;
    journal = value_of(store::Journal::open(files, options));
    value_of(journal->start(blinding, {}));
    builder.emplace(journal->buffers());
    value_of(journal->prepare_next());
    background = std::thread([this] {
      while (!done) {
        value_of(journal->prepare_next());
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  ~Run() {
    done = true;
    background.join();
  }

  /// One transfer, as a small service would journal it: about 250 bytes.
  store::GroupDraft draft(int entries) {
    builder->start(next);
    model::TransferItem item;
    item.debit = 1'234;
    item.credit = 5'678;
    item.asset = *model::parse_asset("USD/2");
    item.amount = 4'200;
    item.idempotency.emplace();
    item.idempotency->field_count = 5;
    item.idempotency->fields = {0x12345678, 0x23456789, 0x3456789a, 0x456789ab, 0x56789abc};
    model::TransferPosted posted;
    posted.amount = 4'200;
    posted.asset = 1;
    posted.debit = {1'234, {123'456, 7'890'123, 0, 0}, {next, next, 0}};
    posted.credit = {5'678, {123'456, 7'890'123, 0, 0}, {next, next, 0}};
    model::Command command;
    command.body = model::CreateTransfer{{item}};
    auto& key = std::get<model::CreateTransfer>(command.body).items[0].idempotency->key;
    for (int i = 0; i < entries; ++i) {
      base::store_le(key.data(), next * 0x9E3779B97F4A7C15u);
      const model::Event event{{1'800'000'000'000'000'000}, posted};
      builder->add_entry(event.at, command, {&event, 1});
      ++next;
    }
    return builder->finish({1'800'000'000'000'000'000});
  }

  io::FileSystem& files;
  io::SimulatedClock clock;
  std::array<std::uint8_t, 32> secret{1, 2, 3};
  audit::Blinding blinding{secret, 0};
  store::JournalOptions options;
  std::unique_ptr<store::Journal> journal;
  std::optional<store::GroupBuilder> builder;
  model::EventNumber next = 1;
  std::atomic<bool> done{false};
  std::thread background;
};

void one_thread(io::FileSystem& files, const std::string& directory, int entries, int groups) {
  Run run(files, directory);
  double building = 0;
  double preparing = 0;
  double committing = 0;
  double preparing_cpu = 0;
  double committing_cpu = 0;
  double worst_commit = 0;
  std::uint64_t bytes = 0;
  const auto begin = Clock::now();
  for (int i = 0; i < groups; ++i) {
    auto at = Clock::now();
    auto draft = run.draft(entries);
    building += seconds_since(at);
    bytes += draft.disk_bytes();
    at = Clock::now();
    double cpu = cpu_seconds();
    auto prepared = value_of(run.journal->prepare(std::move(draft)));
    preparing += seconds_since(at);
    preparing_cpu += cpu_seconds() - cpu;
    at = Clock::now();
    cpu = cpu_seconds();
    value_of(run.journal->commit(std::move(prepared)));
    const double commit = seconds_since(at);
    committing += commit;
    committing_cpu += cpu_seconds() - cpu;
    worst_commit = std::max(worst_commit, commit);
  }
  const double all = seconds_since(begin);
  const double n = static_cast<double>(entries) * groups;
  std::printf(
      "one thread:  build %.2f us, prepare %.2f us, commit %.2f us an entry (%.0f bytes); worst commit %.1f ms\n",
      building / n * 1e6, preparing / n * 1e6, committing / n * 1e6, static_cast<double>(bytes) / n,
      worst_commit * 1e3);
  std::printf("  of that processor time: prepare %.2f us, commit %.2f us\n", preparing_cpu / n * 1e6,
              committing_cpu / n * 1e6);
  std::printf("  prepare + commit  %10.0f entries/s\n  with building     %10.0f entries/s\n",
              n / (preparing + committing), n / all);

  const auto read_begin = Clock::now();
  audit::Frontier frontier;
  std::uint64_t count = 0;
  const auto count_entry = [&](const store::EntryView&) {
    ++count;
    return base::ok();
  };
  value_of(run.journal->reader()->for_each_entry(1, {.body_hash = false}, count_entry));
  const double plain = seconds_since(read_begin);
  const auto check_begin = Clock::now();
  value_of(run.journal->reader()->for_each_entry(1, {.blinding = &run.blinding, .frontier = &frontier}, count_entry));
  std::printf("  read              %10.0f entries/s (%.2f GB/s); with hashes and roots %.0f\n", n / plain,
              static_cast<double>(bytes) / plain / 1e9, n / seconds_since(check_begin));
}

void two_threads(io::FileSystem& files, const std::string& directory, int entries, int groups) {
  Run run(files, directory);
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<store::GroupDraft> drafts;
  const auto begin = Clock::now();
  std::thread writer([&] {
    for (int i = 0; i < groups; ++i) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !drafts.empty(); });
      auto draft = std::move(drafts.front());
      drafts.pop_front();
      lock.unlock();
      changed.notify_all();
      value_of(run.journal->append(std::move(draft)));
    }
  });
  for (int i = 0; i < groups; ++i) {
    auto draft = run.draft(entries);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return drafts.size() < 2; });
    drafts.push_back(std::move(draft));
    lock.unlock();
    changed.notify_all();
  }
  writer.join();
  const double n = static_cast<double>(entries) * groups;
  std::printf("building on one thread, prepare + commit on another:\n  %28.0f entries/s\n", n / seconds_since(begin));
}

void bare(io::FileSystem& files, const std::string& path, std::uint64_t group_bytes, int groups) {
  auto file = value_of(files.open(path, io::OpenMode::create_new));
  value_of(file->zero_fill(0, group_bytes * static_cast<std::uint64_t>(groups)));
  value_of(file->sync_data());
  const base::Bytes bytes(group_bytes, 7);
  const auto begin = Clock::now();
  for (int i = 0; i < groups; ++i) {
    value_of(file->write_at(static_cast<std::uint64_t>(i) * group_bytes, bytes));
    value_of(file->sync_data());
  }
  std::printf("bare write and sync of %llu bytes: %.2f ms\n", static_cast<unsigned long long>(group_bytes),
              seconds_since(begin) / groups * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: journal_bench DIR [ENTRIES_PER_GROUP [GROUPS]]\n");
    return 2;
  }
  const std::string directory = argv[1];
  const int entries = argc > 2 ? std::atoi(argv[2]) : 8190;
  const int groups = argc > 3 ? std::atoi(argv[3]) : 200;
  io::RealFileSystem files;
  value_of(files.make_dir(directory));
  one_thread(files, directory + "/one", entries, groups);
  two_threads(files, directory + "/two", entries, groups);
  bare(files, directory + "/bare", 8192 + static_cast<std::uint64_t>(entries) * 270 / 4096 * 4096,
       std::min(groups, 100));
  return 0;
}
