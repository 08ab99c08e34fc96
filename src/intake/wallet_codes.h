#pragma once
// Text encodings of wallets: base58 with checksums, bech32 and bech32m (BIP-173, BIP-350), EIP-55.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "intake/wiped.h"

namespace intake {

/// Bitcoin's base58 digits. Nothing for another character, or more than 256 of them.
std::optional<Secret> from_base58(std::string_view text);
Text to_base58(base::ByteView bytes);
/// Base58 whose last four bytes are the start of SHA-256(SHA-256(rest)); the rest. Nothing when the check fails.
std::optional<Secret> from_base58check(std::string_view text);
Text to_base58check(base::ByteView payload);
bool is_base58(std::string_view text);

struct Bech32 {
  std::string prefix;
  Secret values;     ///< 5-bit groups without the checksum
  bool is_m = false; ///< bech32m
};
/// Nothing when the checksum of neither version fits, or cases are mixed.
std::optional<Bech32> from_bech32(std::string_view text);
/// 5-bit groups to bytes; nothing for wrong padding.
std::optional<Secret> from_groups(base::ByteView groups);
/// The inverses. `groups` are below 32, `prefix` is in lower case.
Secret to_groups(base::ByteView bytes);
std::string to_bech32(std::string_view prefix, base::ByteView groups, bool is_m);

/// The mixed case of EIP-55 for 40 hex digits.
std::string eip55(std::string_view digits);

}  // namespace intake
