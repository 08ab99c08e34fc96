#include "gate/webhook_schema.h"

#include <algorithm>

#include "crypto/mac.h"
#include "crypto/wipe.h"

namespace gate {

namespace {

constexpr const char* malformed = "request_field_malformed";

model::WebhookEvents read_events(wire::JsonFields& fields, bool required) {
  const auto array = required ? fields.required_array("events") : fields.optional_array("events");
  if (!array) return 0;
  model::WebhookEvents events = 0;
  for (const wire::JsonValue element : array->elements()) {
    const auto event = model::parse_webhook_event(element.string().value_or(""));
    if (!event || (events & bit_of(*event)) != 0) {
      fields.report(malformed, "events", "each event type once, like transfer.settled");
      return events;
    }
    events |= bit_of(*event);
  }
  if (events == 0) fields.report("request_field_out_of_range", "events", "at least one event type");
  return events;
}

base::Digest derived(const GateKeys& keys, std::string_view version, const base::Tag128& name) {
  base::Bytes message = base::to_bytes(base::as_bytes(version));
  base::append(message, name);
  return crypto::hmac_sha256(keys.webhook, message);
}

}  // namespace

WebhookKeys::WebhookKeys(const GateKeys& keys, const base::Tag128& name) : secret(derived(keys, "v1", name)), seed(derived(keys, "v1a", name)) {}

WebhookKeys::~WebhookKeys() {
  crypto::wipe(secret);
  crypto::wipe(seed);
}

model::WebhookNumber read_webhook_id(const std::vector<std::string>& parameters, Problems& problems) {
  const auto id = parameters.empty() ? std::nullopt : model::parse_webhook_id(parameters[0]);
  if (!id) add_problem(problems, malformed, "/id", "not a webhook id");
  return id.value_or(0);
}

WebhookCreation read_webhook_creation(wire::JsonFields& fields) {
  WebhookCreation creation;
  creation.url = fields.required_string("url").value_or("");
  creation.events = read_events(fields, true);
  creation.ordered = fields.optional_boolean("ordered").value_or(false);
  creation.personal = fields.optional_boolean("personal").value_or(false);
  return creation;
}

WebhookChange read_webhook_change(model::WebhookNumber webhook, wire::JsonFields& fields) {
  WebhookChange change{.webhook = webhook};
  change.url = fields.optional_string("url");
  change.events = read_events(fields, false);
  const auto flag = [&](std::string_view name, model::WebhookFlag bit) {
    const auto wanted = fields.optional_boolean(name);
    if (!wanted) return;
    model::WebhookFlags& flags = *wanted ? change.set : change.clear;
    flags = static_cast<model::WebhookFlags>(flags | bit);
  };
  flag("enabled", model::webhook_enabled);
  flag("ordered", model::webhook_ordered);
  flag("personal", model::webhook_personal);
  return change;
}

WebhookRotation read_webhook_rotation(model::WebhookNumber webhook, wire::JsonFields& fields) {
  const std::uint64_t overlap =
      fields.optional_uint("overlap_seconds", 0, overlap_seconds_max).value_or(overlap_seconds_default);
  return {.webhook = webhook, .overlap = base::seconds(static_cast<std::int64_t>(overlap))};
}

ResendWebhook read_webhook_resend(model::WebhookNumber webhook, wire::JsonFields& fields) {
  ResendWebhook resend{.webhook = webhook};
  const auto message = fields.optional_string("message");
  const auto since = fields.optional_string("failed_since");
  if (message.has_value() == since.has_value()) {
    fields.report(malformed, "message", "either message, a message's id, or failed_since, an instant");
    return resend;
  }
  if (message) {
    // With the epoch, or without: which messages there are is not known here.
    const bool well_formed = model::parse_webhook_message_id(message->substr(0, message->find('-'))).has_value();
    if (!well_formed) fields.report(malformed, "message", "not a message id");
    resend.message = *message;
  } else {
    resend.failed_since = base::parse_rfc3339(*since);
    if (!resend.failed_since) fields.report(malformed, "failed_since", "an RFC 3339 instant in UTC");
  }
  return resend;
}

bool is_webhook_url(std::string_view url) {
  const std::string_view scheme = url.starts_with("https://") ? "https://" : "http://";
  if (!url.starts_with(scheme) || url.size() > webhook_url_bytes_max) return false;
  const std::string_view rest = url.substr(scheme.size());
  const std::string_view authority = rest.substr(0, std::min(rest.find('/'), rest.size()));
  return !authority.empty() && authority.find('@') == std::string_view::npos && std::ranges::all_of(rest, [](char c) {
    return c > 0x20 && c < 0x7F && c != '"' && c != '<' && c != '>' && c != '#' && c != '\\';
  });
}

}  // namespace gate
