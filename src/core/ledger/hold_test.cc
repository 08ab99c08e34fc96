#include "core/ledger/story_test.h"

#include <doctest/doctest.h>

using namespace core;

TEST_CASE("a hold is captured in full, in part, or voided; once") {
  Story story;
  story.tell(R"(
    open a
    open b
    move world a 100
    hold a b 30 as full
    hold a b 30 as part
    hold a b 30 as none
    a: 0/100 pending 90/0
    b: 0/0 pending 0/90
    capture full
    a: 30/100 pending 60/0
    b: 0/30 pending 0/60
    capture part 31     -> capture_exceeds_held_amount
    capture part 0      -> capture_must_not_be_zero
    capture part 12
    a: 42/100 pending 30/0
    b: 0/42 pending 0/30
    void none
    a: 42/100
    b: 0/42
    capture full        -> hold_already_captured
    void full           -> hold_already_captured
    capture part 18     -> hold_already_captured
    capture none        -> hold_already_voided
    void none           -> hold_already_voided
    capture 1           -> transfer_not_found
    void 999            -> transfer_not_found
    move a b 1
  )");
  const std::string posted = std::to_string(story.state.head().next_event - 1);
  story.tell("capture " + posted + " -> transfer_is_not_a_hold\nvoid " + posted + " -> transfer_is_not_a_hold");
  CHECK_EQ(story.state.head().open_holds, 0);
}

TEST_CASE("a look-up that came too early or too late does not resolve a hold twice") {
  Story story;
  story.tell("open a\nopen b\nmove world a 10\nhold a b 5 as h");
  const model::EventNumber hold = story.holds["h"];
  // Looked up before the hold was there, decided after: what the state says counts.
  CHECK_EQ(story.outcome_of(model::CaptureHold{.hold = hold, .standing = model::HoldStanding::not_found, .amount = 2}), model::Outcome::done);
  // Looked up while it was open, decided after it was captured: refused without money moving.
  CHECK_EQ(story.outcome_of(model::CaptureHold{.hold = hold, .standing = model::HoldStanding::open, .amount = {}}),
           model::Outcome::transfer_not_found);
  story.tell("a: 2/10");
}

TEST_CASE("resolving carries what was held, what was captured and both sides after it") {
  Story story;
  story.tell("open a\nopen b\nmove world a 100\nhold a b 30 as h");
  const auto events = story.run(model::CaptureHold{.hold = story.holds["h"], .standing = model::HoldStanding::open, .amount = 12});
  const auto& resolved = std::get<model::HoldResolved>(events.at(0).body);
  CHECK_EQ(resolved.hold, story.holds["h"]);
  CHECK_EQ(resolved.resolution, model::HoldResolution::captured);
  CHECK_EQ(resolved.held, 30);
  CHECK_EQ(resolved.captured, 12);
  CHECK_EQ(resolved.debit.after, story.counters("a"));
  CHECK_EQ(resolved.credit.after, story.counters("b"));
  CHECK_EQ(resolved.debit.links.previous, story.holds["h"]);
  CHECK_EQ(resolved.credit.links.previous, story.holds["h"]);
}

TEST_CASE("freeze and limits never stop a capture or a void") {
  Story story;
  story.tell(R"(
    open a
    open b
    move world a 100
    hold a b 10 as h
    hold a b 10 as k
    freeze a debits credits
    freeze b debits credits
    limits a single=1 daily=1
    limits b balance=0
    capture h
    void k
    a: 10/100
    b: 0/10
  )");
}

TEST_CASE("holds expire by ticks only, the earliest first, a bounded number at a time") {
  Story story;
  story.tell(R"(
    open a
    open b
    open c
    move world a 100
    hold a b 1 30s as late
    hold a b 2 10s as early
    hold a c 4 20s as middle
    hold a b 8 as for-ever
    hold a c 16 10s as second
    tick -> 0
    wait 9s
    tick -> 0
    wait 1s
    a: 0/100 pending 31/0
    tick 1 -> 1
    a: 0/100 pending 29/0
    capture early -> hold_expired
    void early -> hold_expired
    wait 10s
    capture second
    tick 0 -> 0
    tick -> 1
    a: 16/100 pending 9/0
    wait 10s
    tick -> 1
    wait 400d
    tick -> 0
    a: 16/100 pending 8/0
    b: 0/0 pending 0/8
    c: 0/16
    capture middle -> hold_expired
    capture for-ever
  )");
}

TEST_CASE("holds of the same two accounts expire together in one tick and stay in each other's history") {
  Story story;
  story.tell("open a\nopen b\nmove world a 100\nhold a b 1 5s\nhold a b 2 5s\nhold a b 3 5s\nwait 5s");
  const auto events = story.run(model::Tick{});
  REQUIRE_EQ(events.size(), 3);
  const model::EventNumber first = story.state.head().next_event - 3;
  CHECK_EQ(std::get<model::HoldResolved>(events[1].body).debit.links.previous, first);
  CHECK_EQ(std::get<model::HoldResolved>(events[2].body).credit.links.previous, first + 1);
  story.tell("a: 0/100\nb: 0/0");
}

TEST_CASE("an expired hold can be captured until a tick came") {
  Story story;
  story.tell("open a\nopen b\nmove world a 10\nhold a b 5 1s as h\nwait 1h\ncapture h\ntick -> 0\nb: 0/5");
}

TEST_CASE("duration and number of holds are bounded") {
  Story story;
  story.tell("open a\nopen b\nmove world a 100\nhold a b 1 400d as x\nhold a b 1 401d -> hold_duration_out_of_range");
  auto item = story.item("a", "b", 1);
  item.hold = true;
  item.hold_for = {999'999'999};
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{item}}), model::Outcome::hold_duration_out_of_range);
  item.hold_for = {1'000'000'000};
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{item}}), model::Outcome::done);
  item.hold_for = {-1};
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{item}}), model::Outcome::hold_duration_out_of_range);
  story.bounds.open_holds_max = 3;
  story.tell("hold a b 1 as last\nhold a b 1 -> too_many_open_holds\nmove a b 1\nvoid x\nhold a b 1");
}

TEST_CASE("slots of resolved holds are used again") {
  Story story;
  story.tell("open a\nopen b\nmove world a 100\nhold a b 1 as h1\nhold a b 1 as h2\nhold a b 1 as h3");
  story.tell("void h2\nvoid h1\nhold a b 1 as h4\nhold a b 1 as h5\nhold a b 1 as h6");
  CHECK_EQ(story.state.hold_slot_count(), 4);
  story.tell("capture h4\ncapture h5\ncapture h3\ncapture h6\nhold a b 7 as h7\ncapture h7\na: 11/100");
  CHECK_EQ(story.state.hold_slot_count(), 4);
}
