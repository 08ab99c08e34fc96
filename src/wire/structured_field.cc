#include "wire/structured_field.h"

#include <algorithm>

#include "base/text.h"
#include "wire/http_message.h"

namespace wire {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

/// Reads a field value from its start.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }
  void blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// A token of RFC 9110; empty if there is none.
  std::string_view token() {
    std::size_t bytes = 0;
    while (bytes < rest_.size() && is_token(rest_.substr(bytes, 1))) ++bytes;
    const std::string_view result = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return result;
  }
  /// A quoted-string of RFC 9110, unescaped.
  std::optional<std::string> quoted() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (static_cast<std::uint8_t>(c) < 0x20 && c != '\t') return std::nullopt;
      if (static_cast<std::uint8_t>(c) >= 0x7F) return std::nullopt;
      value.push_back(c);
    }
    return std::nullopt;
  }
  /// `; name=value`: nothing more to read gives false in `*present`; a malformed one gives nothing.
  std::optional<std::pair<std::string, std::string>> parameter(bool& present) {
    blanks();
    present = take(';');
    if (!present) return std::nullopt;
    blanks();
    std::string name = lower(token());
    if (name.empty() || !take('=')) return std::nullopt;
    if (!rest_.empty() && rest_.front() == '"') {
      auto value = quoted();
      if (!value) return std::nullopt;
      return std::pair(std::move(name), std::move(*value));
    }
    const std::string_view value = token();
    if (value.empty()) return std::nullopt;
    return std::pair(std::move(name), std::string(value));
  }

 private:
  std::string_view rest_;
};

/// RFC 9110 section 12.4.2: `0`, `1`, `0.5`, `1.000`, in thousandths.
std::optional<unsigned> parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  unsigned value = text[0] == '1' ? 1000 : 0;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned unit = 100;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (!is_digit(text[i])) return std::nullopt;
    value += static_cast<unsigned>(text[i] - '0') * unit;
  }
  if (value > 1000) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> parse_sf_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  value = value.substr(1, value.size() - 2);
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    if (c == '"') return std::nullopt;
    if (c == '\\') {
      if (++i == value.size()) return std::nullopt;
      c = value[i];
      if (c != '"' && c != '\\') return std::nullopt;
    }
    if (c < 0x20 || c > 0x7E) return std::nullopt;
    text.push_back(c);
  }
  return text;
}

std::optional<std::string> to_sf_string(std::string_view text) {
  std::string value = "\"";
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E) return std::nullopt;
    if (c == '"' || c == '\\') value.push_back('\\');
    value.push_back(c);
  }
  value.push_back('"');
  return value;
}

base::Result<std::string> parse_idempotency_key(std::string_view value) {
  constexpr std::size_t key_bytes_max = 255;
  const auto error = [](const char* what) { return base::Error{"idempotency_key_malformed", what}; };
  std::optional<std::string> key;
  if (value.starts_with('"')) {
    key = parse_sf_string(value);
    if (!key) return error("not a quoted string of printable ASCII characters (RFC 8941 section 3.3.3)");
  } else {
    const bool bare = std::all_of(value.begin(), value.end(), [](char c) {
      return is_digit(c) || is_letter(c) || c == '_' || c == '.' || c == ':' || c == '-';
    });
    if (!bare) return error("a key with characters other than A-Z a-z 0-9 _ . : - must stand in double quotes");
    key = std::string(value);
  }
  if (key->empty()) return error("the key is empty");
  if (key->size() > key_bytes_max) return error("the key is longer than 255 characters");
  return std::move(*key);
}

