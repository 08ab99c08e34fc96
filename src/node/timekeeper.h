#pragma once
// Time as the core sees it: it starts at the wall clock, advances with the boot clock and never goes back. A wall clock
// that jumps by more than `jump_max` suspends expiries until an operator confirms it; smaller differences are slewed away.
// A restart within one boot changes nothing of that: the journal holds an anchor, and time goes on by the boot clock.

#include <cstdint>
#include <optional>

#include "base/instant.h"
#include "io/clock.h"
#include "store/journal/layout.h"

namespace node {

/// Where time stood at some moment, as the journal records it.
using TimeAnchor = store::ClockAnchor;

struct TimekeeperOptions {
  base::Duration jump_max = base::seconds(60);
  /// Across boots nobody measured the time that passed: a wall clock further ahead than this is not believed.
  base::Duration downtime_max = base::seconds(7LL * 86'400);
  /// Share of passing time by which a small difference to the wall clock is worked off: 1 in `slew_divisor`.
  std::int64_t slew_divisor = 100;
};

/// One thread.
class Timekeeper {
 public:
  /// `last` is the newest anchor of the journal, if there is one (a boot id of zeros: of no boot). Within its boot time
  /// goes on from it by the boot clock, and a wall clock off by more than jump_max starts suspended. In another boot time
  /// is the wall clock's, never earlier than the anchor; one that lies behind by more than jump_max, or ahead by more than
  /// downtime_max, starts suspended at the anchor.
  Timekeeper(io::Clock& clock, std::optional<TimeAnchor> last, TimekeeperOptions options = {});

  /// The core's time now; never less than any value returned before.
  base::Instant now();
  /// True while expiries wait for confirm().
  bool suspended() const { return suspended_; }
  /// How far the wall clock is ahead of the core (negative: behind), as of the last now().
  base::Duration difference() const { return difference_; }
  /// The operator's word that the wall clock is right. Time goes on at the wall clock, or, where that lies behind, from
  /// where the core is. Returns the difference that was confirmed.
  base::Duration confirm();
  TimeAnchor anchor();

 private:
  io::Clock& clock_;
  const TimekeeperOptions options_;
  base::Instant current_{};
  std::int64_t boot_ns_ = 0;
  base::Duration difference_{};
  /// Difference that was confirmed although time cannot go back to it; measured against it, not against zero.
  base::Duration accepted_{};
  bool suspended_ = false;
};

}  // namespace node
