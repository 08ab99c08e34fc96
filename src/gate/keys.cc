#include "gate/keys.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/derive.h"
#include "crypto/wipe.h"

namespace gate {

namespace {

template <std::size_t Bytes>
std::vector<VersionedKey<Bytes>> first_version(std::span<const std::uint8_t, 32> root, const char* purpose) {
  crypto::ShortLived<Bytes> key;
  crypto::hkdf_sha256(root, {}, base::as_bytes(purpose), key.bytes());
  return {VersionedKey<Bytes>(1, std::span<const std::uint8_t, Bytes>(key.bytes()))};
}

}  // namespace

template <std::size_t Bytes>
VersionedKey<Bytes>::VersionedKey(std::uint32_t number, std::span<const std::uint8_t, Bytes> bytes) : version(number) {
  std::ranges::copy(bytes, key.begin());
}

template <std::size_t Bytes>
VersionedKey<Bytes>::~VersionedKey() {
  crypto::wipe(key);
}

template struct VersionedKey<32>;
template struct VersionedKey<16>;

GateKeys::GateKeys(std::span<const std::uint8_t, 32> root)
    : GateKeys(root, first_version<32>(root, "holdfast gate v1 token"), first_version<16>(root, "holdfast gate v1 fingerprint")) {}

GateKeys::GateKeys(std::span<const std::uint8_t, 32> root, TokenKeys token_keys, FingerprintKeys fingerprint_keys)
    : tokens(std::move(token_keys)), fingerprints(std::move(fingerprint_keys)) {
  CHECK(!tokens.empty() && !fingerprints.empty());
  const auto derive = [root](const char* purpose, std::span<std::uint8_t> out) {
    crypto::hkdf_sha256(root, {}, base::as_bytes(purpose), out);
  };
  derive("holdfast gate v1 secret", secret);
  derive("holdfast gate v1 idempotency", idempotency);
  derive("holdfast gate v1 reference", reference);
  derive("holdfast gate v1 webhook", webhook);
}

GateKeys::~GateKeys() {
  crypto::wipe(secret);
  crypto::wipe(idempotency);
  crypto::wipe(reference);
  crypto::wipe(webhook);
}

}  // namespace gate
