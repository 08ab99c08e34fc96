#include "node/timekeeper.h"

#include <algorithm>

#include "base/planted_bug.h"

namespace node {

Timekeeper::Timekeeper(io::Clock& clock, std::optional<TimeAnchor> last, TimekeeperOptions options)
    : clock_(clock), options_(options) {
  const base::Instant wall = clock_.wall();
  boot_ns_ = clock_.boot_ns();
  current_ = wall;
  if (!last) return;
  accepted_ = last->confirmed_lag;
  const bool same_boot = last->boot_id != base::Tag128{} && last->boot_id == clock_.boot_id() && boot_ns_ >= last->boot_ns;
  base::Instant expected = last->instant;
  if (same_boot) expected.ns += boot_ns_ - last->boot_ns;
  const std::int64_t off = (wall - expected).ns - accepted_.ns;
  suspended_ = off < -options_.jump_max.ns || off > (same_boot ? options_.jump_max : options_.downtime_max).ns;
  current_ = same_boot || suspended_ ? expected : std::max(wall, expected);
  difference_ = wall - current_;
  // A wall clock that was right again after all these years needs no allowance any more. While somebody's word is waited
  // for, the allowance stays as it is: a restart in between must not pass for that word.
  if (!same_boot && !suspended_) accepted_.ns = std::clamp<std::int64_t>(difference_.ns, accepted_.ns, 0);
}

base::Instant Timekeeper::now() {
  const std::int64_t boot = clock_.boot_ns();
  const std::int64_t passed = std::max<std::int64_t>(boot - boot_ns_, 0);
  boot_ns_ = std::max(boot, boot_ns_);
  current_.ns += passed;
  difference_ = clock_.wall() - current_;
  const std::int64_t off = difference_.ns - accepted_.ns;
  if (off > options_.jump_max.ns || off < -options_.jump_max.ns) {
    suspended_ = !base::planted_bug(19);
  } else if (!suspended_) {
    const std::int64_t step = passed / options_.slew_divisor;
    const std::int64_t slew = std::clamp(difference_.ns, -step, step);
    current_.ns += slew;
    difference_.ns -= slew;
    // What was accepted shrinks as it is worked off, so that a clock that comes right again needs no second word.
    if (accepted_.ns < 0) accepted_.ns = std::min<std::int64_t>(accepted_.ns - slew, 0);
  }
  return current_;
}

base::Duration Timekeeper::confirm() {
  now();
  const base::Duration confirmed = difference_;
  if (difference_.ns > 0) {
    current_.ns += difference_.ns;
    difference_ = {};
    accepted_ = {};
  } else {
    accepted_ = difference_;
  }
  suspended_ = false;
  return confirmed;
}

TimeAnchor Timekeeper::anchor() {
  const base::Instant instant = now();
  return {.instant = instant, .boot_ns = boot_ns_, .boot_id = clock_.boot_id(), .confirmed_lag = accepted_};
}

}  // namespace node
