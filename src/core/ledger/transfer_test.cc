#include "core/ledger/movement.h"
#include "core/ledger/story_test.h"

#include <doctest/doctest.h>

using namespace core;

namespace {
const std::string top = base::to_decimal(base::amount_max);
const std::string top_less_1 = base::to_decimal(base::amount_max - 1);
}  // namespace

TEST_CASE("money moves and every counter says so") {
  Story story;
  story.tell(R"(
    open a
    open b
    move world a 100
    move a b 30
    a: 30/100
    b: 0/30
    move b a 5
    move a world 75
    a: 105/105
    b: 5/30
    move a b 1 -> exceeds_available_balance
    a: 105/105
  )");
  CHECK_EQ(story.state.account(story.account("a"))->postings, 4);
}

TEST_CASE("a posted event carries both sides after it") {
  Story story;
  story.tell("open a\nopen b\nmove world a 100");
  const auto events = story.run(model::CreateTransfer{{story.item("a", "b", 30)}});
  REQUIRE_EQ(events.size(), 1);
  const auto& posted = std::get<model::TransferPosted>(events[0].body);
  CHECK_EQ(posted.debit.account, story.account("a"));
  CHECK_EQ(posted.debit.after, story.counters("a"));
  CHECK_EQ(posted.credit.after, story.counters("b"));
  CHECK_EQ(posted.debit.links.previous, story.state.head().next_event - 2);
  CHECK_EQ(posted.credit.links.previous, 0);
  CHECK_EQ(posted.group, 0);
  CHECK_EQ(available_balance(story.counters("a")), 70);
}

TEST_CASE("overdraft is refused on the side that is limited") {
  Story story;
  story.tell(R"(
    open customer
    open free free
    open debtor credits-limited
    move customer free 1        -> exceeds_available_balance
    move free customer 10
    move customer free 10
    move free debtor 1          -> exceeds_available_debits
    move debtor free 7
    move free debtor 8          -> exceeds_available_debits
    move free debtor 7
    move debtor free 1000000
  )");
}

TEST_CASE("held money is neither available nor funds") {
  Story story;
  story.tell(R"(
    open a
    open b
    move world a 10
    hold a b 6 as h
    move a b 5         -> exceeds_available_balance
    move a b 4
    move b a 5         -> exceeds_available_balance
    b: 0/4 pending 0/6
    a: 4/10 pending 6/0
  )");
}

TEST_CASE("amounts and shape") {
  Story story;
  story.tell(R"(
    asset EUR/2
    open a
    open b
    open e EUR/2
    move a b 0             -> amount_must_not_be_zero
    move nobody b 1        -> debit_account_not_found
    move a nobody 1        -> credit_account_not_found
    move a a 1             -> accounts_must_be_different
    move a e 1             -> accounts_have_different_assets
  )");
  auto item = story.item("a", "b", base::amount_max + 1);
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{item}}), model::Outcome::amount_exceeds_maximum);
  item = story.item("a", "b", 1);
  item.asset = asset("EUR/2");
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{item}}), model::Outcome::asset_differs_from_accounts);
  item.asset = asset("GBP/2");
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{item}}), model::Outcome::asset_not_registered);
  item.asset = asset("USD/3");
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{item}}), model::Outcome::asset_not_registered);
}

TEST_CASE("a refusal names what it was about, and moves nothing") {
  Story story;
  story.tell("open a\nopen b");
  std::vector<model::Event> events;
  model::Command command{.tenant = 1, .principal = 7, .trace = {1, 2, 3}, .idempotency = {}, .body = model::CreateTransfer{{story.item("a", "b", 9)}}};
  decide(story.state, command, story.now, story.bounds, events);
  REQUIRE_EQ(events.size(), 1);
  const model::Refused expected{.outcome = model::Outcome::exceeds_available_balance,
                                .operation = model::Operation::create_transfer,
                                .debit = story.account("a"),
                                .credit = story.account("b"),
                                .amount = 9,
                                .subject = 0,
                                .trace = {1, 2, 3}};
  CHECK_EQ(std::get<model::Refused>(events[0].body), expected);
}

TEST_CASE("a daily limit counts what was debited on the day before there was a limit, and only on that day") {
  Story story;
  story.tell(R"(
    open a free
    open b free
    open c free
    move a c 20
    hold a c 5 as h
    limits a daily=30
    move a c 6             -> exceeds_daily_debit_limit
    move a c 5
    limits a
    move a c 100
    limits a daily=131
    move a c 2             -> exceeds_daily_debit_limit
    move a c 1
    move b c 20
    wait 24h
    limits b daily=19
    move b c 19
    move b c 1             -> exceeds_daily_debit_limit
    move a c 131
  )");
}

