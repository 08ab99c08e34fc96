#pragma once
// Leaves a host alone that fails again and again, however many issuers live there. Pure: instants come in. Not for two threads
// at a time.

#include <cstdint>

#include "base/instant.h"

namespace effects {

struct HostBreakerRules {
  std::uint32_t failures_max = 5;                   ///< in a row, then it opens
  base::Duration open_min = base::seconds(10);      ///< doubled by every probe that fails, up to open_max
  base::Duration open_max = base::seconds(5 * 60);
  base::Duration probe_lease = base::seconds(15);   ///< a probe that does not report within this counts for nothing
};

class HostBreaker {
 public:
  /// Whether the host may be asked. While it is open: no; after that one may, as a probe, and others wait for how it ends.
  bool allows(base::Instant now, const HostBreakerRules& rules);
  void succeeded() { *this = {}; }
  void failed(base::Instant now, const HostBreakerRules& rules);
  bool open() const { return open_; }

 private:
  std::uint32_t failures_ = 0;
  bool open_ = false;
  base::Duration open_for_{};
  base::Instant closed_until_;   ///< to everybody, while it is open
};

}  // namespace effects
