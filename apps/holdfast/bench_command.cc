// holdfast bench: a short look at what this machine and this disk can do, in process. bench/run compares at length, with
// PostgreSQL and nginx beside it.

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/sync_time.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "node/client_records.h"
#include "node/own_request.h"
#include "node/service.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t account_count = 1'000;
constexpr std::uint32_t outstanding_max = 32;

/// Counts answers for whoever waits for the next one.
class Finished final : public node::AnswerSink {
 public:
  void deliver(std::uint64_t, node::Answer&& answer) override {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (answer.refusal != model::Outcome::done) ++refused_;
    arrived_.notify_one();
  }
  std::uint64_t wait_for(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return count_ >= count; });
    return refused_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::uint64_t count_ = 0, refused_ = 0;
};

struct Rate {
  std::uint32_t batch = 0;
  std::uint64_t transfers = 0;
  std::uint64_t ns = 0;
  std::uint64_t per_second() const { return ns == 0 ? 0 : transfers * 1'000'000'000 / ns; }
};

class Bench {
 public:
  Bench(node::Service& service, gate::Gate& gate) : service_(service), gate_(gate) {
    for (std::uint32_t i = 0; i < account_count; ++i) names_.push_back("bench/" + std::to_string(i));
  }

  base::Status prepare() {
    TRY(opened(gate::AssetRegistration{usd_}));
    for (const std::string& name : names_) {
      TRY(opened(gate::AccountOpening{.name = name, .asset = usd_, .flags = 0, .limits = {}, .metadata = {}}));
    }
    return base::ok();
  }

  base::Result<Rate> run(std::uint32_t batch, std::chrono::milliseconds duration) {
    Finished finished;
    Rate rate{.batch = batch, .transfers = 0, .ns = 0};
    const auto began = SteadyClock::now();
    std::uint64_t sent = 0;
    while (SteadyClock::now() - began < duration) {
      const base::Status taken = send(batch, finished);
      if (!taken.ok()) return taken.error();
      if (++sent >= outstanding_max) finished.wait_for(sent - outstanding_max + 1);
    }
    const std::uint64_t refused = finished.wait_for(sent);
    if (refused != 0) return base::Error{"request_refused", std::to_string(refused) + " batches were refused"};
    rate.transfers = sent * batch;
    rate.ns = static_cast<std::uint64_t>((SteadyClock::now() - began).count());
    return rate;
  }

 private:
  base::Status opened(const gate::RequestBody& body) {
    const auto answer = node::ask_service(service_, gate_, body);
    if (!answer.ok()) return answer.error();
    return base::ok();
  }

  base::Status send(std::uint32_t batch, Finished& finished) {
    requests_.resize(batch);
    keys_.resize(batch);
    for (std::uint32_t i = 0; i < batch; ++i, ++number_) {
      const std::string key = "bench-" + std::to_string(number_);
      keys_[i] = key;
      requests_[i] = {.key = keys_[i],
                      .debit_account = names_[number_ % account_count],
                      .credit_account = names_[(number_ * 7 + 1 + number_ % account_count) % account_count],
                      .asset = usd_,
                      .amount = 1};
      if (requests_[i].debit_account == requests_[i].credit_account) requests_[i].credit_account = names_[(number_ + 1) % account_count];
    }
    auto admission = gate_.admit_transfers({}, requests_);
    if (auto* refusal = std::get_if<gate::Refusal>(&admission)) return base::Error{"request_refused", refusal->detail};
    const model::Outcome taken =
        service_.pipeline().submit({.content = std::move(std::get<model::Admitted>(admission)), .sink = &finished, .token = 0});
    if (taken != model::Outcome::done) return base::Error{"request_refused", std::string(model::code_of(taken))};
    return base::ok();
  }

  node::Service& service_;
  gate::Gate& gate_;
  const model::Asset usd_ = *model::parse_asset("USD/2");
  std::vector<std::string> names_, keys_;
  std::vector<gate::TransferRequest> requests_;
  std::uint64_t number_ = 0;
};

struct BenchReport {
  SyncTime sync;
  std::vector<Rate> rates;
};

base::Result<BenchReport> measure(io::FileSystem& files, const std::string& directory, std::chrono::milliseconds each) {
  BenchReport report;
  TRY_ASSIGN(report.sync, measure_sync_time(files, directory));
  io::RealRandom random;
  TRY_ASSIGN(const auto clock, io::RealClock::open());
  std::array<std::uint8_t, 32> secret{};
  random.fill(secret);
  const audit::Blinding blinding(secret, 0);
  const gate::GateKeys keys(secret);
  const node::NoClients nobody;
  gate::Gate gate(keys, nobody, [&random](std::span<std::uint8_t> out) { random.fill(out); });
  node::ServiceOptions options;
  options.recovery.directory = directory;
  options.snapshot_on_stop = false;
  TRY_ASSIGN(const auto service, node::Service::open(files, *clock, random, blinding, options, [](const base::Error& error) {
    fail(error);
    std::_Exit(exit_broken);
  }));
  service->start();
  Bench bench(*service, gate);
  TRY(bench.prepare());
  for (const std::uint32_t batch : {1u, 100u, 1'000u, 8'190u}) {
    TRY_ASSIGN(const Rate rate, bench.run(batch, each));
    report.rates.push_back(rate);
  }
  service->stop();
  return report;
}

int run_bench(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto seconds = arguments.number("--seconds", 1, 600);
  if (!seconds.ok()) return fail(seconds.error());
  const std::string parent = absolute_path(arguments.value_or("--dir", "."));
  const std::string directory = parent + "/.holdfast-bench-" + std::to_string(io::RealRandom().u64());
  const base::Status made = files.make_dir(directory);
  if (!made.ok()) return fail(made.error());
  const auto report = measure(files, directory, std::chrono::milliseconds(seconds->value_or(8) * 1000 / 4));
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  if (!report.ok()) return fail(report.error());
  std::string text;
  if (arguments.json()) {
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("sync_ns_median", report->sync.median_ns);
    json.member("sync_ns_worst", report->sync.worst_ns);
    json.key("rates");
    json.begin_array();
    for (const Rate& rate : report->rates) {
      json.begin_object();
      json.member("batch", std::uint64_t{rate.batch});
      json.member("transfers", rate.transfers);
      json.member("per_second", rate.per_second());
      json.end_object();
    }
    json.end_array();
    json.end_object();
  } else {
    text = "disk: 4 KiB durable in " + std::to_string(report->sync.median_ns / 1000) + " us (median), worst " +
           std::to_string(report->sync.worst_ns / 1000) + " us\n";
    for (const Rate& rate : report->rates) {
      char line[128];
      std::snprintf(line, sizeof line, "batches of %5u  %10llu durable transfers a second\n", rate.batch,
                    static_cast<unsigned long long>(rate.per_second()));
      text += line;
    }
    text += "\nIn process, " + std::to_string(outstanding_max) + " requests at a time, every answer durable. bench/run compares at length.\n";
  }
  print(text);
  return exit_done;
}

}  // namespace

Command bench_command() {
  return {.name = "bench",
          .summary = "a short look at what this machine can do",
          .examples = "  holdfast bench --dir /var/lib\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "measures the disk and the engine in a directory of its own, which it removes again",
                     .options = {{"--dir", "DIR", "on the disk to measure; the present directory unless given"},
                                 {"--seconds", "N", "about how long; 8 unless given"}},
                     .run = run_bench}}};
}

}  // namespace holdfast
