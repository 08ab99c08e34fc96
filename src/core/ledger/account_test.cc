#include "core/ledger/story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::Outcome;

TEST_CASE("accounts are opened once, with what they were opened with") {
  Story story;
  story.tell(R"(
    asset EUR/2
    open a single=5
    open a single=5         -> account_exists
    open a single=6         -> account_exists_with_different_fields
    open a                  -> account_exists_with_different_fields
    open a free single=5    -> account_exists_with_different_fields
    open a EUR/2 single=5   -> account_exists_with_different_fields
    open a GBP/2            -> asset_not_registered
    open b USD/3            -> asset_not_registered
    open b both-limited     -> account_flags_contradict
    open b single=6 daily=5 -> limits_contradict
    open b single=5 daily=5
    limits b single=6 daily=5 -> limits_contradict
    limits b single=4
    open b single=4         -> account_exists
    freeze b debits
    open b single=4         -> account_exists
    freeze nobody debits    -> account_not_found
    limits nobody           -> account_not_found
    close nobody            -> account_not_found
    open c
    close c
    open c                  -> account_closed
    open c single=4         -> account_exists_with_different_fields
  )");
  const AccountRecord& b = *story.state.account(story.account("b"));
  CHECK_EQ(b.flags, model::debits_must_not_exceed_credits | model::frozen_for_debits);
}

TEST_CASE("conditions on opening hold in the order of the table") {
  Story story;
  story.tell("open a");
  story.bounds.accounts_max = story.state.account_count();
  story.tell(R"(
    open a both-limited           -> account_exists_with_different_fields
    open b GBP/2 both-limited     -> asset_not_registered
    open b both-limited single=6 daily=5 -> account_flags_contradict
    open b single=6 daily=5       -> too_many_accounts
    open b                        -> too_many_accounts
    asset EUR/2                   -> too_many_accounts
    asset USD/2                   -> asset_exists
  )");
  story.bounds.accounts_max += 1;
  story.tell("open b single=6 daily=5 -> limits_contradict\nopen b");
}

TEST_CASE("closing looks at holds before the balance, and at closed before both") {
  Story story;
  story.tell("open a\nopen b\nmove world a 5\nhold a b 1 as h\nclose a -> account_has_pending_holds\nvoid h");
  story.tell("close a -> account_balance_is_not_zero\nmove a world 5\nclose a\nclose a -> account_closed");
  story.tell("limits a single=6 daily=5 -> account_closed");
}

TEST_CASE("a world account is neither frozen nor closed, even at rest") {
  Story story;
  story.tell("open a");
  const model::AccountNumber world = story.state.asset(1)->world;
  const auto refusal = [&](model::AccountFlags set) {
    const auto events = story.run(model::ChangeAccountFlags{.account = world, .set = set});
    const auto* refused = std::get_if<model::Refused>(&events.at(0).body);
    return refused == nullptr ? Outcome::done : refused->outcome;
  };
  for (const char* moved : {"", "move world a 5"}) {
    story.tell(moved);
    for (const int set : {model::frozen_for_debits | 0, model::frozen_for_credits | 0, model::frozen_for_debits | model::frozen_for_credits, model::closed | 0}) {
      CHECK_EQ(refusal(static_cast<model::AccountFlags>(set)), Outcome::world_account_stays_open);
    }
  }
  CHECK_EQ(story.state.account(world)->flags, model::is_world);
  story.tell("move a world 5");
}

TEST_CASE("an asset has one scale in a tenant, and a world account of its own") {
  Story story;
  story.tell("asset EUR/2\nasset EUR/2 -> asset_exists\nasset EUR/3 -> asset_exists_with_different_scale");
  const AssetRecord& euro = *story.state.asset(2);
  CHECK_EQ(model::to_text(euro.asset()), "EUR/2");
  CHECK_EQ(story.state.account(euro.world)->flags, model::is_world);
  CHECK_EQ(story.state.account(euro.world)->asset, 2);
  story.tell("tenant 2\nasset EUR/3");
  CHECK_EQ(story.state.asset_count(), 3);
  story.tenant = 9;
  story.tell("asset EUR/2 -> tenant_not_found");
  CHECK_EQ(story.outcome_of(model::CreateClient{}), Outcome::tenant_not_found);
}

