// The ladder of refusals: every condition by itself, and every two at once, of which the one that stands earlier in
// outcome.def must be the answer.
#include "core/ledger/story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::Outcome;

namespace {

// A transfer about to be made, and everything that may be wrong with it.
struct Scene {
  std::string debit_asset = "USD/2", credit_asset = "USD/2", item_asset = "USD/2";
  model::AccountFlags debit_flags = 0, credit_flags = 0;      // at opening
  model::AccountFlags debit_change = 0, credit_change = 0;    // frozen or closed afterwards
  model::AccountLimits debit_limits, credit_limits;
  bool debit_turned_over = false, credit_turned_over = false;   // counters near their end, balance zero
  bool debit_missing = false, credit_missing = false, one_account = false;
  base::U128 amount = 10;
  base::Duration hold_for = base::seconds(60);
  LedgerBounds bounds;
};

// Brings both counters of an account to 2^127 - 3, in an order that its flags allow.
void turn_over(Story& story, const std::string& name, const std::string& asset) {
  const std::string other = name + "-counterpart", all = base::to_decimal(base::amount_max - 2);
  const bool in_first = (story.state.account(story.account(name))->flags & model::debits_must_not_exceed_credits) != 0;
  const std::string in = "move " + other + " " + name + " " + all + "\n", out = "move " + name + " " + other + " " + all + "\n";
  story.tell("open " + other + " free " + asset + "\n" + (in_first ? in + out : out + in));
}

void change_flags(Story& story, model::AccountNumber account, model::AccountFlags flags) {
  // Closing comes last: nothing can be frozen after it.
  const auto frozen = static_cast<model::AccountFlags>(flags & ~model::closed);
  if (frozen != 0) CHECK_EQ(story.outcome_of(model::ChangeAccountFlags{.account = account, .set = frozen}), Outcome::done);
  if (frozen != flags) CHECK_EQ(story.outcome_of(model::ChangeAccountFlags{.account = account, .set = model::closed}), Outcome::done);
}

Outcome play(const Scene& scene) {
  Story story;
  story.tell("asset EUR/2\nasset GBP/2");
  const auto flags_text = [](model::AccountFlags flags) {
    return flags == 0 ? "free " : (flags & model::credits_must_not_exceed_debits) != 0 ? "credits-limited " : "";
  };
  story.tell("open d " + std::string(flags_text(scene.debit_flags)) + scene.debit_asset);
  story.tell("open c " + std::string(flags_text(scene.credit_flags)) + scene.credit_asset);
  if (scene.debit_turned_over) turn_over(story, "d", scene.debit_asset);
  if (scene.credit_turned_over) turn_over(story, "c", scene.credit_asset);
  story.run(model::SetAccountLimits{.account = story.account("d"), .limits = scene.debit_limits});
  story.run(model::SetAccountLimits{.account = story.account("c"), .limits = scene.credit_limits});
  change_flags(story, story.account("d"), scene.debit_change);
  change_flags(story, story.account("c"), scene.credit_change);
  story.bounds = scene.bounds;

  model::TransferItem item = story.item("d", "c", scene.amount);
  item.asset = asset(scene.item_asset);
  item.hold = true;
  item.hold_for = scene.hold_for;
  if (scene.one_account) item.credit = item.debit;
  if (scene.debit_missing) item.debit = 999;
  if (scene.credit_missing) item.credit = 999;
  return story.outcome_of(model::CreateTransfer{{item}});
}

struct Condition {
  Outcome outcome;
  void (*make)(Scene&);
};

// In the order of the table. Where two exclude each other, the later one is made first and then made impossible.
const Condition ladder[] = {
    {Outcome::amount_must_not_be_zero, [](Scene& s) { s.amount = 0; }},
    {Outcome::amount_exceeds_maximum, [](Scene& s) { s.amount = base::amount_max + 1; }},
    {Outcome::asset_not_registered, [](Scene& s) { s.item_asset = "XAU/4"; }},
    {Outcome::debit_account_not_found, [](Scene& s) { s.debit_missing = true; }},
    {Outcome::credit_account_not_found, [](Scene& s) { s.credit_missing = true; }},
    {Outcome::accounts_must_be_different, [](Scene& s) { s.one_account = true; }},
    {Outcome::accounts_have_different_assets, [](Scene& s) { s.credit_asset = "EUR/2"; }},
    {Outcome::asset_differs_from_accounts, [](Scene& s) { s.item_asset = "GBP/2"; }},
    {Outcome::debit_account_closed, [](Scene& s) { s.debit_change |= model::closed; }},
    {Outcome::credit_account_closed, [](Scene& s) { s.credit_change |= model::closed; }},
    {Outcome::debit_account_frozen, [](Scene& s) { s.debit_change |= model::frozen_for_debits; }},
    {Outcome::credit_account_frozen, [](Scene& s) { s.credit_change |= model::frozen_for_credits; }},
    {Outcome::hold_duration_out_of_range, [](Scene& s) { s.hold_for = {1}; }},
    {Outcome::exceeds_debit_amount_limit, [](Scene& s) { s.debit_limits.debit_amount_max = 4; }},
    {Outcome::exceeds_daily_debit_limit, [](Scene& s) { s.debit_limits.daily_debits_max = 5; }},
    {Outcome::exceeds_balance_limit, [](Scene& s) { s.credit_limits.balance_max = 3; }},
    {Outcome::exceeds_available_balance, [](Scene& s) { s.debit_flags = model::debits_must_not_exceed_credits; }},
    {Outcome::exceeds_available_debits, [](Scene& s) { s.credit_flags = model::credits_must_not_exceed_debits; }},
    {Outcome::debit_counter_would_overflow, [](Scene& s) { s.debit_turned_over = true; }},
    {Outcome::credit_counter_would_overflow, [](Scene& s) { s.credit_turned_over = true; }},
    {Outcome::too_many_open_holds, [](Scene& s) { s.bounds.open_holds_max = 0; }},
};

}  // namespace

