#pragma once
// IP addresses as text and bytes: RFC 3986 section 3.2.2 for version 4, RFC 4291 for version 6, RFC 5952 for writing.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace crypto::chain {

/// 4 or 16 bytes in network order.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;
  base::ByteView view() const { return {bytes.data(), size}; }
};

/// Four decimal numbers without leading zeros, or a version 6 address (`::` once, a version 4 tail allowed). No zone,
/// brackets or prefix length.
std::optional<Address> parse_address(std::string_view text);

/// The one text RFC 5952 allows; empty unless `bytes` has 4 or 16 bytes. Version-4-mapped addresses keep the dotted tail.
std::string address_text(base::ByteView bytes);

}  // namespace crypto::chain
