#include "effects/key_sets/host_breaker.h"

#include <doctest/doctest.h>

TEST_CASE("a host that fails in a row is left alone, then probed by one, for longer each time, up to a bound") {
  const effects::HostBreakerRules rules;
  effects::HostBreaker breaker;
  const auto at = [](std::int64_t second) { return base::Instant{second * 1'000'000'000}; };
  for (int i = 0; i < 4; ++i) breaker.failed(at(0), rules);
  CHECK(breaker.allows(at(0), rules));
  breaker.succeeded();
  for (int i = 0; i < 5; ++i) breaker.failed(at(1), rules);  // a success in between starts the count anew
  CHECK(breaker.open());
  CHECK_FALSE(breaker.allows(at(10), rules));
  CHECK(breaker.allows(at(11), rules));
  CHECK_FALSE(breaker.allows(at(12), rules));  // the probe is under way
  breaker.failed(at(13), rules);
  CHECK_FALSE(breaker.allows(at(32), rules));
  CHECK(breaker.allows(at(33), rules));
  CHECK(breaker.allows(at(48), rules));        // a probe that never reported
  std::int64_t now = 48;
  for (int i = 0; i < 10; ++i) breaker.failed(at(now), rules);
  CHECK_FALSE(breaker.allows(at(now + 299), rules));
  CHECK(breaker.allows(at(now + 300), rules));
  breaker.succeeded();
  CHECK_FALSE(breaker.open());
  CHECK(breaker.allows(at(now), rules));
}
