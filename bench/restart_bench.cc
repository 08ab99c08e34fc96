// A restart in the middle of many payouts, through the whole service on a real disk: so many transfers are with rails that never answer
// when the process ends without a word. Measured: until the next one is ready, and until it has reported each of them interrupted.
//
//   restart_bench --dir DIR [--sagas N]

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "gate/gate.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "node/own_request.h"
#include "node/service.h"

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

[[noreturn]] void die(const base::Error& error) {
  std::fprintf(stderr, "restart_bench: %s: %s\n", error.code, error.message.c_str());
  std::_Exit(1);
}

struct NoClients final : gate::ClientBook {
  std::optional<gate::Client> find(model::PrincipalNumber) const override { return std::nullopt; }
};

struct Answers final : node::AnswerSink {
  void deliver(std::uint64_t, node::Answer&& answer) override {
    if (answer.refusal != model::Outcome::done || answer.items.empty() || answer.items[0].event == 0) refused.fetch_add(1);
    arrived.fetch_add(1);
  }
  std::atomic<std::uint64_t> arrived{0}, refused{0};
};

// Rails that take everything and never say a word. What was open at the start is remembered, to be reported.
struct SilentRails final : node::EffectSink {
  void take(std::vector<node::EffectOrder>&& orders, std::int64_t) override {
    for (const node::EffectOrder& order : orders) {
      if (const auto* open = std::get_if<model::ReportInterrupted>(&order.effect)) interrupted.push_back(open->key.reference);
      if (std::holds_alternative<model::SendToRail>(order.effect)) sent.fetch_add(1);
    }
  }
  std::vector<model::EventNumber> interrupted;
  std::atomic<std::uint64_t> sent{0};
};

struct House {
  explicit House(const std::string& directory, io::RealFileSystem& files, io::Clock& clock)
      : blinding(secret, 0), keys(secret), gate(keys, nobody, [this](std::span<std::uint8_t> out) { random.fill(out); }) {
    node::ServiceOptions options;
    options.recovery.directory = directory;
    options.engine.bounds.sagas.routing.silent_attempts_min = ~0u;   // rails that say nothing are what this is about
    auto opened = node::Service::open(files, clock, random, blinding, options, die);
    if (!opened.ok()) die(opened.error());
    service = std::move(opened).value();
    service->carry_effects_to(rails);
    service->start();
  }

  void ask(const gate::RequestBody& body) {
    const auto answer = node::ask_service(*service, gate, body);
    if (!answer.ok()) die(answer.error());
  }
  /// As fast as the pipeline takes them; returns when all answers are durable.
  template <typename Make>
  void submit(std::uint64_t count, Make make) {
    const std::uint64_t before = answers.arrived;
    for (std::uint64_t i = 0; i < count; ++i) {
      for (;;) {
        const auto outcome = service->pipeline().submit({.content = make(i), .sink = &answers, .token = i});
        if (outcome == model::Outcome::done) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    while (answers.arrived < before + count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (answers.refused != 0) die({"refused", std::to_string(answers.refused) + " were refused"});
  }

  const std::array<std::uint8_t, 32> secret{4, 5, 6};
  io::RealRandom random;
  const audit::Blinding blinding;
  const gate::GateKeys keys;
  const NoClients nobody;
  gate::Gate gate;
  SilentRails rails;
  Answers answers;
  std::unique_ptr<node::Service> service;
};

constexpr const char* asset_text = "USD/2";

// The life before: everything is sent, nothing answered, and the process is gone.
[[noreturn]] void live_and_die(const std::string& directory, std::uint64_t sagas, io::RealFileSystem& files, io::Clock& clock) {
  House house(directory, files, clock);
  const model::Asset asset = *model::parse_asset(asset_text);
  house.ask(gate::AssetRegistration{asset});
  house.ask(gate::AccountOpening{.name = "users/all", .asset = asset, .limits = {}, .metadata = {}});
  model::RailProfile profile;
  profile.capabilities = model::all_rail_capabilities;
  profile.send_window = profile.reply_timeout = base::seconds(3'600);   // none falls silent while the others are still being made
  profile.in_flight_max = static_cast<std::uint32_t>(sagas);
  for (int i = 0; i < 20; ++i) house.ask(gate::RailConfiguration{.name = "bank-" + std::to_string(i), .asset = asset, .profile = profile});
  gate::TransferRequest funds{.key = {}, .debit_account = "world/USD", .credit_account = "users/all", .asset = asset, .amount = sagas * 100, .reference = {}, .metadata = {}};
  house.ask(funds);
  house.submit(sagas, [&](std::uint64_t i) {
    const std::string rail = "bank-" + std::to_string(i % 20);
    gate::RailTransferRequest payout{.kind = model::TransferKind::payout, .account = "users/all", .asset = asset, .amount = 100, .rail = rail,
                                     .beneficiary = "{\"iban\":\"none\"}", .reference = {}, .metadata = {}};
    auto admission = house.gate.admit_body({}, {}, payout);
    return std::move(std::get<model::Admitted>(admission));
  });
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory;
  std::uint64_t sagas = 100'000;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--dir") == 0) directory = argv[i + 1];
    else if (std::strcmp(argv[i], "--sagas") == 0) sagas = std::strtoull(argv[i + 1], nullptr, 10);
  }
  if (directory.empty()) die({"misuse", "--dir is needed"});
  std::filesystem::create_directories(directory);
  io::RealFileSystem files;
  auto clock = io::RealClock::open();
  if (!clock.ok()) die(clock.error());
  const pid_t child = fork();
  if (child == 0) live_and_die(directory, sagas, files, **clock);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) die({"child_failed", "the life before did not end as it should"});

  const auto start = Clock::now();
  House house(directory, files, **clock);
  const double ready = seconds_since(start);
  const node::RecoveryReport& recovery = house.service->recovery();
  std::printf("ready in %.2f s: %zu sends found open, snapshot at event %" PRIu64 ", %" PRIu64 " events replayed\n", ready, house.rails.interrupted.size(),
              recovery.snapshot_event, recovery.events_replayed);
  house.submit(house.rails.interrupted.size(), [&](std::uint64_t i) {
    gate::RailReport report;
    report.reference = house.rails.interrupted[i];
    report.source = model::ReportSource::recovery;
    report.reason = model::RailReason::process_died;
    return house.gate.admit_report(report);
  });
  std::printf("each of them reported interrupted, durable, %.2f s after the start: outcome unknown, to be asked about\n", seconds_since(start));
  std::fflush(stdout);
  const bool good = house.rails.interrupted.size() == sagas && ready < 5.0;
  house.service->stop();
  return good ? 0 : 1;
}
