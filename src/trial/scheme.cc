#include "trial/scheme.h"

#include "base/text.h"

namespace trial {
namespace {

using base::Bytes;
using base::ByteView;
using crypto::PublicVerifier;
using crypto::chain::Hash;
using crypto::chain::KeyKind;

struct Named {
  std::string_view name;
  Algorithm algorithm;
  Hash hash;
  bool der = false;
};

constexpr Named names[] = {
    // RFC 9421 section 6.2.2
    {"rsa-pss-sha512", Algorithm::rsa_pss, Hash::sha512},
    {"rsa-v1_5-sha256", Algorithm::rsa_pkcs1, Hash::sha256},
    {"hmac-sha256", Algorithm::hmac, Hash::sha256},
    {"ecdsa-p256-sha256", Algorithm::ecdsa, Hash::sha256},
    {"ecdsa-p384-sha384", Algorithm::ecdsa, Hash::sha384},
    {"ed25519", Algorithm::eddsa, Hash::none},
    // RFC 7518, RFC 8037, RFC 8812
    {"RS256", Algorithm::rsa_pkcs1, Hash::sha256},
    {"RS384", Algorithm::rsa_pkcs1, Hash::sha384},
    {"RS512", Algorithm::rsa_pkcs1, Hash::sha512},
    {"PS256", Algorithm::rsa_pss, Hash::sha256},
    {"PS384", Algorithm::rsa_pss, Hash::sha384},
    {"PS512", Algorithm::rsa_pss, Hash::sha512},
    {"ES256", Algorithm::ecdsa, Hash::sha256},
    {"ES256K", Algorithm::ecdsa, Hash::sha256},
    {"ES384", Algorithm::ecdsa, Hash::sha384},
    {"ES512", Algorithm::ecdsa, Hash::sha512},
    {"EdDSA", Algorithm::eddsa, Hash::none},
    {"Ed25519", Algorithm::eddsa, Hash::none},
    {"HS256", Algorithm::hmac, Hash::sha256},
    {"HS384", Algorithm::hmac, Hash::sha384},
    {"HS512", Algorithm::hmac, Hash::sha512},
    // our own, for byte strings
    {"rsa-pkcs1-sha1", Algorithm::rsa_pkcs1, Hash::sha1},
    {"rsa-pkcs1-sha256", Algorithm::rsa_pkcs1, Hash::sha256},
    {"rsa-pkcs1-sha384", Algorithm::rsa_pkcs1, Hash::sha384},
    {"rsa-pkcs1-sha512", Algorithm::rsa_pkcs1, Hash::sha512},
    {"rsa-pss-sha256", Algorithm::rsa_pss, Hash::sha256},
    {"rsa-pss-sha384", Algorithm::rsa_pss, Hash::sha384},
    {"ecdsa-sha256", Algorithm::ecdsa, Hash::sha256},
    {"ecdsa-sha384", Algorithm::ecdsa, Hash::sha384},
    {"ecdsa-sha512", Algorithm::ecdsa, Hash::sha512},
    {"ecdsa-sha256-der", Algorithm::ecdsa, Hash::sha256, true},
    {"ecdsa-sha384-der", Algorithm::ecdsa, Hash::sha384, true},
    {"ecdsa-sha512-der", Algorithm::ecdsa, Hash::sha512, true},
    {"ed448", Algorithm::eddsa, Hash::none},
    {"sm2-sm3", Algorithm::sm2, Hash::sm3, true},
    {"sm2-sm3-raw", Algorithm::sm2, Hash::sm3},
    {"hmac-sha384", Algorithm::hmac, Hash::sha384},
    {"hmac-sha512", Algorithm::hmac, Hash::sha512},
};

}  // namespace

std::optional<Scheme> scheme_of_name(std::string_view name) {
  for (const Named& row : names) {
    if (row.name == name) return Scheme{.algorithm = row.algorithm, .hash = row.hash, .der = row.der};
  }
  return std::nullopt;
}

std::optional<Scheme> usual_scheme(KeyKind kind) {
  switch (kind) {
    case KeyKind::rsa: return Scheme{.algorithm = Algorithm::rsa_pkcs1, .hash = Hash::sha256};
    case KeyKind::rsa_pss: return Scheme{.algorithm = Algorithm::rsa_pss, .hash = Hash::sha256};
    case KeyKind::ec: return Scheme{.algorithm = Algorithm::ecdsa, .hash = Hash::sha256};
    case KeyKind::sm2: return Scheme{.algorithm = Algorithm::sm2, .hash = Hash::sm3, .der = true};
    case KeyKind::ed25519:
    case KeyKind::ed448: return Scheme{.algorithm = Algorithm::eddsa, .hash = Hash::none};
    case KeyKind::dsa:
    case KeyKind::other: break;
  }
  return std::nullopt;
}

bool can_make(KeyKind kind, const Scheme& scheme) {
  switch (scheme.algorithm) {
    case Algorithm::rsa_pkcs1: return kind == KeyKind::rsa;
    case Algorithm::rsa_pss: return kind == KeyKind::rsa || kind == KeyKind::rsa_pss;
    case Algorithm::ecdsa: return kind == KeyKind::ec;
    case Algorithm::eddsa: return kind == KeyKind::ed25519 || kind == KeyKind::ed448;
    case Algorithm::ed25519ph: return kind == KeyKind::ed25519;
    case Algorithm::sm2: return kind == KeyKind::sm2;
    case Algorithm::hmac: break;
  }
  return false;
}

std::string describe(const Scheme& scheme) {
  const std::string hash(crypto::name_of(scheme.hash));
  std::string text;
  switch (scheme.algorithm) {
    case Algorithm::rsa_pkcs1: text = "RSA PKCS#1 v1.5 with " + hash; break;
    case Algorithm::rsa_pss:
      text = "RSA-PSS with " + hash;
      if (scheme.any_salt) {
        text += " and a salt of any length";
      } else if (scheme.salt_bytes) {
        text += " and a salt of " + std::to_string(*scheme.salt_bytes) + " bytes";
      }
      break;
    case Algorithm::ecdsa: text = "ECDSA with " + hash + (scheme.der ? " (DER)" : " (r||s)"); break;
    case Algorithm::eddsa: text = "EdDSA"; break;
    case Algorithm::ed25519ph: text = "Ed25519ph"; break;
    case Algorithm::sm2: text = std::string("SM2 with SM3") + (scheme.der ? " (DER)" : " (r||s)"); break;
    case Algorithm::hmac: text = "HMAC with " + hash; break;
  }
  switch (scheme.prehash) {
    case Prehash::none: break;
    case Prehash::digest: text += " over the " + std::string(crypto::name_of(scheme.prehash_hash)) + " digest"; break;
    case Prehash::hex_digest:
      text += " over the hexadecimal " + std::string(crypto::name_of(scheme.prehash_hash)) + " digest";
      break;
    case Prehash::upper_hex_digest:
      text += " over the upper-case hexadecimal " + std::string(crypto::name_of(scheme.prehash_hash)) + " digest";
      break;
  }
  return text;
}

Bytes prehashed(const Scheme& scheme, ByteView text) {
  if (scheme.prehash == Prehash::none) return base::to_bytes(text);
  Bytes digest = crypto::digest(scheme.prehash_hash, text);
  if (scheme.prehash == Prehash::digest) return digest;
  std::string hex = base::to_hex(digest);
  if (scheme.prehash == Prehash::upper_hex_digest) {
    for (char& c : hex) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return base::to_bytes(base::as_bytes(hex));
}

bool is_good(const PublicVerifier& key, const Scheme& scheme, ByteView text, ByteView signature) {
  if (!can_make(key.kind(), scheme)) return false;
  const Bytes message = prehashed(scheme, text);
  std::optional<Bytes> der;
  if (scheme.algorithm == Algorithm::ecdsa || scheme.algorithm == Algorithm::sm2) {
    // The exact length decides, never the first byte: r||s may well begin with 0x30.
    if (!scheme.der && signature.size() != key.signature_bytes()) return false;
    der = scheme.der ? base::to_bytes(signature) : crypto::signature_raw_to_der(signature);
    if (!der) return false;
  }
  switch (scheme.algorithm) {
    case Algorithm::rsa_pkcs1: return key.rsa_pkcs1(scheme.hash, crypto::digest(scheme.hash, message), signature);
    case Algorithm::rsa_pss: {
      std::optional<std::uint32_t> salt =
          scheme.salt_bytes.value_or(static_cast<std::uint32_t>(crypto::size_of(scheme.hash)));
      if (scheme.any_salt) salt.reset();
      return key.rsa_pss(scheme.hash, salt, crypto::digest(scheme.hash, message), signature);
    }
    case Algorithm::ecdsa: return key.ecdsa(crypto::digest(scheme.hash, message), *der);
    case Algorithm::eddsa: return key.eddsa(message, signature);
    case Algorithm::ed25519ph: return key.ed25519ph(message, signature);
    case Algorithm::sm2: return key.sm2(scheme.user_id, message, *der);
    case Algorithm::hmac: break;
  }
  return false;
}

bool is_good_mac(ByteView secret, const Scheme& scheme, ByteView text, ByteView mac) {
  if (scheme.algorithm != Algorithm::hmac || secret.empty()) return false;
  const Bytes message = prehashed(scheme, text);
  return base::equal_constant_time(crypto::hmac(scheme.hash, secret, message), mac);
}

}  // namespace trial
