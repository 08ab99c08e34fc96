// Exhaustive small worlds: the world account and two others, a small alphabet of commands, every sequence of up to five of
// them. After each command every law holds, and a model that was written another way gives the same answer and the same
// balances. The model keeps facts, not counters: who moved what to whom, and what became of it; everything else is summed
// up from that when asked.
#include <set>
#include <string>
#include <vector>

#include "core/invariant/invariant.h"
#include "core/ledger/decide.h"

#include <doctest/doctest.h>

using namespace core;

namespace {

// Every sequence of five in a fraction of ten seconds where the compiler may optimise; one less where it may not.
#if defined(__OPTIMIZE__) && !defined(HOLDFAST_SANITIZED)
constexpr int length_max = 5;
#else
constexpr int length_max = 4;
#endif

constexpr int world = 1, a = 2, b = 3;   // account numbers, in the order of opening
constexpr int seconds_per_day = 86400;

struct Move {
  int from, to, amount;
  int hold_seconds = -1;   // -1 moves at once, 0 holds for ever
};

// A letter of an alphabet.
struct Step {
  enum Kind { moves, capture, void_hold, freeze_debits, freeze_credits, unfreeze, close, wait } kind;
  std::vector<Move> items;
  int number = 0;   // account, amount to capture (0 is all), seconds to wait
};

struct Fact {
  Move move;
  std::string fate;   // posted, open, captured, voided, expired
  int captured = 0;
  int at = 0;
};

struct Rules {
  bool debits_limited = true, credits_limited = false;
  int single = -1, daily = -1, balance = -1;
};

class Model {
 public:
  std::vector<Fact> facts;
  std::set<std::string> marks;   // "2 closed", "3 frozen for debits"
  int now = 0;

  std::vector<std::string> answer(const Step& step, const std::vector<Rules>& rules) {
    switch (step.kind) {
      case Step::moves: return move_all(step.items, rules);
      case Step::capture: return {resolve(step.number, "captured")};
      case Step::void_hold: return {resolve(0, "voided")};
      case Step::freeze_debits: return {mark(step.number, " frozen for debits")};
      case Step::freeze_credits: return {mark(step.number, " frozen for credits")};
      case Step::unfreeze: return {unmark(step.number)};
      case Step::close: return {close(step.number)};
      case Step::wait: now += step.number; return expire();
    }
    return {};
  }

  int posted_out(int account) const {
    int sum = 0;
    for (const Fact& f : facts) sum += f.move.from != account ? 0 : f.fate == "posted" ? f.move.amount : f.captured;
    return sum;
  }
  int posted_in(int account) const {
    int sum = 0;
    for (const Fact& f : facts) sum += f.move.to != account ? 0 : f.fate == "posted" ? f.move.amount : f.captured;
    return sum;
  }
  int held_out(int account) const {
    int sum = 0;
    for (const Fact& f : facts) sum += f.fate == "open" && f.move.from == account ? f.move.amount : 0;
    return sum;
  }
  int held_in(int account) const {
    int sum = 0;
    for (const Fact& f : facts) sum += f.fate == "open" && f.move.to == account ? f.move.amount : 0;
    return sum;
  }
  // Place in `facts` of the newest hold, -1 if there never was one.
  int newest_hold() const {
    for (int i = static_cast<int>(facts.size()) - 1; i >= 0; --i) {
      if (facts[static_cast<std::size_t>(i)].fate != "posted") return i;
    }
    return -1;
  }

 private:
  bool is(int account, const char* what) const { return marks.contains(std::to_string(account) + what); }

