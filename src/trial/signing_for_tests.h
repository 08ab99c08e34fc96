#pragma once
// Real signatures for the trial's tests: what a partner would send, to be damaged in one way at a time.

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"
#include "crypto/public_verifier.h"
#include "intake/doctor.h"
#include "trial/scheme.h"
#include "trial/trial.h"
#include "wire/json_writer.h"

namespace trial::signing {

using base::Bytes;

inline void must(bool good) {
  if (!good) std::abort();
}

/// A key pair of a test. Copies share the key.
class KeyPair {
 public:
  static KeyPair rsa(unsigned bits = 2048) { return KeyPair(EVP_RSA_gen(bits)); }
  static KeyPair ec(const char* curve = "P-256") { return KeyPair(EVP_EC_gen(curve)); }
  static KeyPair ed25519() { return KeyPair(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }
  static KeyPair sm2() { return KeyPair(EVP_PKEY_Q_keygen(nullptr, nullptr, "SM2")); }

  EVP_PKEY* get() const { return key_.get(); }
  Bytes spki() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &der);
    must(size > 0);
    Bytes out(der, der + size);
    OPENSSL_free(der);
    return out;
  }
  std::string pem() const { return std::string(intake::to_pem("PUBLIC KEY", spki())); }
  std::string private_pem() const {
    unsigned char* der = nullptr;
    PKCS8_PRIV_KEY_INFO* const info = EVP_PKEY2PKCS8(key_.get());
    const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    must(size > 0);
    std::string out(intake::to_pem("PRIVATE KEY", {der, static_cast<std::size_t>(size)}));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return out;
  }
  /// Signature octets of the scheme; ECDSA and SM2 raw or DER as it says.
  Bytes sign(const Scheme& scheme, std::string_view text) const;

 private:
  explicit KeyPair(EVP_PKEY* key) : key_(key, EVP_PKEY_free) { must(key != nullptr); }
  std::shared_ptr<EVP_PKEY> key_;
};

inline Bytes KeyPair::sign(const Scheme& scheme, std::string_view text) const {
  const Bytes message = prehashed(scheme, base::as_bytes(text));
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* settings = EVP_PKEY_CTX_new(key_.get(), nullptr);
  if (scheme.algorithm == Algorithm::sm2) {
    must(EVP_PKEY_CTX_set1_id(settings, scheme.user_id.data(), static_cast<int>(scheme.user_id.size())) > 0);
  }
  EVP_MD_CTX_set_pkey_ctx(context, settings);
  const std::string name(crypto::name_of(scheme.hash));
  EVP_MD* const md = name.empty() ? nullptr : EVP_MD_fetch(nullptr, name.c_str(), nullptr);
  must(EVP_DigestSignInit(context, nullptr, md, nullptr, key_.get()) == 1);
  if (scheme.algorithm == Algorithm::rsa_pss) {
    must(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1);
    must(EVP_PKEY_CTX_set_rsa_pss_saltlen(
             settings, scheme.salt_bytes ? static_cast<int>(*scheme.salt_bytes) : RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::size_t size = 0;
  must(EVP_DigestSign(context, nullptr, &size, message.data(), message.size()) == 1);
  Bytes out(size);
  must(EVP_DigestSign(context, out.data(), &size, message.data(), message.size()) == 1);
  out.resize(size);
  EVP_MD_free(md);
  EVP_MD_CTX_free(context);
  EVP_PKEY_CTX_free(settings);
  const bool pair = scheme.algorithm == Algorithm::ecdsa || scheme.algorithm == Algorithm::sm2;
  if (pair && !scheme.der) {
    auto verifier = crypto::PublicVerifier::of_spki(spki());
    must(verifier.ok());
    out = crypto::signature_der_to_raw(out, verifier->signature_bytes() / 2).value();
  }
  return out;
}

/// The answer to a case that a test writes.
inline Answer try_it(const Case& one) {
  Steps steps;
  return try_case(one, steps);
}
inline Material material(std::string_view text, std::string_view key_id = {}) {
  return {intake::to_secret(base::as_bytes(text)), std::string(key_id)};
}

/// Cause of the answer, `verified` when there is none.
inline std::string code(const Answer& answer) {
  return answer.cause() == nullptr ? "verified" : std::string(answer.cause()->code());
}

}  // namespace trial::signing
