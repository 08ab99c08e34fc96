#pragma once
// The custody keys the gate works with. What is bound to stored data for ever comes from one root key; the keys of access
// tokens and of fingerprints have versions, of which the newest is used for what is made now.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace gate {

/// One version of a key, wiped when destroyed or overwritten.
template <std::size_t Bytes>
struct VersionedKey {
  VersionedKey(std::uint32_t number, std::span<const std::uint8_t, Bytes> bytes);
  VersionedKey(const VersionedKey&) = default;
  VersionedKey& operator=(const VersionedKey&) = delete;
  ~VersionedKey();
  std::uint32_t version = 0;
  std::array<std::uint8_t, Bytes> key{};
};
extern template struct VersionedKey<32>;
extern template struct VersionedKey<16>;

using TokenKeys = std::vector<VersionedKey<32>>;
using FingerprintKeys = std::vector<VersionedKey<16>>;

/// Tokens of this many versions are believed, the newest and those before: a second rotation ends them at once.
constexpr std::size_t live_token_keys = 2;

/// Not copied around: held by whoever composes the process, which outlives every Gate. Wiped when destroyed.
struct GateKeys {
  /// HKDF-SHA-256 of a 32-byte root key, one `info` for each purpose (docs/format/tokens.md); version 1 of tokens and
  /// fingerprints from it as well. For processes without custody.
  explicit GateKeys(std::span<const std::uint8_t, 32> root);
  /// Versions from custody, newest first, at least one of each.
  GateKeys(std::span<const std::uint8_t, 32> root, TokenKeys token_keys, FingerprintKeys fingerprint_keys);
  ~GateKeys();
  GateKeys(const GateKeys&) = delete;
  GateKeys& operator=(const GateKeys&) = delete;

  TokenKeys tokens;                            ///< HMAC keys of access tokens
  FingerprintKeys fingerprints;                ///< SipHash keys of fingerprints and their fields
  std::array<std::uint8_t, 32> secret{};       ///< HMAC key of stored refresh secrets
  std::array<std::uint8_t, 16> idempotency{};  ///< SipHash key of idempotency key scopes
  std::array<std::uint8_t, 16> reference{};    ///< SipHash key of references
  std::array<std::uint8_t, 32> webhook{};      ///< HMAC key that the keys of webhook endpoints are made with
};

}  // namespace gate
