#include "intake/opening.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "intake/oid.h"

namespace intake {
namespace {

using base::ByteView;

const EVP_MD* md_of(Hash hash) {
  switch (hash) {
    case Hash::md5: return EVP_md5();
    case Hash::sha1: return EVP_sha1();
    case Hash::sha224: return EVP_sha224();
    case Hash::sha256: return EVP_sha256();
    case Hash::sha384: return EVP_sha384();
    case Hash::sha512: return EVP_sha512();
    case Hash::ripemd160: return EVP_ripemd160();
    case Hash::sm3: return EVP_sm3();
  }
  return nullptr;
}

const EVP_CIPHER* evp_of(Cipher cipher) {
  switch (cipher) {
    case Cipher::aes128_cbc: return EVP_aes_128_cbc();
    case Cipher::aes192_cbc: return EVP_aes_192_cbc();
    case Cipher::aes256_cbc: return EVP_aes_256_cbc();
    case Cipher::aes128_ctr: return EVP_aes_128_ctr();
    case Cipher::aes192_ctr: return EVP_aes_192_ctr();
    case Cipher::aes256_ctr: return EVP_aes_256_ctr();
    case Cipher::aes128_gcm: return EVP_aes_128_gcm();
    case Cipher::aes256_gcm: return EVP_aes_256_gcm();
    case Cipher::des_cbc:
    case Cipher::des3_cbc: return EVP_des_ede3_cbc();
    case Cipher::sm4_cbc: return EVP_sm4_cbc();
    case Cipher::rc2_cbc:
    case Cipher::rc4: break;
  }
  return nullptr;
}

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

bool is_gcm(Cipher cipher) { return cipher == Cipher::aes128_gcm || cipher == Cipher::aes256_gcm; }

// RFC 5652 section 6.3.
bool strip_padding(Secret& plain, std::size_t block) {
  if (plain.empty()) return false;
  const std::size_t count = plain.back();
  if (count == 0 || count > block || count > plain.size()) return false;
  for (std::size_t i = plain.size() - count; i < plain.size(); ++i) {
    if (plain[i] != count) return false;
  }
  plain.resize(plain.size() - count);
  return true;
}

}  // namespace

std::size_t hash_bytes(Hash hash) { return static_cast<std::size_t>(EVP_MD_get_size(md_of(hash))); }

Secret digest(Hash hash, ByteView message) {
  Secret out(hash_bytes(hash));
  CHECK(EVP_Digest(message.data(), message.size(), out.data(), nullptr, md_of(hash), nullptr) == 1);
  return out;
}

Secret hmac(Hash hash, ByteView key, ByteView message) {
  Secret out(hash_bytes(hash));
  unsigned size = 0;
  const std::uint8_t none = 0;
  CHECK(HMAC(md_of(hash), key.empty() ? &none : key.data(), static_cast<int>(key.size()), message.data(), message.size(), out.data(), &size) != nullptr);
  return out;
}

std::optional<Hash> hash_of_oid(ByteView id) {
  if (oid::sha256 == id) return Hash::sha256;
  if (oid::sha1 == id) return Hash::sha1;
  if (oid::sha512 == id) return Hash::sha512;
  if (oid::sha384 == id) return Hash::sha384;
  if (oid::sha224 == id) return Hash::sha224;
  if (oid::md5 == id) return Hash::md5;
  if (oid::sm3 == id) return Hash::sm3;
  return std::nullopt;
}

std::optional<Hash> hmac_hash_of_oid(ByteView id) {
  if (oid::hmac_sha256 == id) return Hash::sha256;
  if (oid::hmac_sha1 == id) return Hash::sha1;
  if (oid::hmac_sha512 == id) return Hash::sha512;
  if (oid::hmac_sha384 == id) return Hash::sha384;
  if (oid::hmac_sha224 == id) return Hash::sha224;
  if (oid::hmac_sm3 == id) return Hash::sm3;
  return std::nullopt;
}

bool is_affordable(const Policy& policy, std::uint64_t rounds, std::uint64_t memory_bytes) {
  return rounds != 0 && rounds <= policy.derivation_rounds_max && memory_bytes <= policy.derivation_memory_max;
}

Secret pbkdf2(Hash hash, ByteView password, ByteView salt, std::uint64_t rounds, std::size_t size) {
  Secret out(size);
  CHECK(PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()), static_cast<int>(password.size()), salt.data(),
                          static_cast<int>(salt.size()), static_cast<int>(rounds), md_of(hash), static_cast<int>(size), out.data()) == 1);
  return out;
}

