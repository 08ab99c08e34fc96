#include "crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include "base/check.h"

namespace crypto {
namespace {

// Fetched once, kept until the process ends.
EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  CHECK_THAT(algorithm != nullptr, "OpenSSL offers no HMAC");
  return algorithm;
}

}  // namespace

std::uint64_t siphash64(SipKeyView key, base::ByteView message) {
  std::uint8_t tag[crypto_shorthash_siphash24_BYTES];
  crypto_shorthash_siphash24(tag, message.data(), message.size(), key.data());
  return base::load_le<std::uint64_t>(tag);
}

base::Tag128 siphash128(SipKeyView key, base::ByteView message) {
  base::Tag128 tag;
  static_assert(tag.size() == crypto_shorthash_siphashx24_BYTES);
  crypto_shorthash_siphashx24(tag.data(), message.data(), message.size(), key.data());
  return tag;
}

HmacSha256::HmacSha256(base::ByteView key) : context_(EVP_MAC_CTX_new(hmac_algorithm())) {
  CHECK(context_ != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  // OpenSSL takes a null key for "keep the old one", so an empty key needs an address.
  static constexpr std::uint8_t nothing[1] = {};
  CHECK(EVP_MAC_init(context_, key.empty() ? nothing : key.data(), key.size(), parameters) == 1);
}

HmacSha256::~HmacSha256() { EVP_MAC_CTX_free(context_); }

void HmacSha256::update(base::ByteView bytes) { CHECK(EVP_MAC_update(context_, bytes.data(), bytes.size()) == 1); }

base::Digest HmacSha256::finish() {
  base::Digest mac;
  std::size_t written = 0;
  CHECK(EVP_MAC_final(context_, mac.data(), &written, mac.size()) == 1 && written == mac.size());
  CHECK(EVP_MAC_init(context_, nullptr, 0, nullptr) == 1);
  return mac;
}

base::Digest hmac_sha256(base::ByteView key, base::ByteView message) {
  HmacSha256 mac(key);
  mac.update(message);
  return mac.finish();
}

}  // namespace crypto
