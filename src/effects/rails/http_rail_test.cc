#include "effects/rails/http_rail.h"

#include "effects/http/scripted_server_for_tests.h"
#include "effects/rails/rail_callback.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

using End = ScriptedReply::End;
using model::RailReason;
using model::RailResult;

constexpr const char* settled =
    R"({"reference":"r-1","payment":"bp-1","kind":"payout","state":"settled","reason":null,"amount":"1050","asset":"USD/2"})";

io::SecretMemory test_seed() {
  base::Bytes seed(32, 5);
  return io::SecretMemory::copy_of(seed).value();
}

struct Stage {
  explicit Stage(const std::string& url, io::FileSystem& disk, HttpRailOptions options = {}) : loop(io::Loop::open().value()), signer(test_seed()) {
    options.url = url;
    options.key_id = "us";
    rail = HttpRail::open(*loop, clock, random, nullptr, io::TlsOutgoingContext::open(disk, {.ca_file = "ca.pem"}).value(), signer, options).value();
  }
  SendOrder order() {
    SendOrder order;
    order.reference = "r-1";
    order.amount = 1050;
    order.asset = "USD/2";
    order.beneficiary = R"({"iban":"DE02120300000000202051"})";
    order.valid_until = clock.wall() + base::seconds(5);
    order.send_not_after_boot_ns = clock.boot_ns() + base::seconds(5).ns;
    order.may_repeat = true;
    return order;
  }
  RailAnswer send(SendOrder order) {
    return ask([&](RailAnswered done) { rail->send(std::move(order), std::move(done)); });
  }
  RailAnswer send() { return send(order()); }
  template <typename Ask>
  RailAnswer ask(Ask question) {
    std::optional<RailAnswer> got;
    question([&](RailAnswer&& answer) { got = std::move(answer); });
    CHECK_FALSE(got.has_value());
    CHECK(turn_until(*loop, [&] { return got.has_value(); }));
    return got.value_or(RailAnswer{});
  }

  std::unique_ptr<io::Loop> loop;
  io::SimulatedClock clock;
  io::SimulatedRandom random{3};
  OwnEd25519Signer signer;
  std::unique_ptr<HttpRail> rail;
};

void is(const RailAnswer& answer, RailResult result, RailReason reason) {
  CHECK_EQ(answer.result, result);
  CHECK_MESSAGE(answer.reason == reason, model::row_of(answer.reason).name, " instead of ", model::row_of(reason).name, ": ", answer.detail);
}

ScriptedReply json(int status, std::string_view body) { return {.bytes = http_reply(status, "application/json", body)}; }
ScriptedReply refusal(int status, std::string_view body) { return {.bytes = http_reply(status, "application/problem+json", body)}; }

RailAnswer sent_to(const ScriptedReply& reply, base::Duration timeout = base::seconds(3)) {
  ScriptedServer server([reply](const std::string&) { return reply; });
  Stage stage(server.url(), server.disk, {.reply_timeout = timeout});
  return stage.send();
}

TEST_CASE("a send is one signed request, and its answer says everything the rail said") {
  ScriptedServer server([](const std::string&) { return json(201, settled); });
  Stage stage(server.url() + "/rail", server.disk);
  const RailAnswer answer = stage.send();
  is(answer, RailResult::settled, RailReason::none);
  CHECK_EQ(answer.rail_reference, "bp-1");
  CHECK_EQ(*answer.amount, base::U128{1050});
  CHECK_EQ(answer.asset, "USD/2");
  CHECK(answer.body.has_value());
  const auto requests = server.requests();
  REQUIRE_EQ(requests.size(), 1u);
  CHECK(requests[0].starts_with("POST /rail/v1/payments HTTP/1.1\r\n"));
  CHECK(requests[0].find(R"({"reference":"r-1","kind":"payout","amount":"1050","asset":"USD/2","valid_until":"2027-01-15T08:00:05.000000000Z","beneficiary":{"iban":"DE02120300000000202051"}})") !=
        std::string::npos);
  CHECK(requests[0].find("signature-input: sig1=(\"@method\" \"@authority\" \"@path\" \"content-type\" \"content-digest\");created=1800000000;nonce=") != std::string::npos);
  CHECK_EQ(stage.rail->in_flight(), 0u);
}

