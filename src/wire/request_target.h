#pragma once
// What both versions of HTTP ask of a request's method, target and authority.

#include <optional>
#include <string_view>

namespace wire {

/// The methods a request may have here.
bool is_known_method(std::string_view method);

/// Host and optional port, or a bracketed address (RFC 3986 section 3.2.2, 3.2.3): no user, no list, not empty.
bool is_authority(std::string_view text);

struct OriginForm {
  std::string_view path;
  std::string_view query;
};
/// RFC 9112 section 3.2.1: `/path?query` of the characters of RFC 3986; no fragment.
std::optional<OriginForm> parse_origin_form(std::string_view target);

}  // namespace wire
