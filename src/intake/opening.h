#pragma once
// Opening encrypted containers: key derivations, ciphers and digests, with the caps of the policy checked before any work.
// Inside of the room only.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "intake/doctor.h"
#include "intake/wiped.h"

namespace intake {

enum class Hash : std::uint8_t { md5, sha1, sha224, sha256, sha384, sha512, ripemd160, sm3 };
std::size_t hash_bytes(Hash hash);
Secret digest(Hash hash, base::ByteView message);
Secret hmac(Hash hash, base::ByteView key, base::ByteView message);
std::optional<Hash> hash_of_oid(base::ByteView oid);       ///< digest identifiers
std::optional<Hash> hmac_hash_of_oid(base::ByteView oid);  ///< hmacWith... identifiers

/// True when `rounds` and `memory_bytes` are within the policy. To be asked before deriving.
bool is_affordable(const Policy& policy, std::uint64_t rounds, std::uint64_t memory_bytes);

/// PBKDF2 (RFC 8018).
Secret pbkdf2(Hash hash, base::ByteView password, base::ByteView salt, std::uint64_t rounds, std::size_t size);
/// scrypt (RFC 7914). Nothing for impossible parameters.
std::optional<Secret> scrypt(base::ByteView password, base::ByteView salt, std::uint64_t n, std::uint64_t r, std::uint64_t p, std::size_t size);
/// PBKDF1 (RFC 8018) and the derivation of OpenSSL's traditional encryption (EVP_BytesToKey).
Secret pbkdf1(Hash hash, base::ByteView password, base::ByteView salt, std::uint64_t rounds, std::size_t size);
Secret bytes_to_key(Hash hash, base::ByteView password, base::ByteView salt, std::size_t size);
/// PKCS#12 derivation (RFC 7292, appendix B). `purpose`: 1 key, 2 initial vector, 3 MAC key. The password is BMPString
/// with its two zero bytes.
Secret pkcs12_derive(Hash hash, base::ByteView password, base::ByteView salt, std::uint64_t rounds, std::uint8_t purpose, std::size_t size);
/// UTF-8 to BMPString with the terminating zeros.
Secret bmp_password(std::string_view password);

enum class Cipher : std::uint8_t { aes128_cbc, aes192_cbc, aes256_cbc, aes128_ctr, aes192_ctr, aes256_ctr, aes256_gcm, aes128_gcm, des3_cbc, des_cbc, sm4_cbc, rc2_cbc, rc4 };
std::size_t cipher_key_bytes(Cipher cipher);
std::size_t cipher_block_bytes(Cipher cipher);
/// Decrypts; for block modes the padding (RFC 5652) is removed when `padded`. Nothing when length or padding is wrong or,
/// for GCM (tag behind the ciphertext), the tag is. The effective bits of RC2 are eight times the size of the key.
std::optional<Secret> decrypt(Cipher cipher, base::ByteView key, base::ByteView iv, base::ByteView text, bool padded = true);

/// RC2 (RFC 2268) and RC4, which OpenSSL 3 no longer loads by itself.
Secret rc2_cbc_decrypt(base::ByteView key, base::ByteView iv, base::ByteView text);
Secret rc4(base::ByteView key, base::ByteView text);

/// bcrypt_pbkdf of OpenBSD, as OpenSSH uses it.
Secret bcrypt_pbkdf(base::ByteView password, base::ByteView salt, std::uint32_t rounds, std::size_t size);

}  // namespace intake
