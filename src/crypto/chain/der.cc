#include "crypto/chain/der.h"

namespace crypto::chain {

std::optional<Element> Reader::next() {
  const auto fail = [&]() -> std::optional<Element> {
    failed_ = true;
    bytes_ = {};
    return std::nullopt;
  };
  if (failed_ || bytes_.size() < 2) return fail();
  const std::uint8_t first = bytes_[0];
  if ((first & 0x1F) == 0x1F) return fail();
  std::size_t length = bytes_[1];
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7F;
    if (count == 0 || count > 4 || bytes_.size() < 2 + count || bytes_[2] == 0) return fail();
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | bytes_[2 + i];
    if (length < 0x80) return fail();
    header += count;
  }
  if (bytes_.size() - header < length) return fail();
  Element element{first, bytes_.subspan(header, length), bytes_.first(header + length)};
  bytes_ = bytes_.subspan(header + length);
  return element;
}

std::optional<Element> Reader::next(std::uint8_t wanted) {
  if (peek() != wanted) {
    failed_ = true;
    bytes_ = {};
    return std::nullopt;
  }
  return next();
}

std::optional<Element> Reader::next_if(std::uint8_t wanted) {
  if (peek() != wanted) return std::nullopt;
  return next();
}

std::optional<Element> only(base::ByteView bytes, std::uint8_t wanted) {
  Reader reader(bytes);
  auto element = reader.next(wanted);
  return reader.done() ? element : std::nullopt;
}

std::optional<bool> boolean_of(const Element& element) {
  if (element.tag != tag::boolean || element.body.size() != 1) return std::nullopt;
  if (element.body[0] == 0x00) return false;
  if (element.body[0] == 0xFF) return true;
  return std::nullopt;
}

std::optional<base::ByteView> unsigned_of(const Element& element) {
  const base::ByteView body = element.body;
  if (body.empty() || (body[0] & 0x80) != 0) return std::nullopt;
  if (body[0] != 0) return body;
  if (body.size() > 1 && (body[1] & 0x80) == 0) return std::nullopt;
  return body.subspan(1);
}

std::optional<std::uint32_t> small_integer_of(const Element& element) {
  const auto number = unsigned_of(element);
  if (element.tag != tag::integer || !number || number->size() > 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const std::uint8_t byte : *number) value = value << 8 | byte;
  if (value > 0x7FFF'FFFF) return std::nullopt;
  return value;
}

std::optional<base::ByteView> whole_bits_of(const Element& element) {
  if (element.body.empty() || element.body[0] != 0) return std::nullopt;
  return element.body.subspan(1);
}

std::optional<SignedFrame> signed_frame_of(const Element& whole) {
  Reader outer(whole);
  const auto body = outer.next(tag::sequence);
  const auto algorithm = outer.next(tag::sequence);
  const auto bits = outer.next(tag::bit_string);
  const auto signature = bits ? whole_bits_of(*bits) : std::nullopt;
  if (!body || !algorithm || !signature || !outer.done()) return std::nullopt;
  return SignedFrame{*body, algorithm->whole, *signature};
}

std::optional<std::uint32_t> named_bits_of(const Element& element) {
  const base::ByteView body = element.body;
  if (body.empty() || body.size() > 3) return std::nullopt;
  const unsigned unused = body[0];
  if (body.size() == 1) return unused == 0 ? std::optional<std::uint32_t>(0) : std::nullopt;
  if (unused > 7) return std::nullopt;
  const std::uint8_t last = body.back();
  if ((last & ((1U << unused) - 1)) != 0) return std::nullopt;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < (body.size() - 1) * 8; ++i) {
    if ((body[1 + i / 8] >> (7 - i % 8) & 1) != 0) bits |= 1U << i;
  }
  return bits;
}

std::optional<std::int64_t> time_of(const Element& element) {
  const base::ByteView text = element.body;
  const bool general = element.tag == tag::generalized_time;
  if (!general && element.tag != tag::utc_time) return std::nullopt;
  const std::size_t digits = general ? 14 : 12;
  if (text.size() != digits + 1 || text[digits] != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  int year = 0;
  std::size_t at = 0;
  if (general) {
    year = two(0) * 100 + two(2);
    at = 4;
  } else {
    year = two(0) < 50 ? 2000 + two(0) : 1900 + two(0);
    at = 2;
  }
  const int month = two(at), day = two(at + 2), hour = two(at + 4), minute = two(at + 6), second = two(at + 8);
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  // Days since 1970 in the proleptic Gregorian calendar, with March as the first month of the year.
  const std::int64_t y = month > 2 ? year : year - 1;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const std::int64_t days = era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
  return days * 86'400 + hour * 3'600 + minute * 60 + second;
}

}  // namespace crypto::chain
