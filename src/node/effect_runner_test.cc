#include "node/effect_runner.h"

#include <mutex>
#include <thread>

#include "effects/signing/message_keys.h"
#include "io/temporary_directory.h"
#include "node/one_answer.h"
#include "node/own_request.h"
#include "node/short_disk_test.h"
#include "node/world_test.h"

#include <doctest/doctest.h>

namespace {

using model::Outcome;
using model::TransferState;

const model::Asset usd = *model::parse_asset("USD/2");

// Remembers what was to be carried out.
class Carried final : public node::EffectSink {
 public:
  void take(std::vector<node::EffectOrder>&& orders, std::int64_t) override {
    const std::lock_guard lock(mutex_);
    for (node::EffectOrder& order : orders) orders_.push_back(std::move(order));
  }
  template <typename Effect>
  std::vector<Effect> all() {
    const std::lock_guard lock(mutex_);
    std::vector<Effect> found;
    for (const node::EffectOrder& order : orders_) {
      if (const auto* one = std::get_if<Effect>(&order.effect)) found.push_back(*one);
    }
    return found;
  }

 private:
  std::mutex mutex_;
  std::vector<node::EffectOrder> orders_;
};

// A service with one rail that no file names, and two people.
struct Paying {
  Paying() : blinding(secret, 0), keys(secret), gate(keys, nobody, [this](std::span<std::uint8_t> out) { random.fill(out); }) {}
  ~Paying() { close(); }

  void open() {
    node::ServiceOptions options;
    options.recovery.directory = directory.path();
    options.recovery.segment_bytes = 1u << 20;   // less than the reserve of space: every command wants an empty one
    options.pipeline.tick_interval_ms = 5;
    auto opened = node::Service::open(disk, *clock, random, blinding, options, [](const base::Error&) {});
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    service = std::move(*opened);
  }
  void close() {
    if (runner) runner->stop();
    if (service) service->stop();
    runner.reset();
    service.reset();
  }
  void register_rail(const model::RailProfile& profile) {
    ask(gate::AssetRegistration{usd});
    ask(gate::AccountOpening{.name = "a", .asset = usd, .limits = {}, .metadata = {}});
    REQUIRE(move());
    ask(gate::RailConfiguration{.name = "bank", .asset = usd, .profile = profile});
  }
  model::EventNumber ask(const gate::RequestBody& body) {
    auto answer = node::ask_service(*service, gate, body);
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? std::string() : answer.error().message));
    return answer->event;
  }
  bool move() {
    gate::TransferRequest request;
    request.debit_account = "world/USD";
    request.credit_account = "a";
    request.asset = usd;
    request.amount = 100;
    return node::ask_service(*service, gate, request).ok();
  }
  model::EventNumber pay() {
    return ask(gate::RailTransferRequest{.account = "a", .asset = usd, .amount = 5, .beneficiary = R"({"account":"x"})", .metadata = {}});
  }
  void tell(model::Admitted&& admitted) {
    node::OneAnswer sink;
    REQUIRE(service->pipeline().submit({.content = std::move(admitted), .sink = &sink, .token = 0}) == Outcome::done);
    CHECK(sink.wait().refusal == Outcome::done);
  }
  void resolve_as_failed(model::PrincipalNumber person, model::EventNumber transfer) {
    auto admission = gate.admit_body({.tenant = 1, .principal = person, .trace = {}}, "resolve-" + std::to_string(person),
                                     gate::UnknownResolution{.transfer = {.partition = 0, .event = transfer}, .verdict = model::Verdict::failed, .reason = "a letter"});
    tell(std::move(std::get<model::Admitted>(admission)));
  }
  TransferState state() {
    node::OneAnswer sink;
    node::Question question;
    question = node::AskState{};
    REQUIRE(service->pipeline().submit({.content = std::move(question), .sink = &sink, .token = 0}) == Outcome::done);
    return std::get<node::StateFound>(sink.wait().finding).state->sagas.transfers[0].status();
  }
  bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  io::TemporaryDirectory directory;
  const std::array<std::uint8_t, 32> secret{5};
  std::unique_ptr<io::RealClock> clock = std::move(*io::RealClock::open());
  node::ShortDisk disk;
  io::RealRandom random;
  audit::Blinding blinding;
  gate::GateKeys keys;
  node::NobodyElse nobody;
  gate::Gate gate;
  effects::OwnEd25519Signer signer{io::SecretMemory::copy_of(base::Bytes(32, 5)).value()};
  std::unique_ptr<node::Service> service;
  std::unique_ptr<node::EffectRunner> runner;
};

}  // namespace

