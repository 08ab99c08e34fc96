// Webhook endpoints through the gate.

// clang-format off
#include <algorithm>

#include "crypto/hash.h"
#include "crypto/sign.h"
#include "gate/gate_fixture.h"
#include "gate/webhook_schema.h"
#include "wire/webhook_signature.h"
// clang-format on

using namespace gate;
using model::WebhookEvent;

namespace {

const model::Admitted& admitted(const Admission& admission) {
  REQUIRE_MESSAGE(std::holds_alternative<model::Admitted>(admission), Fixture::told(admission));
  return std::get<model::Admitted>(admission);
}

// The field that a body is refused for.
std::string refused_field(const Admission& admission) {
  REQUIRE(std::holds_alternative<Refusal>(admission));
  const Refusal& refusal = std::get<Refusal>(admission);
  return refusal.fields.empty() ? std::string() : refusal.fields[0].pointer;
}

constexpr const char* endpoint_text = R"({"url":"https://shop.example/hooks","events":["transfer.settled","case.opened"],"ordered":true})";

}  // namespace

TEST_CASE("an endpoint becomes a command without URL and secret; the secret is the one its key's name makes") {
  Fixture f;
  const Admission admission = f.admit("POST", "/v1/webhooks", endpoint_text);
  const model::Admitted& a = admitted(admission);
  const auto& body = std::get<model::CreateWebhook>(a.commands.at(0).body);
  CHECK(body.events == (bit_of(WebhookEvent::transfer_settled) | bit_of(WebhookEvent::case_opened)));
  CHECK(body.flags == (model::webhook_enabled | model::webhook_ordered));
  REQUIRE(a.privates.size() == 1);
  CHECK(a.privates[0].field == model::PrivateField::webhook_url);
  CHECK(base::as_text(a.privates[0].value) == "https://shop.example/hooks");
  CHECK(crypto::sha256({a.privates[0].salt, a.privates[0].value}) == body.url);
  const WebhookKeys keys(f.keys, body.key.name);
  CHECK(a.secret == wire::to_webhook_key(wire::WebhookKeyKind::secret, keys.secret));
  CHECK(body.key.public_key == crypto::ed25519_public_key(keys.seed));
  CHECK(keys.secret != keys.seed);
  CHECK(a.commands[0].idempotency->key == key_mac(f.keys, 1, 2, model::Operation::create_webhook, "key-1"));
}

