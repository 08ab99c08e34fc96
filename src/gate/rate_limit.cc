#include "gate/rate_limit.h"

#include <algorithm>

namespace gate {

namespace {
// Buckets count in billionths of a token, so that a nanosecond's worth is a whole number at any rate.
constexpr std::int64_t whole = 1'000'000'000;
}  // namespace

RateLimiter::Bucket& RateLimiter::refill(model::PrincipalNumber principal, base::Instant now) {
  const std::int64_t capacity = limits_.burst * whole;
  const auto [place, is_new] = buckets_.try_emplace(principal, Bucket{.level = capacity, .at = now});
  Bucket& bucket = place->second;
  if (is_new || now <= bucket.at) return bucket;
  // Beyond the time that fills an empty bucket nothing more flows in; this also keeps the product within 64 bits.
  const std::int64_t to_full_ns = capacity / limits_.per_second + 1;
  const std::int64_t elapsed_ns = std::min((now - bucket.at).ns, to_full_ns);
  bucket.level = std::min(capacity, bucket.level + elapsed_ns * limits_.per_second);
  bucket.at = now;
  return bucket;
}

base::Duration RateLimiter::take(model::PrincipalNumber principal, std::uint32_t tokens, base::Instant now) {
  Bucket& bucket = refill(principal, now);
  const std::int64_t wanted = tokens * whole;
  if (bucket.level >= wanted) {
    bucket.level -= wanted;
    return {};
  }
  return {(wanted - bucket.level + limits_.per_second - 1) / limits_.per_second};
}

Quota RateLimiter::quota(model::PrincipalNumber principal, base::Instant now) {
  const Bucket& bucket = refill(principal, now);
  return {.limit = limits_.burst,
          .remaining = static_cast<std::uint32_t>(bucket.level / whole),
          .reset = {(limits_.burst * whole - bucket.level) / limits_.per_second}};
}

}  // namespace gate
