#include "trial/text_variants.h"

#include <algorithm>

#include "base/text.h"
#include "trial/gbk.h"

namespace trial {
namespace {

using intake::Cause;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view blanks = " \t\r\n";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(from)) {
      out += to;
      at += from.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blanks) - begin + 1));
}

bool looks_like_json(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  return begin != std::string_view::npos && (text[begin] == '{' || text[begin] == '[');
}

// `": "` and `", "` as Python and many loggers write JSON.
std::string with_json_blanks(std::string_view compact) {
  std::string out;
  bool inside = false, escaped = false;
  for (const char c : compact) {
    out += c;
    if (inside) {
      if (!escaped && c == '"') inside = false;
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      inside = true;
    } else if (c == ':' || c == ',') {
      out += ' ';
    }
  }
  return out;
}

// Characters outside of ASCII as \uXXXX (surrogate pairs above the basic plane), as PHP and Python write JSON by default.
std::string with_unicode_escapes(std::string_view utf8) {
  if (!base::is_utf8(utf8)) return std::string(utf8);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  const auto unit = [&](unsigned value) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[value >> shift & 0xF];
  };
  for (std::size_t i = 0; i < utf8.size();) {
    const auto first = static_cast<std::uint8_t>(utf8[i]);
    if (first < 0x80) {
      out += utf8[i++];
      continue;
    }
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    unsigned character = first & (0xFFu >> (size + 1));
    for (std::size_t k = 1; k < size; ++k)
      character = character << 6 | (static_cast<std::uint8_t>(utf8[i + k]) & 0x3Fu);
    if (character >= 0x10000) {
      unit(0xD800 + ((character - 0x10000) >> 10));
      unit(0xDC00 + ((character - 0x10000) & 0x3FF));
    } else {
      unit(character);
    }
    i += size;
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '*';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
    }
  }
  return out;
}

/// Collects variants that differ from the original and from one another.
class Collector {
 public:
  explicit Collector(std::string_view original) : original_(original) {}
  void add(Cause cause, std::string what, std::string bytes) {
    if (bytes == original_ || std::ranges::find(found_, bytes, &BaseVariant::bytes) != found_.end()) return;
    found_.push_back({cause, std::move(what), std::move(bytes), {}});
  }
  void add(Cause cause, std::string what, std::optional<std::string> bytes) {
    if (bytes) add(cause, std::move(what), std::move(*bytes));
  }
  std::vector<BaseVariant> take() { return std::move(found_); }

 private:
  const std::string original_;
  std::vector<BaseVariant> found_;
};

void add_line_variants(Collector& to, std::string_view body) {
  to.add(Cause::signature_line_ends_differ, "with a line feed at the end", std::string(body) + "\n");
  if (body.ends_with("\r\n"))
    to.add(Cause::signature_line_ends_differ, "without the last line end",
           std::string(body.substr(0, body.size() - 2)));
  if (body.ends_with('\n'))
    to.add(Cause::signature_line_ends_differ, "without the last line feed",
           std::string(body.substr(0, body.size() - 1)));
  to.add(Cause::signature_line_ends_differ, "with CR LF made LF", replaced(body, "\r\n", "\n"));
  to.add(Cause::signature_line_ends_differ, "with LF made CR LF", replaced(replaced(body, "\r\n", "\n"), "\n", "\r\n"));
  to.add(Cause::signature_line_ends_differ, "with CR LF at the end", std::string(body) + "\r\n");
  to.add(Cause::signature_blanks_differ, "without blanks at the ends", trimmed(body));
}

void add_charset_variants(Collector& to, std::string_view body) {
  if (body.starts_with(byte_order_mark)) {
    to.add(Cause::signature_byte_order_mark_differs, "without the byte order mark",
           std::string(body.substr(byte_order_mark.size())));
  } else if (!body.empty()) {
    to.add(Cause::signature_byte_order_mark_differs, "with a byte order mark",
           std::string(byte_order_mark) + std::string(body));
  }
  to.add(Cause::signature_charset_differs, "in GBK", utf8_to_gbk(body));
  if (!base::is_utf8(body)) to.add(Cause::signature_charset_differs, "in UTF-8", gbk_to_utf8(body));
}

