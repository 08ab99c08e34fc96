#include "node/service.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "io/faulting_file.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "node/view_projection.h"
#include "node/world_test.h"
#include "store/views/sqlite_views.h"

#include <doctest/doctest.h>

using model::Outcome;

namespace {

class Waiter final : public node::AnswerSink {
 public:
  void deliver(std::uint64_t token, node::Answer&& answer) override {
    const std::lock_guard lock(mutex_);
    answers_.insert_or_assign(token, std::move(answer));
    arrived_.notify_all();
  }
  node::Answer wait(std::uint64_t token) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return answers_.contains(token); });
    node::Answer answer = std::move(answers_.at(token));
    answers_.erase(token);
    return answer;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::uint64_t, node::Answer> answers_;
};

// Time passes whenever somebody asks for it, so that no two decisions share an instant.
class PassingClock final : public io::Clock {
 public:
  base::Instant wall() override { return inner.wall(); }
  std::int64_t boot_ns() override {
    inner.advance(base::milliseconds(100).ns);
    return inner.boot_ns();
  }
  base::Tag128 boot_id() override { return inner.boot_id(); }

  io::SimulatedClock inner;
};

// A whole service on real files.
struct Running {
  explicit Running(const std::string& path, io::FileSystem& disk, node::PipelineOptions pipeline = {}, io::Clock* other_clock = nullptr,
                   bool views_every_transfer = false)
      : blinding(secret, 0), keys(secret), gate(keys, nobody, [this](std::span<std::uint8_t> out) { random.fill(out); }) {
    node::ServiceOptions options;
    options.recovery.directory = path;
    options.recovery.segment_bytes = 1u << 20;   // less than the usual reserve of space: never a reason to wait for ever
    options.pipeline = pipeline;
    options.engine.views_every_transfer = views_every_transfer;
    auto opened = node::Service::open(disk, other_clock == nullptr ? *clock : *other_clock, random, blinding, options, [this](const base::Error& error) {
      const std::lock_guard lock(failure_mutex);
      failure = error.code;
      failed.notify_all();
    });
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    service = std::move(*opened);
  }
  std::uint64_t submit(gate::Gate& with, const std::string& key, const gate::RequestBody& body) {
    auto admission = with.admit_body({.tenant = 1, .principal = 7, .trace = {}}, key, body);
    const std::uint64_t token = ++tokens;
    last = service->pipeline().submit({.content = std::move(std::get<model::Admitted>(admission)), .sink = &waiter, .token = token});
    return token;
  }
  node::Answer now(const std::string& key, const gate::RequestBody& body) { return waiter.wait(submit(gate, key, body)); }

  const std::array<std::uint8_t, 32> secret{5};
  std::unique_ptr<io::RealClock> clock = std::move(*io::RealClock::open());
  io::RealRandom random;
  audit::Blinding blinding;
  gate::GateKeys keys;
  node::NobodyElse nobody;
  gate::Gate gate;
  Waiter waiter;
  std::atomic<std::uint64_t> tokens{0};
  std::atomic<Outcome> last{Outcome::done};
  std::mutex failure_mutex;
  std::condition_variable failed;
  std::string failure;
  std::unique_ptr<node::Service> service;
};

const model::Asset usd = *model::parse_asset("USD/2");

gate::TransferRequest transfer(std::string_view from, std::string_view to, base::U128 amount) {
  gate::TransferRequest request;
  request.debit_account = from;
  request.credit_account = to;
  request.asset = usd;
  request.amount = amount;
  return request;
}

void open_accounts(Running& running) {
  running.now("asset", gate::AssetRegistration{usd});
  running.now("a", gate::AccountOpening{.name = "a", .asset = usd, .limits = {}, .metadata = {}});
  running.now("b", gate::AccountOpening{.name = "b", .asset = usd, .limits = {}, .metadata = {}});
}

}  // namespace

