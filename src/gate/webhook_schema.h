#pragma once
// Reading what is asked of webhook endpoints. Private to this room.

#include <string>
#include <vector>

#include "gate/query.h"
#include "gate/schema.h"

namespace gate {

/// The number in the path of an endpoint.
model::WebhookNumber read_webhook_id(const std::vector<std::string>& parameters, Problems& problems);

WebhookCreation read_webhook_creation(wire::JsonFields& fields);
WebhookChange read_webhook_change(model::WebhookNumber webhook, wire::JsonFields& fields);
WebhookRotation read_webhook_rotation(model::WebhookNumber webhook, wire::JsonFields& fields);
ResendWebhook read_webhook_resend(model::WebhookNumber webhook, wire::JsonFields& fields);

/// `https://` or `http://`, a host, at most webhook_url_bytes_max printable ASCII characters, no blanks, quotes and user names.
bool is_webhook_url(std::string_view url);

}  // namespace gate
