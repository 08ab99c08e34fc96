#include "node/timekeeper.h"

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

TEST_CASE("after a restart time goes on after the journal") {
  io::SimulatedClock clock;
  const TimeAnchor last{clock.wall() + seconds(30), 0, {}};
  Timekeeper time(clock, last);
  CHECK(time.now() == last.instant);
  CHECK_FALSE(time.suspended());
}

TEST_CASE("a wall clock far behind the journal starts suspended") {
  io::SimulatedClock clock;
  const TimeAnchor last{clock.wall() + seconds(3600), 0, {}};
  Timekeeper time(clock, last);
  CHECK(time.suspended());
  CHECK(time.now() == last.instant);
}

TEST_CASE("within one boot a jump between stop and start is found in both directions") {
  for (const std::int64_t jump : {seconds(7200).ns, -seconds(7200).ns}) {
    io::SimulatedClock clock;
    TimeAnchor last;
    {
      Timekeeper time(clock, {});
      last = time.anchor();
    }
    clock.advance(seconds(10).ns);
    clock.jump_wall(jump);
    Timekeeper time(clock, last);
    CHECK(time.suspended());
    CHECK(time.now() == last.instant + seconds(10));
  }
}
