// What arrives after a transfer's own time, before a tick came to say that it is over.

#include "core/transfer/rail_story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::Outcome;

TEST_CASE("an approval that arrives after the transfer's own time sets nothing in motion; the next tick ends it") {
  RailStory story;
  const auto payout = story.pay(600, 1);
  REQUIRE(story.at(payout) == "reviewing");
  story.now = base::Instant{story.transfer(payout).send_by_ns};
  CHECK(story.by(RailStory::ann, model::ReviewTransfer{.transfer = payout, .approve = true, .reason = {}}) == Outcome::transfer_not_in_review);
  CHECK(story.by(RailStory::ann, model::ReviewTransfer{.transfer = payout, .approve = false, .reason = {}}) == Outcome::transfer_not_in_review);
  CHECK(story.count<model::HoldPlaced>() == 0);
  story.run(model::Tick{});
  CHECK(story.at(payout) == "rejected");
}
