#pragma once
// Token buckets: how much each principal may ask for.

#include <cstdint>
#include <unordered_map>

#include "base/instant.h"
#include "model/ids.h"

namespace gate {

struct RateLimits {
  std::uint32_t per_second =
      500'000;                      ///< tokens that flow in, at least 1; a request takes one, a batch one for each item
  std::uint32_t burst = 1'000'000;  ///< tokens a bucket holds; at least batch_items_max, or no full batch ever passes
};

/// What the RateLimit header says.
struct Quota {
  std::uint32_t limit = 0;  ///< RateLimits::burst
  std::uint32_t remaining = 0;
  base::Duration reset{};  ///< until the bucket is full again
};

/// Buckets by principal. Time comes in; a time before the last one counts as no time. Not for two threads.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimits limits) : limits_(limits) {}

  /// Takes `tokens` and gives 0, or takes nothing and gives how long to wait.
  base::Duration take(model::PrincipalNumber principal, std::uint32_t tokens, base::Instant now);
  Quota quota(model::PrincipalNumber principal, base::Instant now);

 private:
  struct Bucket {
    std::int64_t level = 0;  // billionths of a token
    base::Instant at{};
  };
  Bucket& refill(model::PrincipalNumber principal, base::Instant now);
  RateLimits limits_;
  std::unordered_map<model::PrincipalNumber, Bucket> buckets_;
};

}  // namespace gate
