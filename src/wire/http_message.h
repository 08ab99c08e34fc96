#pragma once
// What an HTTP request and reply are, whatever version carried them (RFC 9110), and the parts of a URL (RFC 3986).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace wire {

/// Header fields in the order they came, names in lower case. All text lies in one string: two allocations a message.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  /// `name` is lowered; neither part may contain CR, LF or NUL (CHECK: foreign bytes are validated before).
  void add(std::string_view name, std::string_view value);
  /// The value of the only field of this (lower-case) name; nothing if absent or present more than once.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  std::size_t size() const { return entries_.size(); }
  /// Views die with the next add().
  Field at(std::size_t index) const;
  void clear();
  /// Room for a message of usual size in one step.
  void reserve(std::size_t fields, std::size_t text_bytes);

 private:
  struct Entry {
    std::uint32_t start;
    std::uint32_t name_bytes;
    std::uint32_t value_bytes;
  };
  std::string text_;
  std::vector<Entry> entries_;
};

struct Request {
  std::string method;     ///< upper case: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
  std::string path;       ///< raw, starts with '/' (or is "*" with OPTIONS); decode with split_path
  std::string query;      ///< raw, without '?'; decode with parse_query
  std::string authority;  ///< Host or :authority
  Headers headers;        ///< without pseudo headers; `host` is not repeated here
  std::string body;       ///< complete, transfer coding removed
  std::uint8_t http_major = 1;
  std::uint8_t http_minor = 1;
};

struct Response {
  std::uint16_t status = 200;
  /// Content-Length, Date and Connection are added by the machine and must not be here.
  Headers headers;
  std::string body;
};

/// `OK`, `Not Found`...; `Unknown` for a status that has no registered phrase.
std::string_view reason_phrase(std::uint16_t status);

/// RFC 9110 section 5.6.2: one or more token characters.
bool is_token(std::string_view text);
/// RFC 9110 section 5.5 without obs-text: visible ASCII, blanks and tabs, none at the ends.
bool is_field_value(std::string_view text);

/// RFC 9110 section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, for Date. Fractions are cut off.
std::string to_imf_fixdate(base::Instant instant);

/// Splits a raw path at its slashes, then percent-decodes every segment exactly once, so that `%2F` is a slash inside a
/// value: `/v1/accounts/users%2F7f3a` is {v1, accounts, users/7f3a}; `/` is {}. Errors: url_path_malformed (no leading
/// slash, bad percent sign, control character or NUL, invalid UTF-8, empty segment, `.` or `..`).
base::Result<std::vector<std::string>> split_path(std::string_view raw_path);

/// Percent-encodes one path segment: everything but unreserved characters (RFC 3986 section 2.3).
std::string encode_segment(std::string_view value);

/// Parameters in order, decoded once. `+` is a blank (application/x-www-form-urlencoded, as query builders write it).
class QueryParameters {
 public:
  std::optional<std::string_view> find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  friend base::Result<QueryParameters> parse_query(std::string_view raw_query);
  std::vector<std::pair<std::string, std::string>> all_;
};

/// At most 64 parameters. Errors: url_query_malformed (bad percent sign, control character, invalid UTF-8, empty name,
/// too many), url_query_parameter_duplicate.
base::Result<QueryParameters> parse_query(std::string_view raw_query);

}  // namespace wire
