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

TEST_CASE("addresses have buckets of their own, and there is an end to them") {
  RateLimiter limiter({.per_second = 1, .burst = 2});
  for (int i = 0; i < 2; ++i) CHECK(limiter.take_of_address("192.0.2.1", 1, at_ms(0)).ns == 0);
  CHECK(limiter.take_of_address("192.0.2.1", 1, at_ms(0)) == base::seconds(1));
  CHECK(limiter.take_of_address("192.0.2.2", 1, at_ms(0)).ns == 0);
  CHECK(limiter.take(0, 2, at_ms(0)).ns == 0);   // nor do they share with principals
  for (std::size_t i = 0; i < rate_addresses_max; ++i) (void)limiter.take_of_address("a" + std::to_string(i), 1, at_ms(0));
  // No room: those that come now share what is left for all of them.
  CHECK(limiter.take_of_address("late", 2, at_ms(0)).ns != 0);
  // Two seconds later everybody's bucket is full again and makes room.
  CHECK(limiter.take_of_address("later", 2, at_ms(2000)).ns == 0);
  CHECK(limiter.take_of_address("last", 2, at_ms(2000)).ns == 0);
}

TEST_CASE("a clock that jumps back gives nothing, one that jumps ahead no more than a full bucket") {
  RateLimiter limiter({.per_second = 1'000'000, .burst = 1'000'000});
  CHECK(limiter.take(1, 1'000'000, at_ms(0)).ns == 0);
  CHECK(limiter.take(1, 1, at_ms(-500)).ns != 0);
  CHECK(limiter.take(1, 1, base::Instant{INT64_MAX}).ns == 0);
  CHECK(limiter.quota(1, base::Instant{INT64_MAX}).remaining == 999'999);
}
