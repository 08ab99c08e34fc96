#include "core/webhook/webhooks.h"

#include "core/ledger/story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::Outcome;

namespace {

model::CreateWebhook endpoint(std::uint8_t salt = 1) {
  model::CreateWebhook body;
  body.url[0] = salt;
  body.events = bit_of(model::WebhookEvent::transfer_settled);
  body.key.name[0] = salt;
  body.key.public_key[0] = salt;
  return body;
}

}  // namespace

TEST_CASE("an endpoint is created, changed and removed") {
  Story story;
  CHECK_EQ(story.outcome_of(endpoint(7)), Outcome::done);
  const WebhookRecord& made = *story.state.webhook(1);
  CHECK(made.enabled());
  CHECK_EQ(made.tenant, 1);
  CHECK_EQ(made.created, made.url_event);
  CHECK_EQ(made.told_through, made.created);
  CHECK_EQ(made.events, bit_of(model::WebhookEvent::transfer_settled));
  CHECK_EQ(made.key_name[0], 7);
  CHECK_EQ(made.public_key[0], 7);

  CHECK_EQ(story.outcome_of(model::ChangeWebhook{.webhook = 1, .url = {}, .events = 3, .set = model::webhook_ordered, .clear = model::webhook_enabled}),
           Outcome::done);
  CHECK_EQ(story.state.webhook(1)->events, 3);
  CHECK_EQ(story.state.webhook(1)->flags, model::webhook_ordered);
  CHECK_FALSE(story.state.webhook(1)->enabled());
  CHECK_EQ(story.state.webhook(1)->url_event, story.state.webhook(1)->created);
  CHECK_EQ(story.outcome_of(model::ChangeWebhook{.webhook = 1, .url = base::Digest{9}, .set = model::webhook_enabled}), Outcome::done);
  CHECK_EQ(story.state.webhook(1)->events, 3);
  CHECK_EQ(story.state.webhook(1)->url_event, story.state.head().next_event - 1);
  CHECK_EQ(story.outcome_of(model::ChangeWebhook{.webhook = 1, .url = {}, .set = 2, .clear = 2}), Outcome::webhook_flags_contradict);

  CHECK_EQ(story.outcome_of(model::RemoveWebhook{.webhook = 1}), Outcome::done);
  CHECK_FALSE(story.state.webhook(1)->enabled());
  CHECK_EQ(story.outcome_of(model::RemoveWebhook{.webhook = 1}), Outcome::webhook_not_found);
  CHECK_EQ(story.outcome_of(model::ChangeWebhook{.webhook = 1, .url = {}}), Outcome::webhook_not_found);
  CHECK_EQ(story.outcome_of(model::RotateWebhook{.webhook = 1}), Outcome::webhook_not_found);
  CHECK_EQ(story.outcome_of(model::MarkWebhook{.webhook = 1, .told_through = 9}), Outcome::webhook_not_found);
  CHECK_EQ(story.outcome_of(model::RemoveWebhook{.webhook = 0}), Outcome::webhook_not_found);
}

TEST_CASE("endpoints of another tenant are not there") {
  Story story;
  story.tell("tenant 2");
  CHECK_EQ(story.outcome_of(endpoint()), Outcome::done);
  story.tenant = 1;
  CHECK_EQ(story.outcome_of(model::RemoveWebhook{.webhook = 1}), Outcome::webhook_not_found);
}

TEST_CASE("the former key signs until the overlap is over") {
  Story story;
  CHECK_EQ(story.outcome_of(endpoint(1)), Outcome::done);
  CHECK_EQ(story.state.webhook(1)->former_until_ns, 0);
  CHECK_EQ(story.outcome_of(model::RotateWebhook{.webhook = 1, .key = {{2}, {3}}, .overlap = base::seconds(60)}), Outcome::done);
  const WebhookRecord& rotated = *story.state.webhook(1);
  CHECK_EQ(rotated.key_name[0], 2);
  CHECK_EQ(rotated.public_key[0], 3);
  CHECK_EQ(rotated.former_key_name[0], 1);
  CHECK_EQ(rotated.former_until_ns, (story.now + base::seconds(60)).ns);
}

TEST_CASE("the process disables an endpoint once, with the cause") {
  Story story;
  CHECK_EQ(story.outcome_of(endpoint()), Outcome::done);
  const model::ChangeWebhook gone{.webhook = 1, .url = {}, .clear = model::webhook_enabled, .cause = model::WebhookCause::endpoint_gone};
  CHECK_EQ(story.outcome_of(gone), Outcome::done);
  CHECK_EQ(story.state.webhook(1)->cause, static_cast<std::uint8_t>(model::WebhookCause::endpoint_gone));
  CHECK_FALSE(story.state.webhook(1)->enabled());
  CHECK_EQ(story.outcome_of(gone), Outcome::webhook_disabled);
}

TEST_CASE("marks only go ahead, and not past what has happened") {
  Story story;
  CHECK_EQ(story.outcome_of(endpoint()), Outcome::done);
  story.tell("open a\nopen b");
  const model::EventNumber last = story.state.head().next_event - 1;
  CHECK_EQ(story.outcome_of(model::MarkWebhook{.webhook = 1, .told_through = last}), Outcome::done);
  CHECK_EQ(story.state.webhook(1)->told_through, last);
  CHECK_EQ(story.outcome_of(model::MarkWebhook{.webhook = 1, .told_through = last}), Outcome::webhook_told_already);
  CHECK_EQ(story.outcome_of(model::MarkWebhook{.webhook = 1, .told_through = 10'000}), Outcome::webhook_told_already);
}

TEST_CASE("there can be so many endpoints of a tenant, and so many in all") {
  Story story;
  for (std::uint32_t i = 0; i < model::webhooks_of_tenant_max; ++i) REQUIRE_EQ(story.outcome_of(endpoint()), Outcome::done);
  CHECK_EQ(story.outcome_of(endpoint()), Outcome::too_many_webhooks);
  CHECK_EQ(story.outcome_of(model::RemoveWebhook{.webhook = 5}), Outcome::done);
  CHECK_EQ(story.outcome_of(endpoint()), Outcome::done);
  for (model::WebhookNumber number = 6; story.state.webhook_count() < model::webhooks_max; ++number) {
    REQUIRE_EQ(story.outcome_of(model::RemoveWebhook{.webhook = number}), Outcome::done);
    REQUIRE_EQ(story.outcome_of(endpoint()), Outcome::done);
  }
  CHECK_EQ(story.outcome_of(model::RemoveWebhook{.webhook = model::webhooks_max}), Outcome::done);
  CHECK_EQ(story.outcome_of(endpoint()), Outcome::too_many_webhooks);
}
