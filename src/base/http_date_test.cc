#include "base/http_date.h"

#include <doctest/doctest.h>

TEST_CASE("dates of HTTP headers") {
  CHECK(base::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == base::parse_rfc3339("1994-11-06T08:49:37Z"));
  CHECK(base::parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == base::Instant{0});
  CHECK(base::parse_http_date("Wed, 31 Dec 2025 23:59:59 GMT").has_value());
  for (const char* wrong : {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 nov 1994 08:49:37 GMT",
                            "Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun; 06 Nov 1994 08:49:37 GMT"}) {
    CHECK_FALSE(base::parse_http_date(wrong).has_value());
  }
}
