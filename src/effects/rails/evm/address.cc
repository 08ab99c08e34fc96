#include "effects/rails/evm/address.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "crypto/keccak.h"

namespace effects {

std::optional<EvmAddress> parse_evm_address(std::string_view text) {
  if (!text.starts_with("0x") || text.size() != 42) return std::nullopt;
  const auto bytes = base::parse_hex(text.substr(2));
  if (!bytes) return std::nullopt;
  EvmAddress address;
  std::ranges::copy(*bytes, address.begin());
  const auto upper = [](char c) { return c >= 'A' && c <= 'F'; };
  const auto lower = [](char c) { return c >= 'a' && c <= 'f'; };
  const bool mixed = std::ranges::any_of(text.substr(2), upper) && std::ranges::any_of(text.substr(2), lower);
  if (mixed && to_text(address) != text) return std::nullopt;
  return address;
}

std::string to_text(const EvmAddress& address) {
  std::string digits = base::to_hex(address);
  const base::Digest digest = crypto::keccak256(base::as_bytes(digits));
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const unsigned nibble = i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15u;
    if (nibble >= 8 && digits[i] >= 'a') digits[i] = static_cast<char>(digits[i] - 'a' + 'A');
  }
  return "0x" + digits;
}

EvmAddress address_of_public_key(base::ByteView public_key) {
  CHECK(public_key.size() == 64);
  const base::Digest digest = crypto::keccak256(public_key);
  EvmAddress address;
  std::copy(digest.end() - 20, digest.end(), address.begin());
  return address;
}

}  // namespace effects
