// Rails that lose, delay, repeat and reorder what they say, but never lie. Whatever happens: nobody is paid twice, what the
// books say is what the rails did, and once everything was said and time has passed, nothing is left open.

#include <algorithm>
#include <map>

#include "core/transfer/rail_story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::RailReason;
using model::RailResult;
using model::ReportSource;

namespace {

struct Dice {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t bound) { return below(bound) == 0; }
};

class World {
 public:
  explicit World(std::uint64_t seed) : dice_{seed}, story_(0) {
    const model::RailCapabilities kinds[] = {model::all_rail_capabilities, model::inquiry_supported | model::expiry_honoured,
                                             model::inquiry_supported | model::void_supported};
    const char* const names[] = {"first", "second", "third"};
    for (int i = 0; i < 3; ++i) {
      model::RailProfile profile = RailStory::plain(kinds[i]);
      profile.visibility_horizon = base::seconds(20);
      profile.settle_within = base::seconds(60);
      profile.inquiry_max = base::seconds(30);
      profile.inquiries_max = 40;
      profile.cost_fixed = static_cast<unsigned>(i);
      story_.configure(names[i], profile);
    }
    story_.bounds.sagas.routing.explore_per_10000 = 2000;
    story_.bounds.sagas.send_within_default = base::seconds(600);
  }

  void live() {
    for (int step = 0; step < 120; ++step) {
      if (step < 60 && dice_.one_in(3)) take(model::CreatePayout{story_.request(1 + dice_.below(20))});
      if (dice_.one_in(20)) {
        take(model::ControlRail{.rail = static_cast<model::RailNumber>(1 + dice_.below(3)), .paused = dice_.one_in(2)});
      }
      if (dice_.one_in(15) && !payouts_.empty()) take(model::CancelTransfer{.transfer = payouts_[dice_.below(payouts_.size())]});
      say_something();
      story_.now = story_.now + base::milliseconds(static_cast<std::int64_t>(dice_.below(4000)));
      take(model::Tick{});
    }
    faults_end_ = true;
    for (model::RailNumber rail = 1; rail <= 3; ++rail) take(model::ControlRail{.rail = rail});
    for (int step = 0; step < 2500 && (step < 100 || is_anything_open()); ++step) {
      say_something();
      story_.now = story_.now + base::seconds(2);
      take(model::Tick{});
    }
    judge();
  }

 private:
  // What really became of an attempt.
  struct Attempt {
    model::EventNumber transfer = 0;
    model::RailNumber rail = 0;
    base::U128 amount = 0;
    base::Instant send_not_after{};
    base::Instant arrives{};      // at the rail; 0 never
    bool arrived = false, settled = false, rejected = false, tombstoned = false;
  };
  struct Saying {
    base::Instant at{};
    model::ReportRail report;
  };

  void take(model::CommandBody body) {
    const model::EventNumber first = story_.state.head().next_event;
    const auto decided = story_.run(std::move(body));
    std::vector<model::Effect> effects;
    for (std::size_t i = 0; i < decided.size(); ++i) {
      if (std::holds_alternative<model::TransferRequested>(decided[i].body)) payouts_.push_back(first + i);
      effects_of(story_.state, decided[i], first + i, effects);
    }
    for (const model::Effect& effect : effects) {
      if (const auto* send = std::get_if<model::SendToRail>(&effect)) start(*send);
      if (const auto* asked = std::get_if<model::InquireAtRail>(&effect)) answer(asked->key, asked->inquiry, false);
      if (const auto* asked = std::get_if<model::VoidAtRail>(&effect)) answer(asked->key, asked->inquiry, true);
    }
  }

  base::Instant soon(std::uint64_t seconds) { return story_.now + base::milliseconds(static_cast<std::int64_t>(dice_.below(seconds * 1000 + 1))); }

  void say(const Attempt& attempt, model::EventNumber reference, RailResult result, RailReason reason, ReportSource source, std::uint32_t inquiry = 0) {
    Saying saying;
    saying.at = soon(faults_end_ ? 1 : 8);
    const TransferRecord& record = story_.transfer(attempt.transfer);
    saying.report = {.reference = reference,
                     .transfer = attempt.transfer,
                     .attempt = numbers_.at(reference),
                     .rail = attempt.rail,
                     .source = source,
                     .result = result,
                     .reason = reason,
                     .inquiry = inquiry,
                     .amount = {},
                     .asset = {},
                     .rail_reference = {},
                     .body = {}};
    CHECK(record.attempt >= saying.report.attempt);
    sayings_.push_back(saying);
    if (!faults_end_ && dice_.one_in(3)) sayings_.push_back({saying.at + base::seconds(3), saying.report});
  }

