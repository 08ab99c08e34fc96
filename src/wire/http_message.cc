#include "wire/http_message.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"

namespace wire {

namespace {

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<std::uint8_t>(c)] = true;
  return table;
}
constexpr auto token_characters = token_table();

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F; }

/// Decodes once. Nothing if the text is not to be trusted to mean one thing.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string value;
  value.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (is_control(c)) return std::nullopt;
    value.push_back(c);
  }
  if (!base::is_utf8(value)) return std::nullopt;
  return value;
}

base::Error path_error(const char* what) { return {"url_path_malformed", what}; }

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  CHECK(is_token(name) || name.starts_with(':'));
  entries_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size())});
  for (const char c : name) text_.push_back(to_lower(c));
  text_.append(value);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  std::optional<std::string_view> found;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Field field = at(i);
    if (field.name != name) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found;
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t found = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (at(i).name == name) ++found;
  }
  return found;
}

Headers::Field Headers::at(std::size_t index) const {
  const Entry& entry = entries_[index];
  const std::string_view text = text_;
  return {text.substr(entry.start, entry.name_bytes), text.substr(entry.start + entry.name_bytes, entry.value_bytes)};
}

void Headers::clear() {
  text_.clear();
  entries_.clear();
}

void Headers::reserve(std::size_t fields, std::size_t text_bytes) {
  entries_.reserve(fields);
  text_.reserve(text_bytes);
}

std::string_view reason_phrase(std::uint16_t status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return token_characters[static_cast<std::uint8_t>(c)];
  });
}

bool is_field_value(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (text.empty()) return true;
  if (blank(text.front()) || blank(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return blank(c) || (c > 0x20 && c < 0x7F); });
}

std::string to_imf_fixdate(base::Instant instant) {
  constexpr std::array<const char*, 7> days = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  CHECK(instant.ns >= 0);
  // The date part of RFC 3339 is the same calendar: 2026-11-22T06:03:00.000000000Z
  const std::string text = base::to_rfc3339(instant);
  const auto day_number = static_cast<std::size_t>(instant.ns / 86'400'000'000'000);
  const auto month = static_cast<std::size_t>((text[5] - '0') * 10 + (text[6] - '0') - 1);
  return std::string(days[day_number % 7]) + ", " + text.substr(8, 2) + " " + months[month] + " " + text.substr(0, 4) +
         " " + text.substr(11, 8) + " GMT";
}

base::Result<std::vector<std::string>> split_path(std::string_view raw_path) {
  if (raw_path.empty() || raw_path.front() != '/') return path_error("a path begins with a slash");
  std::vector<std::string> segments;
  raw_path.remove_prefix(1);
  if (raw_path.empty()) return segments;
  while (true) {
    const std::size_t slash = raw_path.find('/');
    std::optional<std::string> segment = percent_decode(raw_path.substr(0, slash), false);
    if (!segment) return path_error("a path segment holds a wrong percent escape, a control character or no UTF-8");
    if (segment->empty()) return path_error("a path segment is empty");
    if (*segment == "." || *segment == "..") return path_error("a path segment is . or ..");
    segments.push_back(std::move(*segment));
    if (slash == std::string_view::npos) return segments;
    raw_path.remove_prefix(slash + 1);
  }
}

std::string encode_segment(std::string_view value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  text.reserve(value.size());
  for (const char c : value) {
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      text.push_back(c);
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      text.push_back('%');
      text.push_back(digits[byte >> 4]);
      text.push_back(digits[byte & 15]);
    }
  }
  return text;
}

std::optional<std::string_view> QueryParameters::find(std::string_view name) const {
  for (const auto& [known, value] : all_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

base::Result<QueryParameters> parse_query(std::string_view raw_query) {
  constexpr std::size_t parameters_max = 64;
  QueryParameters parameters;
  while (!raw_query.empty()) {
    const std::size_t end = raw_query.find('&');
    const std::string_view part = raw_query.substr(0, end);
    const std::size_t equals = part.find('=');
    std::optional<std::string> name = percent_decode(part.substr(0, equals), true);
    std::optional<std::string> value =
        equals == std::string_view::npos ? std::string() : percent_decode(part.substr(equals + 1), true);
    if (!name || !value) {
      return base::Error{"url_query_malformed",
                         "a parameter holds a wrong percent escape, a control character or no UTF-8"};
    }
    if (name->empty()) return base::Error{"url_query_malformed", "a parameter has no name"};
    if (parameters.find(*name)) {
      return base::Error{"url_query_parameter_duplicate", "a parameter is given more than once"};
    }
    if (parameters.all_.size() == parameters_max) {
      return base::Error{"url_query_malformed", "more than " + std::to_string(parameters_max) + " parameters"};
    }
    parameters.all_.emplace_back(std::move(*name), std::move(*value));
    if (end == std::string_view::npos) break;
    raw_query.remove_prefix(end + 1);
    if (raw_query.empty()) return base::Error{"url_query_malformed", "a parameter has no name"};
  }
  return parameters;
}

}  // namespace wire
