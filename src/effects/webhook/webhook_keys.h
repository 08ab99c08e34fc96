#pragma once
// Standard Webhooks 1.0 with its keys: signing what we send, verifying what others send us.

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "custody/signer.h"
#include "io/secret_memory.h"
#include "wire/http_message.h"
#include "wire/webhook_signature.h"

namespace effects {

/// What webhooks to one endpoint are signed with. While a key is being replaced both sign, so that the receiver can change over
/// when it likes.
struct WebhookSigning {
  std::vector<io::SecretMemory> secrets;      ///< v1, 24 to 64 bytes each, the newest first
  std::vector<custody::Signer*> signers;      ///< v1a; they outlive the endpoint
};

/// Adds webhook-id, webhook-timestamp and webhook-signature for this moment. Errors are those of the signers;
/// `webhook_key_missing` if there is nothing to sign with.
base::Status sign_webhook(wire::Headers& headers, std::string_view id, std::string_view body, const WebhookSigning& signing, base::Instant now);

/// What somebody else's webhooks may be signed with.
struct WebhookVerification {
  std::vector<base::Bytes> secrets;       ///< v1
  std::vector<base::Bytes> public_keys;   ///< v1a, 32 bytes each
};

/// A webhook whose sender is known: its id (the same for every repetition) and when it was sent. Errors: those of
/// wire::read_webhook; `webhook_signature_wrong`.
base::Result<wire::WebhookClaim> verify_webhook(const wire::Headers& headers, std::string_view body, const WebhookVerification& keys,
                                                base::Instant now, base::Duration tolerance = base::seconds(300));

}  // namespace effects
