#pragma once
// The custody keys the gate works with. All come from one root key, so that custody keeps one record for the gate.

#include <array>
#include <cstdint>
#include <span>

namespace gate {

/// Not copied around: held by whoever composes the process, which outlives every Gate. Wiped when destroyed.
struct GateKeys {
  /// HKDF-SHA-256 of a 32-byte root key, one `info` for each purpose (docs/format/tokens.md).
  explicit GateKeys(std::span<const std::uint8_t, 32> root);
  ~GateKeys();
  GateKeys(const GateKeys&) = delete;
  GateKeys& operator=(const GateKeys&) = delete;

  std::array<std::uint8_t, 32> token{};        ///< HMAC key of access tokens
  std::array<std::uint8_t, 32> secret{};       ///< HMAC key of stored refresh secrets
  std::array<std::uint8_t, 16> idempotency{};  ///< SipHash key of idempotency key scopes
  std::array<std::uint8_t, 16> fingerprint{};  ///< SipHash key of fingerprints and their fields
  std::array<std::uint8_t, 16> reference{};    ///< SipHash key of references
};

}  // namespace gate