TEST_CASE("nothing written is not_sent") {
  io::SimulatedFileSystem disk{1};
  ScriptedServer server([](const std::string&) { return json(201, settled); });
  SUBCASE("nobody listens") {
    std::string url;
    {
      const auto listener = io::Listener::open({"127.0.0.1", 0}).value();
      url = "https://" + listener->endpoint().text();
    }
    Stage stage(url, server.disk);
    is(stage.send(), RailResult::not_sent, RailReason::connection_refused);
  }
  SUBCASE("TLS fails") {
    ScriptedServer other([](const std::string&) { return json(201, settled); });
    Stage stage(other.url(), server.disk);   // another authority
    is(stage.send(), RailResult::not_sent, RailReason::tls_failed);
    CHECK(other.requests().empty());
  }
  SUBCASE("frozen until it is too late") {
    Stage stage(server.url(), server.disk);
    SendOrder order = stage.order();
    stage.clock.advance(base::seconds(6).ns);
    is(stage.send(std::move(order)), RailResult::not_sent, RailReason::send_deadline_passed);
    CHECK(server.requests().empty());
  }
  SUBCASE("frozen between the decision and the first byte") {
    Stage stage(server.url(), server.disk);
    is(stage.send(), RailResult::settled, RailReason::none);   // the connection stands
    std::optional<RailAnswer> got;
    SendOrder order = stage.order();
    order.reference = "r-late";
    stage.rail->send(std::move(order), [&](RailAnswer&& answer) { got = std::move(answer); });
    stage.clock.advance(base::seconds(6).ns);
    CHECK(turn_until(*stage.loop, [&] { return got.has_value(); }));
    is(*got, RailResult::not_sent, RailReason::send_deadline_passed);
    CHECK_EQ(server.requests().size(), 1u);
  }
  SUBCASE("more than may be in flight") {
    Stage stage(server.url(), server.disk, {.in_flight_max = 1});
    std::vector<RailAnswer> got;
    for (int i = 0; i < 2; ++i) stage.rail->send(stage.order(), [&](RailAnswer&& answer) { got.push_back(std::move(answer)); });
    CHECK(turn_until(*stage.loop, [&] { return got.size() == 2; }));
    is(got[0], RailResult::not_sent, RailReason::rail_busy);
    is(got[1], RailResult::settled, RailReason::none);
  }
  SUBCASE("what is known of the other side is no JSON object, or more than one") {
    Stage stage(server.url(), server.disk);
    for (const char* text : {"7", "{}, \"amount\":\"9\"", "{", "{\"a\":1,\"a\":2}"}) {
      SendOrder order = stage.order();
      order.beneficiary = text;
      is(stage.send(std::move(order)), RailResult::not_sent, RailReason::request_not_understood);
    }
    CHECK(server.requests().empty());
  }
}

