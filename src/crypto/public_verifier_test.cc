#include "crypto/public_verifier.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/text.h"
#include "crypto/chain/maker_for_tests.h"

#include <doctest/doctest.h>

namespace crypto {
namespace {

using base::Bytes;
using chain::Hash;
using chain::making::Key;

const Bytes message = chain::making::raw("settle 2026-02-02");

PublicVerifier verifier_of(const Key& key) {
  auto made = PublicVerifier::of_spki(key.spki);
  REQUIRE(made.ok());
  return std::move(*made);
}

}  // namespace

TEST_CASE("RSA: PKCS#1 v1.5 verifies, shows what it was made over, and nothing else passes for it") {
  const Key key = Key::rsa(), other = Key::rsa();
  const PublicVerifier verifier = verifier_of(key);
  CHECK_EQ(verifier.description(), "RSA 2048");
  CHECK_EQ(verifier.signature_bytes(), 256);
  const Bytes signature = key.sign(message);
  const Bytes good = digest(Hash::sha256, message);
  CHECK(verifier.rsa_pkcs1(Hash::sha256, good, signature));
  CHECK_FALSE(verifier.rsa_pkcs1(Hash::sha1, digest(Hash::sha1, message), signature));
  CHECK_FALSE(verifier.rsa_pkcs1(Hash::sha256, base::ByteView(good).first(20), signature));
  CHECK_FALSE(verifier.rsa_pss(Hash::sha256, std::nullopt, good, signature));
  CHECK_FALSE(verifier.ecdsa(good, signature));
  CHECK_FALSE(verifier.eddsa(message, signature));
  CHECK_FALSE(verifier.sm2("", message, signature));
  CHECK_FALSE(verifier.ed25519ph(message, signature));
  const auto opened = verifier.recover(signature);
  REQUIRE(opened.has_value());
  CHECK(opened->hash == Hash::sha256);
  CHECK_EQ(opened->digest, good);
  CHECK_FALSE(verifier_of(other).recover(signature).has_value());
  CHECK_FALSE(verifier.recover(base::ByteView(signature).first(255)).has_value());
}

TEST_CASE("ECDSA: both forms of a signature, and a high s") {
  const Key key = Key::ec();
  const PublicVerifier verifier = verifier_of(key);
  const Bytes der = key.sign(message);
  CHECK(verifier.ecdsa(digest(Hash::sha256, message), der));
  const auto raw = signature_der_to_raw(der, 32);
  REQUIRE(raw.has_value());
  CHECK_EQ(raw->size(), verifier.signature_bytes());
  CHECK_EQ(signature_raw_to_der(*raw).value(), der);
  CHECK_FALSE(verifier.recover(der).has_value());
  Bytes high(64, 0xFF);
  CHECK(verifier.has_high_s(high));
  high[32] = 0x01;
  CHECK_FALSE(verifier.has_high_s(high));
}

TEST_CASE("text that is no pair of numbers has no other form") {
  CHECK_FALSE(signature_raw_to_der({}).has_value());
  CHECK_FALSE(signature_raw_to_der(Bytes(63)).has_value());
  CHECK_FALSE(signature_raw_to_der(Bytes(134)).has_value());
  CHECK_EQ(signature_raw_to_der(*base::parse_hex("0081")).value(), *base::parse_hex("300702010002020081"));
  CHECK_EQ(signature_raw_to_der(Bytes(132, 0xFF))->at(1), 0x81);
  for (const char* const bad :
       {"", "3000", "3003020101", "300602010102010100", "30060201ff020101", "300702020001020101"}) {
    CAPTURE(bad);
    CHECK_FALSE(signature_der_to_raw(*base::parse_hex(bad), 32).has_value());
  }
  CHECK_FALSE(signature_der_to_raw(*base::parse_hex("300702010102020101"), 1).has_value());
}

TEST_CASE("keys that cannot be read or cannot sign are refused by name") {
  CHECK_EQ(PublicVerifier::of_spki({}).error().code, std::string_view("public_key_unreadable"));
  const Key agreement(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
  CHECK_EQ(PublicVerifier::of_spki(agreement.spki).error().code, std::string_view("public_key_cannot_verify"));
  Bytes off_curve = Key::ec().spki;
  off_curve.back() = static_cast<std::uint8_t>(off_curve.back() ^ 1);
  CHECK_EQ(PublicVerifier::of_spki(off_curve).error().code, std::string_view("public_key_unreadable"));
}

TEST_CASE("HMAC with every hash: RFC 2202 and RFC 4231, test case 2") {
  const Bytes key = chain::making::raw("Jefe"), text = chain::making::raw("what do ya want for nothing?");
  CHECK_EQ(base::to_hex(hmac(Hash::md5, key, text)), "750c783e6ab0b503eaa86e310a5db738");
  CHECK_EQ(base::to_hex(hmac(Hash::sha1, key, text)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK_EQ(base::to_hex(hmac(Hash::sha256, key, text)),
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK_EQ(hmac(Hash::sha512, {}, {}).size(), 64);
  CHECK_EQ(name_of(Hash::sm3), "SM3");
  CHECK_EQ(name_of(Hash::none), "");
}

}  // namespace crypto
