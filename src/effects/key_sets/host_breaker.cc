#include "effects/key_sets/host_breaker.h"

#include <algorithm>

namespace effects {

bool HostBreaker::allows(base::Instant now, const HostBreakerRules& rules) {
  if (!open_) return true;
  if (now < closed_until_) return false;
  closed_until_ = now + rules.probe_lease;
  return true;
}

void HostBreaker::failed(base::Instant now, const HostBreakerRules& rules) {
  ++failures_;
  if (failures_ < rules.failures_max) return;
  open_for_ = open_ ? std::min(base::Duration{open_for_.ns * 2}, rules.open_max) : rules.open_min;
  open_ = true;
  closed_until_ = now + open_for_;
}

}  // namespace effects
