#pragma once
// How long a peer may take for the bytes it owes, or for the bytes it has to fetch from us.

#include <cstdint>

#include "wire/http_machine.h"

namespace wire {

/// Counts bytes against a RateLimit. The deadline is a closed formula, so nothing has to be looked at periodically.
class RateGuard {
 public:
  void start(std::int64_t now_ns) {
    start_ns_ = now_ns;
    bytes_ = 0;
    running_ = true;
  }
  void stop() { running_ = false; }
  bool running() const { return running_; }
  void progress(std::uint64_t bytes) { bytes_ += bytes; }

  /// The instant at which the peer falls below the rate if no further byte moves.
  std::int64_t deadline(const RateLimit& limit) const {
    if (!running_) return HttpMachine::no_deadline;
    constexpr std::uint64_t second = 1'000'000'000;
    const std::uint64_t rate = limit.bytes_per_second == 0 ? 1 : limit.bytes_per_second;
    const std::uint64_t earned = bytes_ / rate * second + bytes_ % rate * second / rate;
    return start_ns_ + limit.grace_ns + static_cast<std::int64_t>(earned);
  }

 private:
  std::int64_t start_ns_ = 0;
  std::uint64_t bytes_ = 0;
  bool running_ = false;
};

}  // namespace wire