std::optional<Secret> scrypt(ByteView password, ByteView salt, std::uint64_t n, std::uint64_t r, std::uint64_t p, std::size_t size) {
  Secret out(size);
  // Not OpenSSL's: it refuses N >= 2^(16 r), which RFC 7914 demands but keystores with r = 1 ignore, and caps memory at
  // 32 MiB unless told otherwise. The policy's cap was checked before.
  if (n < 2 || (n & (n - 1)) != 0 || n > (1u << 30) || r == 0 || p == 0 || r > (1u << 20) || p > (1u << 20)) return std::nullopt;
  const int good = crypto_pwhash_scryptsalsa208sha256_ll(password.data(), password.size(), salt.data(), salt.size(), n,
                                                         static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(p), out.data(), size);
  if (good != 0) return std::nullopt;
  return out;
}

Secret pbkdf1(Hash hash, ByteView password, ByteView salt, std::uint64_t rounds, std::size_t size) {
  Secret block = to_secret(password);
  block.insert(block.end(), salt.begin(), salt.end());
  for (std::uint64_t i = 0; i < rounds; ++i) block = digest(hash, block);
  block.resize(std::min(size, block.size()));
  return block;
}

Secret bytes_to_key(Hash hash, ByteView password, ByteView salt, std::size_t size) {
  Secret out;
  Secret last;
  while (out.size() < size) {
    Secret message = last;
    message.insert(message.end(), password.begin(), password.end());
    message.insert(message.end(), salt.begin(), salt.end());
    last = digest(hash, message);
    out.insert(out.end(), last.begin(), last.end());
  }
  out.resize(size);
  return out;
}

