// What is said after it was decided: an approval after the transfer's own time, before a tick came to say that it is over; an amount
// after people had to decide without it.

#include "core/transfer/rail_story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::Outcome;
using model::RailReason;
using model::RailResult;
using model::ReportSource;

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

TEST_CASE("people settle a payout; a statement that names another amount later books the difference, once") {
  RailStory story(1, model::inquiry_supported);
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::unknown, RailReason::reply_lost});
  for (int i = 0; i < 60 && story.at(payout) != "manual_review"; ++i) story.pass(base::seconds(301));
  const model::ResolveUnknown settled{.transfer = payout, .verdict = model::Verdict::settled, .reason = {}};
  CHECK(story.by(RailStory::ann, settled) == Outcome::done);
  CHECK(story.by(RailStory::bob, settled) == Outcome::done);
  REQUIRE(story.at(payout) == "settled");
  CHECK(story.clearing("first") == "100");

  const Said statement{.result = RailResult::settled, .source = ReportSource::statement, .amount = 60};
  story.report(payout, statement);
  story.report(payout, statement);
  CHECK(story.clearing("first") == "60");
  CHECK(story.suspense("first") == "40");
  CHECK(story.customer() == "900");
  CHECK(story.transfer(payout).has_case(model::CaseKind::other_amount, 1));
  // The amount is known now: another one contradicts, and moves nothing.
  story.report(payout, {.result = RailResult::settled, .source = ReportSource::callback, .amount = 100});
  CHECK(story.clearing("first") == "60");
}

TEST_CASE("people settle a payout; a statement that confirms it makes any other amount a contradiction") {
  RailStory story(1, model::inquiry_supported);
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::unknown, RailReason::reply_lost});
  for (int i = 0; i < 60 && story.at(payout) != "manual_review"; ++i) story.pass(base::seconds(301));
  const model::ResolveUnknown settled{.transfer = payout, .verdict = model::Verdict::settled, .reason = {}};
  story.by(RailStory::ann, settled);
  story.by(RailStory::bob, settled);
  story.report(payout, {.result = RailResult::settled, .source = ReportSource::statement, .amount = 100});
  story.report(payout, {.result = RailResult::settled, .source = ReportSource::callback, .amount = 99});
  CHECK(story.clearing("first") == "100");
  CHECK(story.transfer(payout).has_case(model::CaseKind::contradiction, 1));
}
