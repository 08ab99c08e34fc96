// Views and snapshots under the volumes of a running ledger.
//
//   views_bench DIR [ACCOUNTS]
//
// DIR must not exist; it is left behind. Prints what one thread does a second: balance updates taken in, balance rows written,
// hold rows projected, a page of a list read; then megabytes a second of writing, checking and reading a snapshot.

#include <time.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "io/posix_file.h"
#include "store/snapshot/snapshot.h"
#include "store/views/sqlite_views.h"

namespace {

double now() {
  timespec time{};
  CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <typename T>
T must(base::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", result.error().code, result.error().message.c_str());
    std::exit(1);
  }
  return std::move(result).value();
}

class Timer {
 public:
  explicit Timer(const char* what) : what_(what), begin_(now()) {}
  void done(double amount, const char* unit) const {
    const double seconds = now() - begin_;
    std::printf("%-44s %12.0f %s/s  (%.3f s)\n", what_, amount / seconds, unit, seconds);
    std::fflush(stdout);
  }

 private:
  const char* what_;
  double begin_;
};

std::uint64_t random_next(std::uint64_t& state) {   // xorshift64: the workload, not a secret
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

void bench_views(const std::string& directory, std::uint32_t accounts) {
  auto views = must(store::open_sqlite_views(directory + "/views.sqlite", {}));
  auto projector = must(views->projector());
  model::EventNumber event = 0;
  std::vector<store::ProjectedEvent> batch;
  std::vector<model::Event> events(8192);
  std::vector<std::string> names(8192);

  const Timer opening("accounts projected");
  for (std::uint32_t first = 1; first <= accounts; first += 8192) {
    batch.clear();
    for (std::uint32_t number = first; number < first + 8192 && number <= accounts; ++number) {
      const std::size_t i = batch.size();
      model::AccountOpened opened;
      opened.number = number;
      opened.tenant = 1;
      opened.asset = 1;
      names[i] = "users/" + std::to_string(number);
      events[i] = {{1'700'000'000'000'000'000}, opened};
      batch.push_back({++event, 1, &events[i], names[i], {}, {}});
    }
    must(projector->apply(batch, event));
  }
  opening.done(accounts, "rows");

  std::vector<store::BalanceUpdate> updates(16'380);
  std::uint64_t random = 88172645463325252;
  const Timer noting("balance updates taken in");
  constexpr int groups = 500;
  for (int group = 0; group < groups; ++group) {
    for (auto& update : updates) {
      update.account = static_cast<model::AccountNumber>(random_next(random) % accounts + 1);
      update.event = ++event;
      update.counters.credits_posted = event;
    }
    projector->note_balances(updates);
    must(projector->apply({}, event));
  }
  noting.done(groups * 16'380.0, "updates");
  const std::uint64_t dirty = projector->stats().dirty_balances;
  std::printf("%-44s %12" PRIu64 "\n", "memory for waiting balances, bytes", projector->stats().memory_bytes);
  const Timer writing("balance rows written, first time");
  while (must(projector->write_balances(5000))) {
  }
  writing.done(static_cast<double>(dirty), "rows");
  for (auto& update : updates) update.event = ++event;
  std::vector<store::BalanceUpdate> all;
  for (std::uint32_t number = 1; number <= accounts; ++number) all.push_back({number, event, {}});
  projector->note_balances(all);
  must(projector->apply({}, event));
  const Timer rewriting("balance rows written, again");
  while (must(projector->write_balances(5000))) {
  }
  rewriting.done(accounts, "rows");

  const Timer holding("hold rows projected");
  constexpr int holds = 200'000;
  for (int done = 0; done < holds; done += 2000) {
    batch.clear();
    for (std::size_t i = 0; i < 2000; ++i) {
      model::HoldPlaced placed;
      placed.amount = 100;
      placed.asset = 1;
      placed.debit.account = static_cast<model::AccountNumber>(random_next(random) % accounts + 1);
      placed.credit.account = placed.debit.account % accounts + 1;
      names[i] = "invoice-" + std::to_string(event);
      events[i] = {{1'700'000'000'000'000'000}, placed};
      batch.push_back({++event, 1, &events[i], {}, names[i], {}});
    }
    must(projector->apply(batch, event));
  }
  holding.done(holds, "rows");

  auto queries = must(views->queries());
  const Timer listing("pages of 100 accounts by prefix");
  for (int i = 0; i < 200; ++i) {
    store::AccountQuery query;
    query.name_prefix = "users/" + std::to_string(random_next(random) % 90 + 10);
    CHECK(must(queries->accounts(query)).rows.size() <= 100);
  }
  listing.done(200, "pages");
}

void bench_snapshot(const std::string& directory, std::uint32_t accounts) {
  io::RealFileSystem files;
  const base::Bytes chunk(64 << 10, 0x5a);
  const std::size_t count = std::size_t{accounts} * 256 / chunk.size() + 1;
  store::SnapshotSection section{"accounts", false, std::vector<base::ByteView>(count, chunk)};
  const double megabytes = static_cast<double>(count * chunk.size()) / 1e6;
  store::SnapshotPosition position;
  position.event = 1000;
  const Timer writing("snapshot written and synced");
  must(store::write_snapshot(files, directory + "/snapshots", position, {section}));
  writing.done(megabytes, "MB");
  const Timer checking("snapshot chosen, every byte checked");
  const auto choice = must(store::choose_snapshot(files, directory + "/snapshots", {}, 1000));
  checking.done(megabytes, "MB");
  const Timer reading("snapshot read, checksums only");
  must(choice.reader->read("accounts", [](base::ByteView) { return base::ok(); }));
  reading.done(megabytes, "MB");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: views_bench DIR [ACCOUNTS]\n");
    return 2;
  }
  const std::string directory = argv[1];
  const auto accounts = static_cast<std::uint32_t>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1'000'000);
  io::RealFileSystem files;
  must(files.make_dir(directory));
  bench_views(directory, accounts);
  bench_snapshot(directory, accounts);
  return 0;
}
