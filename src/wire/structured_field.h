#pragma once
// The few header fields Holdfast reads with a grammar of their own. All parsers are strict and take the trimmed value.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace wire {

/// RFC 8941 section 3.3.3: a quoted string item without parameters, unescaped. Nothing if it is not exactly that.
std::optional<std::string> parse_sf_string(std::string_view value);
/// The inverse; nothing if `text` holds anything but printable ASCII.
std::optional<std::string> to_sf_string(std::string_view text);

/// The value of Idempotency-Key: a structured-field string (`"7f3a"`, draft-ietf-httpapi-idempotency-key-header) of 1
/// to 255 characters; for convenience also a bare word of [A-Za-z0-9_.:-]{1,255}. Both spellings of a word are the same
/// key. Error: idempotency_key_malformed.
base::Result<std::string> parse_idempotency_key(std::string_view value);

/// W3C Trace Context level 1.
struct TraceContext {
  base::Tag128 trace_id{};
  std::array<std::uint8_t, 8> parent_id{};
  bool sampled = false;
  bool operator==(const TraceContext&) const = default;
};
/// Nothing if malformed, all-zero, upper case or version ff; a higher version is read as version 00 (section 3.2.4).
std::optional<TraceContext> parse_traceparent(std::string_view value);
/// Always version 00.
std::string to_traceparent(const TraceContext& context);

/// RFC 6750 section 2.1: the token68 after `Bearer ` (scheme in any case). A view into `value`.
std::optional<std::string_view> parse_bearer(std::string_view value);

/// RFC 9110 section 8.3.1; type and charset in lower case, other parameters are checked and dropped.
struct MediaType {
  std::string type;     ///< `application/json`
  std::string charset;  ///< `utf-8`, or empty
  bool operator==(const MediaType&) const = default;
};
std::optional<MediaType> parse_media_type(std::string_view value);

/// RFC 9110 section 12.5.1: how much the client wants `type` (`application/json`): 0 (not at all) to 1000. The most
/// specific range decides. An empty field accepts everything; nothing if it is malformed.
std::optional<unsigned> accept_quality(std::string_view accept, std::string_view type);

}  // namespace wire
