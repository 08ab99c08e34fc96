#include "crypto/evm/rlp.h"

namespace crypto {

namespace {

constexpr std::uint8_t string_base = 0x80, list_base = 0xc0;
constexpr std::size_t short_length_max = 55;

base::Bytes big_endian(base::U128 value) {
  base::Bytes out;
  for (int shift = 120; shift >= 0; shift -= 8) {
    const auto byte = static_cast<std::uint8_t>(value >> shift);
    if (byte != 0 || !out.empty()) out.push_back(byte);
  }
  return out;
}

void append_header(base::Bytes& out, std::uint8_t base, std::size_t length) {
  if (length <= short_length_max) return out.push_back(static_cast<std::uint8_t>(base + length));
  const base::Bytes digits = big_endian(length);
  out.push_back(static_cast<std::uint8_t>(base + short_length_max + digits.size()));
  base::append(out, digits);
}

/// Length of what follows a header, and of the header; nothing if it is not the shortest or exceeds `bytes`.
struct Extent {
  std::size_t header = 0, content = 0;
};
std::optional<Extent> extent_of(base::ByteView bytes, std::uint8_t base) {
  const std::size_t length = bytes[0] - base;
  if (length <= short_length_max) {
    if (length > bytes.size() - 1) return std::nullopt;
    return Extent{1, length};
  }
  const std::size_t digits = length - short_length_max;
  if (digits > sizeof(std::uint64_t) || digits > bytes.size() - 1 || bytes[1] == 0) return std::nullopt;
  std::uint64_t content = 0;
  for (std::size_t i = 1; i <= digits; ++i) content = content << 8 | bytes[i];
  if (content <= short_length_max || content > bytes.size() - 1 - digits) return std::nullopt;
  return Extent{1 + digits, static_cast<std::size_t>(content)};
}

}  // namespace

void RlpWriter::string(base::ByteView bytes) {
  if (bytes.size() != 1 || bytes[0] >= string_base) append_header(items_, string_base, bytes.size());
  base::append(items_, bytes);
}

void RlpWriter::integer(base::U128 value) { string(big_endian(value)); }

base::Bytes RlpWriter::list() const {
  base::Bytes out;
  append_header(out, list_base, items_.size());
  base::append(out, items_);
  return out;
}

RlpReader::RlpReader(base::ByteView bytes) : rest_(bytes) {
  const auto outer = item();
  good_ = outer && outer->is_list && rest_.empty();
  rest_ = good_ ? outer->content : base::ByteView{};
}

std::optional<RlpReader::Item> RlpReader::item() {
  if (!good_ || rest_.empty()) {
    good_ = false;
    return std::nullopt;
  }
  const std::uint8_t first = rest_[0];
  Extent extent{0, 1};
  if (first >= string_base) {
    const auto found = extent_of(rest_, first >= list_base ? list_base : string_base);
    // A single small byte stands for itself.
    good_ = found && !(first < list_base && found->content == 1 && rest_[found->header] < string_base);
    if (!good_) return std::nullopt;
    extent = *found;
  }
  const Item found{.is_list = first >= list_base,
                   .whole = rest_.first(extent.header + extent.content),
                   .content = rest_.subspan(extent.header, extent.content)};
  rest_ = rest_.subspan(found.whole.size());
  return found;
}

std::optional<base::ByteView> RlpReader::string() {
  const auto next = item();
  good_ = next && !next->is_list;
  if (!good_) return std::nullopt;
  return next->content;
}

std::optional<base::U128> RlpReader::integer() {
  const auto digits = string();
  good_ = digits && digits->size() <= sizeof(base::U128) && (digits->empty() || (*digits)[0] != 0);
  if (!good_) return std::nullopt;
  base::U128 value = 0;
  for (const std::uint8_t byte : *digits) value = value << 8 | byte;
  return value;
}

std::optional<base::ByteView> RlpReader::list() {
  const auto next = item();
  good_ = next && next->is_list;
  if (!good_) return std::nullopt;
  return next->whole;
}

}  // namespace crypto
