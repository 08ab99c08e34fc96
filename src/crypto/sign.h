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
/// Deterministic signature. The public key is derived again each time, because a wrong one beside the right seed would
/// give the seed away; that doubles the cost to some 40 microseconds.
Ed25519Signature ed25519_sign(Ed25519SeedView seed, base::ByteView message);
/// True if the signature is good. Refuses small-order keys and non-canonical encodings, so that a signature that one
/// verifier accepts is accepted by all.
bool ed25519_verify(const Ed25519PublicKey& public_key, base::ByteView message, base::ByteView signature);

}  // namespace crypto
