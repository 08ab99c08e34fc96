#pragma once
// Dates of HTTP headers.

#include <optional>
#include <string_view>

#include "base/instant.h"

namespace base {

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7). The day of the week is not compared. Nothing for any other form.
std::optional<Instant> parse_http_date(std::string_view text);

}  // namespace base
