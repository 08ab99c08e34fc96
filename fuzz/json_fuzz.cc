// rooms: wire base
// JSON: the reader against an independent recogniser of the same language (RFC 8259, unique keys, depth 64), and what
// it read against the writer.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "wire/json_value.h"
#include "wire/json_writer.h"

namespace {

constexpr unsigned depth_max = 64;

/// Accepts or refuses; slow and plain.
class Recogniser {
 public:
  explicit Recogniser(std::string_view text) : rest_(text) {}

  bool accepts() {
    blanks();
    if (!value(0)) return false;
    blanks();
    return rest_.empty();
  }

 private:
  bool next(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void blanks() {
    while (next(' ') || next('\t') || next('\n') || next('\r')) {
    }
  }
  bool word(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool digits() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') rest_.remove_prefix(1);
    return rest_.size() < before;
  }
  bool number() {
    next('-');
    if (!next('0') && !digits()) return false;
    if (next('.') && !digits()) return false;
    if (next('e') || next('E')) {
      if (!next('+')) next('-');
      if (!digits()) return false;
    }
    return true;
  }
  bool unit(unsigned& code) {
    if (rest_.size() < 4) return false;
    code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = rest_[static_cast<std::size_t>(i)];
      unsigned digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<unsigned>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<unsigned>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<unsigned>(c - 'A' + 10);
      } else {
        return false;
      }
      code = code * 16 + digit;
    }
    rest_.remove_prefix(4);
    return true;
  }
  static void encode(unsigned code, std::string& out) {
    const auto byte = [&](unsigned value) { out.push_back(static_cast<char>(static_cast<std::uint8_t>(value))); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xC0 | code >> 6);
      byte(0x80 | (code & 63));
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12);
      byte(0x80 | (code >> 6 & 63));
      byte(0x80 | (code & 63));
    } else {
      byte(0xF0 | code >> 18);
      byte(0x80 | (code >> 12 & 63));
      byte(0x80 | (code >> 6 & 63));
      byte(0x80 | (code & 63));
    }
  }
  bool string(std::string& out) {
    if (!next('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<std::uint8_t>(c) < 0x20) return false;
      if (c != '\\') {
        out.push_back(c);
        continue;
      }
      if (rest_.empty()) return false;
      const char escape = rest_.front();
      rest_.remove_prefix(1);
      constexpr std::string_view from = "\"\\/bfnrt";
      constexpr std::string_view to = "\"\\/\b\f\n\r\t";
      if (const std::size_t at = from.find(escape); at != std::string_view::npos) {
        out.push_back(to[at]);
        continue;
      }
      unsigned code = 0;
      if (escape != 'u' || !unit(code) || (code >= 0xDC00 && code <= 0xDFFF)) return false;
      if (code >= 0xD800 && code <= 0xDBFF) {
        unsigned low = 0;
        if (!word("\\u") || !unit(low) || low < 0xDC00 || low > 0xDFFF) return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      }
      encode(code, out);
    }
    return false;
  }
  bool value(unsigned depth) {
    if (rest_.empty()) return false;
    std::string text;
    switch (rest_.front()) {
      case '"':
        return string(text);
      case '[':
        return depth < depth_max && array(depth + 1);
      case '{':
        return depth < depth_max && object(depth + 1);
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }
  bool array(unsigned depth) {
    next('[');
    blanks();
    if (next(']')) return true;
    while (true) {
      blanks();
      if (!value(depth)) return false;
      blanks();
      if (next(']')) return true;
      if (!next(',')) return false;
    }
  }
  bool object(unsigned depth) {
    next('{');
    blanks();
    if (next('}')) return true;
    std::set<std::string> keys;
    while (true) {
      blanks();
      std::string key;
      if (!string(key) || !keys.insert(key).second) return false;
      blanks();
      if (!next(':')) return false;
      blanks();
      if (!value(depth)) return false;
      blanks();
      if (next('}')) return true;
      if (!next(',')) return false;
    }
  }

  std::string_view rest_;
};

void write(const wire::JsonValue& value, wire::JsonWriter& out) {
  switch (value.kind()) {
    case wire::JsonKind::null:
      return out.null();
    case wire::JsonKind::boolean:
      return out.boolean(*value.boolean());
    case wire::JsonKind::integer:
      return value.uint64() ? out.uint(*value.uint64()) : out.sint(*value.int64());
    case wire::JsonKind::inexact_number:
      return out.raw(*value.number_text());
    case wire::JsonKind::string:
      return out.string(*value.string());
    case wire::JsonKind::array:
      out.begin_array();
      for (const wire::JsonValue element : value.elements()) write(element, out);
      return out.end_array();
    case wire::JsonKind::object:
      out.begin_object();
      for (const wire::JsonMember member : value.members()) {
        out.key(member.name);
        write(member.value, out);
        if (!value.find(member.name)) std::abort();
      }
      return out.end_object();
  }
}

std::string rewritten(const wire::JsonDocument& document) {
  std::string text;
  wire::JsonWriter writer(text);
  write(document.root(), writer);
  if (!writer.complete()) std::abort();
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes(data, size);
  const std::string_view text = base::as_text(bytes);
  const auto document = wire::parse_json(bytes, {.bytes_max = std::size_t{1} << 20, .depth_max = depth_max});
  const bool expected = base::is_utf8(text) && Recogniser(text).accepts();
  if (document.ok() != expected) std::abort();
  if (!document.ok()) return 0;
  const std::string once = rewritten(*document);
  const auto again = wire::parse_json(base::as_bytes(once));
  if (!again.ok() || rewritten(*again) != once) std::abort();
  return 0;
}