TEST_CASE("many threads submit, everything is answered, and all of it is there after reopening") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  constexpr int threads = 4, each = 300;
  {
    Running running(directory.path(), disk);
    auto projection = node::ViewProjection::open(directory / "views.sqlite", running.service->reader(), false);
    REQUIRE(projection.ok());
    running.service->project_to(**projection);
    running.service->start();
    open_accounts(running);
    std::vector<std::thread> clients;
    for (int thread = 0; thread < threads; ++thread) {
      clients.emplace_back([&running, thread] {
        gate::Gate own(running.keys, running.nobody, [&running](std::span<std::uint8_t> out) { running.random.fill(out); });
        for (int i = 0; i < each; ++i) {
          const std::string key = std::to_string(thread) + "-" + std::to_string(i);
          const auto token = running.submit(own, key, transfer("world/USD", "a", 1));
          CHECK(running.waiter.wait(token).items.at(0).event != 0);
        }
      });
    }
    for (std::thread& client : clients) client.join();
    running.service->stop();
    CHECK(running.failure.empty());
    CHECK(running.service->projected() == running.service->pipeline().durable());
    CHECK(running.service->derived().law_checks > 0);
    auto views = (*projection)->views().queries();
    REQUIRE(views.ok());
    const auto accounts = (*views)->accounts({.tenant = 1, .name_prefix = "a", .asset = {}, .flag = {}, .cursor = {}});
    REQUIRE(accounts.ok());
    REQUIRE(accounts->rows.size() == 1);
    CHECK(accounts->rows[0].counters.credits_posted == threads * each);
  }
  Running again(directory.path(), disk);
  CHECK(again.service->recovery().snapshot_event != 0);
  again.service->start();
  const auto replay = again.now("2-17", transfer("world/USD", "a", 1));
  CHECK(replay.items.at(0).replayed);
}

TEST_CASE("a full queue refuses at once, and nothing of what was refused happens") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  Running running(directory.path(), disk, {.queue_max = 4});
  running.service->start();
  open_accounts(running);
  std::size_t taken = 0, refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    running.submit(running.gate, "k" + std::to_string(i), transfer("world/USD", "a", 1));
    (running.last == Outcome::done ? taken : refused) += 1;
    if (running.last != Outcome::done) CHECK(running.last == Outcome::overloaded);
  }
  running.service->stop();
  CHECK(running.waiter.count() == taken);
  CHECK(running.service->pipeline().stats().refused_overload == refused);
}

TEST_CASE("after stop nothing is taken any more") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  Running running(directory.path(), disk);
  running.service->start();
  open_accounts(running);
  running.service->stop();
  running.submit(running.gate, "late", transfer("world/USD", "a", 1));
  CHECK(running.last == Outcome::shutting_down);
}

TEST_CASE("a failed sync ends the service without another answer") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  io::FaultingFileSystem faulty(disk);
  Running running(directory.path(), faulty);
  running.service->start();
  open_accounts(running);
  const std::size_t before = running.waiter.count();
  faulty.faults().fail_next_sync();
  running.submit(running.gate, "k", transfer("world/USD", "a", 1));
  {
    std::unique_lock lock(running.failure_mutex);
    running.failed.wait(lock, [&running] { return !running.failure.empty(); });
  }
  running.service->stop();
  // Any thread's sync may be the one that fails, and the other may be quicker to say that the journal is done for.
  CHECK((running.failure == "file_sync_failed" || running.failure == "journal_failed"));
  CHECK(running.waiter.count() == before);
}