  std::string objection(const Move& m, const std::vector<Rules>& rules) const {
    if (m.amount == 0) return "amount_must_not_be_zero";
    if (m.from == m.to) return "accounts_must_be_different";
    if (is(m.from, " closed")) return "debit_account_closed";
    if (is(m.to, " closed")) return "credit_account_closed";
    if (is(m.from, " frozen for debits")) return "debit_account_frozen";
    if (is(m.to, " frozen for credits")) return "credit_account_frozen";
    const Rules& from = rules.at(static_cast<std::size_t>(m.from));
    const Rules& to = rules.at(static_cast<std::size_t>(m.to));
    if (from.single >= 0 && m.amount > from.single) return "exceeds_debit_amount_limit";
    int today = m.amount;
    for (const Fact& f : facts) {
      if (f.move.from == m.from && f.at / seconds_per_day == now / seconds_per_day) today += f.move.amount;
    }
    if (from.daily >= 0 && today > from.daily) return "exceeds_daily_debit_limit";
    if (to.balance >= 0 && posted_in(m.to) + held_in(m.to) - posted_out(m.to) + m.amount > to.balance) return "exceeds_balance_limit";
    if (from.debits_limited && posted_in(m.from) - posted_out(m.from) - held_out(m.from) < m.amount) return "exceeds_available_balance";
    if (to.credits_limited && posted_out(m.to) - posted_in(m.to) - held_in(m.to) < m.amount) return "exceeds_available_debits";
    return "";
  }

  std::vector<std::string> move_all(const std::vector<Move>& items, const std::vector<Rules>& rules) {
    const std::vector<Fact> before = facts;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string no = objection(items[i], rules);
      if (no.empty()) {
        facts.push_back({items[i], items[i].hold_seconds < 0 ? "posted" : "open", 0, now});
        continue;
      }
      facts = before;
      std::vector<std::string> answers(items.size(), "atomic_group_refused");
      answers[i] = no;
      return answers;
    }
    return std::vector<std::string>(items.size(), "done");
  }

  std::string resolve(int amount, const std::string& fate) {
    const int newest = newest_hold();
    if (newest < 0) return "transfer_not_found";
    Fact& hold = facts[static_cast<std::size_t>(newest)];
    if (hold.fate == "captured" || hold.fate == "voided") return "hold_already_" + hold.fate;
    if (hold.fate == "expired") return "hold_expired";
    if (amount > hold.move.amount) return "capture_exceeds_held_amount";
    if (fate == "captured") hold.captured = amount == 0 ? hold.move.amount : amount;
    hold.fate = fate;
    return "done";
  }

  std::string mark(int account, const char* what) {
    if (is(account, " closed")) return "account_closed";
    marks.insert(std::to_string(account) + what);
    return "done";
  }
  std::string unmark(int account) {
    if (is(account, " closed")) return "account_closed";
    marks.erase(std::to_string(account) + " frozen for debits");
    marks.erase(std::to_string(account) + " frozen for credits");
    return "done";
  }
  std::string close(int account) {
    if (is(account, " closed")) return "account_closed";
    if (held_out(account) + held_in(account) > 0) return "account_has_pending_holds";
    if (posted_in(account) != posted_out(account)) return "account_balance_is_not_zero";
    return mark(account, " closed");
  }
  std::vector<std::string> expire() {
    std::vector<std::string> answers;
    for (Fact& f : facts) {
      if (f.fate != "open" || f.move.hold_seconds == 0 || f.at + f.move.hold_seconds > now) continue;
      f.fate = "expired";
      answers.push_back("done");
    }
    return answers;
  }
};

constexpr auto& sections = all_state_sections;

// A state is not copied by anything but its own snapshot.
State copy_of(const FrozenState& frozen) {
  StateLoader loader;
  for (const StateSection section : sections) {
    frozen.for_each_piece(section, [&](base::ByteView piece) { loader.take(section, piece); });
  }
  auto loaded = loader.finish();
  REQUIRE(loaded.ok());
  return std::move(loaded).value();
}

class Explorer {
 public:
  Explorer(std::vector<Step> alphabet, std::vector<Rules> rules) : alphabet_(std::move(alphabet)), rules_(std::move(rules)) {}

