#include "core/ledger/story_test.h"

#include <doctest/doctest.h>

using namespace core;

TEST_CASE("items of a group see each other, whatever the order of the accounts") {
  Story story;
  story.tell(R"(
    open a
    open b
    open c
    move world a 10
    group move a b 10; move b c 10; move c a 4 -> done done done
    a: 10/14
    b: 10/10
    c: 4/10
    group move a b 4; hold b c 4 as h; move b a 1 -> atomic_group_refused atomic_group_refused exceeds_available_balance
    group move a b 4; hold b c 4 as h             -> done done
    capture h 3
    b: 13/14
  )");
}

TEST_CASE("all or nothing: the culprit has its own answer, the others say so") {
  Story story;
  story.tell(R"(
    open a
    open b
    move world a 10
    group move a b 5; move a b 0; move a b 1       -> atomic_group_refused amount_must_not_be_zero atomic_group_refused
    group move a b 5; move b a 6                   -> atomic_group_refused exceeds_available_balance
    group move a b 11; move b a 11                 -> exceeds_available_balance atomic_group_refused
    group move a nobody 1; move nobody b 1         -> credit_account_not_found atomic_group_refused
    group hold a b 5 as h; hold a b 5 as k; hold a b 1 as l -> atomic_group_refused atomic_group_refused exceeds_available_balance
    a: 0/10
    b: 0/0
  )");
  CHECK_EQ(story.state.head().open_holds, 0);
  CHECK_EQ(story.state.account(story.account("a"))->postings, 1);
}

TEST_CASE("limits and bounds count within a group") {
  Story story;
  story.bounds.open_holds_max = 2;
  story.tell(R"(
    open a free daily=10
    open b free balance=10
    open c free
    group move a c 6; move a c 5           -> atomic_group_refused exceeds_daily_debit_limit
    group move a c 6; hold a c 4           -> done done
    move a c 1                             -> exceeds_daily_debit_limit
    group move c b 6; move c b 5           -> atomic_group_refused exceeds_balance_limit
    group move c b 10; move b c 5; move c b 5 -> done done done
    group hold c a 1; hold c a 1           -> atomic_group_refused too_many_open_holds
    hold c a 1
  )");
}

TEST_CASE("events of a group name its first event and link their accounts one after the other") {
  Story story;
  story.tell("open a\nopen b\nmove world a 10");
  const model::EventNumber first = story.state.head().next_event;
  const auto events = story.run(model::CreateTransfer{{story.item("a", "b", 1), story.item("a", "b", 2), story.item("b", "a", 3)}});
  REQUIRE_EQ(events.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& posted = std::get<model::TransferPosted>(events[i].body);
    CHECK_EQ(posted.group, first);
    CHECK_EQ(posted.debit.links.previous, first + i - 1);
    CHECK_EQ(posted.credit.links.previous, i == 0 ? 0 : first + i - 1);
  }
}

TEST_CASE("a full group of 8,190 items") {
  Story story;
  story.tell("open a\nopen b free\nmove world a 8190");
  model::CreateTransfer create;
  create.items.assign(model::group_items_max, story.item("a", "b", 1));
  CHECK_EQ(story.run(create).size(), model::group_items_max);
  story.tell("a: 8190/8190");
  create.items.assign(model::group_items_max, story.item("b", "a", 1));
  create.items.back().amount = 0;
  const auto refused = story.run(create);
  REQUIRE_EQ(refused.size(), model::group_items_max);
  CHECK_EQ(outcome_of(refused.front()), model::Outcome::atomic_group_refused);
  CHECK_EQ(outcome_of(refused.back()), model::Outcome::amount_must_not_be_zero);
  story.tell("a: 8190/8190");
}
