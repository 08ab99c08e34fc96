#include "crypto/hash.h"

#include <openssl/evp.h>

#include <utility>

#include "base/check.h"

namespace crypto {
namespace {

// Fetched once, kept until the process ends.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK_THAT(algorithm != nullptr, "OpenSSL offers no SHA-256");
  return algorithm;
}

Sha256& of_this_thread() {
  thread_local Sha256 hash;
  return hash;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr);
  reset();
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

void Sha256::reset() {
  CHECK(EVP_DigestInit_ex2(context_, EVP_MD_CTX_get0_md(context_) == nullptr ? sha256_algorithm() : nullptr, nullptr) ==
        1);
}

void Sha256::update(base::ByteView bytes) { CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1); }

void Sha256::finish_into(std::uint8_t* out) {
  CHECK(EVP_DigestFinal_ex(context_, out, nullptr) == 1);
  reset();
}

base::Digest Sha256::finish() {
  base::Digest digest;
  finish_into(digest.data());
  return digest;
}

base::Digest Sha256::digest(base::ByteView bytes) {
  reset();
  update(bytes);
  return finish();
}

base::Digest sha256(base::ByteView bytes) {
  Sha256& hash = of_this_thread();
  hash.update(bytes);
  return hash.finish();
}

base::Digest sha256(std::initializer_list<base::ByteView> parts) {
  Sha256& hash = of_this_thread();
  for (base::ByteView part : parts) hash.update(part);
  return hash.finish();
}

base::Digest sha256_leaf(std::initializer_list<base::ByteView> parts) {
  static constexpr std::uint8_t prefix[1] = {0x00};
  Sha256& hash = of_this_thread();
  hash.update(prefix);
  for (base::ByteView part : parts) hash.update(part);
  return hash.finish();
}

base::Digest sha256_node(const base::Digest& left, const base::Digest& right) {
  std::uint8_t input[65];
  input[0] = 0x01;
  std::memcpy(input + 1, left.data(), 32);
  std::memcpy(input + 33, right.data(), 32);
  return sha256(input);
}

}  // namespace crypto