TEST_CASE("a tenant is opened once") {
  Story story;
  CHECK_EQ(story.outcome_of(model::OpenTenant{}), Outcome::done);
  CHECK_EQ(story.state.tenant_count(), 2);
  const auto events = story.run(model::OpenTenant{.name = {}, .existing = 2});
  CHECK_EQ(outcome_of(events.at(0)), Outcome::tenant_exists);
  CHECK_EQ(std::get<model::Refused>(events[0].body).subject, 2);
}

TEST_CASE("clients are created, rotated and revoked; generations count") {
  Story story;
  base::Digest first{}, second{};
  first.fill(1);
  second.fill(2);
  CHECK_EQ(story.outcome_of(model::CreateClient{.kind = model::PrincipalKind::person, .scopes = model::operate, .name = {}, .secret_hash = first}),
           Outcome::done);
  CHECK_EQ(story.outcome_of(model::RotateClient{.client = 1, .secret_hash = second, .overlap = base::seconds(60)}), Outcome::done);
  const ClientRecord& client = *story.state.client(1);
  CHECK(std::equal(second.begin(), second.end(), client.secret_hash));
  CHECK(std::equal(first.begin(), first.end(), client.former_secret_hash));
  CHECK_EQ(client.former_valid_until_ns, (story.now + base::seconds(60)).ns);
  CHECK_EQ(client.generation, 2);
  CHECK_EQ(client.scopes, model::operate);
  CHECK_EQ(client.kind, static_cast<std::uint8_t>(model::PrincipalKind::person));
  story.tell("tenant 2");
  CHECK_EQ(story.outcome_of(model::RotateClient{.client = 1}), Outcome::client_not_found);
  CHECK_EQ(story.outcome_of(model::RevokeClient{.client = 1}), Outcome::client_not_found);
  story.tenant = 1;
  CHECK_EQ(story.outcome_of(model::RevokeClient{.client = 1}), Outcome::done);
  CHECK_EQ(story.state.client(1)->generation, 3);
  CHECK_EQ(story.state.client(1)->revoked, 1);
  CHECK_EQ(story.outcome_of(model::RotateClient{.client = 1}), Outcome::client_revoked);
  CHECK_EQ(story.outcome_of(model::RevokeClient{.client = 1}), Outcome::client_revoked);
  CHECK_EQ(story.outcome_of(model::RevokeClient{.client = 2}), Outcome::client_not_found);
  CHECK_EQ(story.outcome_of(model::RotateClient{.client = 0}), Outcome::client_not_found);
}

TEST_CASE("keys, batches, clock and epoch leave their events") {
  Story story;
  const base::Tag128 key{9};
  const auto cancelled = story.run(model::CancelKey{.cancelled = key, .used_by = 0});
  CHECK_EQ(std::get<model::KeyCancelled>(cancelled.at(0).body).key, key);
  const auto late = story.run(model::CancelKey{.cancelled = key, .used_by = 3});
  CHECK_EQ(outcome_of(late.at(0)), Outcome::idempotency_key_already_used);
  CHECK_EQ(std::get<model::Refused>(late[0].body).subject, 3);
  CHECK_EQ(std::get<model::BatchRecorded>(story.run(model::RecordBatch{{1, 2, 2}}).at(0).body).items, 3);
  CHECK_EQ(story.outcome_of(model::ConfirmClock{}), Outcome::clock_needs_no_confirmation);
  const auto confirmed = story.run(model::ConfirmClock{.jump = base::seconds(-70)});
  CHECK_EQ(std::get<model::ClockConfirmed>(confirmed.at(0).body).jump, base::seconds(-70));
  CHECK_EQ(story.outcome_of(model::BumpEpoch{.epoch = 5}), Outcome::done);
  CHECK_EQ(story.state.head().epoch, 5);
  CHECK(story.run(model::Tick{}).empty());
}

TEST_CASE("numbers that name nothing find nothing") {
  Story story;
  CHECK(story.state.account(0) == nullptr);
  CHECK(story.state.account(2) == nullptr);
  CHECK(story.state.asset(0) == nullptr);
  CHECK(story.state.tenant(2) == nullptr);
  CHECK(story.state.client(1) == nullptr);
  CHECK(story.state.open_hold(0) == nullptr);
  CHECK_EQ(story.state.asset_by_code(2, asset("USD/2").code), 0);
  story.state.prefetch_account(0);
  story.state.prefetch_account(77);
}
