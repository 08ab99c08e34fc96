#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "intake/key.h"

namespace intake {
namespace {

using base::ByteView;

Secret named(const Oid& oid, ByteView parameters = {}) {
  return der(tag::sequence, {der(tag::oid, {oid.view()}), parameters});
}

Secret algorithm_of(const Key& key) {
  static constexpr std::uint8_t null[] = {tag::null, 0};
  switch (key.type) {
    case KeyType::rsa: return named(oid::rsa, null);
    case KeyType::rsa_pss: return named(oid::rsa_pss, key.pss_parameters);
    case KeyType::ec: return named(oid::ec, der(tag::oid, {key.curve->oid.view()}));
    case KeyType::ed25519: return named(oid::ed25519);
    case KeyType::ed448: return named(oid::ed448);
    case KeyType::x25519: return named(oid::x25519);
    case KeyType::x448: return named(oid::x448);
    case KeyType::dsa:
    case KeyType::dh:
    case KeyType::other: break;
  }
  CHECK_THAT(false, "only supported keys are written");
  return {};
}

Secret pkcs1_private(const Key& key) {
  const std::uint8_t zero = 0;
  return der(tag::sequence,
             {der_integer({&zero, 1}), der_integer(key.n), der_integer(key.e), der_integer(key.d), der_integer(key.p),
              der_integer(key.q), der_integer(key.dp), der_integer(key.dq), der_integer(key.qi)});
}

Secret sec1(const Key& key) {
  const std::uint8_t one = 1;
  return der(tag::sequence, {der_integer({&one, 1}), der(tag::octet_string, {key.scalar}),
                             der(tag::explicit_tag(1), {der_bits(uncompressed({key.x, key.y}))})});
}

std::string b64(ByteView bytes) { return base::to_base64url(bytes); }

std::string_view okp_name(KeyType type) {
  switch (type) {
    case KeyType::ed25519: return "Ed25519";
    case KeyType::ed448: return "Ed448";
    case KeyType::x25519: return "X25519";
    default: return "X448";
  }
}

}  // namespace

std::string algorithm_name(const Key& key) {
  switch (key.type) {
    case KeyType::rsa: return "RSA";
    case KeyType::rsa_pss: return "RSA-PSS";
    case KeyType::ec: return key.curve->name == "SM2" ? "SM2" : "EC";
    case KeyType::ed25519:
    case KeyType::ed448:
    case KeyType::x25519:
    case KeyType::x448: return std::string(okp_name(key.type));
    case KeyType::dsa: return "DSA";
    case KeyType::dh: return "DH";
    case KeyType::other: break;
  }
  return key.algorithm_oid;
}

unsigned key_bits(const Key& key) {
  if (key.is_rsa()) return Number(key.n).bits();
  switch (key.type) {
    case KeyType::ec: return key.curve->bits;
    case KeyType::ed25519:
    case KeyType::x25519: return 256;
    case KeyType::ed448: return 456;
    case KeyType::x448: return 448;
    default: return 0;
  }
}

Secret to_spki(const Key& key) {
  if (key.is_rsa()) {
    return der(tag::sequence,
               {algorithm_of(key), der_bits(der(tag::sequence, {der_integer(key.n), der_integer(key.e)}))});
  }
  if (key.type == KeyType::ec) return der(tag::sequence, {algorithm_of(key), der_bits(uncompressed({key.x, key.y}))});
  return der(tag::sequence, {algorithm_of(key), der_bits(key.pub)});
}

Secret to_pkcs8(const Key& key) {
  CHECK(key.is_private);
  const std::uint8_t zero = 0;
  Secret inner;
  if (key.is_rsa()) {
    inner = pkcs1_private(key);
  } else if (key.type == KeyType::ec) {
    inner = sec1(key);
  } else {
    inner = der(tag::octet_string, {key.seed});
  }
  return der(tag::sequence, {der_integer({&zero, 1}), algorithm_of(key), der(tag::octet_string, {inner})});
}

std::string jwk_thumbprint(const Key& key) {
  std::string members;
  if (key.is_rsa()) {
    members = "{\"e\":\"" + b64(key.e) + "\",\"kty\":\"RSA\",\"n\":\"" + b64(key.n) + "\"}";
  } else if (key.type == KeyType::ec && !key.curve->jose.empty()) {
    members = "{\"crv\":\"" + std::string(key.curve->jose) + "\",\"kty\":\"EC\",\"x\":\"" + b64(key.x) + "\",\"y\":\"" +
              b64(key.y) + "\"}";
  } else if (key.is_okp()) {
    members = "{\"crv\":\"" + std::string(okp_name(key.type)) + "\",\"kty\":\"OKP\",\"x\":\"" + b64(key.pub) + "\"}";
  } else {
    return {};
  }
  return b64(crypto::sha256(base::as_bytes(members)));
}

}  // namespace intake
