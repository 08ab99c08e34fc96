// Webhook endpoints, their deliveries, and what a test found.

#include "edge/render_parts.h"
#include "wire/webhook_signature.h"

namespace edge {

using wire::JsonWriter;

namespace {

void write_events(JsonWriter& json, model::WebhookEvents events) {
  json.key("events");
  json.begin_array();
  for (std::size_t i = 0; i < model::webhook_events.size(); ++i) {
    if ((events >> i & 1) != 0) json.string(model::webhook_events[i]);
  }
  json.end_array();
}

void write_flags(JsonWriter& json, model::WebhookFlags flags) {
  json.member("enabled", (flags & model::webhook_enabled) != 0);
  json.member("ordered", (flags & model::webhook_ordered) != 0);
  json.member("personal", (flags & model::webhook_personal) != 0);
}

void write_id(JsonWriter& json, model::WebhookNumber number) { json.member("id", std::string_view(model::webhook_id(number))); }

void write_public_key(JsonWriter& json, base::ByteView key) {
  json.member("public_key", std::string_view(wire::to_webhook_key(wire::WebhookKeyKind::public_key, key)));
}

void write_url(JsonWriter& json, const EventAt& at) {
  if (const auto url = private_value(at.source, at.number, model::PrivateField::webhook_url)) json.member("url", base::as_text(*url));
}

// Why it is disabled, where somebody else than a client did that.
void write_cause(JsonWriter& json, model::WebhookFlags flags, model::WebhookCause cause) {
  if ((flags & model::webhook_enabled) == 0) json.member("disabled_because", model::to_text(cause));
}

}  // namespace

void write_webhook_created(JsonWriter& json, const EventAt& at, const model::WebhookCreated& webhook, std::string_view secret) {
  write_id(json, webhook.number);
  write_url(json, at);
  write_events(json, webhook.events);
  write_flags(json, webhook.flags);
  if (!secret.empty()) json.member("secret", secret);
  write_public_key(json, webhook.key.public_key);
  write_instant(json, "created_at", at.event.at);
}

void write_webhook_rotated(JsonWriter& json, const EventAt& at, const model::WebhookRotated& webhook, std::string_view secret) {
  write_id(json, webhook.number);
  if (!secret.empty()) json.member("secret", secret);
  write_public_key(json, webhook.key.public_key);
  write_instant(json, "former_key_signs_until", webhook.former_valid_until);
  write_instant(json, "rotated_at", at.event.at);
}

void write_webhook_changed(JsonWriter& json, const EventAt& at, const model::WebhookChanged& webhook) {
  write_id(json, webhook.number);
  write_url(json, at);
  write_events(json, webhook.events);
  write_flags(json, webhook.flags);
  write_cause(json, webhook.flags, webhook.cause);
  write_instant(json, "changed_at", at.event.at);
}

void write_webhook_removed(JsonWriter& json, const EventAt& at, const model::WebhookRemoved& webhook) {
  write_id(json, webhook.number);
  write_instant(json, "removed_at", at.event.at);
}

void write_webhook_reading(JsonWriter& json, const WebhookReading& webhook) {
  json.begin_object();
  write_id(json, webhook.number);
  if (!webhook.url.empty()) json.member("url", std::string_view(webhook.url));
  write_events(json, webhook.events);
  write_flags(json, webhook.flags);
  write_cause(json, webhook.flags, webhook.cause);
  write_public_key(json, webhook.public_key);
  if (webhook.former_until.ns != 0) write_instant(json, "former_key_signs_until", webhook.former_until);
  write_instant(json, "changed_at", webhook.changed_at);
  json.member("waiting", webhook.waiting);
  json.member("given_up", webhook.given_up);
  if (webhook.delivered_at.ns != 0) write_instant(json, "delivered_at", webhook.delivered_at);
  if (webhook.failing_since.ns != 0) write_instant(json, "failing_since", webhook.failing_since);
  json.end_object();
}

void write_delivery(JsonWriter& json, const Backend& backend, const DeliveryReading& attempt) {
  json.begin_object();
  json.member("message", std::string_view(backend.epochs().message_id(backend.partition(), attempt.event)));
  json.member("type", model::to_text(attempt.type));
  json.member("attempt", std::uint64_t{attempt.attempt});
  write_instant(json, "at", attempt.at);
  json.member("outcome", attempt.outcome);
  if (attempt.status != 0) json.member("status", std::uint64_t{attempt.status});
  if (!attempt.failure.empty()) json.member("failure", std::string_view(attempt.failure));
  if (attempt.next_at.ns != 0) write_instant(json, "next_at", attempt.next_at);
  json.end_object();
}

void write_webhook_test(JsonWriter& json, const WebhookTestReading& test) {
  json.begin_object();
  json.member("message", std::string_view(test.message));
  json.member("delivered", test.status / 100 == 2);
  if (test.status != 0) json.member("status", std::uint64_t{test.status});
  if (!test.failure.empty()) json.member("failure", std::string_view(test.failure));
  json.end_object();
}

}  // namespace edge