  std::uint64_t explore() {
    State state;
    usd_.code = {'U', 'S', 'D'};
    usd_.scale = 2;
    run_setup(state, model::OpenTenant{});
    run_setup(state, model::RegisterAsset{.asset = usd_, .world_name = {}});
    for (const int account : {a, b}) {
      const Rules& rules = rules_[static_cast<std::size_t>(account)];
      model::OpenAccount open;
      open.asset = usd_;
      open.flags = static_cast<model::AccountFlags>((rules.debits_limited ? model::debits_must_not_exceed_credits : 0) |
                                                    (rules.credits_limited ? model::credits_must_not_exceed_debits : 0));
      const auto limit = [](int value) { return value < 0 ? std::nullopt : std::optional<base::U128>(static_cast<unsigned>(value)); };
      open.limits = {limit(rules.single), limit(rules.daily), limit(rules.balance)};
      run_setup(state, open);
    }
    descend(state, Model{}, {}, length_max);
    return sequences_;
  }

 private:
  // Events that created the model's facts, in the same order.
  using FactEvents = std::vector<model::EventNumber>;

  void run_setup(State& state, model::CommandBody body) {
    model::Command command;
    command.body = std::move(body);
    std::vector<model::Event> events;
    decide(state, command, {}, {}, events);
    for (const model::Event& event : events) state.apply(event);
  }

  model::CommandBody body_of(const Step& step, const Model& before, const FactEvents& created) const {
    const auto account = static_cast<model::AccountNumber>(step.number);
    const int newest = before.newest_hold();
    const model::EventNumber hold = newest < 0 ? 999'999 : created[static_cast<std::size_t>(newest)];
    auto standing = model::HoldStanding::not_found;
    if (newest >= 0) {
      const std::string& fate = before.facts[static_cast<std::size_t>(newest)].fate;
      standing = fate == "open"       ? model::HoldStanding::open
                 : fate == "captured" ? model::HoldStanding::captured
                 : fate == "voided"   ? model::HoldStanding::voided
                                      : model::HoldStanding::expired;
    }
    switch (step.kind) {
      case Step::moves: {
        model::CreateTransfer create;
        for (const Move& move : step.items) {
          model::TransferItem item;
          item.debit = static_cast<model::AccountNumber>(move.from);
          item.credit = static_cast<model::AccountNumber>(move.to);
          item.asset = usd_;
          item.amount = static_cast<unsigned>(move.amount);
          item.hold = move.hold_seconds >= 0;
          item.hold_for = base::seconds(std::max(move.hold_seconds, 0));
          create.items.push_back(item);
        }
        return create;
      }
      case Step::capture: {
        model::CaptureHold capture{.hold = hold, .standing = standing, .amount = {}};
        if (step.number != 0) capture.amount = static_cast<unsigned>(step.number);
        return capture;
      }
      case Step::void_hold: return model::VoidHold{.hold = hold, .standing = standing};
      case Step::freeze_debits: return model::ChangeAccountFlags{.account = account, .set = model::frozen_for_debits};
      case Step::freeze_credits: return model::ChangeAccountFlags{.account = account, .set = model::frozen_for_credits};
      case Step::unfreeze:
        return model::ChangeAccountFlags{.account = account, .clear = model::frozen_for_debits | model::frozen_for_credits};
      case Step::close: return model::ChangeAccountFlags{.account = account, .set = model::closed};
      case Step::wait: return model::Tick{};
    }
    return model::Tick{};
  }

  void compare(const State& state, const Model& model) {
    std::size_t open = 0;
    for (const Fact& fact : model.facts) open += fact.fate == "open" ? 1 : 0;
    if (state.head().open_holds != open) fail("open holds differ");
    for (const int account : {world, a, b}) {
      const model::Counters expected{static_cast<unsigned>(model.posted_out(account)), static_cast<unsigned>(model.posted_in(account)),
                                     static_cast<unsigned>(model.held_out(account)), static_cast<unsigned>(model.held_in(account))};
      if (state.account(static_cast<model::AccountNumber>(account))->counters != expected) fail("counters of " + std::to_string(account) + " differ");
    }
    if (const auto violation = first_violation(laws_, state)) fail(std::string(violation->law) + ": " + violation->sentence);
  }

  void fail(const std::string& what) {
    std::string path;
    for (const std::size_t letter : path_) path += " " + std::to_string(letter);
    FAIL(what, "; letters:", path);
  }

