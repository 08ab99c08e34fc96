// The engine with its journal on a real disk, in process: gate, core, key index, leaf hashes, group commit. Every answer is
// durable before it counts. Ends with a full check of the journal and a replay whose state digest must match.
//
//   engine_bench --dir DIR [--transfers N] [--accounts N] [--batch N] [--clients N] [--hot] [--no-views] [--no-check]
//                [--abandon | --reopen] [--json]
//
// `--clients` requests are outstanding at any time, each a batch of `--batch` transfers (1: single transfers). With --abandon
// the process ends like a killed one as soon as the last answer is in, and --reopen measures how long a directory left that
// way takes until it is ready for requests.

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gate/gate.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "latency.h"
#include "node/data_directory.h"
#include "node/service.h"
#include "node/view_projection.h"
#include "store/journal/verify.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string directory;
  std::uint64_t transfers = 20'000'000;
  std::uint32_t accounts = 1'000'000;
  std::uint32_t batch = 8190;
  std::uint32_t clients = 4;
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  bool hot = false;
  bool json = false;
  bool check = true;
  bool views = true;
  bool abandon = false;
  bool reopen = false;
};

[[noreturn]] void die(const base::Error& error) {
  std::fprintf(stderr, "%s: %s\n", error.code, error.message.c_str());
  std::_Exit(1);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096;
}

class NoClients final : public gate::ClientBook {
 public:
  std::optional<gate::Client> find(model::PrincipalNumber) const override { return std::nullopt; }
};

// Collects answers on the sync thread and hands the freed clients to the driver.
class Returned final : public node::AnswerSink {
 public:
  void deliver(std::uint64_t token, node::Answer&& answer) override {
    std::uint64_t refused = answer.refusal == model::Outcome::done ? 0 : 1;
    for (const node::ItemAnswer& item : answer.items) refused += item.event == 0 ? 1u : 0u;
    const std::lock_guard lock(mutex_);
    tokens_.push_back(token);
    refused_ += refused;
    if (waiting_) arrived_.notify_one();
  }
  void wait(std::vector<std::uint64_t>& tokens) {
    tokens.clear();
    std::unique_lock lock(mutex_);
    waiting_ = true;
    arrived_.wait(lock, [this] { return !tokens_.empty(); });
    waiting_ = false;
    tokens.swap(tokens_);
  }
  std::uint64_t refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::uint64_t> tokens_;
  std::uint64_t refused_ = 0;
  bool waiting_ = false;
};

// splitmix64: a fixed stream, so that two runs do the same work.
struct Numbers {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
};

/// The id of an account, made where it is needed as a parser would, not fetched from far memory.
struct Name {
  char text[24];
  std::size_t size = 0;
  Name() = default;
  explicit Name(std::uint64_t number) {
    std::memcpy(text, "users/", 6);
    size = static_cast<std::size_t>(std::to_chars(text + 6, text + sizeof text, number).ptr - text);
  }
  std::string_view view() const { return {text, size}; }
};

class Driver {
 public:
  Driver(const Settings& settings, node::Service& service, gate::Gate& gate)
      : settings_(settings), service_(service), gate_(gate), usd_(*model::parse_asset("USD/2")) {
    started_.resize(std::max<std::size_t>(settings.clients, window));
  }

  /// Up to this many in all.
  void open_accounts(std::uint32_t count) {
    if (opened_ == 0) one(gate::AssetRegistration{usd_});
    std::size_t outstanding = 0;
    std::vector<std::uint64_t> tokens;
    while (opened_ < count || outstanding > 0) {
      while (opened_ < count && outstanding < window) {
        submit(gate_.admit_body({}, {}, gate::AccountOpening{.name = Name(opened_).view(), .asset = usd_, .flags = 0, .limits = {}, .metadata = {}}), 0);
        ++opened_;
        ++outstanding;
      }
      returned_.wait(tokens);
      outstanding -= tokens.size();
    }
  }

  void transfer() {
    std::vector<std::uint64_t> tokens;
    std::uint64_t sent = 0, done = 0;
    std::uint32_t outstanding = 0;
    last_answer_ = Clock::now();
    for (std::uint32_t client = 0; client < settings_.clients && sent < settings_.transfers; ++client) {
      sent += send(client, settings_.transfers - sent);
      ++outstanding;
    }
    while (outstanding > 0) {
      returned_.wait(tokens);
      const auto now = Clock::now();
      longest_silence_ms_ = std::max(longest_silence_ms_, std::chrono::duration<double, std::milli>(now - last_answer_).count());
      last_answer_ = now;
      for (const std::uint64_t client : tokens) {
        const auto& start = started_[static_cast<std::size_t>(client)];
        latency_.add(static_cast<std::uint64_t>((now - start).count()));
        if (now - start > std::chrono::milliseconds(100)) ++slow_;
        --outstanding;
        ++done;
        if (sent < settings_.transfers) {
          sent += send(static_cast<std::uint32_t>(client), settings_.transfers - sent);
          ++outstanding;
        }
      }
    }
  }