void add_json_variants(Collector& to, std::string_view body) {
  if (!looks_like_json(body)) return;
  const std::string compact = without_json_blanks(body);
  to.add(Cause::signature_json_was_rewritten, "written without blanks", compact);
  to.add(Cause::signature_json_was_rewritten, "written with a blank behind colons and commas",
         with_json_blanks(compact));
  to.add(Cause::signature_json_was_rewritten, "with slashes escaped", replaced(replaced(body, "\\/", "/"), "/", "\\/"));
  to.add(Cause::signature_json_was_rewritten, "with slashes not escaped", replaced(body, "\\/", "/"));
  to.add(Cause::signature_json_was_rewritten, "with characters outside of ASCII escaped", with_unicode_escapes(body));
  to.add(Cause::signature_json_was_rewritten, "written without blanks, characters outside of ASCII escaped",
         with_unicode_escapes(compact));
  to.add(Cause::signature_json_was_rewritten, "written without blanks, slashes escaped",
         replaced(replaced(compact, "\\/", "/"), "/", "\\/"));
  to.add(Cause::signature_json_was_rewritten, "with < > & escaped",
         replaced(replaced(replaced(body, "<", "\\u003c"), ">", "\\u003e"), "&", "\\u0026"));
}

}  // namespace

std::string without_json_blanks(std::string_view json) {
  std::string out;
  bool inside = false, escaped = false;
  for (const char c : json) {
    if (inside) {
      if (!escaped && c == '"') inside = false;
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      inside = true;
    } else if (blanks.find(c) != std::string_view::npos) {
      continue;
    }
    out += c;
  }
  return out;
}

std::vector<BaseVariant> variants_of(std::string_view body) {
  Collector collector(body);
  add_line_variants(collector, body);
  add_json_variants(collector, body);
  add_charset_variants(collector, body);
  return collector.take();
}

std::vector<BaseVariant> variants_within(std::string_view head, std::string_view body, std::string_view tail) {
  std::vector<BaseVariant> all = variants_of(body);
  for (BaseVariant& one : all) one.bytes = std::string(head) + one.bytes + std::string(tail);
  return all;
}

std::string join_parameters(std::vector<Pair> parameters, const ParameterRule& rule) {
  std::erase_if(parameters, [&](const Pair& one) {
    return (rule.without_empty && one.second.empty()) ||
           std::ranges::find(rule.left_out, one.first) != rule.left_out.end();
  });
  if (rule.sorted) std::ranges::stable_sort(parameters, {}, &Pair::first);
  std::string out;
  for (const Pair& one : parameters) {
    if (!out.empty()) out += '&';
    out.append(one.first).append("=").append(rule.percent_encoded ? percent_encoded(one.second) : one.second);
  }
  return out;
}

std::vector<BaseVariant> parameter_variants(const std::vector<Pair>& parameters, const ParameterRule& rule) {
  const std::string agreed = join_parameters(parameters, rule);
  Collector collector(agreed);
  ParameterRule other = rule;
  other.sorted = !rule.sorted;
  collector.add(Cause::signature_parameters_are_unsorted,
                other.sorted ? "sorted by name" : "in the order of the message", join_parameters(parameters, other));
  other = rule;
  other.without_empty = !rule.without_empty;
  collector.add(Cause::signature_empty_values_differ,
                other.without_empty ? "without empty values" : "with empty values", join_parameters(parameters, other));
  other = rule;
  other.percent_encoded = !rule.percent_encoded;
  collector.add(Cause::signature_values_are_percent_encoded,
                other.percent_encoded ? "with values percent-encoded" : "with values decoded",
                join_parameters(parameters, other));
  for (const std::string_view name : rule.left_out) {
    if (name == "sign" || name == "signature") continue;
    other = rule;
    std::erase(other.left_out, name);
    collector.add(Cause::signature_parameter_set_differs, "with " + std::string(name),
                  join_parameters(parameters, other));
  }
  for (const char* const name : {"sign_type", "charset", "certId", "version"}) {
    if (std::ranges::find(rule.left_out, std::string_view(name)) != rule.left_out.end()) continue;
    other = rule;
    other.left_out.emplace_back(name);
    collector.add(Cause::signature_parameter_set_differs, std::string("without ") + name,
                  join_parameters(parameters, other));
  }
  for (BaseVariant& one : variants_of(agreed)) collector.add(one.cause, std::move(one.what), std::move(one.bytes));
  return collector.take();
}

}  // namespace trial