Secret pkcs12_derive(Hash hash, ByteView password, ByteView salt, std::uint64_t rounds, std::uint8_t purpose, std::size_t size) {
  const std::size_t v = hash == Hash::sha384 || hash == Hash::sha512 ? 128 : 64;
  const auto stretched = [&](ByteView text) {
    Secret out;
    if (text.empty()) return out;
    out.resize((text.size() + v - 1) / v * v);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = text[i % text.size()];
    return out;
  };
  Secret input = stretched(salt);
  const Secret stretched_password = stretched(password);
  input.insert(input.end(), stretched_password.begin(), stretched_password.end());
  const Secret diversifier(v, purpose);
  Secret out;
  while (out.size() < size) {
    Secret a = diversifier;
    a.insert(a.end(), input.begin(), input.end());
    for (std::uint64_t i = 0; i < rounds; ++i) a = digest(hash, a);
    out.insert(out.end(), a.begin(), a.end());
    // Each block of the input grows by the digest, repeated to the block size, plus one.
    for (std::size_t block = 0; block < input.size(); block += v) {
      unsigned carry = 1;
      for (std::size_t i = v; i-- > 0;) {
        carry += input[block + i] + static_cast<unsigned>(a[i % a.size()]);
        input[block + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
      }
    }
  }
  out.resize(size);
  return out;
}

Secret bmp_password(std::string_view password) {
  Secret out;
  for (std::size_t at = 0; at < password.size();) {
    const auto lead = static_cast<unsigned char>(password[at]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t code = size == 1 ? lead : lead & (0xFFu >> (size + 1));
    for (std::size_t i = 1; i < size && at + i < password.size(); ++i) code = code << 6 | (static_cast<unsigned char>(password[at + i]) & 0x3F);
    at += size;
    const auto unit = [&](std::uint32_t value) {
      out.push_back(static_cast<std::uint8_t>(value >> 8));
      out.push_back(static_cast<std::uint8_t>(value));
    };
    if (code < 0x10000) {
      unit(code);
    } else {
      unit(0xD800 + ((code - 0x10000) >> 10));
      unit(0xDC00 + ((code - 0x10000) & 0x3FF));
    }
  }
  out.push_back(0);
  out.push_back(0);
  return out;
}

std::size_t cipher_key_bytes(Cipher cipher) {
  switch (cipher) {
    case Cipher::aes128_cbc:
    case Cipher::aes128_ctr:
    case Cipher::aes128_gcm:
    case Cipher::sm4_cbc:
    case Cipher::rc2_cbc:
    case Cipher::rc4: return 16;
    case Cipher::aes192_cbc:
    case Cipher::aes192_ctr:
    case Cipher::des3_cbc: return 24;
    case Cipher::aes256_cbc:
    case Cipher::aes256_ctr:
    case Cipher::aes256_gcm: return 32;
    case Cipher::des_cbc: return 8;
  }
  return 0;
}

std::size_t cipher_block_bytes(Cipher cipher) {
  switch (cipher) {
    case Cipher::des3_cbc:
    case Cipher::des_cbc:
    case Cipher::rc2_cbc: return 8;
    case Cipher::rc4: return 1;
    default: return 16;
  }
}

std::optional<Secret> decrypt(Cipher cipher, ByteView key, ByteView iv, ByteView text, bool padded) {
  if (cipher == Cipher::rc4) return rc4(key, text);
  const std::size_t block = cipher_block_bytes(cipher);
  const bool stream = cipher == Cipher::aes128_ctr || cipher == Cipher::aes192_ctr || cipher == Cipher::aes256_ctr || is_gcm(cipher);
  if (!stream && (text.empty() || text.size() % block != 0)) return std::nullopt;
  if (is_gcm(cipher) ? iv.size() != 12 || text.size() < 16 : iv.size() != block) return std::nullopt;
  Secret out;
  if (cipher == Cipher::rc2_cbc) {
    out = rc2_cbc_decrypt(key, iv, text);
  } else {
    Secret full = to_secret(key);
    if (cipher == Cipher::des_cbc) {
      full.insert(full.end(), key.begin(), key.end());
      full.insert(full.end(), key.begin(), key.end());
    }
    if (full.size() != cipher_key_bytes(cipher == Cipher::des_cbc ? Cipher::des3_cbc : cipher)) return std::nullopt;
    ByteView body = text;
    ByteView tag;
    if (is_gcm(cipher)) {
      tag = text.last(16);
      body = text.first(text.size() - 16);
    }
    std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> context(EVP_CIPHER_CTX_new());
    CHECK(context != nullptr);
    out.resize(body.size() + block);
    int size = 0;
    int last = 0;
    bool good = EVP_DecryptInit_ex(context.get(), evp_of(cipher), nullptr, full.data(), iv.data()) == 1 &&
                EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
                EVP_DecryptUpdate(context.get(), out.data(), &size, body.data(), static_cast<int>(body.size())) == 1;
    if (good && is_gcm(cipher)) {
      Secret copy = to_secret(tag);
      good = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, 16, copy.data()) == 1;
    }
    good = good && EVP_DecryptFinal_ex(context.get(), out.data() + size, &last) == 1;
    ERR_clear_error();
    if (!good) return std::nullopt;
    out.resize(static_cast<std::size_t>(size + last));
  }
  if (padded && !stream && !strip_padding(out, block)) return std::nullopt;
  return out;
}

}  // namespace intake
