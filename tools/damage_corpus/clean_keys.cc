#include "clean_keys.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "base/check.h"
#include "base/text.h"
#include "intake/key_check.h"

namespace corpus {
namespace {

using base::ByteView;
using intake::Key;
using intake::KeyType;
using intake::Number;
using intake::Secret;
namespace tag = intake::tag;

base::Bytes plain(const Secret& secret) { return base::Bytes(secret.begin(), secret.end()); }
Secret shortest(const Number& number) { return number.bytes((number.bits() + 7) / 8); }

Number prime_from(Secret start, std::uint64_t exponent) {
  start.front() = static_cast<std::uint8_t>(start.front() | 0xC0);
  start.back() = static_cast<std::uint8_t>(start.back() | 1);
  Number candidate{ByteView(start)};
  while (true) {
    if (intake::small_factor(candidate) == 0 && intake::probably_prime(candidate) && (candidate - Number(1)).mod_small(exponent) != 0) return candidate;
    candidate = candidate + Number(2);
  }
}

struct PkeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyDeleter>;

Pkey openssl_private(const Key& key) {
  const Secret der = to_pkcs8(key);
  const unsigned char* at = der.data();
  return Pkey(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
}
Pkey openssl_public(const Key& key) {
  const Secret der = to_spki(key);
  const unsigned char* at = der.data();
  return Pkey(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

const EVP_MD* md_for(const Key& key) { return key.is_okp() ? nullptr : EVP_sha256(); }

template <typename T>
base::Bytes encoded(T* object, int (*encode)(const T*, unsigned char**)) {
  unsigned char* raw = nullptr;
  const int size = encode(object, &raw);
  CHECK(size > 0);
  base::Bytes out(raw, raw + size);
  OPENSSL_free(raw);
  return out;
}

// A version 3 certificate for `subject`, signed by `issuer` (which signs deterministically: RSA or Edwards).
base::Bytes certificate(Dice& dice, const Key& subject, const Key& issuer, const char* name, const char* issuer_name) {
  std::unique_ptr<X509, decltype(&X509_free)> out(X509_new(), X509_free);
  X509_set_version(out.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), dice.next() >> 2 | 1);
  ASN1_TIME_set_string_X509(X509_getm_notBefore(out.get()), "20260101000000Z");
  ASN1_TIME_set_string_X509(X509_getm_notAfter(out.get()), "20360101000000Z");
  const auto set_name = [](X509_NAME* into, const char* text) {
    X509_NAME_add_entry_by_txt(into, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  set_name(X509_get_subject_name(out.get()), name);
  set_name(X509_get_issuer_name(out.get()), issuer_name);
  CHECK(X509_set_pubkey(out.get(), openssl_public(subject).get()) == 1);
  CHECK(X509_sign(out.get(), openssl_private(issuer).get(), md_for(issuer)) > 0);
  return encoded<X509>(out.get(), i2d_X509);
}

base::Bytes request(const Key& key) {
  std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> out(X509_REQ_new(), X509_REQ_free);
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(out.get()), "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("shop.example"), -1, -1, 0);
  CHECK(X509_REQ_set_pubkey(out.get(), openssl_public(key).get()) == 1);
  CHECK(X509_REQ_sign(out.get(), openssl_private(key).get(), md_for(key)) > 0);
  return encoded<X509_REQ>(out.get(), i2d_X509_REQ);
}

base::Bytes revocation_list(const Key& key) {
  std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> out(X509_CRL_new(), X509_CRL_free);
  std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> name(X509_NAME_new(), X509_NAME_free);
  std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> time(ASN1_TIME_new(), ASN1_TIME_free);
  X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("Root"), -1, -1, 0);
  X509_CRL_set_version(out.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(out.get(), name.get());
  ASN1_TIME_set_string_X509(time.get(), "20260101000000Z");
  X509_CRL_set1_lastUpdate(out.get(), time.get());
  ASN1_TIME_set_string_X509(time.get(), "20360101000000Z");
  X509_CRL_set1_nextUpdate(out.get(), time.get());
  CHECK(X509_CRL_sign(out.get(), openssl_private(key).get(), md_for(key)) > 0);
  return encoded<X509_CRL>(out.get(), i2d_X509_CRL);
}

}  // namespace

std::uint64_t Dice::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Secret Dice::bytes(std::size_t count) {
  Secret out(count);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(next());
  return out;
}

Key make_rsa(Dice& dice, unsigned bits, std::uint64_t exponent, bool close_primes) {
  while (true) {
    Number p = prime_from(dice.bytes(bits / 16), exponent);
    Number q;
    if (close_primes) {
      Secret near = shortest(p + Number(dice.next() >> 40));
      q = prime_from(std::move(near), exponent);
    } else {
      q = prime_from(dice.bytes(bits / 16), exponent);
    }
    if (p == q) continue;
    if (p < q) std::swap(p, q);
    const Number n = p * q;
    if (n.bits() != bits) continue;
    const Number p1 = p - Number(1), q1 = q - Number(1);
    const auto d = mod_inverse(Number(exponent), p1 * q1 / gcd(p1, q1));
    const auto qi = mod_inverse(q, p);
    if (!d || !qi) continue;
    Key key;
    key.type = KeyType::rsa;
    key.is_private = true;
    key.n = shortest(n), key.e = shortest(Number(exponent)), key.d = shortest(*d);
    key.p = shortest(p), key.q = shortest(q), key.dp = shortest(*d % p1), key.dq = shortest(*d % q1), key.qi = shortest(*qi);
    return key;
  }
}

Key make_ec(Dice& dice, std::string_view name) {
  Key key;
  key.type = KeyType::ec;
  key.is_private = true;
  key.curve = intake::curve_of_name(name);
  do {
    key.scalar = dice.bytes(key.curve->field_bytes());
    if (key.curve->bits % 8 != 0) key.scalar[0] = 0;
  } while (!scalar_in_range(*key.curve, key.scalar));
  intake::Point point = public_point(*key.curve, key.scalar);
  key.x = std::move(point.x);
  key.y = std::move(point.y);
  return key;
}

Key make_okp(Dice& dice, KeyType type) {
  Key key;
  key.type = type;
  key.is_private = true;
  key.seed = dice.bytes(intake::okp_bytes(type));
  key.pub = okp_public(type, key.seed);
  return key;
}

base::Bytes pkcs1_public(const Key& key) { return plain(intake::der(tag::sequence, {intake::der_integer(key.n), intake::der_integer(key.e)})); }

base::Bytes pkcs1_private(const Key& key) {
  const std::uint8_t zero = 0;
  return plain(intake::der(tag::sequence, {intake::der_integer({&zero, 1}), intake::der_integer(key.n), intake::der_integer(key.e), intake::der_integer(key.d),
                                   intake::der_integer(key.p), intake::der_integer(key.q), intake::der_integer(key.dp), intake::der_integer(key.dq), intake::der_integer(key.qi)}));
}

base::Bytes sec1(const Key& key, bool with_curve) {
  const std::uint8_t one = 1;
  const Secret curve = with_curve ? intake::der(tag::explicit_tag(0), {intake::der(tag::oid, {key.curve->oid.view()})}) : Secret();
  return plain(intake::der(tag::sequence, {intake::der_integer({&one, 1}), intake::der(tag::octet_string, {key.scalar}), curve,
                                   intake::der(tag::explicit_tag(1), {intake::der_bits(intake::uncompressed({key.x, key.y}))})}));
}

std::string jwk(const Key& key, const std::string& kid, bool with_private) {
  const auto member = [](const char* name, const Secret& value) { return std::string(",\"") + name + "\":\"" + base::to_base64url(value) + "\""; };
  std::string out = "{\"kid\":\"" + kid + "\"";
  if (key.is_rsa()) {
    out += ",\"kty\":\"RSA\"" + member("n", key.n) + member("e", key.e);
    if (with_private) out += member("d", key.d) + member("p", key.p) + member("q", key.q) + member("dp", key.dp) + member("dq", key.dq) + member("qi", key.qi);
  } else if (key.type == KeyType::ec) {
    out += ",\"kty\":\"EC\",\"crv\":\"" + std::string(key.curve->jose) + "\"" + member("x", key.x) + member("y", key.y);
    if (with_private) out += member("d", key.scalar);
  } else {
    out += ",\"kty\":\"OKP\",\"crv\":\"" + algorithm_name(key) + "\"" + member("x", key.pub);
    if (with_private) out += member("d", key.seed);
  }
  return out + "}";
}

std::string pem_text(const std::string& label, ByteView der) {
  const intake::Text text = intake::to_pem(label, der);
  return std::string(text.begin(), text.end());
}

std::string Clean::pem() const { return pem_text(label, der); }

std::vector<Clean> make_clean(std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Clean> out;
  const auto add = [&](std::string name, intake::Kind kind, std::string label, base::Bytes der, base::Bytes canonical, const Key& key) {
    out.push_back({std::move(name), kind, std::move(label), std::move(der), std::move(canonical), key});
  };
  std::vector<Key> keys = {make_rsa(dice, 2048)};
  for (const char* curve : {"P-256", "P-384", "P-521", "secp256k1", "SM2"}) keys.push_back(make_ec(dice, curve));
  for (KeyType type : {KeyType::ed25519, KeyType::ed448}) keys.push_back(make_okp(dice, type));
  for (const Key& key : keys) {
    const std::string name = key.curve != nullptr ? std::string(key.curve->name) : algorithm_name(key);
    const base::Bytes spki = plain(to_spki(key)), pkcs8 = plain(to_pkcs8(key));
    Key pub = key;
    pub.is_private = false;
    add(name + " SPKI", intake::Kind::public_key, "PUBLIC KEY", spki, spki, pub);
    add(name + " PKCS#8", intake::Kind::private_key, "PRIVATE KEY", pkcs8, pkcs8, key);
    if (key.is_rsa()) {
      add(name + " PKCS#1 public", intake::Kind::public_key, "RSA PUBLIC KEY", pkcs1_public(key), spki, pub);
      add(name + " PKCS#1 private", intake::Kind::private_key, "RSA PRIVATE KEY", pkcs1_private(key), pkcs8, key);
    } else if (key.type == KeyType::ec) {
      add(name + " SEC1", intake::Kind::private_key, "EC PRIVATE KEY", sec1(key, true), pkcs8, key);
    }
  }
  const Key& rsa = keys[0];
  const Key& edwards = keys[6];
  const Key leaf = make_ec(dice, "P-256");
  const base::Bytes own = certificate(dice, rsa, rsa, "Shop One", "Shop One");
  const base::Bytes own_edwards = certificate(dice, edwards, edwards, "Shop Two", "Shop Two");
  const base::Bytes issued = certificate(dice, leaf, rsa, "Shop Three", "Shop One");
  add("certificate RSA", intake::Kind::certificate, "CERTIFICATE", own, own, rsa);
  add("certificate Ed25519", intake::Kind::certificate, "CERTIFICATE", own_edwards, own_edwards, edwards);
  add("certificate P-256", intake::Kind::certificate, "CERTIFICATE", issued, issued, leaf);
  const base::Bytes asked = request(rsa);
  add("request", intake::Kind::certificate_request, "CERTIFICATE REQUEST", asked, asked, rsa);
  const base::Bytes list = revocation_list(rsa);
  add("revocation list", intake::Kind::revocation_list, "X509 CRL", list, list, rsa);
  return out;
}

}  // namespace corpus
