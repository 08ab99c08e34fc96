#pragma once
// The wire form of SSH (RFC 4251 section 5) and what keys look like in it. Inside of the room only.

#include <cstdint>
#include <optional>
#include <string_view>

#include "intake/key.h"

namespace intake {

/// Reads strings, multiple-precision integers and numbers; after a failure it stays failed.
class SshCursor {
 public:
  explicit SshCursor(base::ByteView bytes) : bytes_(bytes) {}
  std::optional<std::uint32_t> number();
  std::optional<base::ByteView> string();
  /// A non-negative mpint without its sign byte.
  std::optional<base::ByteView> mpint();
  std::string_view text();
  bool at_end() const { return at_ == bytes_.size(); }
  std::size_t position() const { return at_; }
  base::ByteView rest() const { return bytes_.subspan(at_); }

 private:
  base::ByteView bytes_;
  std::size_t at_ = 0;
};

/// Fields of a public key after its type name. Nothing, with a finding, when they cannot be read.
std::optional<Key> read_ssh_public(SshCursor& cursor, std::string_view type, const Desk& desk);
/// An RSA key from n, e, d, p, q, iqmp: computes the exponents of the primes.
void complete_rsa(Key& key);

}  // namespace intake