  void descend(const State& state, const Model& before, const FactEvents& created, int left) {
    const FrozenState frozen = state.freeze();
    for (std::size_t letter = 0; letter < alphabet_.size(); ++letter) {
      const Step& step = alphabet_[letter];
      path_.push_back(letter);
      ++sequences_;
      model::Command command;
      command.body = body_of(step, before, created);
      Model after = before;
      const std::vector<std::string> expected = after.answer(step, rules_);
      std::vector<model::Event> events;
      decide(state, command, base::Instant{} + base::seconds(after.now), {}, events);
      std::vector<std::string> given;
      bool refused = true;
      for (const model::Event& event : events) {
        const auto* refusal = std::get_if<model::Refused>(&event.body);
        given.emplace_back(model::code_of(refusal == nullptr ? model::Outcome::done : refusal->outcome));
        refused = refused && refusal != nullptr;
      }
      if (given != expected) fail("answered " + (given.empty() ? "nothing" : given.back()) + ", expected " + (expected.empty() ? "nothing" : expected.back()));
      // What a refusal leaves behind is looked at before the last step; at the end of a sequence nothing comes after it.
      if (left > 1 || !refused) {
        State next = copy_of(frozen);
        FactEvents facts = created;
        for (const model::Event& event : events) {
          if (std::holds_alternative<model::TransferPosted>(event.body) || std::holds_alternative<model::HoldPlaced>(event.body)) {
            facts.push_back(next.head().next_event);
          }
          next.apply(event);
        }
        compare(next, after);
        if (left > 1) descend(next, after, facts, left - 1);
      }
      path_.pop_back();
    }
  }

  const std::vector<Step> alphabet_;
  const std::vector<Rules> rules_;   // by account number
  model::Asset usd_;
  std::vector<std::unique_ptr<Law>> laws_ = all_laws();
  std::vector<std::size_t> path_;
  std::uint64_t sequences_ = 0;
};

Step move(int from, int to, int amount, int hold_seconds = -1) { return {Step::moves, {{from, to, amount, hold_seconds}}}; }

const Rules unlimited{.debits_limited = false};

}  // namespace

TEST_CASE("small world: transfers, holds, freeze and close") {
  Explorer explorer({move(world, a, 2), move(a, b, 1), move(a, b, 2), move(b, a, 1), move(a, b, 2, 10), {Step::capture, {}, 0},
                     {Step::capture, {}, 1}, {Step::void_hold, {}}, {Step::freeze_debits, {}, a}, {Step::unfreeze, {}, a},
                     {Step::close, {}, a}, {Step::wait, {}, 10}},
                    {{}, unlimited, Rules{}, Rules{}});
  MESSAGE("sequences: ", explorer.explore());
}

TEST_CASE("small world: limits, both sides limited, days") {
  Explorer explorer({move(a, b, 1), move(a, b, 3), move(b, a, 2), move(b, world, 1), move(a, b, 2, 0), {Step::void_hold, {}},
                     {Step::capture, {}, 0}, {Step::wait, {}, seconds_per_day / 2}},
                    {{}, unlimited, Rules{.debits_limited = false, .single = 2, .daily = 3, .balance = 1}, Rules{.balance = 4}});
  MESSAGE("sequences: ", explorer.explore());
}

TEST_CASE("small world: atomic groups, credits limited") {
  const auto group = [](std::vector<Move> items) { return Step{Step::moves, std::move(items)}; };
  Explorer explorer({move(a, world, 2), group({{b, a, 1}, {a, b, 1}}), group({{b, a, 1}, {b, a, 1}}), group({{b, a, 1, 5}, {a, b, 2}}),
                     group({{world, a, 1}, {a, a, 1}}), {Step::capture, {}, 0}, {Step::void_hold, {}}, {Step::freeze_credits, {}, a},
                     {Step::close, {}, b}, {Step::wait, {}, 5}},
                    {{}, unlimited, Rules{.debits_limited = false, .credits_limited = true}, unlimited});
  MESSAGE("sequences: ", explorer.explore());
}
