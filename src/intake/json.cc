#include "intake/json.h"

#include <algorithm>

#include "base/text.h"

namespace intake {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}
  std::optional<JsonValue> whole() {
    JsonValue value;
    if (!base::is_utf8(text_) || !read(value, 16)) return std::nullopt;
    blanks();
    if (at_ != text_.size()) return std::nullopt;
    return value;
  }
  std::size_t at() const { return std::min(at_, text_.size()); }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }
  bool unit(std::uint32_t& out) {
    out = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = at_ < text_.size() ? hex(text_[at_]) : -1;
      if (digit < 0) return false;
      out = out << 4 | static_cast<std::uint32_t>(digit);
    }
    return true;
  }
  static void put(Text& out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t value) { out.push_back(static_cast<char>(static_cast<unsigned char>(value))); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xC0 | code >> 6), byte(0x80 | (code & 63));
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63));
    } else {
      byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63));
    }
  }
  bool string(Text& out) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return false;
      ++at_;
      if (c != '\\') {
        out.push_back(c);
        continue;
      }
      if (at_ >= text_.size()) return false;
      const char escape = text_[at_++];
      switch (escape) {
        case '"': case '\\': case '/': out.push_back(escape); break;
        case 'b': out.push_back('\b'); break;
        case 'f': out.push_back('\f'); break;
        case 'n': out.push_back('\n'); break;
        case 'r': out.push_back('\r'); break;
        case 't': out.push_back('\t'); break;
        case 'u': {
          std::uint32_t code = 0;
          if (!unit(code)) return false;
          if (code >= 0xD800 && code < 0xE000) {
            std::uint32_t low = 0;
            if (code >= 0xDC00 || !word("\\u") || !unit(low) || low < 0xDC00 || low >= 0xE000) return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          }
          put(out, code);
          break;
        }
        default: --at_; return false;
      }
    }
    return false;
  }
  bool number(Text& out) {
    const std::size_t begin = at_;
    const auto digits = [&] {
      const std::size_t from = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ > from;
    };
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    const std::size_t integer = at_;
    if (!digits() || (text_[integer] == '0' && at_ - integer > 1)) return false;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits()) return false;
    }
    out.assign(text_.substr(begin, at_ - begin));
    return true;
  }
  bool read(JsonValue& out, int depth) {
    if (depth == 0 || ++values_ > 20'000) return false;
    blanks();
    if (at_ >= text_.size()) return false;
    out.begin = at_;
    const bool good = content(out, depth);
    out.end = at_;
    return good;
  }
  bool content(JsonValue& out, int depth) {
    switch (text_[at_]) {
      case '{':
        out.type = JsonValue::Type::object;
        ++at_;
        if (take('}')) return true;
        do {
          Text name;
          blanks();
          if (!string(name)) return false;
          if (out.names.size() >= 1000 || out.find(name) != nullptr) return false;
          if (!take(':')) return false;
          JsonValue value;
          if (!read(value, depth - 1)) return false;
          out.names.push_back(std::move(name));
          out.items.push_back(std::move(value));
        } while (take(','));
        return take('}');
      case '[':
        out.type = JsonValue::Type::array;
        ++at_;
        if (take(']')) return true;
        do {
          JsonValue value;
          if (!read(value, depth - 1)) return false;
          out.items.push_back(std::move(value));
        } while (take(','));
        return take(']');
      case '"': out.type = JsonValue::Type::string; return string(out.text);
      case 't': out.type = JsonValue::Type::boolean; out.text = "true"; return word("true");
      case 'f': out.type = JsonValue::Type::boolean; return word("false");
      case 'n': out.type = JsonValue::Type::null; return word("null");
      default: out.type = JsonValue::Type::number; return number(out.text);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  if (type != Type::object) return nullptr;
  for (std::size_t i = 0; i < names.size() && i < items.size(); ++i) {
    if (names[i] == name) return &items[i];
  }
  return nullptr;
}

std::string_view JsonValue::string(std::string_view name) const {
  const JsonValue* value = find(name);
  return value != nullptr && value->is_string() ? std::string_view(value->text) : std::string_view();
}

std::optional<std::uint64_t> JsonValue::uint() const {
  if (type != Type::number || text.empty() || text.size() > 15) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::optional<JsonValue> parse_json(std::string_view text, std::size_t& fault) {
  Parser parser(text);
  auto value = parser.whole();
  fault = parser.at();
  return value;
}

}  // namespace intake