TEST_CASE("nothing is wrong with the plain scene") { CHECK_EQ(play(Scene{}), Outcome::done); }

TEST_CASE("each condition by itself is answered by its outcome") {
  for (const Condition& condition : ladder) {
    Scene scene;
    condition.make(scene);
    INFO("expected: ", model::code_of(condition.outcome));
    const Outcome outcome = play(scene);
    CHECK_MESSAGE(outcome == condition.outcome, model::code_of(outcome));
  }
}

TEST_CASE("of any two conditions at once the earlier is the answer") {
  int pairs = 0;
  for (std::size_t i = 0; i < std::size(ladder); ++i) {
    for (std::size_t j = i + 1; j < std::size(ladder); ++j) {
      Scene scene;
      ladder[j].make(scene);
      ladder[i].make(scene);
      INFO("both: ", model::code_of(ladder[i].outcome), " and ", model::code_of(ladder[j].outcome));
      const Outcome outcome = play(scene);
      CHECK_MESSAGE(outcome == ladder[i].outcome, model::code_of(outcome));
      ++pairs;
    }
  }
  MESSAGE("pairs of conditions: ", pairs);
}

TEST_CASE("all conditions at once are taken away one by one, from the top") {
  for (std::size_t from = 0; from < std::size(ladder); ++from) {
    Scene scene;
    for (std::size_t i = std::size(ladder); i-- > from;) ladder[i].make(scene);
    const Outcome outcome = play(scene);
    CHECK_MESSAGE(outcome == ladder[from].outcome, model::code_of(outcome));
  }
}

TEST_CASE("holds: what became of them comes before how much is captured") {
  Story story;
  story.tell("open a\nopen b\nmove world a 10\nhold a b 5 as h\ncapture h\ncapture h 0 -> hold_already_captured");
  story.tell("capture h 6 -> hold_already_captured\nhold a b 5 as k\nvoid k\ncapture k 0 -> hold_already_voided");
  story.tell("hold a b 5 1s as l\nwait 2s\ntick -> 1\ncapture l 0 -> hold_expired\ncapture 1 0 -> transfer_not_found");
}
