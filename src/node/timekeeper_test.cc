#include "node/timekeeper.h"

#include <algorithm>

#include <doctest/doctest.h>

using base::seconds;
using node::TimeAnchor;
using node::Timekeeper;

TEST_CASE("time follows the boot clock and never goes back") {
  io::SimulatedClock clock;
  Timekeeper time(clock, {});
  const base::Instant start = time.now();
  CHECK(start == clock.wall());
  clock.advance(seconds(5).ns);
  CHECK(time.now() - start == seconds(5));
  clock.jump_wall(-seconds(30).ns);
  const base::Instant before = time.now();
  clock.advance(seconds(1).ns);
  CHECK(time.now() > before);
  CHECK_FALSE(time.suspended());
}

TEST_CASE("a small difference is worked off slowly") {
  io::SimulatedClock clock;
  Timekeeper time(clock, {});
  time.now();
  clock.jump_wall(seconds(1).ns);
  for (int i = 0; i < 101; ++i) {
    clock.advance(seconds(1).ns);
    time.now();
  }
  CHECK(time.difference().ns == 0);
}

TEST_CASE("a jump of more than a minute suspends until it is confirmed") {
  io::SimulatedClock clock;
  Timekeeper time(clock, {});
  const base::Instant start = time.now();
  clock.jump_wall(seconds(3600).ns);
  CHECK(time.now() == start);
  CHECK(time.suspended());
  CHECK(time.confirm() == seconds(3600));
  CHECK_FALSE(time.suspended());
  CHECK(time.now() == clock.wall());
}

TEST_CASE("a confirmed jump backwards goes on from where time is") {
  io::SimulatedClock clock;
  Timekeeper time(clock, {});
  const base::Instant start = time.now();
  clock.jump_wall(-seconds(400LL * 86400).ns);
  CHECK(time.now() == start);
  CHECK(time.suspended());
  time.confirm();
  CHECK_FALSE(time.suspended());
  clock.advance(seconds(100).ns);
  const base::Instant later = time.now();
  CHECK(later > start);
  CHECK_FALSE(time.suspended());
  clock.jump_wall(-seconds(120).ns);
  time.now();
  CHECK(time.suspended());
}

TEST_CASE("in another boot time is the wall clock's, and never earlier than the journal") {
  io::SimulatedClock clock;
  for (const std::int64_t ahead : {-59LL, 0LL, 3'600LL, 6 * 86'400LL}) {
    CAPTURE(ahead);
    const TimeAnchor last{.instant = clock.wall() + seconds(-ahead)};
    Timekeeper time(clock, last);
    CHECK(time.now() == std::max(last.instant, clock.wall()));
    CHECK_FALSE(time.suspended());
  }
}

TEST_CASE("in another boot a wall clock far behind the journal, or weeks ahead, starts suspended where the journal ended") {
  for (const std::int64_t ahead : {-61LL, -400 * 86'400LL, 8 * 86'400LL, 20'000 * 86'400LL}) {
    CAPTURE(ahead);
    io::SimulatedClock clock;
    const TimeAnchor last{.instant = clock.wall() + seconds(-ahead)};
    Timekeeper time(clock, last);
    CHECK(time.suspended());
    CHECK(time.now() == last.instant);
    clock.advance(seconds(5).ns);
    CHECK(time.now() == last.instant + seconds(5));
    CHECK(time.suspended());
    CHECK(time.confirm() == seconds(ahead));
    CHECK_FALSE(time.suspended());
    CHECK(time.now() == std::max(last.instant + seconds(5), clock.wall()));
  }
}

TEST_CASE("within one boot a restart is no event for time") {
  for (const std::int64_t jump : {0LL, 59LL, -59LL, 7'200LL, -7'200LL, 400 * 86'400LL}) {
    CAPTURE(jump);
    io::SimulatedClock clock;
    const TimeAnchor last = Timekeeper(clock, {}).anchor();
    clock.advance(seconds(10).ns);
    clock.jump_wall(seconds(jump).ns);
    Timekeeper time(clock, last);
    CHECK(time.suspended() == (jump > 60 || jump < -60));
    CHECK(time.now() == last.instant + seconds(10));
    CHECK(time.difference() == seconds(jump));
  }
}

TEST_CASE("what was confirmed stays confirmed over a restart, within one boot and after it") {
  for (const bool new_boot : {false, true}) {
    CAPTURE(new_boot);
    io::SimulatedClock clock;
    TimeAnchor last;
    {
      Timekeeper time(clock, {});
      clock.jump_wall(-seconds(400LL * 86'400).ns);
      time.now();
      time.confirm();
      last = time.anchor();
    }
    if (new_boot) clock.new_boot();
    clock.advance(seconds(10).ns);
    {
      Timekeeper time(clock, last);
      CHECK_FALSE(time.suspended());
      CHECK(time.now() >= last.instant);
    }
    clock.jump_wall(-seconds(120).ns);
    Timekeeper again(clock, last);
    CHECK(again.suspended());
  }
}

TEST_CASE("an unconfirmed jump stays unconfirmed over a restart") {
  io::SimulatedClock clock;
  TimeAnchor last;
  {
    Timekeeper time(clock, {});
    clock.jump_wall(seconds(3'600).ns);
    time.now();
    last = time.anchor();
  }
  clock.advance(seconds(5).ns);
  Timekeeper time(clock, last);
  CHECK(time.suspended());
  CHECK(time.now() == last.instant + seconds(5));
}

TEST_CASE("a suspension after a reboot outlasts a restart of the process, whatever was confirmed before") {
  io::SimulatedClock clock;
  TimeAnchor last;
  {
    Timekeeper time(clock, {});
    clock.jump_wall(-seconds(800LL * 86'400).ns);
    time.now();
    time.confirm();
    last = time.anchor();
  }
  clock.new_boot();
  clock.jump_wall(seconds(400LL * 86'400).ns);   // still behind, and far from what was confirmed
  {
    Timekeeper time(clock, last);
    CHECK(time.suspended());
    clock.advance(seconds(10).ns);
    last = time.anchor();
  }
  Timekeeper again(clock, last);
  CHECK(again.suspended());
  CHECK(again.now() == last.instant);
}

TEST_CASE("a boot clock that went back is another boot's, whatever its id says") {
  io::SimulatedClock clock;
  TimeAnchor last = Timekeeper(clock, {}).anchor();
  last.boot_ns += seconds(1'000).ns;
  clock.jump_wall(seconds(3'600).ns);
  Timekeeper time(clock, last);
  CHECK_FALSE(time.suspended());
  CHECK(time.now() == clock.wall());
}