TEST_CASE("a wall clock that was set while the service was down suspends expiries, until it is confirmed") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  io::SimulatedClock clock;
  {
    Running running(directory.path(), disk, {}, &clock);
    running.service->start();
    open_accounts(running);
    CHECK_FALSE(running.service->pipeline().clock_suspended());
    running.service->stop();
  }
  clock.advance(base::seconds(30).ns);
  clock.jump_wall(base::seconds(7'200).ns);
  {
    Running running(directory.path(), disk, {}, &clock);
    running.service->start();
    running.now("c", gate::AccountOpening{.name = "c", .asset = usd, .limits = {}, .metadata = {}});
    CHECK(running.service->pipeline().clock_suspended());
    running.service->pipeline().confirm_clock();
    while (running.service->pipeline().clock_suspended()) running.service->pipeline().wake();
    running.service->stop();
  }
  Running again(directory.path(), disk, {}, &clock);
  again.service->start();
  again.now("d", gate::AccountOpening{.name = "d", .asset = usd, .limits = {}, .metadata = {}});
  CHECK_FALSE(again.service->pipeline().clock_suspended());
}

TEST_CASE("holds that expire in the midst of traffic, or when a clock is confirmed, never take time back") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  PassingClock clock;
  Running running(directory.path(), disk, {}, &clock);
  running.service->start();
  open_accounts(running);
  auto request = transfer("world/USD", "a", 5);
  request.hold = true;
  request.hold_for = base::seconds(1);
  int key = 0;
  const auto traffic = [&](int transfers) {
    std::uint64_t newest = 0;
    for (int i = 0; i < transfers; ++i) newest = running.submit(running.gate, "t" + std::to_string(++key), transfer("world/USD", "b", 1));
    running.waiter.wait(newest);
  };
  const auto during = running.now("h1", request).items.at(0).event;
  for (int i = 0; i < 20; ++i) traffic(5);
  clock.inner.jump_wall(base::seconds(7'200).ns);
  while (!running.service->pipeline().clock_suspended()) running.service->pipeline().wake();
  const auto while_suspended = running.now("h2", request).items.at(0).event;
  traffic(50);
  running.service->pipeline().confirm_clock();
  while (running.service->pipeline().clock_suspended()) running.service->pipeline().wake();
  traffic(5);
  running.service->stop();
  CHECK(running.failure.empty());
  CHECK(running.service->state_after_stop().open_hold(during) == nullptr);
  CHECK(running.service->state_after_stop().open_hold(while_suspended) == nullptr);
}

namespace {

// A key that a captured message proved, so that its version is there at once; told apart by `seed`.
gate::KeyImport proven_key(std::uint8_t seed, base::Instant activate_at) {
  model::KeyFacts facts;
  facts.spki = {0x30, seed};
  facts.pin = facts.fingerprint = {seed};
  gate::KeyImport import{.partner = "bank-a", .key = "callbacks", .material = {seed}, .activate_at = activate_at, .overlap = base::seconds(60)};
  import.examined = gate::Examined{.verdict = model::ImportVerdict::proven, .facts = facts, .findings = "[]"};
  return import;
}

// Wakes the pipeline until something holds; gives up after ten seconds.
bool comes_true(Running& running, const std::function<bool()>& what) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!what() && std::chrono::steady_clock::now() < until) running.service->pipeline().wake();
  return what();
}

}  // namespace

