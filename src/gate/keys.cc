#include "gate/keys.h"

#include "base/bytes.h"
#include "crypto/derive.h"
#include "crypto/wipe.h"

namespace gate {

GateKeys::GateKeys(std::span<const std::uint8_t, 32> root) {
  const auto derive = [root](const char* purpose, std::span<std::uint8_t> out) {
    crypto::hkdf_sha256(root, {}, base::as_bytes(purpose), out);
  };
  derive("holdfast gate v1 token", token);
  derive("holdfast gate v1 secret", secret);
  derive("holdfast gate v1 idempotency", idempotency);
  derive("holdfast gate v1 fingerprint", fingerprint);
  derive("holdfast gate v1 reference", reference);
}

GateKeys::~GateKeys() {
  crypto::wipe(token);
  crypto::wipe(secret);
  crypto::wipe(idempotency);
  crypto::wipe(fingerprint);
  crypto::wipe(reference);
}

}  // namespace gate
