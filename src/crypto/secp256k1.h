#pragma once
// ECDSA on secp256k1 with signatures that give back the key (SEC 1 section 4.1.6), as Ethereum uses it; over libsecp256k1.
// Secrets are 32 bytes; where they live is the caller's business (custody/).

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace crypto {

using Secp256k1SecretView = std::span<const std::uint8_t, 32>;
/// X and Y, big-endian, 32 bytes each.
using Secp256k1PublicKey = std::array<std::uint8_t, 64>;

/// `s` is always in the lower half (EIP-2), so that a signature has exactly one form.
struct RecoverableSignature {
  std::array<std::uint8_t, 32> r{}, s{};   ///< big-endian
  std::uint8_t parity = 0;                 ///< of Y of the nonce's point: 0 or 1
  bool operator==(const RecoverableSignature&) const = default;
};

/// From 1 to the order of the group less 1: anything else is no secret.
bool is_secp256k1_secret(base::ByteView bytes);
/// The public key of a secret (CHECK: it is one).
Secp256k1PublicKey secp256k1_public_key(Secp256k1SecretView secret);
/// Signs a digest; deterministic (RFC 6979), in constant time. The secret is one (CHECK).
RecoverableSignature secp256k1_sign(Secp256k1SecretView secret, const base::Digest& digest);
/// Whose signature it is; nothing if it is nobody's, or `s` is in the upper half, or `parity` is neither 0 nor 1.
std::optional<Secp256k1PublicKey> secp256k1_recover(const base::Digest& digest, const RecoverableSignature& signature);

}  // namespace crypto