TEST_CASE("a schedule of keys waits while a jump of the clock is not confirmed, and goes on from there") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  io::SimulatedClock clock;
  Running running(directory.path(), disk, {}, &clock);
  running.service->start();
  node::Pipeline& pipeline = running.service->pipeline();
  const auto state_of = [&](model::KeyVersion version) { return pipeline.registry()->version(1, version)->status(); };
  running.now("first", proven_key(1, {}));
  running.now("second", proven_key(2, clock.wall() + base::seconds(3'600)));
  CHECK(state_of(1) == model::KeyState::active);
  CHECK(state_of(2) == model::KeyState::next);

  clock.jump_wall(base::seconds(7'200).ns);
  REQUIRE(comes_true(running, [&] { return pipeline.clock_suspended(); }));
  for (int i = 0; i < 20; ++i) {
    clock.advance(base::seconds(30).ns);
    running.now("asset-" + std::to_string(i), gate::AssetRegistration{usd});
  }
  CHECK(state_of(2) == model::KeyState::next);

  pipeline.confirm_clock();
  REQUIRE(comes_true(running, [&] { return state_of(2) == model::KeyState::active; }));
  CHECK(state_of(1) == model::KeyState::retiring);
  clock.advance(base::seconds(61).ns);   // by the boot clock: the overlap is over
  CHECK(comes_true(running, [&] { return state_of(1) == model::KeyState::retired; }));
  running.service->stop();
  CHECK(running.failure.empty());
}

namespace {

// Views that cannot be written for a while.
class FailingViews final : public node::Projection {
 public:
  base::Status project(const std::vector<model::EventNumber>&, model::EventNumber) override {
    ++projected;
    if (!failing) return base::ok();
    return base::Error{"views_write_failed", "on purpose"};
  }
  base::Result<bool> catch_up() override {
    ++caught_up;
    // At the start all is well; the failure comes with the first rows.
    if (!failing || projected == 0) return false;
    return base::Error{"views_write_failed", "on purpose"};
  }
  base::Status begin_refresh(const core::FrozenState&, model::EventNumber) override { return base::ok(); }
  base::Result<bool> refresh_step(std::uint32_t) override { return false; }

  std::atomic<bool> failing{true};
  std::atomic<int> projected{0}, caught_up{0};
};

}  // namespace

TEST_CASE("views that cannot be written cost neither snapshots nor a processor, and are caught up once they can be") {
  io::TemporaryDirectory directory;
  io::RealFileSystem disk;
  for (const bool recovers : {true, false}) {
    CAPTURE(recovers);
    FailingViews views;
    Running running(directory.path(), disk);
    running.service->project_to(views);
    running.service->start();
    open_accounts(running);
    for (int i = 0; i < 50; ++i) running.now((recovers ? "x" : "y") + std::to_string(i), transfer("world/USD", "a", 1));
    while (running.service->views_failed() == nullptr) std::this_thread::yield();
    const model::EventNumber durable = running.service->pipeline().durable();
    CHECK(running.service->projected() < durable);
    CHECK(views.projected + views.caught_up < 10);
    if (recovers) {
      views.failing = false;
      while (running.service->projected() < durable) std::this_thread::yield();
      CHECK(running.service->views_failed() == nullptr);
    }
    running.service->stop();
    CHECK(running.failure.empty());
    CHECK(running.service->derived().snapshot == durable);
  }
}

TEST_CASE("with every_transfer single-commit transfers have rows, and have them again when the views are made anew") {
  for (const bool every_transfer : {true, false}) {
    CAPTURE(every_transfer);
    io::TemporaryDirectory directory;
    io::RealFileSystem disk;
    const std::string path = directory / "views.sqlite";
    Running running(directory.path(), disk, {}, nullptr, every_transfer);
    const auto rows = [](node::ViewProjection& projection) {
      auto queries = projection.views().queries();
      REQUIRE(queries.ok());
      const auto found = (*queries)->transfers({.tenant = 1, .state = {}, .account = {}, .reference = "order-1", .cursor = {}});
      REQUIRE(found.ok());
      return found->rows.size();
    };
    CHECK_FALSE(node::ViewProjection::made_with_every_transfer(path, running.service->reader()).has_value());
    {
      auto projection = node::ViewProjection::open(path, running.service->reader(), every_transfer);
      REQUIRE(projection.ok());
      running.service->project_to(**projection);
      running.service->start();
      open_accounts(running);
      auto request = transfer("world/USD", "a", 5);
      request.reference = "order-1";
      running.now("k", request);
      running.service->stop();
      CHECK(rows(**projection) == (every_transfer ? 1 : 0));
    }
    CHECK(node::ViewProjection::made_with_every_transfer(path, running.service->reader()) == every_transfer);
    REQUIRE(store::remove_sqlite_views(path).ok());
    auto anew = node::ViewProjection::open(path, running.service->reader(), every_transfer);
    REQUIRE(anew.ok());
    while ((*anew)->catch_up().value()) {
    }
    CHECK(rows(**anew) == (every_transfer ? 1 : 0));
  }
}
