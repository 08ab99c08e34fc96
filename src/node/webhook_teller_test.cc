#include "node/webhook_teller.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "effects/http/scripted_server_for_tests.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "node/own_request.h"
#include "node/short_disk_test.h"
#include "node/world_test.h"

#include <doctest/doctest.h>

namespace {

using model::WebhookEvent;

const model::Asset usd = *model::parse_asset("USD/2");

// A service on real files with a teller; the endpoint is a scripted server.
struct Told {
  explicit Told(const std::string& directory, std::function<int(const std::string&)> answer)
      : path(directory),
        server([answer = std::move(answer)](const std::string& request) {
          return effects::ScriptedReply{.bytes = "HTTP/1.1 " + std::to_string(answer(request)) + " X\r\ncontent-length: 0\r\n\r\n"};
        }),
        blinding(secret, 0),
        keys(secret),
        gate(keys, nobody, [this](std::span<std::uint8_t> out) { random.fill(out); }) {
    open();
  }
  ~Told() { close(); }

  void open(node::ServiceOptions options = {}) {
    options.recovery.directory = path;
    options.recovery.segment_bytes = 1u << 20;
    auto opened = node::Service::open(disk, *clock, random, blinding, options, [](const base::Error&) {});
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
    service = std::move(*opened);
    service->start();
  }
  void tell(std::uint32_t mark_interval_ms = 3'600'000) {
    io::RealFileSystem real;
    REQUIRE(io::replace_file(real, path + "/ca.pem", *io::read_whole_file(server.disk, "ca.pem", 1 << 20), 0600).ok());
    auto made = node::WebhookTeller::open(disk, *clock, *service, keys, path + "/deliveries.sqlite",
                                          {.private_addresses = true, .ca_file = path + "/ca.pem", .mark_interval_ms = mark_interval_ms});
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().message));
    teller = std::move(*made);
    teller->start();
  }
  void close() {
    if (teller) teller->stop();
    if (service) service->stop();
    teller.reset();
    service.reset();
  }
  model::Event ask(const gate::RequestBody& body) {
    auto answer = node::ask_service(*service, gate, body);
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? std::string() : answer.error().message));
    return answer->content;
  }
  void accounts() {
    ask(gate::AssetRegistration{usd});
    for (const char* name : {"a", "b"}) ask(gate::AccountOpening{.name = name, .asset = usd, .limits = {}, .metadata = {}});
  }
  void move(std::string_view reference = {}) {
    gate::TransferRequest request;
    request.debit_account = "world/USD";
    request.credit_account = "a";
    request.asset = usd;
    request.amount = 5;
    request.reference = reference;
    ask(request);
  }
  void subscribe(bool personal = false, bool ordered = false, model::WebhookEvents events = bit_of(WebhookEvent::transfer_posted)) {
    ask(gate::WebhookCreation{.url = url = server.url(), .events = events, .ordered = ordered, .personal = personal});
  }
  void register_rail() {
    ask(gate::RailConfiguration{.name = "bank-a", .asset = usd});
  }
  void control(gate::RailAction action, base::Instant from = {}, base::Instant until = {}) {
    ask(gate::RailControl{.name = "bank-a", .action = action, .from = from, .until = until});
  }
  bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  core::WebhookRecord record() { return (*service->pipeline().webhooks())[0]; }

  const std::string path;
  std::string url;
  effects::ScriptedServer server;
  const std::array<std::uint8_t, 32> secret{5};
  std::unique_ptr<io::RealClock> clock = std::move(*io::RealClock::open());
  node::ShortDisk disk;
  io::RealRandom random;
  audit::Blinding blinding;
  gate::GateKeys keys;
  node::NobodyElse nobody;
  gate::Gate gate;
  std::unique_ptr<node::Service> service;
  std::unique_ptr<node::WebhookTeller> teller;
};

}  // namespace

TEST_CASE("what was posted before there was a teller is told, with what the endpoint asked for, and not again after a restart") {
  io::TemporaryDirectory directory;
  Told told(directory.path(), [](const std::string&) { return 204; });
  told.accounts();
  told.move("never told: it was before");
  told.subscribe(true, true);
  told.move("order 1");
  told.tell();
  REQUIRE(told.until([&] { return told.teller->stats().delivered == 1; }));
  const std::string request = told.server.requests().at(0);
  CHECK(request.find(R"("type":"transfer.posted")") != std::string::npos);
  CHECK(request.find(R"("debit_account":"world/USD","credit_account":"a","asset":"USD/2","amount":"5","reference":"order 1")") != std::string::npos);
  CHECK(request.find("v1a,") != std::string::npos);
  told.close();
  told.open();
  told.tell();
  told.move("order 2");
  REQUIRE(told.until([&] { return told.teller->stats().delivered == 1; }));
  CHECK(told.server.requests().size() == 2);
  CHECK(told.server.requests().at(1).find("order 2") != std::string::npos);
}

