#include "intake/wallet_codes.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "crypto/hash.h"
#include "crypto/keccak.h"

namespace intake {
namespace {

using base::ByteView;

constexpr std::string_view base58_digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view bech32_digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

constexpr auto make_base58_values() {
  std::array<std::int8_t, 256> out{};
  for (auto& value : out) value = -1;
  for (std::size_t i = 0; i < base58_digits.size(); ++i) out[static_cast<unsigned char>(base58_digits[i])] = static_cast<std::int8_t>(i);
  return out;
}
constexpr auto base58_values = make_base58_values();

std::uint32_t bech32_step(std::uint32_t check, std::uint8_t value) {
  constexpr std::uint32_t generators[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  const std::uint32_t top = check >> 25;
  check = (check & 0x1ffffff) << 5 ^ value;
  for (unsigned i = 0; i < 5; ++i) {
    if ((top >> i & 1) != 0) check ^= generators[i];
  }
  return check;
}

// Over the prefix as BIP-173 expands it.
std::uint32_t bech32_start(std::string_view prefix) {
  std::uint32_t check = 1;
  for (const char c : prefix) check = bech32_step(check, static_cast<std::uint8_t>(c >> 5));
  check = bech32_step(check, 0);
  for (const char c : prefix) check = bech32_step(check, static_cast<std::uint8_t>(c & 31));
  return check;
}

constexpr std::uint32_t bech32_constant = 1, bech32m_constant = 0x2bc830a3;

base::Digest double_sha256(ByteView bytes) { return crypto::sha256(crypto::sha256(bytes)); }

}  // namespace

bool is_base58(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return base58_values[static_cast<unsigned char>(c)] >= 0; });
}

std::optional<Secret> from_base58(std::string_view text) {
  if (text.empty() || text.size() > 256 || !is_base58(text)) return std::nullopt;
  Secret number;  // little-endian base 256
  for (char c : text) {
    unsigned carry = static_cast<unsigned>(base58_values[static_cast<unsigned char>(c)]);
    for (std::uint8_t& byte : number) {
      carry += byte * 58u;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    while (carry != 0) {
      number.push_back(static_cast<std::uint8_t>(carry));
      carry >>= 8;
    }
  }
  for (std::size_t i = 0; i < text.size() && text[i] == '1'; ++i) number.push_back(0);
  std::reverse(number.begin(), number.end());
  return number;
}

Text to_base58(ByteView bytes) {
  Secret digits;  // little-endian base 58
  for (std::uint8_t byte : bytes) {
    unsigned carry = byte;
    for (std::uint8_t& digit : digits) {
      carry += digit * 256u;
      digit = static_cast<std::uint8_t>(carry % 58);
      carry /= 58;
    }
    while (carry != 0) {
      digits.push_back(static_cast<std::uint8_t>(carry % 58));
      carry /= 58;
    }
  }
  for (std::size_t i = 0; i < bytes.size() && bytes[i] == 0; ++i) digits.push_back(0);
  Text out;
  for (std::size_t i = digits.size(); i-- > 0;) out.push_back(base58_digits[digits[i]]);
  return out;
}

std::optional<Secret> from_base58check(std::string_view text) {
  auto bytes = from_base58(text);
  if (!bytes || bytes->size() < 5) return std::nullopt;
  const ByteView payload = ByteView(*bytes).first(bytes->size() - 4);
  const base::Digest check = double_sha256(payload);
  if (!std::equal(check.begin(), check.begin() + 4, bytes->end() - 4)) return std::nullopt;
  bytes->resize(bytes->size() - 4);
  return bytes;
}

Text to_base58check(ByteView payload) {
  Secret bytes = to_secret(payload);
  const base::Digest check = double_sha256(payload);
  bytes.insert(bytes.end(), check.begin(), check.begin() + 4);
  return to_base58(bytes);
}

std::optional<Bech32> from_bech32(std::string_view text) {
  const std::size_t one = text.rfind('1');
  if (one == std::string_view::npos || one == 0 || one + 7 > text.size() || text.size() > 120) return std::nullopt;
  bool lower = false;
  bool upper = false;
  Bech32 out;
  for (char c : text) {
    lower |= std::islower(static_cast<unsigned char>(c)) != 0;
    upper |= std::isupper(static_cast<unsigned char>(c)) != 0;
    if (c < 0x21 || c > 0x7E) return std::nullopt;
  }
  if (lower && upper) return std::nullopt;
  for (char c : text.substr(0, one)) out.prefix.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  std::uint32_t check = bech32_start(out.prefix);
  for (char c : text.substr(one + 1)) {
    const std::size_t value = bech32_digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (value == std::string_view::npos) return std::nullopt;
    check = bech32_step(check, static_cast<std::uint8_t>(value));
    out.values.push_back(static_cast<std::uint8_t>(value));
  }
  if (check != bech32_constant && check != bech32m_constant) return std::nullopt;
  out.is_m = check == bech32m_constant;
  out.values.resize(out.values.size() - 6);
  return out;
}

std::optional<Secret> from_groups(ByteView groups) {
  Secret out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (std::uint8_t group : groups) {
    bits = (bits << 5 | group) & 0xFFF;
    count += 5;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  if (count >= 5 || (bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return out;
}

Secret to_groups(ByteView bytes) {
  Secret out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8 | byte) & 0xFFF;
    for (count += 8; count >= 5; count -= 5) out.push_back(static_cast<std::uint8_t>(bits >> (count - 5) & 31));
  }
  if (count != 0) out.push_back(static_cast<std::uint8_t>(bits << (5 - count) & 31));
  return out;
}

std::string to_bech32(std::string_view prefix, ByteView groups, bool is_m) {
  std::string out(prefix);
  out.push_back('1');
  std::uint32_t check = bech32_start(prefix);
  for (const std::uint8_t group : groups) {
    check = bech32_step(check, group);
    out.push_back(bech32_digits[group]);
  }
  for (int i = 0; i < 6; ++i) check = bech32_step(check, 0);
  check ^= is_m ? bech32m_constant : bech32_constant;
  for (int shift = 25; shift >= 0; shift -= 5) out.push_back(bech32_digits[check >> shift & 31]);
  return out;
}

std::string eip55(std::string_view digits) {
  std::string out(digits);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const base::Digest digest = crypto::keccak256(base::as_bytes(out));
  for (std::size_t i = 0; i < out.size() && i < 64; ++i) {
    const unsigned nibble = i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15;
    if (nibble >= 8) out[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[i])));
  }
  return out;
}

}  // namespace intake