TEST_CASE("a report that the journal has no room for comes again, until it is recorded") {
  Paying paying;
  paying.open();
  auto opened = node::EffectRunner::open(paying.disk, *paying.clock, *paying.service, paying.keys, paying.nobody, paying.signer, {}, {});
  REQUIRE(opened.ok());
  paying.runner = std::move(*opened);
  paying.service->carry_effects_to(*paying.runner);
  paying.service->start();
  paying.register_rail({});
  paying.pay();
  REQUIRE(paying.state() == TransferState::sending);
  paying.disk.is_short = true;
  // What is left of the segment, and the one that was ready.
  REQUIRE(paying.until([&] {
    for (int i = 0; i < 50; ++i) {
      if (!paying.move()) return true;
    }
    return false;
  }));
  paying.runner->start();   // the file of rails names none: at once it says that nothing was sent
  REQUIRE(paying.until([&] { return paying.runner->stats().unrecorded >= 1; }));
  CHECK(paying.state() == TransferState::sending);
  CHECK(paying.runner->stats().without_driver == 1);
  paying.disk.is_short = false;
  REQUIRE(paying.until([&] { return paying.state() != TransferState::sending; }));
  CHECK(paying.runner->stats().reports > paying.runner->stats().unrecorded);
}

TEST_CASE("what people resolved as failed is voided again by the next start: nobody knows whether the rail heard of it") {
  Paying paying;
  Carried first, second, later;
  paying.open();
  paying.service->carry_effects_to(first);
  paying.service->start();
  paying.register_rail({.capabilities = model::inquiry_supported | model::void_supported,
                        .visibility_horizon = base::seconds(3'600),
                        .inquiry_first = base::milliseconds(10),
                        .inquiries_max = 1});
  const model::EventNumber ann = paying.ask(gate::ClientCreation{.name = "ann", .kind = model::PrincipalKind::person, .scopes = model::all_scopes});
  const model::EventNumber bob = paying.ask(gate::ClientCreation{.name = "bob", .kind = model::PrincipalKind::person, .scopes = model::all_scopes});
  const auto person = [&](model::EventNumber event) {
    const auto stored = paying.service->reader().read_entry(event);
    return std::get<model::ClientCreated>(model::decode_entry(stored->bytes, stored->first_event)->events[0].body).number;
  };
  const model::EventNumber transfer = paying.pay();
  REQUIRE(paying.until([&] { return first.all<model::SendToRail>().size() == 1; }));
  const model::AttemptKey sent = first.all<model::SendToRail>()[0].key;
  gate::RailReport lost;
  lost.reference = sent.reference;
  lost.reason = model::RailReason::reply_lost;
  paying.tell(paying.gate.admit_report(lost));
  REQUIRE(paying.until([&] { return paying.state() == TransferState::manual_review; }));
  paying.resolve_as_failed(person(ann), transfer);
  CHECK(first.all<model::VoidAtRail>().empty());
  paying.resolve_as_failed(person(bob), transfer);
  CHECK(paying.state() == TransferState::failed);
  REQUIRE(paying.until([&] { return first.all<model::VoidAtRail>().size() == 1; }));
  const model::VoidAtRail asked = first.all<model::VoidAtRail>()[0];
  paying.close();

  paying.open();
  paying.service->carry_effects_to(second);
  paying.service->start();
  CHECK(second.all<model::VoidAtRail>() == std::vector{asked});
  CHECK(second.all<model::ReportInterrupted>().empty());
  paying.close();
  paying.open();
  const core::State& state = paying.service->state_after_stop();
  const base::Instant now = paying.clock->wall();
  CHECK(node::voids_to_repeat(state, now).size() == 1);
  CHECK(node::voids_to_repeat(state, now + node::void_repeated_within).empty());
}
