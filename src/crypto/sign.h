#pragma once
// Ed25519 (RFC 8032, pure). Secrets are the 32-byte seeds; where they live is the caller's business (custody/).

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace crypto {

using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;
using Ed25519SeedView = std::span<const std::uint8_t, 32>;

/// The public key that belongs to a seed.
Ed25519PublicKey ed25519_public_key(Ed25519SeedView seed);
/// A seed with its public key, derived once: nothing else can make one, because signing with a public key that belongs to another
/// seed would give this one away. The seed stays where it is and outlives the pair.
class Ed25519KeyPair {
 public:
  explicit Ed25519KeyPair(Ed25519SeedView seed) : seed_(seed), public_key_(ed25519_public_key(seed)) {}
  const Ed25519PublicKey& public_key() const { return public_key_; }
  /// Deterministic signature. Any thread.
  Ed25519Signature sign(base::ByteView message) const;

 private:
  Ed25519SeedView seed_;
  Ed25519PublicKey public_key_;
};
/// A signature by a seed that signs seldom: its public key is derived for it, which doubles the cost.
Ed25519Signature ed25519_sign(Ed25519SeedView seed, base::ByteView message);
/// True if the signature is good. Refuses small-order keys and non-canonical encodings, so that a signature that one
/// verifier accepts is accepted by all.
bool ed25519_verify(const Ed25519PublicKey& public_key, base::ByteView message, base::ByteView signature);

}  // namespace crypto
