#pragma once
// Keyed hashes. SipHash for what only has to be unguessable inside the service (key scopes, fingerprints), HMAC-SHA-256
// for what leaves it (tokens, webhooks).

#include <cstdint>
#include <span>

#include "base/bytes.h"

struct evp_mac_ctx_st;  // OpenSSL's context; its headers stay in mac.cc

namespace crypto {

using SipKeyView = std::span<const std::uint8_t, 16>;

/// SipHash-2-4 with 64-bit output (Aumasson and Bernstein 2012), as the little-endian number of its eight bytes.
std::uint64_t siphash64(SipKeyView key, base::ByteView message);
/// SipHash-2-4 with 128-bit output.
base::Tag128 siphash128(SipKeyView key, base::ByteView message);

/// HMAC-SHA-256 (RFC 2104) under one key, reusable. Holds the key in ordinary memory until destroyed, which wipes it.
/// Not for two threads at a time.
class HmacSha256 {
 public:
  /// A key of any length, empty included.
  explicit HmacSha256(base::ByteView key);
  ~HmacSha256();
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;

  void update(base::ByteView bytes);
  /// MAC of everything fed; the object is then ready for another message under the same key.
  base::Digest finish();

 private:
  evp_mac_ctx_st* context_;
};

/// HMAC-SHA-256 of one message. Any thread. Compare results with base::equal_constant_time.
base::Digest hmac_sha256(base::ByteView key, base::ByteView message);

}  // namespace crypto
