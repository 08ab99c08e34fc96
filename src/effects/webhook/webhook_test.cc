#include "effects/webhook/webhook_delivery.h"

#include <algorithm>

#include "effects/http/scripted_server_for_tests.h"
#include "effects/signing/message_keys.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

using End = ScriptedReply::End;
using Outcome = WebhookAttempt::Outcome;

constexpr const char* secret_text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr base::Instant then{1'614'265'330'000'000'000};

base::Bytes secret() { return wire::parse_webhook_key(wire::WebhookKeyKind::secret, secret_text).value(); }
WebhookSigning signing() {
  WebhookSigning signing;
  signing.secrets.push_back(io::SecretMemory::copy_of(secret()).value());
  return signing;
}

TEST_CASE("signatures are those of npm standardwebhooks 1.1.1") {
  const auto signed_by_us = [](const char* id, std::int64_t seconds, const char* body) {
    wire::Headers headers;
    REQUIRE(sign_webhook(headers, id, body, signing(), {seconds * 1'000'000'000}).ok());
    return std::string(*headers.find("webhook-signature"));
  };
  CHECK_EQ(signed_by_us("msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, "{\"test\": 2432232314}"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  CHECK_EQ(signed_by_us("msg_2", 1'800'000'000, "{\"type\":\"transfer.settled\",\"data\":{\"name\":\"Zo\xc3\xab\"}}"),
           "v1,We+6GwTaLIBysE/SvHS9UlOZ7Ek0lVgdPvmssmk7D1w=");
}

TEST_CASE("what others send is verified, with either version and while keys change") {
  OwnEd25519Signer signer(io::SecretMemory::copy_of(base::Bytes(32, 4)).value());
  WebhookSigning both = signing();
  both.signers.push_back(&signer);
  wire::Headers headers;
  REQUIRE(sign_webhook(headers, "msg_1", "{}", both, then).ok());
  const auto verdict = [&](const WebhookVerification& keys, std::string_view body = "{}") -> std::string {
    const auto claim = verify_webhook(headers, body, keys, then);
    return claim.ok() ? claim->id : claim.error().code;
  };
  const base::Bytes other(32, 9);
  CHECK_EQ(verdict({.secrets = {secret()}, .public_keys = {}}), "msg_1");
  CHECK_EQ(verdict({.secrets = {other, secret()}, .public_keys = {}}), "msg_1");
  CHECK_EQ(verdict({.secrets = {}, .public_keys = {signer.public_key()}}), "msg_1");
  CHECK_EQ(verdict({.secrets = {other}, .public_keys = {other}}), "webhook_signature_wrong");
  CHECK_EQ(verdict({}), "webhook_signature_wrong");
  CHECK_EQ(verdict({.secrets = {secret()}, .public_keys = {}}, "{ }"), "webhook_signature_wrong");
  CHECK_EQ(verdict({.secrets = {}, .public_keys = {base::Bytes(31, 1)}}), "webhook_signature_wrong");
  CHECK_EQ(std::string(verify_webhook(headers, "{}", {.secrets = {secret()}, .public_keys = {}}, then + base::seconds(301)).error().code), "webhook_too_old");
  wire::Headers none;
  CHECK_EQ(std::string(sign_webhook(none, "msg_1", "{}", {}, then).error().code), "webhook_key_missing");
}

TEST_CASE("pauses: over three days, jitter within a tenth") {
  std::int64_t shortest = 0, longest = 0;
  std::uint32_t attempts = 1;
  for (; webhook_pause(attempts, 0); ++attempts) {
    shortest += webhook_pause(attempts, 0)->ns;
    longest += webhook_pause(attempts, 65'535)->ns;
    CHECK(webhook_pause(attempts, 0)->ns < webhook_pause(attempts, 40'000)->ns);
  }
  CHECK_EQ(attempts, 11u);
  CHECK(shortest > base::seconds(64 * 3600).ns);
  CHECK(longest < base::seconds(79 * 3600).ns);
  CHECK_FALSE(webhook_pause(0, 0).has_value());
}

struct Stage {
  explicit Stage(ScriptedServer& server)
      : loop(io::Loop::open().value()),
        delivery(*loop, clock, random, resolver, io::TlsOutgoingContext::open(server.disk, {.ca_file = "ca.pem"}).value(),
                 [this](const WebhookAttempt& attempt) { attempts.push_back(attempt); }) {}
  std::unique_ptr<io::Loop> loop;
  io::SimulatedClock clock{then};
  io::SimulatedRandom random{5};
  io::Resolver resolver;
  std::vector<WebhookAttempt> attempts;
  WebhookDelivery delivery;
};

std::string id_in(const std::string& request) {
  const std::size_t at = request.find("webhook-id: ");
  return request.substr(at + 12, request.find("\r\n", at) - at - 12);
}
ScriptedReply status(int code, const std::string& more = {}) { return {.bytes = "HTTP/1.1 " + std::to_string(code) + " X\r\n" + more + "content-length: 0\r\n\r\n"}; }

TEST_CASE("delivered once taken; what fails comes again later, or at once by hand") {
  std::atomic<int> bad{1};
  ScriptedServer server([&](const std::string& request) { return id_in(request) == "m-2" && bad-- > 0 ? status(500) : status(204); });
  Stage stage(server);
  REQUIRE(stage.delivery.add_endpoint("e", signing(), {.url = server.url() + "/hook", .private_addresses = true}).ok());
  for (const char* id : {"m-1", "m-2", "m-3"}) REQUIRE(stage.delivery.deliver("e", {.id = id, .body = "{}", .attempts = 0}).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 3; }));
  CHECK_EQ(stage.delivery.waiting("e"), 1u);
  const auto failed = std::ranges::find(stage.attempts, "m-2", &WebhookAttempt::message);
  CHECK_EQ(failed->outcome, Outcome::failed);
  CHECK_EQ(failed->status, 500);
  CHECK(failed->pause.ns >= base::milliseconds(4'500).ns);
  CHECK(failed->pause.ns <= base::milliseconds(5'500).ns);
  CHECK_FALSE(stage.delivery.resend("e", "m-1"));
  CHECK(stage.delivery.resend("e", "m-2"));
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 4; }));
  CHECK_EQ(stage.attempts[3].outcome, Outcome::delivered);
  CHECK_EQ(stage.attempts[3].attempt, 2u);
  CHECK_EQ(stage.delivery.waiting("e"), 0u);
  const auto requests = server.requests();
  CHECK(requests[0].starts_with("POST /hook HTTP/1.1\r\n"));
  CHECK(requests[0].find("webhook-timestamp: 1614265330\r\n") != std::string::npos);
}

TEST_CASE("what a former process has tried waits on, and no longer than a pause can be") {
  ScriptedServer server([](const std::string&) { return status(204); });
  Stage stage(server);
  REQUIRE(stage.delivery.add_endpoint("e", signing(), {.url = server.url(), .private_addresses = true}).ok());
  REQUIRE(stage.delivery.deliver("e", {.id = "m-later", .body = "{}", .attempts = 3, .pause = base::seconds(3600)}).ok());
  REQUIRE(stage.delivery.deliver("e", {.id = "m-late", .body = "{}", .attempts = 3, .pause = base::seconds(-3600)}).ok());
  REQUIRE(stage.delivery.deliver("e", {.id = "m-soon", .body = "{}", .attempts = 3, .pause = base::milliseconds(30)}).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 2; }));
  CHECK_EQ(stage.attempts[0].message, "m-late");
  CHECK_EQ(stage.attempts[1].message, "m-soon");
  CHECK_EQ(stage.attempts[1].attempt, 4u);
  CHECK_EQ(stage.delivery.waiting("e"), 1u);
}

TEST_CASE("an ordered endpoint gets nothing before its turn") {
  std::atomic<int> bad{1};
  ScriptedServer server([&](const std::string&) { return bad-- > 0 ? status(503, "retry-after: 60\r\n") : status(200); });
  Stage stage(server);
  REQUIRE(stage.delivery.add_endpoint("e", signing(), {.url = server.url(), .ordered = true, .private_addresses = true}).ok());
  for (const char* id : {"m-1", "m-2", "m-3"}) REQUIRE(stage.delivery.deliver("e", {.id = id, .body = "{}", .attempts = 0}).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 1; }));
  CHECK_EQ(stage.attempts[0].pause.ns, base::seconds(60).ns);   // it asked for that
  turn_until(*stage.loop, [] { return false; }, 50);
  CHECK_EQ(stage.attempts.size(), 1u);
  CHECK(stage.delivery.resend("e", "m-1"));
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 4; }));
  std::vector<std::string> order;
  for (const std::string& request : server.requests()) order.push_back(id_in(request));
  CHECK_EQ(order, std::vector<std::string>{"m-1", "m-1", "m-2", "m-3"});
}

TEST_CASE("the end: given up after the last attempt, or the endpoint says it is gone") {
  ScriptedServer server([&](const std::string& request) { return id_in(request) == "m-gone" ? status(410) : ScriptedReply{.bytes = "", .end = End::close}; });
  Stage stage(server);
  REQUIRE(stage.delivery.add_endpoint("e", signing(), {.url = server.url(), .private_addresses = true}).ok());
  REQUIRE(stage.delivery.deliver("e", {.id = "m-old", .body = "{}", .attempts = 10}).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 1; }));
  CHECK_EQ(stage.attempts[0].outcome, Outcome::given_up);
  CHECK_EQ(stage.attempts[0].attempt, 11u);
  CHECK_EQ(stage.attempts[0].failure, HttpFailure::connection_lost);
  REQUIRE(stage.delivery.deliver("e", {.id = "m-gone", .body = "{}", .attempts = 0}).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 2; }));
  CHECK_EQ(stage.attempts[1].outcome, Outcome::endpoint_gone);
  CHECK_EQ(stage.delivery.waiting("e"), 0u);
}

