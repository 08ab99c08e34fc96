#pragma once
// How long a peer may take for the bytes it owes, or for the bytes it has to fetch from us.

#include <algorithm>
#include <cstdint>

#include "wire/http_machine.h"

namespace wire {

/// Holds a peer to a RateLimit: it starts with the grace, every byte buys time at the least rate, and what is bought ahead
/// is never worth more than two graces (or a second, if that is more) from now. Without that bound a peer could send 15 MiB at once and then keep them, and
/// us, waiting for hours.
class RateGuard {
 public:
  explicit RateGuard(const RateLimit& limit) : limit_(limit) {}

  void start(std::int64_t now_ns) { deadline_ns_ = now_ns + limit_.grace_ns; }
  void stop() { deadline_ns_ = HttpMachine::no_deadline; }
  bool running() const { return deadline_ns_ != HttpMachine::no_deadline; }
  void progress(std::uint64_t bytes, std::int64_t now_ns) {
    if (!running() || bytes == 0) return;
    constexpr std::uint64_t second = 1'000'000'000;
    const std::uint64_t rate = limit_.bytes_per_second == 0 ? 1 : limit_.bytes_per_second;
    const std::uint64_t bought = bytes / rate * second + bytes % rate * second / rate;
    deadline_ns_ = std::min(deadline_ns_ + static_cast<std::int64_t>(bought), now_ns + std::max(2 * limit_.grace_ns, std::int64_t{second}));
  }

  /// The instant at which the peer is too slow if no further byte moves; HttpMachine::no_deadline while it is not running.
  std::int64_t deadline() const { return deadline_ns_; }

 private:
  RateLimit limit_;
  std::int64_t deadline_ns_ = HttpMachine::no_deadline;
};

}  // namespace wire
