#pragma once
// Webhook endpoints: what somebody can subscribe to and how they want to be told. The numbers here stand in journals for ever.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/ids.h"

namespace model {

using WebhookNumber = std::uint32_t;   ///< order of creation, from 1; 0 is none
using WebhookEvents = std::uint32_t;   ///< a set of event types: bit i is row i of `webhook_events`

/// What can be subscribed to: the one table. Rows are only ever added at its end.
enum class WebhookEvent : std::uint8_t {
  transfer_posted,           ///< between accounts, at once
  transfer_requested,        ///< over a rail; this and the following ones are the states of the saga
  transfer_reviewing,
  transfer_parked,
  transfer_accepted,
  transfer_outcome_unknown,
  transfer_manual_review,
  transfer_settled,
  transfer_failed,
  transfer_returned,
  transfer_rejected,
  transfer_cancelled,
  transfer_reversed,
  transfer_overdue,          ///< in one state for too long
  case_opened,               ///< something for people
  rail_paused,
  rail_resumed,
  import_waiting,            ///< of a key: for its answer to a challenge, or for two people
  import_active,
  import_rejected,
  import_manual_review,
  key_changed,               ///< a version of a key is in another state
  key_expiring,              ///< a certificate comes to its end
};
constexpr std::array<std::string_view, 23> webhook_events = {
    "transfer.posted",         "transfer.requested",     "transfer.reviewing", "transfer.parked", "transfer.accepted",
    "transfer.outcome_unknown", "transfer.manual_review", "transfer.settled",   "transfer.failed", "transfer.returned",
    "transfer.rejected",       "transfer.cancelled",     "transfer.reversed",  "transfer.overdue", "case.opened",
    "rail.paused",             "rail.resumed",           "import.waiting",    "import.active",   "import.rejected",
    "import.manual_review",    "key.changed",            "key.expiring"};
constexpr WebhookEvents all_webhook_events = (WebhookEvents{1} << webhook_events.size()) - 1;
static_assert(static_cast<std::size_t>(WebhookEvent::key_expiring) + 1 == webhook_events.size());

constexpr WebhookEvents bit_of(WebhookEvent event) { return WebhookEvents{1} << static_cast<unsigned>(event); }
constexpr std::string_view to_text(WebhookEvent event) { return webhook_events[static_cast<std::size_t>(event)]; }
std::optional<WebhookEvent> parse_webhook_event(std::string_view text);

/// How an endpoint wants to be told; a bit set.
enum WebhookFlag : std::uint8_t {
  webhook_enabled = 1,
  webhook_ordered = 2,       ///< one after the other, in the order of the journal
  webhook_personal = 4,      ///< with references and metadata
};
using WebhookFlags = std::uint8_t;
constexpr WebhookFlags all_webhook_flags = webhook_enabled | webhook_ordered | webhook_personal;

/// Why an endpoint is as it is.
enum class WebhookCause : std::uint8_t {
  request = 1,
  failed_for_long = 2,       ///< a message was given up and nothing had been delivered since its first attempt
  endpoint_gone = 3,         ///< it answered 410
};
std::string_view to_text(WebhookCause cause);

constexpr std::uint32_t webhooks_max = 1024;             ///< ever created, in all
constexpr std::uint32_t webhooks_of_tenant_max = 64;     ///< at a time

/// Text of an endpoint's id: `wh_` and its number in decimal.
std::string webhook_id(WebhookNumber number);
std::optional<WebhookNumber> parse_webhook_id(std::string_view text);

/// Text of a message's id, `msg_` and 13 base32 digits of partition and event: the same for every delivery of it, for ever.
std::string webhook_message_id(PartitionNumber partition, EventNumber event);
std::optional<EventNumber> parse_webhook_message_id(std::string_view text);

}  // namespace model