TEST_CASE("a change names what changes") {
  Fixture f;
  const Admission nothing = f.admit("POST", "/v1/webhooks/wh_3", "{}");
  const auto& bare = std::get<model::ChangeWebhook>(admitted(nothing).commands.at(0).body);
  CHECK(bare == model::ChangeWebhook{.webhook = 3, .url = {}});
  const Admission admission =
      f.admit("POST", "/v1/webhooks/wh_3", R"({"url":"https://b.example","events":["rail.paused"],"enabled":true,"ordered":false,"personal":true})");
  const model::Admitted& a = admitted(admission);
  const auto& body = std::get<model::ChangeWebhook>(a.commands.at(0).body);
  CHECK(body.events == bit_of(WebhookEvent::rail_paused));
  CHECK(body.set == (model::webhook_enabled | model::webhook_personal));
  CHECK(body.clear == model::webhook_ordered);
  CHECK(body.cause == model::WebhookCause::request);
  CHECK(body.url == crypto::sha256({a.privates.at(0).salt, a.privates.at(0).value}));
}

TEST_CASE("endpoints are removed and get new keys") {
  Fixture f;
  const Admission removal = f.admit("POST", "/v1/webhooks/wh_3/remove", "{}");
  CHECK(std::get<model::RemoveWebhook>(admitted(removal).commands.at(0).body).webhook == 3);
  const Admission usual = f.admit("POST", "/v1/webhooks/wh_3/rotate", "{}");
  const auto& first = std::get<model::RotateWebhook>(admitted(usual).commands.at(0).body);
  CHECK(first.overlap == base::seconds(86'400));
  CHECK(admitted(usual).secret.starts_with("whsec_"));
  const Admission short_one = f.admit("POST", "/v1/webhooks/wh_3/rotate", R"({"overlap_seconds":5})");
  const auto& second = std::get<model::RotateWebhook>(admitted(short_one).commands.at(0).body);
  CHECK(second.overlap == base::seconds(5));
  CHECK(first.key.name != second.key.name);
}

TEST_CASE("what the process itself says of endpoints needs no key") {
  Fixture f;
  const auto gone = f.gate.admit_body({.tenant = 4}, {}, WebhookChange{.webhook = 2, .clear = model::webhook_enabled, .cause = model::WebhookCause::endpoint_gone});
  const auto& change = std::get<model::Admitted>(gone);
  CHECK(change.tenant == 4);
  CHECK(std::get<model::ChangeWebhook>(change.commands.at(0).body).cause == model::WebhookCause::endpoint_gone);
  const auto mark = f.gate.admit_body({}, {}, WebhookMark{.webhook = 2, .told_through = 9});
  CHECK(std::get<model::MarkWebhook>(std::get<model::Admitted>(mark).commands.at(0).body).told_through == 9);
}

TEST_CASE("a wrong field is named") {
  Fixture f;
  const auto field = [&](const char* path, const std::string& text) { return refused_field(f.admit("POST", path, text)); };
  CHECK(field("/v1/webhooks", R"({"events":["case.opened"]})") == "/url");
  CHECK(field("/v1/webhooks", R"({"url":"ftp://x","events":["case.opened"]})") == "/url");
  CHECK(field("/v1/webhooks", R"({"url":"https://u@x","events":["case.opened"]})") == "/url");
  CHECK(field("/v1/webhooks", R"({"url":"https://","events":["case.opened"]})") == "/url");
  CHECK(field("/v1/webhooks", R"({"url":"https://x/#a","events":["case.opened"]})") == "/url");
  CHECK(field("/v1/webhooks", R"({"url":"https://x/)" + std::string(2000, 'a') + R"(","events":["case.opened"]})") == "/url");
  CHECK(field("/v1/webhooks", R"({"url":"https://x"})") == "/events");
  CHECK(field("/v1/webhooks", R"({"url":"https://x","events":[]})") == "/events");
  CHECK(field("/v1/webhooks", R"({"url":"https://x","events":["case.closed"]})") == "/events");
  CHECK(field("/v1/webhooks", R"({"url":"https://x","events":["case.opened","case.opened"]})") == "/events");
  CHECK(field("/v1/webhooks/wh_0", "{}") == "/id");
  CHECK(field("/v1/webhooks/wh_1/rotate", R"({"overlap_seconds":604801})") == "/overlap_seconds");
  CHECK(field("/v1/webhooks/wh_1/resend", "{}") == "/message");
  CHECK(field("/v1/webhooks/wh_1/resend", R"({"message":"msg_0000000000001","failed_since":"2027-01-15T08:00:00Z"})") == "/message");
  CHECK(field("/v1/webhooks/wh_1/resend", R"({"message":"tr_0000000000001"})") == "/message");
  CHECK(field("/v1/webhooks/wh_1/resend", R"({"failed_since":"yesterday"})") == "/failed_since");
  CHECK(field("/v1/webhooks/wh_1/test", R"({"now":true})") == "/now");
}

TEST_CASE("where webhooks may not go is refused by name") {
  Fixture f;
  GateSettings settings;
  settings.webhook_url_problem = [](std::string_view url) { return url == "https://10.0.0.1" ? std::string("not there") : std::string(); };
  Gate gate(f.keys, f.book, [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{9}); }, settings);
  const auto told = [&](const char* path, const char* text) { return Fixture::told(gate.admit(f.request("POST", path, text), test_now)); };
  CHECK(told("/v1/webhooks", R"({"url":"https://10.0.0.1","events":["case.opened"]})") == "webhook_address_not_allowed");
  CHECK(told("/v1/webhooks/wh_1", R"({"url":"https://10.0.0.1"})") == "webhook_address_not_allowed");
  CHECK(told("/v1/webhooks", R"({"url":"https://10.0.0.2","events":["case.opened"]})") == "admitted");
}

TEST_CASE("tests, resending and lists are reads") {
  Fixture f;
  const auto query = [](const Admission& admission) {
    REQUIRE_MESSAGE(std::holds_alternative<Query>(admission), Fixture::told(admission));
    return std::get<Query>(admission);
  };
  CHECK(std::get<TestWebhook>(query(f.admit("POST", "/v1/webhooks/wh_2/test", "{}")).body).webhook == 2);
  const auto resend = std::get<ResendWebhook>(query(f.admit("POST", "/v1/webhooks/wh_2/resend", R"({"message":"msg_000000000000a"})")).body);
  CHECK(resend.webhook == 2);
  CHECK(resend.message == "msg_000000000000a");
  const auto since = std::get<ResendWebhook>(query(f.admit("POST", "/v1/webhooks/wh_2/resend", R"({"failed_since":"2027-01-15T08:00:00Z"})")).body);
  CHECK(since.failed_since == base::Instant{1'800'000'000'000'000'000});
  CHECK(std::get<GetWebhook>(query(f.admit("GET", "/v1/webhooks/wh_2", "")).body).webhook == 2);
  CHECK(std::holds_alternative<ListWebhooks>(query(f.admit("GET", "/v1/webhooks", "")).body));
  wire::Request request = f.request("GET", "/v1/webhooks/wh_2/deliveries", "");
  request.query = "limit=5&cursor=" + to_cursor(ListKind::webhook_deliveries, 77);
  const auto list = std::get<ListDeliveries>(query(f.gate.admit(request, test_now)).body);
  CHECK(list.limit == 5);
  CHECK(list.before == 77);
  request.query = "cursor=" + to_cursor(ListKind::transfers, 77);
  CHECK(Fixture::told(f.gate.admit(request, test_now)) == "cursor_invalid");
}