  const bench::Latency& latency() const { return latency_; }
  /// Requests that took longer than 100 ms, and the longest time in which no answer came at all.
  std::uint64_t slow() const { return slow_; }
  double longest_silence_ms() const { return longest_silence_ms_; }
  std::uint64_t refused() const { return returned_.refused(); }

 private:
  static constexpr std::size_t window = 4096;

  void submit(std::variant<model::Admitted, gate::Refusal>&& admission, std::uint64_t token) {
    if (auto* refusal = std::get_if<gate::Refusal>(&admission)) die({"refused", refusal->detail});
    const model::Outcome outcome =
        service_.pipeline().submit({.content = std::move(std::get<model::Admitted>(admission)), .sink = &returned_, .token = token});
    if (outcome != model::Outcome::done) die({"refused", std::string(model::code_of(outcome))});
  }

  void one(const gate::RequestBody& body) {
    std::vector<std::uint64_t> tokens;
    submit(gate_.admit_body({}, {}, body), 0);
    returned_.wait(tokens);
  }

  std::uint64_t send(std::uint32_t client, std::uint64_t left) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(settings_.batch, left));
    requests_.resize(count);
    keys_.resize(count);
    debits_.resize(count);
    credits_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t random = numbers_.next(), more = numbers_.next();
      char* key = keys_[i].data();
      for (std::size_t digit = 0; digit < 16; ++digit) key[digit] = "0123456789abcdef"[(random >> (digit * 4)) & 15];
      for (std::size_t digit = 0; digit < 8; ++digit) key[16 + digit] = "0123456789abcdef"[(more >> (digit * 4)) & 15];
      const std::uint64_t accounts = settings_.accounts;
      std::uint64_t debit = settings_.hot ? 0 : more % accounts;
      std::uint64_t credit = random % accounts;
      if (credit == debit) credit = (credit + 1) % accounts;
      gate::TransferRequest& request = requests_[i];
      request.key = {key, 24};
      debits_[i] = Name(debit);
      credits_[i] = Name(credit);
      request.debit_account = debits_[i].view();
      request.credit_account = credits_[i].view();
      request.asset = usd_;
      request.amount = 1 + (random >> 48);
    }
    started_[client] = Clock::now();
    submit(gate_.admit_transfers({}, requests_), client);
    return count;
  }

  const Settings& settings_;
  node::Service& service_;
  gate::Gate& gate_;
  const model::Asset usd_;
  std::uint32_t opened_ = 0;
  std::vector<Name> debits_, credits_;
  std::vector<gate::TransferRequest> requests_;
  std::vector<std::array<char, 24>> keys_;
  std::vector<Clock::time_point> started_;
  Clock::time_point last_answer_;
  std::uint64_t slow_ = 0;
  double longest_silence_ms_ = 0;
  Returned returned_;
  bench::Latency latency_;
  Numbers numbers_{42};
};

/// What the disk alone takes: the same number of bytes written into a file that was filled with zeros before, and synced.
double bare_sync_us(const std::string& directory, std::uint64_t bytes) {
  constexpr std::uint64_t rounds = 2'000;
  const std::string path = directory + "/bare";
  const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
  const std::vector<char> zeros(std::size_t{1} << 20), block(static_cast<std::size_t>(bytes), 'x');
  bool good = file >= 0;
  for (std::uint64_t filled = 0; good && filled < bytes * rounds; filled += zeros.size()) {
    good = ::write(file, zeros.data(), zeros.size()) == static_cast<ssize_t>(zeros.size());
  }
  good = good && ::fsync(file) == 0;
  bench::Latency latency;
  for (std::uint64_t i = 0; good && i < rounds; ++i) {
    const auto start = Clock::now();
    good = ::pwrite(file, block.data(), block.size(), static_cast<off_t>(i * bytes)) == static_cast<ssize_t>(bytes) && ::fdatasync(file) == 0;
    latency.add(static_cast<std::uint64_t>((Clock::now() - start).count()));
  }
  if (!good) die({"file_write_failed", path});
  ::close(file);
  ::unlink(path.c_str());
  return latency.quantile_us(0.5);
}

base::Digest digest_of(const core::State& state) {
  const core::FrozenState frozen = state.freeze();
  node::Directory none;
  base::Bytes head, names;
  auto sections = node::snapshot_sections(frozen, none, std::vector<std::string>(state.tenant_count()), head, names);
  std::erase_if(sections, [](const store::SnapshotSection& section) { return section.is_private; });
  return store::digest_of_state({}, sections);
}

