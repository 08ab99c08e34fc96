#include "effects/webhook/webhook_keys.h"

#include <algorithm>

#include "crypto/mac.h"
#include "crypto/sign.h"

namespace effects {

using wire::WebhookSignatureVersion;

base::Status sign_webhook(wire::Headers& headers, std::string_view id, std::string_view body, const WebhookSigning& signing, base::Instant now) {
  const std::int64_t seconds = now.ns / 1'000'000'000;
  const std::string text = wire::webhook_signed_text(id, seconds, body);
  std::string signatures;
  const auto add = [&](WebhookSignatureVersion version, base::ByteView raw) {
    if (!signatures.empty()) signatures += ' ';
    signatures += wire::to_webhook_signature(version, raw);
  };
  for (const io::SecretMemory& secret : signing.secrets) add(WebhookSignatureVersion::v1, crypto::hmac_sha256(secret.view(), base::as_bytes(text)));
  for (custody::Signer* const signer : signing.signers) {
    TRY_ASSIGN(const base::Bytes raw, signer->sign(base::as_bytes(text)));
    add(WebhookSignatureVersion::v1a, raw);
  }
  if (signatures.empty()) return base::Error{"webhook_key_missing", "the endpoint has no key to sign with"};
  headers.add("webhook-id", id);
  headers.add("webhook-timestamp", std::to_string(seconds));
  headers.add("webhook-signature", signatures);
  return base::ok();
}

base::Result<wire::WebhookClaim> verify_webhook(const wire::Headers& headers, std::string_view body, const WebhookVerification& keys,
                                                base::Instant now, base::Duration tolerance) {
  TRY_ASSIGN(wire::WebhookClaim claim, wire::read_webhook(headers, now, tolerance));
  const std::string text = wire::webhook_signed_text(claim.id, claim.timestamp.ns / 1'000'000'000, body);
  bool good = false;
  // All are looked at, so that time says nothing about which one it was.
  for (const wire::WebhookSignature& signature : claim.signatures) {
    if (signature.version == WebhookSignatureVersion::v1) {
      for (const base::Bytes& secret : keys.secrets) {
        good |= base::equal_constant_time(crypto::hmac_sha256(secret, base::as_bytes(text)), signature.raw);
      }
    } else {
      for (const base::Bytes& key : keys.public_keys) {
        crypto::Ed25519PublicKey public_key{};
        if (key.size() != public_key.size()) continue;
        std::ranges::copy(key, public_key.begin());
        good |= crypto::ed25519_verify(public_key, base::as_bytes(text), signature.raw);
      }
    }
  }
  if (!good) return base::Error{"webhook_signature_wrong", "no signature of the webhook is that of a key of its sender"};
  return claim;
}

}  // namespace effects
