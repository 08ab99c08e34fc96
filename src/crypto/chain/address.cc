#include "crypto/chain/address.h"

#include <algorithm>

namespace crypto::chain {
namespace {

bool parse_v4(std::string_view text, std::uint8_t* out) {
  for (int part = 0; part < 4; ++part) {
    std::size_t digits = 0;
    unsigned value = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
      if (digits == 3) return false;
      value = value * 10 + static_cast<unsigned>(text[digits] - '0');
      ++digits;
    }
    if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
    out[part] = static_cast<std::uint8_t>(value);
    text.remove_prefix(digits);
    if (part < 3) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
  }
  return text.empty();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_v6(std::string_view text, std::uint8_t* out) {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t filled = 0;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  } else if (text.starts_with(':')) {
    return false;
  }
  while (!text.empty()) {
    if (filled == 16) return false;
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, end);
    if (group.find('.') != std::string_view::npos) {
      if (end != text.size() || filled > 12 || !parse_v4(group, bytes.data() + filled)) return false;
      filled += 4;
      text = {};
      break;
    }
    if (group.empty() || group.size() > 4) return false;
    unsigned value = 0;
    for (const char c : group) {
      const int digit = hex_digit(c);
      if (digit < 0) return false;
      value = value << 4 | static_cast<unsigned>(digit);
    }
    bytes[filled] = static_cast<std::uint8_t>(value >> 8);
    bytes[filled + 1] = static_cast<std::uint8_t>(value);
    filled += 2;
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (gap) return false;
      gap = filled;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;
    }
  }
  if (gap ? filled > 14 : filled != 16) return false;
  const std::size_t head = gap.value_or(16);
  std::fill(out, out + 16, std::uint8_t{0});
  std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(head, filled)), out);
  if (gap) std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(head), bytes.begin() + static_cast<std::ptrdiff_t>(filled), out + 16 - (filled - head));
  return true;
}

std::string v4_text(const std::uint8_t* bytes) {
  return std::to_string(bytes[0]) + "." + std::to_string(bytes[1]) + "." + std::to_string(bytes[2]) + "." + std::to_string(bytes[3]);
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  Address address;
  if (text.find(':') == std::string_view::npos) {
    if (!parse_v4(text, address.bytes.data())) return std::nullopt;
    address.size = 4;
  } else {
    if (text.size() > 45 || !parse_v6(text, address.bytes.data())) return std::nullopt;
    address.size = 16;
  }
  return address;
}

std::string address_text(base::ByteView bytes) {
  if (bytes.size() == 4) return v4_text(bytes.data());
  if (bytes.size() != 16) return {};
  unsigned groups[8];
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
  const bool mapped = std::all_of(groups, groups + 5, [](unsigned g) { return g == 0; }) && groups[5] == 0xFFFF;
  if (mapped) return "::ffff:" + v4_text(bytes.data() + 12);
  // The longest run of at least two zero groups, the first of equals.
  std::size_t best = 8;
  std::size_t best_size = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_size) {
      best = i;
      best_size = end - i;
    }
    i = end == i ? i + 1 : end;
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned digit = groups[i] >> shift & 0xF;
      if (digit != 0 || started || shift == 0) out.push_back(digits[digit]);
      started = started || digit != 0;
    }
  }
  return out;
}

}  // namespace crypto::chain
