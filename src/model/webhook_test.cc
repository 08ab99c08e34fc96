#include "model/webhook.h"

#include <set>

#include <doctest/doctest.h>

using namespace model;

TEST_CASE("every event type has a name of its own, and the name leads back") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < webhook_events.size(); ++i) {
    const auto event = static_cast<WebhookEvent>(i);
    CHECK(names.insert(to_text(event)).second);
    CHECK(parse_webhook_event(to_text(event)) == event);
    CHECK((all_webhook_events & bit_of(event)) != 0);
  }
  CHECK(parse_webhook_event("transfer.settled") == WebhookEvent::transfer_settled);
  CHECK(parse_webhook_event("rail.resumed") == WebhookEvent::rail_resumed);
  CHECK_FALSE(parse_webhook_event("transfer.Settled").has_value());
  CHECK_FALSE(parse_webhook_event("").has_value());
}

TEST_CASE("ids of endpoints and messages have one spelling") {
  CHECK(webhook_id(7) == "wh_7");
  CHECK(parse_webhook_id("wh_4294967295") == 4294967295u);
  for (const char* wrong : {"", "wh_", "wh_0", "wh_07", "wh_4294967296", "cl_7", "wh_7 "}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_webhook_id(wrong).has_value());
  }
  CHECK(webhook_message_id(0, 1) == "msg_0000000000001");
  CHECK(parse_webhook_message_id(webhook_message_id(3, event_number_max)) == event_number_max);
  for (const char* wrong : {"", "msg_", "msg_0000000000000", "tr_0000000000001", "msg_000000000000l"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_webhook_message_id(wrong).has_value());
  }
}

TEST_CASE("causes have names") {
  CHECK(to_text(WebhookCause::request) == "request");
  CHECK(to_text(WebhookCause::failed_for_long) == "failed_for_long");
  CHECK(to_text(WebhookCause::endpoint_gone) == "endpoint_gone");
}
