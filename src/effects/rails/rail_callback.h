#pragma once
// What a rail tells us by itself: a signed POST (docs/rail-protocol.md, "Callbacks"). Verified before it is read, read before it
// is believed; believed by nobody but the core.

#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "effects/rails/rail.h"
#include "effects/signing/message_keys.h"
#include "effects/webhook/webhook_keys.h"
#include "wire/http_message.h"

namespace effects {

struct RailCallback {
  std::string key_id;         ///< the rail's key that signed it
  std::string event;          ///< the rail's name of the event: the same event again has the same name
  base::Instant occurred_at;
  std::string reference;      ///< ours; whether we know it is the core's business
  model::TransferKind kind = model::TransferKind::payout;
  RailAnswer answer;          ///< `body` is the digest of the raw bytes
};

/// Errors: those of RequestVerifier::verify (who sent it is not known: 401); `callback_malformed` (known, and not understood:
/// 400). A callback whose amount is not the one that was sent is for the caller to notice: only he knows it.
base::Result<RailCallback> verify_rail_callback(const wire::Request& request, std::string_view scheme, RequestVerifier& verifier,
                                                base::Instant now);

/// The same of a rail that calls back by Standard Webhooks. A repetition has the same webhook-id and is taken again: a report is
/// believed once. `key_id` is the webhook-id. Errors: those of verify_webhook (401); `callback_malformed` (400).
base::Result<RailCallback> verify_rail_webhook(const wire::Request& request, const WebhookVerification& keys, base::Instant now);

}  // namespace effects
