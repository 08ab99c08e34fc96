#pragma once
// A key as numbers, and its canonical encodings. Readers of every format end here; every check starts here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "intake/content.h"
#include "intake/curve.h"
#include "intake/der.h"
#include "intake/wiped.h"

namespace intake {

enum class KeyType : std::uint8_t { rsa, rsa_pss, ec, ed25519, ed448, x25519, x448, dsa, dh, other };

/// Which parts are present follows from which members are filled. Numbers are big-endian without leading zeros,
/// coordinates and EC scalars padded to the field, Edwards and Montgomery keys as RFC 8032 and RFC 7748 encode them.
struct Key {
  KeyType type = KeyType::other;
  bool is_private = false;
  Secret n, e, d, p, q, dp, dq, qi;    ///< RSA
  Secret pss_parameters;               ///< RSA-PSS: the parameters element, empty when absent
  const Curve* curve = nullptr;        ///< EC
  Secret x, y, scalar;                 ///< EC; x and y empty while the public part is unknown
  Secret pub, seed;                    ///< Edwards and Montgomery
  bool public_computed = false;        ///< the public part was not in the input
  std::string algorithm_oid;           ///< dotted, for KeyType::other

  bool is_okp() const { return type >= KeyType::ed25519 && type <= KeyType::x448; }
  bool is_rsa() const { return type == KeyType::rsa || type == KeyType::rsa_pss; }
};

/// `RSA`, `RSA-PSS`, `EC`, `SM2`, `Ed25519`, ... ; the dotted identifier for others.
std::string algorithm_name(const Key& key);
/// Size in bits: modulus or field; 0 when unknown.
unsigned key_bits(const Key& key);

// --- readers of the ASN.1 shapes (key_reader.cc) ---------------------------------------------------------------------
// Each takes one strict DER element, reports what is wrong to the desk and gives nothing when no key can be made of it.

std::optional<Key> read_spki(const Element& spki, const Desk& desk);
/// PKCS#8 / OneAsymmetricKey (RFC 5958).
std::optional<Key> read_pkcs8(const Element& info, const Desk& desk);
std::optional<Key> read_pkcs1_public(const Element& key, const Desk& desk);
std::optional<Key> read_pkcs1_private(const Element& key, const Desk& desk);
/// SEC1 / RFC 5915. `curve` is what the enclosing PKCS#8 says, or null.
std::optional<Key> read_sec1(const Element& key, const Curve* curve, const Desk& desk);
/// ECParameters: a named curve, or explicit ones that equal one (reported as repaired). Null when neither.
const Curve* read_curve(const Element& parameters, const Desk& desk);
/// A point in any SEC 1 form into x and y. False (with a finding) when it is none.
bool read_point(base::ByteView point, const Curve& curve, std::size_t offset, const Desk& desk, Key& key);

// --- canonical encodings (key_writer.cc) -----------------------------------------------------------------------------
/// SubjectPublicKeyInfo (RFC 5280). The public part must be known.
Secret to_spki(const Key& key);
/// PKCS#8 version 1 (RFC 5208), as OpenSSL writes it.
Secret to_pkcs8(const Key& key);
/// RFC 7638 thumbprint (base64url of SHA-256); empty for types that JOSE does not have. SM2 uses kty EC, crv SM2.
std::string jwk_thumbprint(const Key& key);

// --- Edwards and Montgomery curves (okp.cc) --------------------------------------------------------------------------
std::size_t okp_bytes(KeyType type);
/// Public part of a seed (RFC 8032, RFC 7748).
Secret okp_public(KeyType type, base::ByteView seed);
/// Ed25519 and Ed448: a canonical point on the curve, not of small order. X25519, X448: not of small order.
bool okp_point_is_valid(KeyType type, base::ByteView pub);

}  // namespace intake
