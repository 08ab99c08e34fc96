// Webhook endpoints as they are shown. The schemas are checked member by member against the document.
#include "edge/render.h"

#include <doctest/doctest.h>

#include "edge/edge_fixture.h"
#include "edge/schemas_for_tests.h"

using namespace edge;

namespace {

constexpr model::WebhookFlags all_flags = model::all_webhook_flags;

struct Fixture {
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  FakeBackend backend{*loop};
  Schemas schemas;
  RenderContext context{.backend = backend, .operation = model::Operation::create_webhook, .trace = {9}, .secret = {}};
  Rendered rendered;

  std::string event(model::EventBody body, bool replayed = false) {
    auto source = make_source(41, {std::move(body)});
    source->privates.push_back({41, model::PrivateField::webhook_url, {}, base::to_bytes(base::as_bytes(std::string_view("https://shop.example")))});
    AnswerItem item = item_of(source);
    item.replayed = replayed;
    std::string out;
    rendered = render_item(context, item, out);
    return out;
  }
  std::string reading(decltype(Reading::body) body) {
    std::string out;
    rendered = render_reading(context, {.position = 5, .body = std::move(body)}, out);
    return out;
  }
};

const model::WebhookCreated created{.number = 3, .tenant = 1, .events = 1u << 7, .flags = model::webhook_enabled, .url = {}, .key = {{1}, {2}}};
const model::WebhookRotated rotated{.number = 3, .key = {{1}, {2}}, .former_valid_until = some_time};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the secret of an endpoint is shown once") {
  context.secret = "whsec_x";
  const std::string body = event(created);
  schemas.check("WebhookCreated", body);
  CHECK_EQ(rendered.status, 201);
  CHECK_EQ(rendered.location, "/v1/webhooks/wh_3");
  CHECK_EQ(body,
           R"({"id":"wh_3","url":"https://shop.example","events":["transfer.settled"],"enabled":true,"ordered":false,"personal":false,)"
           R"("secret":"whsec_x","public_key":"whpk_AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)"
           R"("created_at":"2027-01-15T08:00:00.123456789Z"})");
  schemas.check("WebhookRotated", event(rotated));
  CHECK_EQ(rendered.status, 200);
  for (const model::EventBody& shown : {model::EventBody(created), model::EventBody(rotated)}) {
    const std::string again = event(shown, true);
    schemas.check("Problem", again);
    CHECK_NE(again.find("secret_already_shown"), std::string::npos);
    CHECK_EQ(again.find("whsec_"), std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "changes and removals") {
  std::string body = event(model::WebhookChanged{.number = 3, .events = model::all_webhook_events, .flags = all_flags, .url = base::Digest{}});
  schemas.check("WebhookChanged", body);
  CHECK_EQ(body.find("disabled_because"), std::string::npos);
  body = event(model::WebhookChanged{.number = 3, .events = 1, .flags = 0, .url = {}, .cause = model::WebhookCause::endpoint_gone});
  schemas.check("WebhookChanged", body);
  CHECK_NE(body.find(R"("disabled_because":"endpoint_gone")"), std::string::npos);
  schemas.check("WebhookRemoved", event(model::WebhookRemoved{.number = 3}));
}

TEST_CASE_FIXTURE(Fixture, "endpoints, deliveries, tests and resending") {
  WebhookReading now;
  now.number = 3;
  now.url = "https://shop.example";
  now.events = 3;
  now.former_until = some_time;
  now.changed_at = some_time;
  now.waiting = 5;
  now.delivered_at = some_time;
  now.failing_since = some_time;
  now.cause = model::WebhookCause::failed_for_long;
  const std::string body = reading(now);
  schemas.check("Webhook", body);
  CHECK_NE(body.find(R"("disabled_because":"failed_for_long")"), std::string::npos);
  WebhookReading unnamed;   // its URL was erased
  unnamed.number = 1;
  schemas.check("WebhookList", reading(WebhooksReading{{now, unnamed}}));

  DeliveriesPage page;
  page.attempts.push_back({.number = 9, .event = 41, .type = model::WebhookEvent::case_opened, .attempt = 2, .at = some_time,
                           .outcome = "failed", .status = 500, .failure = {}, .next_at = some_time});
  page.attempts.push_back({.number = 8, .event = 41, .type = model::WebhookEvent::case_opened, .attempt = 1, .at = some_time,
                           .outcome = "failed", .status = 0, .failure = "connect_failed", .next_at = {}});
  page.next = 8;
  const std::string list = reading(page);
  schemas.check("DeliveryList", list);
  CHECK_NE(list.find(R"("message":"msg_0000000000019","type":"case.opened","attempt":2)"), std::string::npos);
  CHECK_NE(list.find("next_cursor"), std::string::npos);
  schemas.check("WebhookTest", reading(WebhookTestReading{.message = "msg_test_1", .status = 204, .failure = {}}));
  schemas.check("WebhookTest", reading(WebhookTestReading{.message = "msg_test_1", .status = 0, .failure = "tls_failed"}));
  schemas.check("WebhookResend", reading(WebhookResendReading{.messages = 3}));
  CHECK_EQ(rendered.status, 202);
}
