#include "gate/rate_limit.h"

#include <doctest/doctest.h>

using namespace gate;

namespace {
base::Instant at_ms(std::int64_t ms) { return base::Instant{0} + base::milliseconds(1'000'000 + ms); }
}  // namespace

TEST_CASE("a bucket gives its burst, then what flows in") {
  RateLimiter limiter({.per_second = 10, .burst = 5});
  for (int i = 0; i < 5; ++i) CHECK(limiter.take(1, 1, at_ms(0)).ns == 0);
  CHECK(limiter.take(1, 1, at_ms(0)) == base::milliseconds(100));
  CHECK(limiter.take(1, 1, at_ms(40)) == base::milliseconds(60));
  CHECK(limiter.take(1, 1, at_ms(100)).ns == 0);
  CHECK(limiter.take(1, 1, at_ms(100)).ns != 0);
  CHECK(limiter.take(2, 5, at_ms(100)).ns == 0);  // another principal, another bucket
  CHECK(limiter.quota(1, at_ms(300)).remaining == 2);
  CHECK(limiter.quota(1, at_ms(300)).reset == base::milliseconds(300));
  CHECK(limiter.quota(1, at_ms(1'000'000'000)).remaining == 5);
  CHECK(limiter.quota(1, at_ms(1'000'000'000)).limit == 5);
}

TEST_CASE("a clock that jumps back gives nothing, one that jumps ahead no more than a full bucket") {
  RateLimiter limiter({.per_second = 1'000'000, .burst = 1'000'000});
  CHECK(limiter.take(1, 1'000'000, at_ms(0)).ns == 0);
  CHECK(limiter.take(1, 1, at_ms(-500)).ns != 0);
  CHECK(limiter.take(1, 1, base::Instant{INT64_MAX}).ns == 0);
  CHECK(limiter.quota(1, base::Instant{INT64_MAX}).remaining == 999'999);
}
