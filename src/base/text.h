#pragma once
// Bytes as text: hex, base64 (RFC 4648), Crockford base32 for identifiers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace base {

/// Lower-case hex, two digits a byte.
std::string to_hex(ByteView bytes);
/// Accepts both cases; nothing for odd length or any other character.
std::optional<Bytes> parse_hex(std::string_view text);

/// RFC 4648 section 4, padded.
std::string to_base64(ByteView bytes);
/// RFC 4648 section 5 (URL alphabet), without padding.
std::string to_base64url(ByteView bytes);
/// Strict inverse of to_base64: padding required, no blanks, unused bits zero.
std::optional<Bytes> parse_base64(std::string_view text);
/// Strict inverse of to_base64url: no padding, unused bits zero.
std::optional<Bytes> parse_base64url(std::string_view text);

/// 13 lower-case Crockford base32 digits, most significant first, so that text order is number order.
std::string to_base32(std::uint64_t value);
/// The inverse; only the canonical lower-case form is taken (an id has exactly one spelling).
std::optional<std::uint64_t> parse_base32(std::string_view text);

/// True for well-formed UTF-8 (RFC 3629: no surrogates, no over-long forms, at most U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace base
