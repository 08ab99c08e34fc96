#pragma once
// Standard Webhooks 1.0: the three fields of a webhook and what is signed. Pure; MACs, signatures and the clock come in from
// outside. Two versions: `v1` is HMAC-SHA-256 under a shared secret, `v1a` is Ed25519.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "wire/http_message.h"

namespace wire {

enum class WebhookSignatureVersion : std::uint8_t { v1, v1a };

/// `whsec_` (v1 secret, 24 to 64 bytes), `whsk_` (v1a secret seed, 32 bytes), `whpk_` (v1a public key, 32 bytes), each
/// followed by base64.
enum class WebhookKeyKind : std::uint8_t { secret, signing_seed, public_key };
std::string to_webhook_key(WebhookKeyKind kind, base::ByteView raw);
/// Nothing if the prefix, the base64 or the size is not that of `kind`. A secret is the caller's to wipe.
std::optional<base::Bytes> parse_webhook_key(WebhookKeyKind kind, std::string_view text);

/// `ID.TIMESTAMP.BODY`: what both versions sign. The id holds no dot, so that the three parts have one reading.
std::string webhook_signed_text(std::string_view id, std::int64_t timestamp_seconds, std::string_view body);

/// `v1,BASE64`
std::string to_webhook_signature(WebhookSignatureVersion version, base::ByteView raw);

struct WebhookSignature {
  WebhookSignatureVersion version = WebhookSignatureVersion::v1;
  base::Bytes raw;
};

/// The fields of a received webhook, before any key is asked.
struct WebhookClaim {
  std::string id;
  base::Instant timestamp;                    ///< whole seconds
  std::vector<WebhookSignature> signatures;   ///< of the known versions, in their order; one good one is enough
};

/// Errors: `webhook_field_missing` (webhook-id, webhook-timestamp or webhook-signature), `webhook_field_malformed`,
/// `webhook_too_old`, `webhook_from_the_future` (both beyond `tolerance`; 5 minutes is usual), `webhook_signature_not_supported`
/// (no signature of a known version).
base::Result<WebhookClaim> read_webhook(const Headers& headers, base::Instant now, base::Duration tolerance);

}  // namespace wire
