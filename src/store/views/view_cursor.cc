#include "store/views/view_cursor.h"

#include "base/text.h"

namespace store {

namespace {
const base::Error malformed{"view_cursor_malformed", "the cursor was not given out for this list and these filters"};
}

CursorScope& CursorScope::add(std::string_view filter) {
  add(filter.size());
  sum_ = base::crc32c(base::as_bytes(filter), sum_);
  return *this;
}

CursorScope& CursorScope::add(std::uint64_t filter) {
  std::uint8_t bytes[8];
  base::store_le(bytes, filter);
  sum_ = base::crc32c(bytes, sum_);
  return *this;
}

std::string CursorScope::encode(base::ByteView position) const {
  base::Bytes bytes = base::to_bytes(position);
  bytes.resize(bytes.size() + 4);
  base::store_le(bytes.data() + position.size(), base::crc32c(position, sum_));
  return base::to_base64url(bytes);
}

base::Result<base::Bytes> CursorScope::decode(std::string_view cursor) const {
  auto bytes = base::parse_base64url(cursor);
  if (!bytes || bytes->size() < 4) return malformed;
  const std::size_t size = bytes->size() - 4;
  if (base::load_le<std::uint32_t>(bytes->data() + size) != base::crc32c({bytes->data(), size}, sum_)) return malformed;
  bytes->resize(size);
  return std::move(*bytes);
}

std::string CursorScope::cursor_after(std::uint64_t number) const {
  std::uint8_t bytes[8];
  base::store_le(bytes, number);
  return encode(bytes);
}

std::string CursorScope::cursor_after(std::string_view name) const { return encode(base::as_bytes(name)); }

base::Result<std::uint64_t> CursorScope::number_in(std::string_view cursor) const {
  TRY_ASSIGN(const base::Bytes bytes, decode(cursor));
  if (bytes.size() != 8) return malformed;
  return base::load_le<std::uint64_t>(bytes.data());
}

base::Result<std::string> CursorScope::name_in(std::string_view cursor) const {
  TRY_ASSIGN(const base::Bytes bytes, decode(cursor));
  return std::string(base::as_text(bytes));
}

}  // namespace store
