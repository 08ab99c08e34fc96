#include "base/cbor.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace base {

void CborWriter::head(std::uint8_t major, std::uint64_t argument) {
  const auto type = static_cast<std::uint8_t>(major << 5);
  std::uint8_t encoded[9];
  std::size_t size = 1;
  if (argument < 24) {
    out_.push_back(static_cast<std::uint8_t>(type | argument));
    return;
  }
  if (argument <= 0xFF) {
    encoded[0] = type | 24;
    size = 2;
  } else if (argument <= 0xFFFF) {
    encoded[0] = type | 25;
    size = 3;
  } else if (argument <= 0xFFFFFFFF) {
    encoded[0] = type | 26;
    size = 5;
  } else {
    encoded[0] = type | 27;
    size = 9;
  }
  for (std::size_t i = size; i-- > 1; argument >>= 8) encoded[i] = static_cast<std::uint8_t>(argument);
  out_.insert(out_.end(), encoded, encoded + size);
}

void CborWriter::amount(U128 value) {
  CHECK_THAT(value <= amount_max, "an amount beyond 2^127 - 1 could be written but never read back");
  if (high64(value) == 0) {
    uint(low64(value));
    return;
  }
  std::uint8_t big_endian[16];
  std::size_t first = 16;
  while (value != 0) {
    big_endian[--first] = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
  out_.push_back(0xC2);
  bytes(ByteView(big_endian + first, 16 - first));
}

void CborWriter::bytes(ByteView value) {
  head(2, value.size());
  out_.insert(out_.end(), value.begin(), value.end());
}

void CborWriter::text(std::string_view value) {
  head(3, value.size());
  const ByteView raw = as_bytes(value);
  out_.insert(out_.end(), raw.begin(), raw.end());
}

// The value goes out by reference: an optional made here would be stored byte by byte and loaded as a word by every
// caller, which costs more than everything else in this function.
bool CborReader::head(std::uint8_t major, std::uint64_t& value) {
  if (failed_ || at_ >= input_.size() || input_.data()[at_] >> 5 != major) {
    failed_ = true;
    return false;
  }
  const std::uint8_t low = input_.data()[at_] & 31;
  if (low < 24) {
    ++at_;
    value = low;
    return true;
  }
  const std::size_t width = std::size_t{1} << (low & 3);
  if (low > 27 || input_.size() - at_ - 1 < width) {
    failed_ = true;
    return false;
  }
  // One wide load and a shift, where eight bytes are there to load.
  const std::uint8_t* const argument = input_.data() + at_ + 1;
  std::uint64_t found = 0;
  if (input_.size() - at_ > 8) {
    found = __builtin_bswap64(load_le<std::uint64_t>(argument)) >> (64 - 8 * width);
  } else {
    for (std::size_t i = 0; i < width; ++i) found = (found << 8) | argument[i];
  }
  // Shortest form only: each width has a smallest value that needs it.
  const std::uint64_t smallest = width == 1 ? 24 : (std::uint64_t{1} << (width * 4));
  if (found < smallest) {
    failed_ = true;
    return false;
  }
  at_ += 1 + width;
  value = found;
  return true;
}

std::optional<std::int64_t> CborReader::sint() {
  const bool negative = peek() == CborKind::negative;
  std::uint64_t value = 0;
  if (!head(negative ? 1 : 0, value)) return std::nullopt;
  if (value > static_cast<std::uint64_t>(INT64_MAX)) {
    failed_ = true;
    return std::nullopt;
  }
  const auto magnitude = static_cast<std::int64_t>(value);
  return negative ? -1 - magnitude : magnitude;
}

std::optional<U128> CborReader::bignum() {
  std::uint64_t tag = 0;
  const bool tagged = head(6, tag);
  const auto big = bytes();
  if (!tagged || !big || tag != 2 || big->size() < 9 || big->size() > 16 || (*big)[0] == 0) {
    failed_ = true;
    return std::nullopt;
  }
  U128 value = 0;
  for (std::uint8_t byte : *big) value = (value << 8) | byte;
  if (value > amount_max) {
    failed_ = true;
    return std::nullopt;
  }
  return value;
}

std::optional<ByteView> CborReader::bytes() {
  std::uint64_t size = 0;
  if (!head(2, size) || size > input_.size() - at_) {
    failed_ = true;
    return std::nullopt;
  }
  const ByteView view(input_.data() + at_, static_cast<std::size_t>(size));
  at_ += view.size();
  return view;
}

std::optional<std::string_view> CborReader::text() {
  std::uint64_t size = 0;
  if (!head(3, size) || size > input_.size() - at_) {
    failed_ = true;
    return std::nullopt;
  }
  const std::string_view view = as_text(input_.subspan(at_, static_cast<std::size_t>(size)));
  if (!is_utf8(view)) {
    failed_ = true;
    return std::nullopt;
  }
  at_ += view.size();
  return view;
}

std::optional<std::uint64_t> CborReader::array() {
  std::uint64_t items = 0;
  if (!head(4, items) || items > input_.size() - at_) {
    failed_ = true;
    return std::nullopt;
  }
  return items;
}

std::optional<std::uint64_t> CborReader::map() {
  std::uint64_t pairs = 0;
  if (!head(5, pairs) || pairs > (input_.size() - at_) / 2) {
    failed_ = true;
    return std::nullopt;
  }
  return pairs;
}

std::optional<bool> CborReader::boolean() {
  if (peek() != CborKind::boolean) {
    failed_ = true;
    return std::nullopt;
  }
  return input_[at_++] == 0xF5;
}

bool CborReader::null() {
  if (peek() != CborKind::null) {
    failed_ = true;
    return false;
  }
  ++at_;
  return true;
}

bool CborReader::skip(int depth_max) {
  if (depth_max < 0) failed_ = true;
  switch (peek()) {
    case CborKind::uint: return uint().has_value();
    case CborKind::negative: {
      std::uint64_t ignored = 0;
      return head(1, ignored);
    }
    case CborKind::bytes: return bytes().has_value();
    case CborKind::text: return text().has_value();
    case CborKind::boolean: return boolean().has_value();
    case CborKind::null: return null();
    case CborKind::tag: return amount().has_value();
    case CborKind::array:
    case CborKind::map: {
      const bool is_map = peek() == CborKind::map;
      const auto count = is_map ? map() : array();
      if (!count) return false;
      ByteView last_key;
      for (std::uint64_t i = 0; i < *count; ++i) {
        const std::size_t start = at_;
        if (!skip(depth_max - 1)) return false;
        if (!is_map) continue;
        // RFC 8949, 4.2.1: keys ascend in the bytewise order of their encodings, which also makes each one unique.
        const ByteView key = input_.subspan(start, at_ - start);
        if (!std::lexicographical_compare(last_key.begin(), last_key.end(), key.begin(), key.end())) {
          failed_ = true;
          return false;
        }
        last_key = key;
        if (!skip(depth_max - 1)) return false;
      }
      return true;
    }
    case CborKind::end:
    case CborKind::malformed: break;
  }
  failed_ = true;
  return false;
}

}  // namespace base