std::optional<TraceContext> parse_traceparent(std::string_view value) {
  // 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
  constexpr std::size_t bytes = 55;
  if (value.size() < bytes || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  const std::string_view known = value.substr(0, bytes);
  if (std::any_of(known.begin(), known.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return std::nullopt;
  const auto version = base::parse_hex(value.substr(0, 2));
  const auto trace_id = base::parse_hex(value.substr(3, 32));
  const auto parent_id = base::parse_hex(value.substr(36, 16));
  const auto flags = base::parse_hex(value.substr(53, 2));
  if (!version || !trace_id || !parent_id || !flags || (*version)[0] == 0xFF) return std::nullopt;
  if (value.size() > bytes && ((*version)[0] == 0 || value[bytes] != '-')) return std::nullopt;
  TraceContext context;
  std::copy(trace_id->begin(), trace_id->end(), context.trace_id.begin());
  std::copy(parent_id->begin(), parent_id->end(), context.parent_id.begin());
  context.sampled = ((*flags)[0] & 1) != 0;
  const auto all_zero = [](const base::Bytes& id) {
    return std::all_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte == 0; });
  };
  if (all_zero(*trace_id) || all_zero(*parent_id)) return std::nullopt;
  return context;
}

std::string to_traceparent(const TraceContext& context) {
  return "00-" + base::to_hex(context.trace_id) + "-" + base::to_hex(context.parent_id) +
         (context.sampled ? "-01" : "-00");
}

std::optional<std::string_view> parse_bearer(std::string_view value) {
  constexpr std::string_view scheme = "bearer ";
  if (value.size() <= scheme.size() || lower(value.substr(0, scheme.size())) != scheme) return std::nullopt;
  std::string_view token = value.substr(scheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  const std::size_t padding = token.find('=');
  const std::string_view body = token.substr(0, padding);
  const bool word = std::all_of(body.begin(), body.end(), [](char c) {
    return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
  });
  const std::string_view rest = token.substr(body.size());
  if (body.empty() || !word || rest.find_first_not_of('=') != std::string_view::npos) return std::nullopt;
  return token;
}

std::optional<MediaType> parse_media_type(std::string_view value) {
  Cursor cursor(value);
  MediaType media;
  const std::string_view type = cursor.token();
  if (type.empty() || !cursor.take('/')) return std::nullopt;
  const std::string_view subtype = cursor.token();
  if (subtype.empty()) return std::nullopt;
  media.type = lower(type) + "/" + lower(subtype);
  bool charset_seen = false;
  while (true) {
    bool present = false;
    const auto parameter = cursor.parameter(present);
    if (!present) break;
    if (!parameter) return std::nullopt;
    if (parameter->first == "charset") {
      if (charset_seen) return std::nullopt;
      charset_seen = true;
      media.charset = lower(parameter->second);
    }
  }
  if (!cursor.done()) return std::nullopt;
  return media;
}

std::optional<unsigned> accept_quality(std::string_view accept, std::string_view type) {
  const std::string_view major = type.substr(0, type.find('/'));
  Cursor cursor(accept);
  cursor.blanks();
  if (cursor.done()) return 1000;
  unsigned quality = 0;
  int best = -1;  // 0: */*, 1: type/*, 2: type/subtype
  while (true) {
    cursor.blanks();
    if (cursor.take(',')) continue;  // empty list elements are allowed (RFC 9110 section 5.6.1.2)
    if (cursor.done()) break;
    const std::string range_type = lower(cursor.token());
    if (range_type.empty() || !cursor.take('/')) return std::nullopt;
    const std::string range_subtype = lower(cursor.token());
    if (range_subtype.empty() || (range_type == "*" && range_subtype != "*")) return std::nullopt;
    unsigned weight = 1000;
    bool other_parameters = false;
    while (true) {
      bool present = false;
      const auto parameter = cursor.parameter(present);
      if (!present) break;
      if (!parameter) return std::nullopt;
      if (parameter->first == "q") {
        const auto parsed = parse_quality(parameter->second);
        if (!parsed) return std::nullopt;
        weight = *parsed;
      } else if (parameter->first != "charset") {
        other_parameters = true;
      }
    }
    cursor.blanks();
    if (!cursor.done() && !cursor.take(',')) return std::nullopt;
    int specificity = -1;
    if (range_type + "/" + range_subtype == type && !other_parameters) {
      specificity = 2;
    } else if (range_type == major && range_subtype == "*") {
      specificity = 1;
    } else if (range_type == "*") {
      specificity = 0;
    }
    if (specificity > best) {
      best = specificity;
      quality = weight;
    }
  }
  return quality;
}

}  // namespace wire