TEST_CASE("a probe is sent once, beside what waits, and always answered") {
  std::atomic<int> code{204};
  ScriptedServer server([&](const std::string&) { return code == 0 ? ScriptedReply{.bytes = "", .end = End::hold} : status(code); });
  Stage stage(server);
  std::vector<WebhookAttempt> probed;
  const auto keep = [&](const WebhookAttempt& attempt) { probed.push_back(attempt); };
  const WebhookMessage message{.id = "msg_test_1", .body = "{}", .attempts = 0};
  CHECK_EQ(std::string(stage.delivery.probe("e", message, keep).error().code), "webhook_endpoint_unknown");
  REQUIRE(stage.delivery.add_endpoint("e", signing(), {.url = server.url(), .private_addresses = true}).ok());
  REQUIRE(stage.delivery.probe("e", message, keep).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return probed.size() == 1; }));
  CHECK_EQ(probed[0].outcome, Outcome::delivered);
  CHECK_EQ(probed[0].status, 204);
  CHECK_EQ(probed[0].message, "msg_test_1");
  code = 500;
  REQUIRE(stage.delivery.probe("e", message, keep).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return probed.size() == 2; }));
  CHECK_EQ(probed[1].outcome, Outcome::failed);
  CHECK_EQ(probed[1].status, 500);
  CHECK(stage.attempts.empty());
  // Removed meanwhile: whoever asked is told that nobody knows.
  code = 0;
  REQUIRE(stage.delivery.probe("e", message, keep).ok());
  turn_until(*stage.loop, [] { return false; }, 20);
  stage.delivery.remove_endpoint("e");
  REQUIRE(turn_until(*stage.loop, [&] { return probed.size() == 3; }));
  CHECK_EQ(probed[2].failure, HttpFailure::connection_lost);
}

