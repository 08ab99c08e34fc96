#pragma once
// Token buckets: how much each principal may ask for, and each address of which nobody knows whose it is.

#include <cstdint>
#include <string_view>
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

/// Addresses with a bucket of their own at a time. Those whose bucket is full again make room; what finds none shares one.
constexpr std::size_t rate_addresses_max = 65'536;

/// Buckets by principal and by address. Time comes in; a time before the last one counts as no time. Not for two threads.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimits limits) : limits_(limits) {}

  /// Takes `tokens` and gives 0, or takes nothing and gives how long to wait.
  base::Duration take(model::PrincipalNumber principal, std::uint32_t tokens, base::Instant now);
  /// The same for somebody unproven at an address: an address, or the network that counts as one.
  base::Duration take_of_address(std::string_view address, std::uint32_t tokens, base::Instant now);
  Quota quota(model::PrincipalNumber principal, base::Instant now);

 private:
  struct Bucket {
    std::int64_t level = 0;  // billionths of a token
    base::Instant at{};
  };
  void refill(Bucket& bucket, base::Instant now) const;
  Bucket& bucket_of(model::PrincipalNumber principal, base::Instant now);
  base::Duration take_from(Bucket& bucket, std::uint32_t tokens) const;
  RateLimits limits_;
  std::unordered_map<model::PrincipalNumber, Bucket> buckets_;
  std::unordered_map<std::size_t, Bucket> addresses_;   // by hash: two that collide share a bucket
  Bucket rest_;                                         // of all addresses for which there was no room
  base::Instant swept_{};
};

}  // namespace gate
