#include "gate/rate_limit.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace gate {

namespace {
// Buckets count in billionths of a token, so that a nanosecond's worth is a whole number at any rate.
constexpr std::int64_t whole = 1'000'000'000;
}  // namespace

void RateLimiter::refill(Bucket& bucket, base::Instant now) const {
  if (now <= bucket.at) return;
  const std::int64_t capacity = limits_.burst * whole;
  // Beyond the time that fills an empty bucket nothing more flows in; this also keeps the product within 64 bits.
  const std::int64_t to_full_ns = capacity / limits_.per_second + 1;
  const std::int64_t elapsed_ns = std::min((now - bucket.at).ns, to_full_ns);
  bucket.level = std::min(capacity, bucket.level + elapsed_ns * limits_.per_second);
  bucket.at = now;
}

RateLimiter::Bucket& RateLimiter::bucket_of(model::PrincipalNumber principal, base::Instant now) {
  const auto place = buckets_.try_emplace(principal, Bucket{.level = limits_.burst * whole, .at = now}).first;
  refill(place->second, now);
  return place->second;
}

base::Duration RateLimiter::take(model::PrincipalNumber principal, std::uint32_t tokens, base::Instant now) {
  return take_from(bucket_of(principal, now), tokens);
}

base::Duration RateLimiter::take_of_address(std::string_view address, std::uint32_t tokens, base::Instant now) {
  const Bucket fresh{.level = limits_.burst * whole, .at = now};
  if (rest_.at == base::Instant{}) rest_ = fresh;
  const std::size_t key = std::hash<std::string_view>{}(address);
  auto place = addresses_.find(key);
  // At most once a second, so that a flood of new addresses does not pay for a sweep each.
  if (place == addresses_.end() && addresses_.size() >= rate_addresses_max && now - swept_ >= base::seconds(1)) {
    swept_ = now;
    for (auto one = addresses_.begin(); one != addresses_.end();) {
      refill(one->second, now);
      one = one->second.level == fresh.level ? addresses_.erase(one) : std::next(one);
    }
  }
  if (place == addresses_.end() && addresses_.size() < rate_addresses_max) place = addresses_.emplace(key, fresh).first;
  Bucket& bucket = place == addresses_.end() ? rest_ : place->second;
  refill(bucket, now);
  return take_from(bucket, tokens);
}

base::Duration RateLimiter::take_from(Bucket& bucket, std::uint32_t tokens) const {
  const std::int64_t wanted = tokens * whole;
  if (bucket.level >= wanted) {
    bucket.level -= wanted;
    return {};
  }
  return {(wanted - bucket.level + limits_.per_second - 1) / limits_.per_second};
}

Quota RateLimiter::quota(model::PrincipalNumber principal, base::Instant now) {
  const Bucket& bucket = bucket_of(principal, now);
  return {.limit = limits_.burst,
          .remaining = static_cast<std::uint32_t>(bucket.level / whole),
          .reset = {(limits_.burst * whole - bucket.level) / limits_.per_second}};
}

}  // namespace gate