TEST_CASE("endpoints that cannot be, and queues that are full") {
  ScriptedServer server([&](const std::string&) { return ScriptedReply{.bytes = "", .end = End::hold}; });
  Stage stage(server);
  const auto code = [](const base::Status& done) { return done.ok() ? "fine" : std::string(done.error().code); };
  CHECK_EQ(code(stage.delivery.add_endpoint("e", signing(), {.url = server.url()})), "webhook_address_not_allowed");
  CHECK_EQ(code(stage.delivery.add_endpoint("e", signing(), {.url = "https://169.254.169.254/"})), "webhook_address_not_allowed");
  CHECK_EQ(code(stage.delivery.add_endpoint("e", signing(), {.url = "gopher://a"})), "outgoing_url_malformed");
  CHECK_EQ(code(stage.delivery.add_endpoint("e", signing(), {.url = server.url(), .private_addresses = true, .waiting_max = 1})), "fine");
  CHECK_EQ(code(stage.delivery.add_endpoint("e", signing(), {.url = server.url(), .private_addresses = true})), "webhook_endpoint_exists");
  CHECK_EQ(code(stage.delivery.deliver("f", {.id = "m", .body = "{}", .attempts = 0})), "webhook_endpoint_unknown");
  CHECK_EQ(code(stage.delivery.deliver("e", {.id = "m", .body = "{}", .attempts = 0})), "fine");
  CHECK_EQ(code(stage.delivery.deliver("e", {.id = "n", .body = "{}", .attempts = 0})), "webhook_queue_full");
  stage.delivery.remove_endpoint("e");
  CHECK_EQ(stage.delivery.waiting("e"), 0u);
}

TEST_CASE("an endpoint without a key waits like one that is away") {
  ScriptedServer server([&](const std::string&) { return status(200); });
  Stage stage(server);
  REQUIRE(stage.delivery.add_endpoint("e", {}, {.url = server.url(), .private_addresses = true}).ok());
  REQUIRE(stage.delivery.deliver("e", {.id = "m", .body = "{}", .attempts = 0}).ok());
  REQUIRE(turn_until(*stage.loop, [&] { return stage.attempts.size() == 1; }));
  CHECK_EQ(stage.attempts[0].outcome, Outcome::failed);
  CHECK(server.requests().empty());
}

}  // namespace
}  // namespace effects
