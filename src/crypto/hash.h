#pragma once
// SHA-256 (FIPS 180-4) through OpenSSL. The algorithm is fetched once for the process and contexts are reused: on short
// inputs that is three times faster than asking for it by name every time.

#include <initializer_list>

#include "base/bytes.h"

struct evp_md_ctx_st;  // OpenSSL's context; its headers stay in hash.cc

namespace crypto {

/// One running SHA-256. Ready for input after construction and after every finish(). Not for two threads at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&& other) noexcept;
  Sha256& operator=(Sha256&& other) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  /// Forgets what was fed since the last finish().
  void reset();
  void update(base::ByteView bytes);
  /// Digest of everything fed; the object is then as new.
  base::Digest finish();
  /// The same, written to 32 bytes the caller owns.
  void finish_into(std::uint8_t* out);

  /// reset, update, finish in one step.
  base::Digest digest(base::ByteView bytes);

 private:
  evp_md_ctx_st* context_;
};

/// SHA-256 of `bytes`. Any thread; each thread keeps one context.
base::Digest sha256(base::ByteView bytes);
/// SHA-256 of the parts one after the other.
base::Digest sha256(std::initializer_list<base::ByteView> parts);
/// SHA-256(0x00 || parts): the hash of a leaf (RFC 6962 section 2.1).
base::Digest sha256_leaf(std::initializer_list<base::ByteView> parts);
/// SHA-256(0x01 || left || right): the hash of an inner node (RFC 6962 section 2.1).
base::Digest sha256_node(const base::Digest& left, const base::Digest& right);

}  // namespace crypto
