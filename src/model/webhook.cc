#include "model/webhook.h"

#include "base/check.h"
#include "base/int128.h"
#include "base/text.h"

namespace model {

std::optional<WebhookEvent> parse_webhook_event(std::string_view text) {
  for (std::size_t i = 0; i < webhook_events.size(); ++i) {
    if (webhook_events[i] == text) return static_cast<WebhookEvent>(i);
  }
  return std::nullopt;
}

std::string_view to_text(WebhookCause cause) {
  switch (cause) {
    case WebhookCause::request: return "request";
    case WebhookCause::failed_for_long: return "failed_for_long";
    case WebhookCause::endpoint_gone: return "endpoint_gone";
  }
  CHECK_THAT(false, "a cause outside the enumeration");
}

std::string webhook_id(WebhookNumber number) { return "wh_" + std::to_string(number); }

std::optional<WebhookNumber> parse_webhook_id(std::string_view text) {
  if (!text.starts_with("wh_")) return std::nullopt;
  const auto value = base::parse_decimal(text.substr(3));
  if (!value || *value == 0 || *value > UINT32_MAX) return std::nullopt;
  return static_cast<WebhookNumber>(*value);
}

std::string webhook_message_id(PartitionNumber partition, EventNumber event) {
  CHECK(event != 0 && event <= event_number_max);
  return "msg_" + base::to_base32((static_cast<std::uint64_t>(partition) << 48) | event);
}

std::optional<EventNumber> parse_webhook_message_id(std::string_view text) {
  if (!text.starts_with("msg_")) return std::nullopt;
  const auto value = base::parse_base32(text.substr(4));
  if (!value || (*value & event_number_max) == 0) return std::nullopt;
  return *value & event_number_max;
}

}  // namespace model