TEST_CASE("a restart takes no attempt: what failed waits for its time, or for somebody who does not") {
  io::TemporaryDirectory directory;
  std::atomic<int> status{500};
  Told told(directory.path(), [&](const std::string&) { return status.load(); });
  told.accounts();
  told.subscribe();
  told.tell();
  const base::Instant before = told.clock->wall();
  told.move();
  REQUIRE(told.until([&] { return told.teller->stats().failed == 1; }));
  const base::Tag128 journal = told.service->reader().end().journal;
  told.close();
  {
    auto store = store::DeliveryStore::open(told.path + "/deliveries.sqlite", journal);
    REQUIRE(store.ok());
    const auto waiting = store->waiting(1, 10);
    REQUIRE(waiting.ok());
    REQUIRE(waiting->size() == 1);
    CHECK(waiting->front().attempts == 1);
    CHECK(waiting->front().next_at >= before + base::seconds(4));
    // Far enough away for any machine.
    REQUIRE(store->count_attempt(1, waiting->front().event, 1, before + base::seconds(3'600)).ok());
  }
  status = 204;
  told.open();
  told.tell();
  REQUIRE(told.until([&] { return told.teller->stats().outstanding == 1; }));
  CHECK(told.server.requests().size() == 1);
  told.teller->resend(1, {}, base::Instant{1}, [](base::Result<std::uint64_t>) {});
  REQUIRE(told.until([&] { return told.teller->stats().delivered == 1; }));
  CHECK(told.server.requests().size() == 2);
}

TEST_CASE("an endpoint that says it is gone is disabled, and told what it missed once it is enabled") {
  io::TemporaryDirectory directory;
  std::atomic<int> status{410};
  Told told(directory.path(), [&](const std::string&) { return status.load(); });
  told.accounts();
  told.subscribe();
  told.tell();
  told.move();
  REQUIRE(told.until([&] { return !told.record().enabled(); }));
  CHECK(told.record().cause == static_cast<std::uint8_t>(model::WebhookCause::endpoint_gone));
  told.move();
  status = 200;
  told.ask(gate::WebhookChange{.webhook = 1, .set = model::webhook_enabled});
  CHECK(told.until([&] { return told.teller->stats().delivered == 2; }));
}

TEST_CASE("an endpoint is disabled as soon as that can be recorded") {
  io::TemporaryDirectory directory;
  Told told(directory.path(), [](const std::string&) { return 410; });
  told.accounts();
  told.subscribe();
  told.disk.is_short = true;
  const auto is_refused = [&] {
    gate::TransferRequest request;
    request.debit_account = "world/USD";
    request.credit_account = "a";
    request.asset = usd;
    request.amount = 5;
    return !node::ask_service(*told.service, told.gate, request).ok();
  };
  while (!is_refused()) {}   // what is left of the segment, and the one that was ready
  told.tell();
  REQUIRE(told.until([&] { return told.teller->stats().failed >= 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));   // some turns
  CHECK(told.record().enabled());
  told.disk.is_short = false;
  CHECK(told.until([&] { return !told.record().enabled(); }));
  CHECK(told.record().cause == static_cast<std::uint8_t>(model::WebhookCause::endpoint_gone));
}

TEST_CASE("an endpoint that took nothing for three days is disabled when a message is given up") {
  io::TemporaryDirectory directory;
  Told told(directory.path(), [](const std::string&) { return 500; });
  told.accounts();
  told.subscribe();
  told.move();
  const model::EventNumber event = told.service->reader().end().next_event - 1;
  {
    auto store = store::DeliveryStore::open(told.path + "/deliveries.sqlite", told.service->reader().end().journal);
    REQUIRE(store.ok());
    REQUIRE(store->put_message(1, {.event = event, .type = WebhookEvent::transfer_posted, .attempts = 10}).ok());
    REQUIRE(store->put_progress(1, {.told_through = event, .failing_since = told.clock->wall() + base::seconds(-71 * 3600)}).ok());
  }
  told.tell();
  REQUIRE(told.until([&] { return !told.record().enabled(); }));
  CHECK(told.record().cause == static_cast<std::uint8_t>(model::WebhookCause::failed_for_long));
  CHECK(told.teller->stats().given_up == 1);
}

TEST_CASE("an endpoint that is far behind does not keep the others waiting") {
  io::TemporaryDirectory directory;
  Told told(directory.path(), [](const std::string&) { return 204; });
  told.accounts();
  told.subscribe(true);
  constexpr int behind = 600;   // groups: more than two turns read
  for (int i = 0; i < behind; ++i) told.move("old");
  told.subscribe(true);
  told.move("news");
  told.tell();
  REQUIRE(told.until([&] { return told.teller->stats().delivered == behind + 2; }));
  const auto requests = told.server.requests();
  const auto first = std::ranges::find_if(requests, [](const std::string& request) { return request.find("news") != std::string::npos; });
  CHECK(first - requests.begin() < behind);
  CHECK(told.teller->stats().failures == 0);
}

TEST_CASE("pausing and resuming a rail are told each time they are said, whatever window stands; a window alone is neither") {
  io::TemporaryDirectory directory;
  Told told(directory.path(), [](const std::string&) { return 204; });
  told.accounts();
  told.register_rail();
  told.subscribe(false, true, bit_of(WebhookEvent::rail_paused) | bit_of(WebhookEvent::rail_resumed));
  const base::Instant from = told.clock->wall() + base::seconds(3'600), until = from + base::seconds(3'600);
  told.control(gate::RailAction::pause);
  told.control(gate::RailAction::maintenance, from, until);   // still paused: not told again
  told.control(gate::RailAction::resume);                     // the window stands
  told.control(gate::RailAction::maintenance, {1}, {2});      // lifted: it was not paused
  told.control(gate::RailAction::pause);
  told.tell();
  REQUIRE(told.until([&] { return told.teller->stats().delivered == 3; }));
  const auto requests = told.server.requests();
  CHECK(requests.at(0).find(R"("type":"rail.paused")") != std::string::npos);
  CHECK(requests.at(0).find("maintenance") == std::string::npos);
  CHECK(requests.at(1).find(R"("type":"rail.resumed")") != std::string::npos);
  CHECK(requests.at(1).find(R"("name":"bank-a","paused":false,"maintenance_from":")" + base::to_rfc3339(from)) != std::string::npos);
  CHECK(requests.at(2).find(R"("type":"rail.paused")") != std::string::npos);
  CHECK(requests.size() == 3);
}

TEST_CASE("the journal is told how far an endpoint is, and a lost store starts from there") {
  io::TemporaryDirectory directory;
  Told told(directory.path(), [](const std::string&) { return 200; });
  told.accounts();
  told.subscribe();
  told.tell(1);
  told.move();
  const model::EventNumber first = told.service->reader().end().next_event - 1;
  REQUIRE(told.until([&] { return told.record().told_through >= first; }));
  told.close();
  for (const char* name : {"/deliveries.sqlite", "/deliveries.sqlite-wal", "/deliveries.sqlite-shm"}) static_cast<void>(told.disk.remove(told.path + name).ok());
  told.open();
  told.tell();
  told.move();
  REQUIRE(told.until([&] { return told.teller->stats().delivered == 1; }));
  CHECK(told.server.requests().size() == 2);
}

TEST_CASE("tests and resending are answered, for whoever is there") {
  io::TemporaryDirectory directory;
  Told told(directory.path(), [](const std::string& request) { return request.find("webhook.test") != std::string::npos ? 418 : 200; });
  told.accounts();
  told.subscribe();
  told.tell();
  told.move();
  const model::EventNumber event = told.service->reader().end().next_event - 1;
  REQUIRE(told.until([&] { return told.teller->stats().delivered == 1; }));
  std::mutex mutex;
  std::vector<std::string> said;
  const auto say = [&](std::string one) {
    const std::lock_guard lock(mutex);
    said.push_back(std::move(one));
  };
  const auto resent = [&](base::Result<std::uint64_t> told_again) { say(told_again.ok() ? std::to_string(*told_again) : std::string(told_again.error().code)); };
  const auto tested = [&](base::Result<effects::WebhookAttempt> attempt) {
    say(attempt.ok() ? std::to_string(attempt->status) : std::string(attempt.error().code));
  };
  const auto next = [&](std::size_t count) {
    return told.until([&] {
      const std::lock_guard lock(mutex);
      return said.size() >= count;
    });
  };
  told.teller->test(1, tested);
  REQUIRE(next(1));
  told.teller->test(2, tested);
  REQUIRE(next(2));
  told.teller->resend(1, model::webhook_message_id(0, event), {}, resent);
  REQUIRE(next(3));
  told.teller->resend(1, model::webhook_message_id(0, 1), {}, resent);
  REQUIRE(next(4));
  told.teller->resend(2, model::webhook_message_id(0, event), {}, resent);
  REQUIRE(next(5));
  told.teller->resend(1, "", base::Instant{0}, resent);
  REQUIRE(next(6));
  CHECK(said == std::vector<std::string>{"418", "webhook_endpoint_unknown", "1", "webhook_message_unknown", "webhook_endpoint_unknown", "0"});
  CHECK(told.until([&] { return told.teller->stats().delivered == 2; }));
}

TEST_CASE("URLs of endpoints: https, or http on loopback, and no private network unless that is allowed") {
  CHECK(node::webhook_url_problem("https://shop.example/hooks", false).empty());
  CHECK_FALSE(node::webhook_url_problem("http://shop.example/hooks", true).empty());
  CHECK_FALSE(node::webhook_url_problem("https://10.0.0.1/hooks", false).empty());
  CHECK_FALSE(node::webhook_url_problem("https://[::1]/hooks", false).empty());
  CHECK_FALSE(node::webhook_url_problem("http://127.0.0.1:80/", false).empty());
  CHECK(node::webhook_url_problem("http://127.0.0.1:80/", true).empty());
  CHECK(node::webhook_url_problem("https://10.0.0.1/hooks", true).empty());
}
