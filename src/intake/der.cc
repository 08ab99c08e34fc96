#include "intake/der.h"

namespace intake {
namespace {

using base::ByteView;

struct Header {
  std::size_t header = 0;  // bytes of tag and length
  std::size_t body = 0;
  bool minimal = true;
  bool indefinite = false;
};

std::optional<Header> read_header(ByteView bytes) {
  if (bytes.size() < 2 || (bytes[0] & 0x1F) == 0x1F) return std::nullopt;
  const std::uint8_t first = bytes[1];
  if (first < 0x80) return Header{2, first};
  if (first == 0x80) return Header{2, 0, false, true};
  const std::size_t count = first & 0x7F;
  if (count > 8 || bytes.size() < 2 + count) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (length >> 48 != 0) return std::nullopt;
    length = (length << 8) | bytes[2 + i];
  }
  const bool minimal = bytes[2] != 0 && length >= 0x80;
  return Header{2 + count, static_cast<std::size_t>(length), minimal, false};
}

bool is_constructed(std::uint8_t tag) { return (tag & 0x20) != 0; }

// X.690 rules for the primitive types that the formats use; a broken one is a sign of altered bytes.
bool primitive_is_sound(const Element& element) {
  switch (element.tag) {
    case tag::boolean: return element.body.size() == 1 && (element.body[0] == 0 || element.body[0] == 0xFF);
    case tag::null: return element.body.empty();
    case tag::integer:
    case tag::enumerated:
      if (element.body.empty()) return false;
      if (element.body.size() == 1) return true;
      if (element.body[0] == 0) return (element.body[1] & 0x80) != 0;
      if (element.body[0] == 0xFF) return (element.body[1] & 0x80) == 0;
      return true;
    case tag::bit_string:
      if (element.body.empty() || element.body[0] > 7) return false;
      if (element.body[0] == 0) return true;
      return element.body.size() > 1 && (element.body.back() & ((1 << element.body[0]) - 1)) == 0;
    case tag::oid: {
      if (element.body.empty() || (element.body.back() & 0x80) != 0) return false;
      bool start = true;
      for (std::uint8_t byte : element.body) {
        if (start && byte == 0x80) return false;
        start = (byte & 0x80) == 0;
      }
      return true;
    }
    default: return true;
  }
}

std::optional<std::size_t> fault_in(DerCursor cursor, int depth) {
  while (!cursor.at_end()) {
    const std::size_t position = cursor.position();
    auto element = cursor.next();
    if (!element) return position;
    if (is_constructed(element->tag)) {
      // Of the universal types only sequences and sets are constructed in DER (X.690 section 10.2).
      const bool universal = (element->tag & 0xC0) == 0;
      if (depth == 0 || (universal && element->tag != tag::sequence && element->tag != tag::set)) return position;
      if (auto inner = fault_in(DerCursor(*element), depth - 1)) return inner;
    } else if (!primitive_is_sound(*element)) {
      return position;
    }
  }
  return std::nullopt;
}

void append_header(Secret& out, std::uint8_t tag, std::size_t length) {
  out.push_back(tag);
  if (length < 0x80) {
    out.push_back(static_cast<std::uint8_t>(length));
    return;
  }
  int count = 0;
  for (std::size_t rest = length; rest != 0; rest >>= 8) ++count;
  out.push_back(static_cast<std::uint8_t>(0x80 | count));
  for (int i = count - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
}

void append(Secret& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

// Appends the DER of the BER element at the start of `bytes`; gives the bytes it took. `strip_to` collects only the
// content of the segments of a constructed string.
std::optional<std::size_t> rewrite(ByteView bytes, Secret& out, int depth);

// Content of a constructed element: children rewritten, up to its length or its end-of-contents.
std::optional<std::size_t> rewrite_children(ByteView bytes, bool indefinite, Secret& out, int depth) {
  std::size_t at = 0;
  while (true) {
    if (at == bytes.size()) return indefinite ? std::nullopt : std::optional(at);
    if (indefinite && bytes.size() - at >= 2 && bytes[at] == 0 && bytes[at + 1] == 0) return at + 2;
    auto used = rewrite(bytes.subspan(at), out, depth);
    if (!used) return std::nullopt;
    at += *used;
  }
}

std::optional<std::size_t> rewrite(ByteView bytes, Secret& out, int depth) {
  if (depth == 0) return std::nullopt;
  auto header = read_header(bytes);
  if (!header || (header->indefinite && !is_constructed(bytes[0]))) return std::nullopt;
  const ByteView after = bytes.subspan(header->header);
  if (!header->indefinite && after.size() < header->body) return std::nullopt;
  const ByteView body = header->indefinite ? after : after.first(header->body);
  std::uint8_t tag = bytes[0];
  if (!is_constructed(tag)) {
    ByteView value = body;
    if (tag == tag::integer) {
      while (value.size() > 1 && value[0] == 0 && (value[1] & 0x80) == 0) value = value.subspan(1);
    }
    if (tag == tag::boolean && value.size() == 1 && value[0] != 0) {
      const std::uint8_t yes = 0xFF;
      append_header(out, tag, 1);
      out.push_back(yes);
    } else {
      append_header(out, tag, value.size());
      append(out, value);
    }
    return header->header + body.size();
  }
  Secret inner;
  auto used = rewrite_children(body, header->indefinite, inner, depth - 1);
  if (!used) return std::nullopt;
  // A constructed OCTET STRING: its segments become one primitive string.
  if (tag == (tag::octet_string | 0x20)) {
    Secret joined;
    DerCursor segments{ByteView(inner)};
    while (auto segment = segments.next(tag::octet_string)) append(joined, segment->body);
    if (!segments.at_end()) return std::nullopt;
    append_header(out, tag::octet_string, joined.size());
    append(out, joined);
  } else {
    append_header(out, tag, inner.size());
    append(out, inner);
  }
  return header->header + *used;
}

}  // namespace

std::optional<Element> DerCursor::next() {
  if (failed_ || at_end()) {
    failed_ = true;
    return std::nullopt;
  }
  const ByteView here = bytes_.subspan(at_);
  auto header = read_header(here);
  if (!header || !header->minimal || here.size() - header->header < header->body) {
    failed_ = true;
    return std::nullopt;
  }
  Element element{here[0], here.subspan(header->header, header->body), here.first(header->header + header->body),
                  offset_ + at_};
  at_ += element.whole.size();
  return element;
}

std::optional<Element> DerCursor::next(std::uint8_t wanted) {
  if (peek() != wanted || at_end()) {
    failed_ = true;
    return std::nullopt;
  }
  return next();
}

std::optional<Element> DerCursor::next_if(std::uint8_t wanted) {
  if (at_end() || peek() != wanted) return std::nullopt;
  return next();
}

std::optional<std::size_t> announced_size(ByteView bytes) {
  auto header = read_header(bytes);
  if (!header || header->indefinite) return std::nullopt;
  return header->header + header->body;
}

std::optional<std::size_t> first_der_fault(ByteView bytes) {
  DerCursor cursor(bytes);
  if (bytes.empty()) return 0;
  auto fault = fault_in(cursor, der_depth_max);
  if (fault) return fault;
  cursor.next();
  return cursor.at_end() ? std::nullopt : std::optional(cursor.position());
}

std::optional<Secret> ber_to_der(ByteView bytes, std::size_t& used) {
  Secret out;
  auto taken = rewrite(bytes, out, der_depth_max + 2);
  if (!taken) return std::nullopt;
  used = *taken;
  return out;
}

std::optional<ByteView> unsigned_integer(const Element& element) {
  if (element.tag != tag::integer || !primitive_is_sound(element) || (element.body[0] & 0x80) != 0) return std::nullopt;
  return element.body[0] == 0 ? element.body.subspan(1) : element.body;
}

std::optional<std::uint32_t> small_integer(const Element& element) {
  auto number = unsigned_integer(element);
  if (!number || number->size() > 4) return std::nullopt;
  std::uint32_t value = 0;
  for (std::uint8_t byte : *number) value = (value << 8) | byte;
  return value;
}

std::optional<ByteView> whole_bits(const Element& element) {
  if (element.tag != tag::bit_string || element.body.empty() || element.body[0] != 0) return std::nullopt;
  return element.body.subspan(1);
}

Secret der(std::uint8_t tag, std::initializer_list<ByteView> parts) {
  std::size_t length = 0;
  for (ByteView part : parts) length += part.size();
  Secret out;
  out.reserve(length + 6);
  append_header(out, tag, length);
  for (ByteView part : parts) append(out, part);
  return out;
}

Secret der_integer(ByteView number) {
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  const std::uint8_t zero = 0;
  if (number.empty() || (number[0] & 0x80) != 0) return der(tag::integer, {ByteView(&zero, 1), number});
  return der(tag::integer, {number});
}

Secret der_bits(ByteView bits) {
  const std::uint8_t unused = 0;
  return der(tag::bit_string, {ByteView(&unused, 1), bits});
}

}  // namespace intake