  void start(const model::SendToRail& send) {
    Attempt attempt{.transfer = send.key.transfer, .rail = send.key.rail, .amount = send.amount, .send_not_after = send.send_not_after};
    numbers_[send.key.reference] = send.key.attempt;
    const std::uint64_t fate = faults_end_ ? 9 : dice_.below(10);
    if (fate == 0) {
      say(attempt, send.key.reference, RailResult::not_sent, RailReason::connection_refused, ReportSource::reply);
    } else {
      // A sender that stalls never sends after send_not_after; what it sent may still arrive within the horizon, but not later
      // than a rail that honours expiry takes it. Without a reply the driver says unknown, or nothing at all.
      if (fate != 1) attempt.arrives = std::min(soon(faults_end_ ? 1 : 5), send.send_not_after);
      if (fate == 1 || fate == 2) say(attempt, send.key.reference, RailResult::unknown, RailReason::reply_timed_out, ReportSource::reply);
      reply_[send.key.reference] = fate > 3;
    }
    attempts_[send.key.reference] = attempt;
  }

  void say_something() {
    for (auto& [reference, attempt] : attempts_) {
      if (attempt.arrives.ns == 0 || attempt.arrived || attempt.arrives > story_.now) continue;
      attempt.arrived = true;
      if (attempt.tombstoned) continue;   // refused
      const std::uint64_t will = dice_.below(6);
      attempt.rejected = will == 0;
      attempt.settled = will != 0;
      const bool heard = reply_[reference];
      if (attempt.rejected && heard) say(attempt, reference, RailResult::rejected, RailReason::rail_busy, ReportSource::reply);
      if (attempt.settled && heard && dice_.one_in(2)) say(attempt, reference, RailResult::accepted, RailReason::none, ReportSource::reply);
      if (attempt.settled && (heard || dice_.one_in(2))) say(attempt, reference, RailResult::settled, RailReason::none, ReportSource::callback);
    }
    std::vector<Saying> due;
    std::erase_if(sayings_, [&](const Saying& saying) {
      if (saying.at > story_.now) return false;
      due.push_back(saying);
      return true;
    });
    if (dice_.one_in(2)) std::ranges::reverse(due);
    for (const Saying& saying : due) take(saying.report);
  }

  // The truth as of now; while faults last, one answer in three is lost.
  void answer(const model::AttemptKey& key, std::uint32_t inquiry, bool is_void) {
    if (!faults_end_ && dice_.one_in(3)) return;
    Attempt& attempt = attempts_.at(key.reference);
    if (attempt.arrived && attempt.settled) return say(attempt, key.reference, RailResult::settled, RailReason::none, ReportSource::inquiry, inquiry);
    if (attempt.arrived && attempt.rejected) return say(attempt, key.reference, RailResult::rejected, RailReason::rail_busy, ReportSource::inquiry, inquiry);
    if (is_void) attempt.tombstoned = true;
    say(attempt, key.reference, RailResult::not_sent, attempt.tombstoned ? RailReason::tombstoned : RailReason::not_found_at_rail, ReportSource::inquiry, inquiry);
  }

  bool is_anything_open() const {
    return !sayings_.empty() || std::ranges::any_of(payouts_, [&](model::EventNumber payout) {
      const auto state = story_.transfer(payout).status();
      return !model::is_final(state) && state != model::TransferState::manual_review;
    });
  }

  void judge() {
    std::map<model::EventNumber, int> paid;
    std::map<model::RailNumber, base::U128> moved;
    for (const auto& [reference, attempt] : attempts_) {
      if (!attempt.settled) continue;
      ++paid[attempt.transfer];
      moved[attempt.rail] += attempt.amount;
    }
    base::U128 settled = 0;
    for (const model::EventNumber payout : payouts_) {
      const TransferRecord& record = story_.transfer(payout);
      INFO("transfer ", payout, " ", story_.at(payout));
      CHECK(paid[payout] <= 1);
      CHECK((model::is_final(record.status()) || record.status() == model::TransferState::manual_review));
      if (model::is_final(record.status())) CHECK((record.status() == model::TransferState::settled) == (paid[payout] == 1));
      if (record.status() == model::TransferState::settled) settled += record.amount;
    }
    CHECK(story_.customer() == base::to_decimal(1000 - settled));
    CHECK(story_.count<model::CaseOpened>() == 0);   // rails that never lie give people nothing to do
    const char* const names[] = {"first", "second", "third"};
    for (int i = 0; i < 3; ++i) {
      CHECK(story_.clearing(names[i]) == base::to_decimal(moved[static_cast<model::RailNumber>(i + 1)]));
      CHECK(story_.suspense(names[i]) == "0");
    }
  }

  Dice dice_;
  RailStory story_;
  bool faults_end_ = false;
  std::vector<model::EventNumber> payouts_;
  std::map<model::EventNumber, Attempt> attempts_;      // by reference
  std::map<model::EventNumber, std::uint8_t> numbers_;
  std::map<model::EventNumber, bool> reply_;
  std::vector<Saying> sayings_;
};

}  // namespace

TEST_CASE("rails that lose, delay, repeat and reorder, but never lie: nobody is paid twice and nothing stays open") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    World(seed).live();
  }
}