TEST_CASE("anything written and nothing understood is unknown") {
  is(sent_to({.bytes = "", .end = End::close}), RailResult::unknown, RailReason::reply_lost);
  is(sent_to({.bytes = "", .end = End::reset}), RailResult::unknown, RailReason::reply_lost);
  is(sent_to({.bytes = "", .end = End::hold}, base::milliseconds(200)), RailResult::unknown, RailReason::reply_timed_out);
  is(sent_to({.bytes = json(201, settled).bytes, .drip_ms = 10}, base::milliseconds(200)), RailResult::unknown, RailReason::reply_timed_out);
  is(sent_to({.bytes = json(201, settled).bytes.substr(0, 120), .end = End::close}), RailResult::unknown, RailReason::reply_lost);
  is(sent_to(json(201, std::string(settled).substr(0, 60))), RailResult::unknown, RailReason::reply_malformed);
  is(sent_to(json(201, std::string(400'000, ' '))), RailResult::unknown, RailReason::reply_malformed);
  is(sent_to({.bytes = "HTTP/9 OK\r\n\r\n"}), RailResult::unknown, RailReason::reply_malformed);
  is(sent_to(json(500, settled)), RailResult::unknown, RailReason::rail_internal_error);
  is(sent_to(refusal(503, R"({"code":"rail_in_maintenance","reference":"r-1"})")), RailResult::unknown, RailReason::rail_internal_error);
  is(sent_to(json(200, R"({"code":"beneficiary_refused","reference":"r-1"})")), RailResult::unknown, RailReason::reply_contradicts_request);
  is(sent_to(refusal(422, R"({"code":"beneficiary_refused","reference":"r-1"})")), RailResult::rejected, RailReason::beneficiary_refused);
}

TEST_CASE("a slow drip that ends in time is an answer") {
  is(sent_to({.bytes = json(201, settled).bytes, .drip_ms = 1}), RailResult::settled, RailReason::none);
}

TEST_CASE("a kept-alive connection that is dead is tried once more: the same order, signed anew") {
  std::atomic<int> count{0};
  ScriptedServer server([&](const std::string&) { return ++count == 2 ? ScriptedReply{.bytes = "", .end = End::close} : json(201, settled); });
  Stage stage(server.url(), server.disk);
  is(stage.send(), RailResult::settled, RailReason::none);
  is(stage.send(), RailResult::settled, RailReason::none);
  const auto requests = server.requests();
  REQUIRE_EQ(requests.size(), 3u);
  const auto body = [](const std::string& request) { return request.substr(request.find("\r\n\r\n")); };
  CHECK_EQ(body(requests[1]), body(requests[2]));
  CHECK(requests[1] != requests[2]);   // another nonce: the same one would be refused as a replay

  // Where the rail does not promise to take a reference once only, never.
  count = 0;
  Stage strict(server.url(), server.disk);
  SendOrder once = strict.order();
  once.may_repeat = false;
  is(strict.send(once), RailResult::settled, RailReason::none);
  is(strict.send(once), RailResult::unknown, RailReason::reply_lost);
  CHECK_EQ(count, 2);
}

TEST_CASE("the second copy fails too: unknown, whatever it fails of") {
  std::atomic<int> count{0};
  ScriptedServer server([&](const std::string&) { return ++count >= 2 ? ScriptedReply{.bytes = "", .end = End::close} : json(201, settled); });
  Stage stage(server.url(), server.disk);
  is(stage.send(), RailResult::settled, RailReason::none);
  is(stage.send(), RailResult::unknown, RailReason::reply_lost);
  CHECK_EQ(count, 3);
}

TEST_CASE("a refusal of the second copy says nothing about the first") {
  for (const char* code : {"signature_refused", "rate_limited", "beneficiary_refused", "valid_until_passed"}) {
    std::atomic<int> count{0};
    const std::string text = "{\"code\":\"" + std::string(code) + "\",\"reference\":\"r-1\"}";
    ScriptedServer server([&](const std::string&) {
      const int nth = ++count;
      return nth == 1 ? json(201, settled) : nth == 2 ? ScriptedReply{.bytes = "", .end = End::close} : refusal(422, text);
    });
    Stage stage(server.url(), server.disk);
    is(stage.send(), RailResult::settled, RailReason::none);
    CHECK_EQ(stage.send().result, RailResult::unknown);
    CHECK_EQ(count, 3);
  }
}

TEST_CASE("inquiry and void") {
  ScriptedServer server([](const std::string& request) {
    if (request.starts_with("GET /v1/payments/r%2F1 ")) return refusal(404, R"({"code":"payment_not_found","reference":"r/1"})");
    if (request.starts_with("POST /v1/payments/r%2F1/void ")) {
      return json(200, R"({"reference":"r/1","payment":null,"kind":"payout","state":"voided","amount":"0","asset":""})");
    }
    return ScriptedReply{.bytes = "", .end = End::close};
  });
  Stage stage(server.url(), server.disk);
  const Rail::Expected expected{.kind = model::TransferKind::payout, .amount = 1050, .asset = "USD/2"};
  is(stage.ask([&](RailAnswered done) { stage.rail->inquire("r/1", expected, std::move(done)); }), RailResult::unknown, RailReason::not_found_at_rail);
  is(stage.ask([&](RailAnswered done) { stage.rail->void_payment("r/1", expected, std::move(done)); }), RailResult::not_sent, RailReason::tombstoned);
  is(stage.ask([&](RailAnswered done) { stage.rail->inquire("other", expected, std::move(done)); }), RailResult::unknown, RailReason::reply_lost);
  // A question that could not be asked says nothing about the payment.
  std::string url;
  {
    const auto listener = io::Listener::open({"127.0.0.1", 0}).value();
    url = "https://" + listener->endpoint().text();
  }
  Stage nowhere(url, server.disk);
  is(nowhere.ask([&](RailAnswered done) { nowhere.rail->inquire("r/1", expected, std::move(done)); }), RailResult::unknown, RailReason::connection_refused);
}

TEST_CASE("statements") {
  ScriptedServer server([](const std::string& request) {
    if (request.find("from=1970-01-01T00:00:00.000000000Z&to=") != std::string::npos) return ScriptedReply{.bytes = http_reply(200, "text/csv; charset=utf-8", "a,b\n")};
    if (request.find("from=1970-01-01T00:00:01") != std::string::npos) return json(200, "{}");
    return refusal(503, "{}");
  });
  Stage stage(server.url(), server.disk);
  const auto fetch = [&](std::int64_t from) -> std::string {
    std::optional<std::string> got;
    stage.rail->statement({from}, {from + 5}, [&](base::Result<base::Bytes> bytes) { got = bytes.ok() ? std::string(base::as_text(*bytes)) : bytes.error().code; });
    CHECK(turn_until(*stage.loop, [&] { return got.has_value(); }));
    return got.value_or("");
  };
  CHECK_EQ(fetch(0), "a,b\n");
  CHECK_EQ(fetch(1'000'000'000), "statement_not_available");
  CHECK_EQ(fetch(2'000'000'000), "statement_not_available");
}

TEST_CASE("a signer that is away leaves everything unsent") {
  struct Away final : custody::Signer {
    custody::SigningAlgorithm algorithm() const override { return custody::SigningAlgorithm::ed25519; }
    base::Bytes public_key() const override { return {}; }
    base::Result<base::Bytes> sign(base::ByteView) override { return base::Error{"signer_unavailable", "away"}; }
  } away;
  ScriptedServer server([](const std::string&) { return json(201, settled); });
  Stage stage(server.url(), server.disk);
  stage.rail = HttpRail::open(*stage.loop, stage.clock, stage.random, nullptr, io::TlsOutgoingContext::open(server.disk, {.ca_file = "ca.pem"}).value(), away,
                              {.url = server.url(), .key_id = "us"}).value();
  is(stage.send(), RailResult::not_sent, RailReason::other);
  std::string code;
  stage.rail->statement({0}, {1}, [&](base::Result<base::Bytes> bytes) { code = bytes.error().code; });
  CHECK(turn_until(*stage.loop, [&] { return !code.empty(); }));
  CHECK_EQ(code, "statement_not_available");
  CHECK(server.requests().empty());
}

// --- callbacks --------------------------------------------------------------------------------------------------------------

struct Bank {
  io::SimulatedRandom random{9};
  OwnEd25519Signer signer{test_seed()};
  base::Instant now{1'800'000'000'000'000'000};
  std::vector<VerificationKey> keys() { return {{"bank-1", VerificationKey::Algorithm::ed25519, signer.public_key()}}; }
  wire::Request callback(std::string body, std::string_view tag = rail_signature_tag) {
    wire::Request request;
    request.method = "POST";
    request.path = "/v1/rails/bank-a/callbacks";
    request.authority = "holdfast.example";
    request.headers.add("content-type", "application/json");
    request.body = std::move(body);
    REQUIRE(sign_request(request, "https", signer, {"bank-1", std::string(tag)}, now, random).ok());
    return request;
  }
};
std::string event(std::string_view payment = settled) {
  return R"({"event":"ev-1","type":"payment.settled","occurred_at":"2027-01-15T08:00:00Z","payment":)" + std::string(payment) + "}";
}

TEST_CASE("a callback is believed if the rail signed it, now, once") {
  Bank bank;
  RequestVerifier verifier(bank.keys(), std::string(rail_signature_tag), false);
  const wire::Request request = bank.callback(event());
  const auto callback = verify_rail_callback(request, "https", verifier, bank.now);
  REQUIRE(callback.ok());
  CHECK_EQ(callback->event, "ev-1");
  CHECK_EQ(callback->reference, "r-1");
  CHECK_EQ(callback->key_id, "bank-1");
  is(callback->answer, RailResult::settled, RailReason::none);
  CHECK(callback->answer.body.has_value());
  const auto verdict = [&](const wire::Request& received, base::Instant at) -> std::string {
    const auto again = verify_rail_callback(received, "https", verifier, at);
    return again.ok() ? "good" : again.error().code;
  };
  CHECK_EQ(verdict(request, bank.now), "signature_nonce_replayed");
  CHECK_EQ(verdict(bank.callback(event()), bank.now + base::seconds(301)), "signature_too_old");
  CHECK_EQ(verdict(bank.callback(event(), "other"), bank.now), "signature_missing");
  wire::Request altered = bank.callback(event());
  altered.body[altered.body.find("1050")] = '9';
  CHECK_EQ(verdict(altered, bank.now), "content_digest_differs");
  wire::Request moved = bank.callback(event());
  moved.path = "/v1/rails/bank-b/callbacks";
  CHECK_EQ(verdict(moved, bank.now), "signature_wrong");
  wire::Request proxied = bank.callback(event());
  CHECK_EQ(verdict(proxied, bank.now), "good");
  RequestVerifier strangers({}, std::string(rail_signature_tag), false);
  CHECK_EQ(std::string(verify_rail_callback(bank.callback(event()), "https", strangers, bank.now).error().code), "signature_key_unknown");
  for (const std::string& body : {std::string("[]"), std::string("{}"), event("{}"), event("7"), std::string("{\"event\":\"\"}")}) {
    CHECK_EQ(verdict(bank.callback(body), bank.now), "callback_malformed");
  }
}

}  // namespace
}  // namespace effects