TEST_CASE("limits of one transfer, a day and a balance") {
  Story story;
  story.tell(R"(
    open a free single=10 daily=25
    open b free balance=40
    open c free
    move a c 11            -> exceeds_debit_amount_limit
    move a c 10
    move a c 10
    move a c 6             -> exceeds_daily_debit_limit
    hold a c 5 as h
    move a c 1             -> exceeds_daily_debit_limit
    void h
    move a c 1             -> exceeds_daily_debit_limit
    wait 23h
    move a c 1             -> exceeds_daily_debit_limit
    wait 1h
    move a c 10
    limits a daily=11
    move a c 2             -> exceeds_daily_debit_limit
    move a c 1
    limits a
    move a c 1000
    limits a daily=1012
    move a c 2             -> exceeds_daily_debit_limit
    move a c 1
    move c b 41            -> exceeds_balance_limit
    hold c b 40 as k
    move c b 1             -> exceeds_balance_limit
    void k
    move c b 40
    move b c 15
    move c b 16            -> exceeds_balance_limit
    move c b 15
  )");
}

TEST_CASE("an account below zero has that much more room under its balance limit") {
  Story story;
  story.tell(R"(
    open a free balance=50
    open b free
    move a b 100
    move b a 151           -> exceeds_balance_limit
    move b a 150
    move b a 1             -> exceeds_balance_limit
  )");
}

TEST_CASE("the daily window is the UTC day, and its sum does not wrap") {
  Story story;
  story.tell("open a free daily=" + top + "\nopen b free\nopen z free\nmove a b " + top_less_1);
  story.tell("move a z 2 -> exceeds_daily_debit_limit\nmove a b 1\nmove a z 1 -> exceeds_daily_debit_limit\nwait 1d");
  story.tell("move a z 1 -> debit_counter_would_overflow");
  CHECK_EQ(story.state.account(story.account("a"))->day, 20454);
}

TEST_CASE("counters end at 2^127 - 1, posted and pending together") {
  Story story;
  story.tell("open a free\nopen b free\nopen c free\nmove a b " + top_less_1);
  story.tell("move a c 2 -> debit_counter_would_overflow\nmove c b 2 -> credit_counter_would_overflow");
  story.tell("hold a b 1 as h");
  story.tell("move a c 1 -> debit_counter_would_overflow\nmove c b 1 -> credit_counter_would_overflow");
  story.tell("hold a c 1 -> debit_counter_would_overflow\nhold c b 1 -> credit_counter_would_overflow");
  story.tell("capture h\na: " + top + "/0\nb: 0/" + top + "\nmove b a " + top + "\nmove b c 1 -> debit_counter_would_overflow");
}

TEST_CASE("frozen accounts refuse the side that is frozen; closed ones refuse both, for ever") {
  Story story;
  story.tell(R"(
    open a
    open b
    move world a 10
    freeze a debits
    move a b 1         -> debit_account_frozen
    hold a b 1         -> debit_account_frozen
    move world a 1
    freeze a credits
    move world a 1     -> credit_account_frozen
    unfreeze a debits
    move a b 1
    move world a 1     -> credit_account_frozen
    unfreeze a credits
    move world a 1
    close a            -> account_balance_is_not_zero
    hold a b 2 as h
    close a            -> account_has_pending_holds
    close b            -> account_has_pending_holds
    void h
    move a b 11
    close a
    move a b 1         -> debit_account_closed
    move b a 1         -> credit_account_closed
    close a            -> account_closed
    freeze a debits    -> account_closed
    unfreeze a debits  -> account_closed
    limits a single=1  -> account_closed
    move b world 12
    close b
  )");
}

TEST_CASE("tenants do not see each other") {
  Story story;
  story.tell("open a\nopen b\nmove world a 5");
  const auto foreign = story.item("a", "b", 1);
  story.tell("hold a b 2 as h\ntenant 2\nopen x -> asset_not_registered\nasset USD/2\nopen a\nopen b\nmove world a 1");
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{foreign}}), model::Outcome::debit_account_not_found);
  auto half = story.item("a", "b", 1);
  half.credit = foreign.credit;
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{half}}), model::Outcome::credit_account_not_found);
  half = foreign;
  half.credit = 0;
  CHECK_EQ(story.outcome_of(model::CreateTransfer{{half}}), model::Outcome::debit_account_not_found);
  CHECK_EQ(story.outcome_of(model::ChangeAccountFlags{.account = foreign.debit, .set = model::frozen_for_debits}),
           model::Outcome::account_not_found);
  CHECK_EQ(story.outcome_of(model::SetAccountLimits{.account = foreign.debit, .limits = {}}), model::Outcome::account_not_found);
  story.tell("capture h -> transfer_not_found\nvoid h -> transfer_not_found\na: 0/1");
  story.tenant = 1;
  story.tell("capture h\na: 2/5");
}
