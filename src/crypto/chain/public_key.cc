#include "crypto/chain/public_key.h"

#include <bit>

#include "crypto/chain/oid.h"

namespace crypto::chain {
namespace {

constexpr struct {
  const Oid& id;
  std::uint32_t bits;
  const char* name;
} curves[] = {{oid::p256, 256, "P-256"},
              {oid::p384, 384, "P-384"},
              {oid::p521, 521, "P-521"},
              {oid::p224, 224, "P-224"},
              {oid::p192, 192, "P-192"},
              {oid::secp256k1, 256, "secp256k1"},
              {oid::sm2, 256, "SM2"},
              {oid::brainpool256, 256, "brainpoolP256r1"},
              {oid::brainpool384, 384, "brainpoolP384r1"},
              {oid::brainpool512, 512, "brainpoolP512r1"}};

std::uint32_t bits_of(base::ByteView number) {
  if (number.empty()) return 0;
  return static_cast<std::uint32_t>((number.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(number[0])));
}

bool read_rsa(PublicKey& key) {
  const auto sequence = only(key.bits, tag::sequence);
  if (!sequence) return false;
  Reader parts(*sequence);
  const auto modulus = parts.next(tag::integer);
  const auto exponent = parts.next(tag::integer);
  if (!modulus || !exponent || !parts.done()) return false;
  const auto n = unsigned_of(*modulus);
  const auto e = unsigned_of(*exponent);
  if (!n || !e || n->empty() || e->empty() || n->size() > 2'048) return false;
  key.modulus = *n;
  key.exponent = *e;
  key.size_bits = bits_of(*n);
  return true;
}

bool read_ec(PublicKey& key, Reader& algorithm) {
  if (const auto named = algorithm.next_if(tag::oid)) {
    key.curve = named->body;
    for (const auto& curve : curves) {
      if (curve.id == named->body) key.size_bits = curve.bits;
    }
    if (oid::sm2 == named->body) key.kind = KeyKind::sm2;
  } else if (const auto parameters = algorithm.next_if(tag::sequence)) {
    key.explicit_curve = true;
  } else {
    return false;
  }
  return algorithm.done() && key.bits.size() >= 2;
}

bool read_dsa(PublicKey& key, Reader& algorithm) {
  if (const auto parameters = algorithm.next_if(tag::sequence)) {
    Reader parts(*parameters);
    const auto prime = parts.next(tag::integer);
    const auto p = prime ? unsigned_of(*prime) : std::nullopt;
    if (!p) return false;
    key.size_bits = bits_of(*p);
  }
  return algorithm.done();
}

}  // namespace

std::optional<PublicKey> public_key_of(const Element& spki) {
  Reader outer(spki);
  const auto algorithm = outer.next(tag::sequence);
  const auto bits = outer.next(tag::bit_string);
  const auto content = bits ? whole_bits_of(*bits) : std::nullopt;
  if (!algorithm || !content || !outer.done()) return std::nullopt;
  Reader parts(*algorithm);
  const auto id = parts.next(tag::oid);
  if (!id) return std::nullopt;
  PublicKey key;
  key.spki = spki.whole;
  key.algorithm = id->body;
  key.bits = *content;
  bool good = true;
  if (oid::rsa == id->body) {
    key.kind = KeyKind::rsa;
    good = parts.next_if(tag::null).has_value() && parts.done() && read_rsa(key);
  } else if (oid::rsa_pss == id->body) {
    key.kind = KeyKind::rsa_pss;
    good = read_rsa(key);
  } else if (oid::ec == id->body) {
    key.kind = KeyKind::ec;
    good = read_ec(key, parts);
  } else if (oid::dsa == id->body) {
    key.kind = KeyKind::dsa;
    good = read_dsa(key, parts);
  } else if (oid::ed25519 == id->body) {
    key.kind = KeyKind::ed25519;
    key.size_bits = 256;
    good = parts.done() && key.bits.size() == 32;
  } else if (oid::ed448 == id->body) {
    key.kind = KeyKind::ed448;
    key.size_bits = 456;
    good = parts.done() && key.bits.size() == 57;
  }
  return good ? std::optional(key) : std::nullopt;
}

std::string describe(const PublicKey& key) {
  switch (key.kind) {
    case KeyKind::rsa: return "RSA " + std::to_string(key.size_bits);
    case KeyKind::rsa_pss: return "RSA-PSS " + std::to_string(key.size_bits);
    case KeyKind::dsa: return "DSA " + std::to_string(key.size_bits);
    case KeyKind::ed25519: return "Ed25519";
    case KeyKind::ed448: return "Ed448";
    case KeyKind::sm2: return "SM2";
    case KeyKind::ec:
      if (key.explicit_curve) return "EC with explicit parameters";
      for (const auto& curve : curves) {
        if (curve.id == key.curve) return std::string("EC ") + curve.name;
      }
      return "EC " + to_dotted(key.curve);
    case KeyKind::other: break;
  }
  return to_dotted(key.algorithm);
}

}  // namespace crypto::chain
