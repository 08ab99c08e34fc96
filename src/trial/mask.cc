#include "trial/mask.h"

#include <algorithm>

#include "base/text.h"

namespace trial {
namespace {

constexpr std::string_view technical[] = {"@authority",
                                          "@method",
                                          "@scheme",
                                          "@signature-params",
                                          "@status",
                                          "alg",
                                          "alipay_cert_sn",
                                          "alipay_root_cert_sn",
                                          "algorithm",
                                          "app_cert_sn",
                                          "bizType",
                                          "certId",
                                          "charset",
                                          "content-digest",
                                          "content-length",
                                          "content-type",
                                          "created",
                                          "date",
                                          "encoding",
                                          "expires",
                                          "format",
                                          "gmt_create",
                                          "gmt_payment",
                                          "iat",
                                          "exp",
                                          "nbf",
                                          "method",
                                          "notify_time",
                                          "notify_type",
                                          "nonce",
                                          "sign_type",
                                          "signMethod",
                                          "timestamp",
                                          "txnSubType",
                                          "txnTime",
                                          "txnType",
                                          "version"};

bool is_technical(std::string_view name) { return std::ranges::find(technical, name) != std::end(technical); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string masked_value(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const auto byte = static_cast<std::uint8_t>(c);
    if (is_digit(c)) {
      out += '9';
    } else if (is_letter(c)) {
      // The letter of an escape and of a line end written out is part of the shape.
      const bool escape = i > 0 && value[i - 1] == '\\' && std::string_view("nrtbfu").find(c) != std::string_view::npos;
      out += escape ? c : 'x';
    } else if (byte < 0x80) {
      out += c;
    } else if ((byte & 0xC0) != 0x80) {
      out += '?';
    }
  }
  return out;
}

// Ten digits beginning with 1 count seconds, thirteen milliseconds; numbers of people have other lengths.
bool is_time_stamp(std::string_view text) {
  return (text.size() == 10 || text.size() == 13) && text.front() == '1' && std::ranges::all_of(text, is_digit);
}

bool looks_like_json(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && (text[begin] == '{' || text[begin] == '[');
}

/// End of the string that begins at `at`, behind its closing quote.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (std::size_t i = at + 1; i < json.size(); ++i) {
    if (json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      return i + 1;
    }
  }
  return json.size();
}

std::string masked_json(std::string_view json) {
  std::string out;
  std::string_view name;
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] == '"') {
      const std::size_t end = end_of_string(json, i);
      const std::string_view text = json.substr(i, end - i);
      const std::size_t next = std::min(json.find_first_not_of(" \t\r\n", end), json.size());
      const bool is_name = next < json.size() && json[next] == ':' && text.size() <= 66;
      if (is_name) name = text.substr(1, text.size() >= 2 ? text.size() - 2 : 0);
      out += is_name || is_technical(name) ? std::string(text) : masked_value(text);
      if (!is_name) name = {};
      i = end;
    } else if (is_digit(json[i])) {
      const std::size_t end = std::min(json.find_first_not_of("0123456789.eE+-", i), json.size());
      out += is_technical(name) ? std::string(json.substr(i, end - i)) : masked_value(json.substr(i, end - i));
      i = end;
    } else {
      const bool literal = json.substr(i).starts_with("true") || json.substr(i).starts_with("false") ||
                           json.substr(i).starts_with("null");
      const std::size_t size = !literal ? 1 : json[i] == 'f' ? 5 : 4;
      out += literal ? std::string(json.substr(i, size)) : masked_value(json.substr(i, 1));
      if (json[i] == ',' || json[i] == '{' || json[i] == '[') name = {};
      i += size;
    }
  }
  return out;
}

std::string masked_parameters(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view part = text.substr(0, end);
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    if (equals == std::string_view::npos) {
      out += masked_value(part);
    } else {
      const std::string_view value = part.substr(equals + 1);
      out.append(name).append("=").append(is_technical(name) || is_time_stamp(value) ? std::string(value)
                                          : looks_like_json(value)                   ? masked_json(value)
                                                                                     : masked_value(value));
    }
    if (end == text.size()) return out;
    out += '&';
    text.remove_prefix(end + 1);
  }
}

// `"name": value` or `"name";parameter="x": value`.
std::string masked_component(std::string_view line) {
  const std::size_t colon = line.find(": ");
  const std::string_view name = line.substr(1, line.find('"', 1) - 1);
  return is_technical(name) ? std::string(line)
                            : std::string(line.substr(0, colon + 2)) + masked_value(line.substr(colon + 2));
}

bool has_parameters(std::string_view line) {
  const std::size_t equals = line.find('=');
  return equals != std::string_view::npos && equals > 0 && equals <= 64 &&
         std::ranges::all_of(line.substr(0, equals),
                             [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-'; });
}

std::string masked_line(std::string_view line) {
  if (is_time_stamp(line)) return std::string(line);
  if (line.starts_with('"') && line.find(": ") != std::string_view::npos) return masked_component(line);
  return has_parameters(line) ? masked_parameters(line) : masked_value(line);
}

}  // namespace

std::string mask(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (looks_like_json(text)) return out + masked_json(text);
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    // JSON behind an id and a time stamp, as webhooks join them with dots.
    const std::size_t brace = line.find('{');
    if (brace != std::string_view::npos && brace > 0 && line[brace - 1] == '.')
      return out + masked_line(line.substr(0, brace)) + masked_json(text.substr(brace));
    const bool carriage = line.ends_with('\r');
    if (carriage) line.remove_suffix(1);
    out += masked_line(line);
    if (carriage) out += '\r';
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string mask_jws(std::string_view signing_input) {
  const std::size_t dot = signing_input.find('.');
  if (dot == std::string_view::npos) return mask(signing_input);
  const std::string_view payload = signing_input.substr(dot + 1);
  const auto decoded = base::parse_base64url(payload);
  const std::string head(signing_input.substr(0, dot + 1));
  return decoded ? head + "<base64url of: " + mask(base::as_text(*decoded)) + ">" : head + mask(payload);
}

std::string abridged(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  const std::size_t left = text.size() - bytes;
  return text.substr(0, bytes / 2) + " ... " + std::to_string(left) + " bytes ... " +
         text.substr(text.size() - bytes / 2);
}

}  // namespace trial
