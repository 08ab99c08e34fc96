#pragma once
// What a SubjectPublicKeyInfo says (RFC 3279, 4055, 5480, 8410), without making a key of it.

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/chain/der.h"

namespace crypto::chain {

enum class KeyKind : std::uint8_t { rsa, rsa_pss, ec, sm2, dsa, ed25519, ed448, other };

struct PublicKey {
  KeyKind kind = KeyKind::other;
  base::ByteView spki;       ///< whole
  base::ByteView algorithm;  ///< body of the OID
  base::ByteView bits;       ///< content of the BIT STRING
  base::ByteView curve;      ///< body of the OID; empty when explicit or not an EC key
  base::ByteView modulus;    ///< RSA, without leading zeros
  base::ByteView exponent;   ///< RSA, without leading zeros
  std::uint32_t size_bits = 0;  ///< of modulus, field or prime; 0 when unknown
  bool explicit_curve = false;
};

/// Nothing when it is not a well-formed key of a kind we know. A kind we do not know is `other`, not an error.
std::optional<PublicKey> public_key_of(const Element& spki);

/// `RSA 2048`, `EC P-256`.
std::string describe(const PublicKey& key);

}  // namespace crypto::chain
