#include "crypto/derive.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sodium.h>

#include "base/check.h"
#include "crypto/sodium.h"

namespace crypto {
namespace {

OSSL_PARAM octets(const char* name, base::ByteView bytes) {
  // OSSL_PARAM has no const variant; a key derivation only reads its parameters.
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

void hkdf_sha256(base::ByteView input_key, base::ByteView salt, base::ByteView info, std::span<std::uint8_t> out) {
  CHECK(!out.empty() && out.size() <= 255 * 32);
  EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  CHECK_THAT(algorithm != nullptr, "OpenSSL offers no HKDF");
  EVP_KDF_CTX* const context = EVP_KDF_CTX_new(algorithm);
  EVP_KDF_free(algorithm);
  CHECK(context != nullptr);
  char digest[] = "SHA256";
  OSSL_PARAM parameters[5];
  std::size_t count = 0;
  parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
  parameters[count++] = octets(OSSL_KDF_PARAM_KEY, input_key);
  // An absent salt means a string of zeros (RFC 5869 section 2.2), which is what leaving it out gives.
  if (!salt.empty()) parameters[count++] = octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) parameters[count++] = octets(OSSL_KDF_PARAM_INFO, info);
  parameters[count] = OSSL_PARAM_construct_end();
  const int done = EVP_KDF_derive(context, out.data(), out.size(), parameters);
  EVP_KDF_CTX_free(context);
  CHECK(done == 1);
}

base::Status key_from_passphrase(base::ByteView passphrase, std::span<const std::uint8_t, 16> salt, PassphraseCost cost,
                                 std::span<std::uint8_t, 32> out) {
  require_sodium();
  if (cost.passes < 1 || cost.passes > passphrase_cost_max.passes || cost.memory_kib < 8 ||
      cost.memory_kib > passphrase_cost_max.memory_kib) {
    return base::Error{"passphrase_cost_out_of_range", "passes " + std::to_string(cost.passes) + ", memory " +
                                                           std::to_string(cost.memory_kib) +
                                                           " KiB; allowed are 1 to 10 passes and 8 KiB to 1 GiB"};
  }
  if (crypto_pwhash(out.data(), out.size(), base::as_text(passphrase).data(), passphrase.size(), salt.data(),
                    cost.passes, std::size_t{cost.memory_kib} * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return base::Error{"passphrase_memory_unavailable",
                       std::to_string(cost.memory_kib) + " KiB could not be had for the key derivation"};
  }
  return base::ok();
}

}  // namespace crypto
