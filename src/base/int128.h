#pragma once
// 128-bit unsigned integers with checked arithmetic: the carrier of money. Amounts end at 2^127 - 1 so that the sum of
// any two fits the type.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

__extension__ typedef unsigned __int128 U128;

constexpr U128 u128_max = ~static_cast<U128>(0);
/// Largest amount and largest counter of an account (design section 6): 2^127 - 1.
constexpr U128 amount_max = u128_max >> 1;

constexpr std::uint64_t high64(U128 value) { return static_cast<std::uint64_t>(value >> 64); }
constexpr std::uint64_t low64(U128 value) { return static_cast<std::uint64_t>(value); }
constexpr U128 make_u128(std::uint64_t high, std::uint64_t low) { return (static_cast<U128>(high) << 64) | low; }

/// a + b, or nothing where it would exceed `amount_max`.
constexpr std::optional<U128> checked_add(U128 a, U128 b) {
  if (a > amount_max || b > amount_max - a) return std::nullopt;
  return a + b;
}
/// a - b, or nothing where it would be negative.
constexpr std::optional<U128> checked_sub(U128 a, U128 b) {
  if (b > a) return std::nullopt;
  return a - b;
}

/// Decimal digits without sign, leading zeros or separators; "0" for zero.
std::string to_decimal(U128 value);
/// The inverse of to_decimal, and only that: empty text, signs, leading zeros, blanks, exponents, values above
/// `amount_max` give nothing.
std::optional<U128> parse_decimal(std::string_view text);

}  // namespace base