Settings parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 >= argc) die({"misuse", "an option needs a value"});
      return argv[++i];
    };
    const auto number = [&] { return std::strtoull(value(), nullptr, 10); };
    if (name == "--dir") settings.directory = value();
    else if (name == "--transfers") settings.transfers = number();
    else if (name == "--accounts") settings.accounts = static_cast<std::uint32_t>(number());
    else if (name == "--batch") settings.batch = static_cast<std::uint32_t>(number());
    else if (name == "--clients") settings.clients = static_cast<std::uint32_t>(number());
    else if (name == "--segment-mib") settings.segment_bytes = number() << 20;
    else if (name == "--hot") settings.hot = true;
    else if (name == "--json") settings.json = true;
    else if (name == "--no-check") settings.check = false;
    else if (name == "--no-views") settings.views = false;
    else if (name == "--abandon") settings.abandon = true;
    else if (name == "--reopen") settings.reopen = true;
    else die({"misuse", "unknown option " + std::string(name)});
  }
  if (settings.directory.empty()) die({"misuse", "--dir is needed"});
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  // As the service does: batches of megabytes come and go, and fresh pages from the kernel cost more than the work on them.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  const Settings settings = parse(argc, argv);
  std::filesystem::create_directories(settings.directory);
  io::RealFileSystem files;
  auto clock = io::RealClock::open();
  if (!clock.ok()) die(clock.error());
  io::RealRandom random;
  const std::array<std::uint8_t, 32> secret{1, 2, 3};
  const audit::Blinding blinding(secret, 0);
  const gate::GateKeys keys(secret);
  const NoClients clients;
  gate::Gate gate(keys, clients, [&random](std::span<std::uint8_t> out) { random.fill(out); });

  node::ServiceOptions options;
  options.recovery.directory = settings.directory;
  options.recovery.segment_bytes = settings.segment_bytes;
  const auto opening_started = Clock::now();
  auto opened = node::Service::open(files, **clock, random, blinding, options, die);
  if (!opened.ok()) die(opened.error());
  node::Service& service = **opened;
  std::unique_ptr<node::ViewProjection> views;
  if (settings.views) {
    auto projection = node::ViewProjection::open(settings.directory + "/views.sqlite", service.reader(), false);
    if (!projection.ok()) die(projection.error());
    views = std::move(projection).value();
    service.project_to(*views);
  }
  service.start();
  if (settings.reopen) {
    const double ready = seconds_since(opening_started);
    const node::RecoveryReport& report = service.recovery();
    std::printf(settings.json ? "{\"ready_s\":%.3f,\"snapshot\":%" PRIu64 ",\"replayed\":%" PRIu64 ",\"resident_mib\":%.0f}\n"
                              : "ready in %.3f s: snapshot at event %" PRIu64 ", %" PRIu64 " events replayed, resident %.0f MiB\n",
                ready, report.snapshot_event, report.events_replayed, static_cast<double>(resident_bytes()) / 1048576.0);
    std::fflush(stdout);
    std::_Exit(0);
  }
  Driver driver(settings, service, gate);
  // The first tenth fills buffers and queues; what the rest adds is the accounts.
  auto start = Clock::now();
  driver.open_accounts(settings.accounts / 10);
  const std::uint64_t resident_first = resident_bytes();
  driver.open_accounts(settings.accounts);
  const double opening = seconds_since(start);
  const std::uint64_t resident_idle = resident_bytes();
  const double account_bytes = static_cast<double>(resident_idle - resident_first) / (settings.accounts - settings.accounts / 10);

  // The rows of a million new accounts are not what is measured.
  start = Clock::now();
  while (settings.views && service.projected() < service.pipeline().durable() && seconds_since(start) < 120) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double catching_up = seconds_since(start);
  const double cpu = cpu_seconds();
  start = Clock::now();
  driver.transfer();
  const double took = seconds_since(start);
  const double cpu_used = cpu_seconds() - cpu;
  const store::KeyIndexStats key_stats = service.keys().stats();
  const node::DerivedStats derived = service.derived();
  const node::PipelineStats stats = service.pipeline().stats();
  const std::uint64_t resident = resident_bytes();
  const double rate = static_cast<double>(settings.transfers) / took;
  const bench::Latency& latency = driver.latency();
  if (settings.abandon) {
    std::printf("%" PRIu64 " transfers in %.2f s: %.0f/s, abandoned\n", settings.transfers, took, rate);
    std::fflush(stdout);
    std::_Exit(0);
  }

  std::uint64_t group_bytes = 0;
  if (const auto header = service.reader().read_group_header(stats.durable); header.ok()) group_bytes = header->group_bytes();
  // The last word of a run with one client is a group with one transfer.
  const bool alone = settings.batch == 1 && settings.clients == 1 && group_bytes > 0;
  const double bare_us = alone ? bare_sync_us(settings.directory, group_bytes) : 0;

  start = Clock::now();
  service.stop();
  const double stopping = seconds_since(start);
  std::string verdict = "not checked";
  double checking = 0, verifying = 0;
  std::uint64_t journal_bytes = 0;
  if (settings.check) {
    const base::Digest expected = digest_of(service.state_after_stop());
    views.reset();
    opened->reset();
    start = Clock::now();
    const auto verified = store::verify_journal(files, node::journal_directory(settings.directory), {.blinding = &blinding});
    if (!verified.ok()) die(verified.error());
    if (!verified->sound()) die(base::Error(verified->findings.front().code, verified->findings.front().sentence));
    journal_bytes = verified->bytes_read;
    verifying = seconds_since(start);
    start = Clock::now();
    node::RecoveryReport report;
    node::RecoveryOptions from_start = options.recovery;
    from_start.use_snapshots = false;
    auto replayed = node::recover(files, **clock, blinding, from_start, report);
    if (!replayed.ok()) die(replayed.error());
    checking = seconds_since(start);
    if (digest_of(replayed->state) != expected) die({"replay_differs", "the replayed state is not the state that was left"});
    verdict = "journal sound, replay matches";
  }
  if (settings.json) {
    std::printf("{\"batch\":%u,\"clients\":%u,\"hot\":%s,\"accounts\":%u,\"transfers\":%" PRIu64
                ",\"per_second\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f,\"over_100_ms\":%" PRIu64
                ",\"longest_silence_ms\":%.1f,\"cpu_us_per_transfer\":%.2f,\"groups\":%" PRIu64
                ",\"resident_mib\":%.0f,\"idle_account_bytes\":%.0f,\"keys_waiting\":%" PRIu64 ",\"views_lag\":%" PRIu64
                ",\"group_bytes\":%" PRIu64
                ",\"bare_sync_p50_us\":%.0f,\"verify_per_second\":%.0f,\"replay_per_second\":%.0f}\n",
                settings.batch, settings.clients, settings.hot ? "true" : "false", settings.accounts, settings.transfers, rate,
                latency.quantile_us(0.5), latency.quantile_us(0.99), latency.max_us(), driver.slow(), driver.longest_silence_ms(),
                cpu_used / static_cast<double>(settings.transfers) * 1e6, stats.groups, static_cast<double>(resident) / 1048576.0,
                account_bytes, key_stats.keys_in_memory, stats.durable - derived.projected, group_bytes, bare_us,
                verifying > 0 ? static_cast<double>(settings.transfers) / verifying : 0.0,
                checking > 0 ? static_cast<double>(settings.transfers) / checking : 0.0);
    return 0;
  }
  std::printf("accounts   %u opened in %.1f s, resident %.0f MiB: %.0f bytes an account; views %.1f s behind\n", settings.accounts,
              opening, static_cast<double>(resident_idle) / 1048576.0, account_bytes, catching_up);
  std::printf("transfers  %" PRIu64 " in %.2f s: %.0f/s (batches of %u, %u clients%s)\n", settings.transfers, took, rate, settings.batch,
              settings.clients, settings.hot ? ", one hot account" : "");
  std::printf("latency    p50 %.0f us, p99 %.0f us, max %.0f us; %" PRIu64 " over 100 ms; longest time without an answer %.0f ms\n",
              latency.quantile_us(0.5), latency.quantile_us(0.99), latency.max_us(), driver.slow(), driver.longest_silence_ms());
  if (alone) {
    std::printf("disk       the same %" PRIu64 " bytes written and synced alone: p50 %.0f us; the transfer takes %.2f times that\n", group_bytes,
                bare_us, latency.quantile_us(0.5) / bare_us);
  }
  std::printf("cpu        %.2f us a transfer; %" PRIu64 " groups, mean sync %.0f us, longest %.0f us\n",
              cpu_used / static_cast<double>(settings.transfers) * 1e6, stats.groups,
              stats.groups ? static_cast<double>(stats.sync_ns_sum) / static_cast<double>(stats.groups) / 1e3 : 0.0,
              static_cast<double>(stats.sync_ns_max) / 1e3);
  std::printf("derived    keys %" PRIu64 " in runs, %" PRIu64 " in memory; views lag %" PRIu64 " events; newest snapshot at %" PRIu64 "\n",
              key_stats.keys_in_runs, key_stats.keys_in_memory, stats.durable - derived.projected, derived.snapshot);
  std::printf("memory     resident %.0f MiB\n", static_cast<double>(resident) / 1048576.0);
  std::printf("stop       %.2f s; refused %" PRIu64 "\n", stopping, driver.refused());
  std::printf("check      %s; verified %.1f GiB in %.1f s, replayed in %.1f s\n", verdict.c_str(),
              static_cast<double>(journal_bytes) / (1u << 30), verifying, checking);
  return 0;
}
