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
  base::Instant expected = last->instant;
  const bool same_boot = last->boot_id == clock_.boot_id() && boot_ns_ >= last->boot_ns;
  if (same_boot) expected.ns += boot_ns_ - last->boot_ns;
  const std::int64_t ahead = wall.ns - expected.ns;
  if (same_boot) {
    suspended_ = ahead > options_.jump_max.ns || ahead < -options_.jump_max.ns;
    current_ = suspended_ ? expected : std::max(wall, last->instant);
  } else {
    suspended_ = ahead < -options_.jump_max.ns;
    current_ = std::max(wall, last->instant);
  }
  difference_ = wall - current_;
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
  return {instant, boot_ns_, clock_.boot_id()};
}

}  // namespace node
