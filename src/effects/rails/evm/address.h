#pragma once
// Addresses on EVM chains and their text: `0x` and 40 hex digits, whose mixed case is a checksum (EIP-55). Pure.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace effects {

using EvmAddress = std::array<std::uint8_t, 20>;

/// Digits all in lower or all in upper case carry no checksum and are taken as they are; of mixed case every letter must be
/// as EIP-55 has it.
std::optional<EvmAddress> parse_evm_address(std::string_view text);
/// With the checksum.
std::string to_text(const EvmAddress& address);
/// Of a public key, X and Y (64 bytes).
EvmAddress address_of_public_key(base::ByteView public_key);

}  // namespace effects
