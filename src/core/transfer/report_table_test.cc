// Every state of a saga under every report: all results, all sources, the reasons that matter, the newest attempt and an
// earlier one. And small worlds: every sequence of a few reports and ticks, with all laws asked after every step.

#include <map>

#include "core/transfer/rail_story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::RailReason;
using model::RailResult;
using model::ReportSource;
using model::TransferState;

namespace {

constexpr RailResult all_results[] = {RailResult::not_sent, RailResult::rejected, RailResult::accepted, RailResult::settled, RailResult::unknown};
constexpr ReportSource all_sources[] = {ReportSource::reply,     ReportSource::callback,          ReportSource::inquiry,
                                        ReportSource::statement, ReportSource::operator_decision, ReportSource::recovery};

void close_rails(RailStory& story, bool closed) {
  for (const char* name : {"first", "second", "third"}) story.run(model::ControlRail{.rail = story.rail(name), .paused = closed});
}

// A payout in that state; `attempts` of it, the earlier ones rejected.
model::EventNumber payout_in(RailStory& story, TransferState state, int attempts) {
  const auto reject = [&](model::EventNumber payout) { story.report(payout, {RailResult::rejected, RailReason::rail_busy}); };
  if (state == TransferState::reviewing) return story.pay(100, 1);
  const model::EventNumber payout = story.pay(100);
  for (int i = 1; i < attempts; ++i) reject(payout);
  switch (state) {
    case TransferState::sending: break;
    case TransferState::parked:
      close_rails(story, true);
      story.report(payout, {RailResult::not_sent, RailReason::tls_failed});
      break;
    case TransferState::accepted: story.report(payout, {RailResult::accepted}); break;
    case TransferState::outcome_unknown: story.report(payout, {RailResult::unknown, RailReason::reply_lost}); break;
    case TransferState::manual_review:
      story.report(payout, {RailResult::unknown, RailReason::reply_lost});
      while (story.at(payout) == "outcome_unknown") {
        story.now = story.now + base::seconds(301);
        story.run(model::Tick{});
      }
      break;
    case TransferState::settled: story.report(payout, {RailResult::settled}); break;
    case TransferState::failed: story.report(payout, {RailResult::rejected, RailReason::beneficiary_refused}); break;
    case TransferState::returned: story.report(payout, {RailResult::rejected, RailReason::returned_by_beneficiary_bank}); break;
    case TransferState::cancelled:
      close_rails(story, true);
      story.report(payout, {RailResult::not_sent, RailReason::tls_failed});
      story.run(model::CancelTransfer{.transfer = payout});
      break;
    case TransferState::reversing:
    case TransferState::reversed: {
      story.report(payout, {RailResult::settled});
      const auto refund = story.refund(payout);
      if (state == TransferState::reversed) story.report(refund, {RailResult::settled});
      break;
    }
    default: FAIL("no recipe");
  }
  return payout;
}

// State, what was moved of the customer's, and what suspense shows.
std::string look(const RailStory& story, model::EventNumber payout) {
  std::string text = story.at(payout) + " " + story.customer();
  for (const char* name : {"first", "second", "third"}) text += " " + story.suspense(name);
  return text;
}

constexpr TransferState reachable[] = {TransferState::reviewing,       TransferState::parked,        TransferState::sending,   TransferState::accepted,
                                       TransferState::outcome_unknown, TransferState::manual_review, TransferState::settled,   TransferState::failed,
                                       TransferState::returned,        TransferState::cancelled,     TransferState::reversing, TransferState::reversed};

}  // namespace

TEST_CASE("every state under every report of its newest attempt") {
  // Columns: not_sent(connection_refused), rejected(rail_busy), rejected(other), rejected(returned), accepted, settled, unknown;
  // all as replies. A minus is: nothing moves.
  const std::map<TransferState, std::string> expected = {
      {TransferState::parked, "- - - - accepted settled -"},
      {TransferState::sending, "sending sending failed returned accepted settled outcome_unknown"},
      {TransferState::accepted, "- failed failed returned - settled -"},
      {TransferState::outcome_unknown, "sending failed failed returned accepted settled -"},
      {TransferState::manual_review, "sending failed failed returned accepted settled -"},
      {TransferState::settled, "- - - - - - -"},
      {TransferState::failed, "- - - - - - -"},
      {TransferState::returned, "- - - - - - -"},
      {TransferState::cancelled, "- - - - - - -"},
      {TransferState::reversing, "- - - - - - -"},
      {TransferState::reversed, "- - - - - - -"},
      {TransferState::reviewing, "- - - - - - -"}};
  const Said columns[] = {{RailResult::not_sent, RailReason::connection_refused},
                          {RailResult::rejected, RailReason::rail_busy},
                          {RailResult::rejected, RailReason::other},
                          {RailResult::rejected, RailReason::returned_by_beneficiary_bank},
                          {RailResult::accepted},
                          {RailResult::settled},
                          {RailResult::unknown, RailReason::reply_lost}};
  for (const TransferState state : reachable) {
    std::string given;
    for (const Said& said : columns) {
      RailStory story;
      const auto payout = payout_in(story, state, 1);
      REQUIRE(story.transfer(payout).status() == state);
      const std::uint8_t attempt = story.transfer(payout).attempt;
      story.report(payout, said);
      const bool same = story.transfer(payout).status() == state && story.transfer(payout).attempt == attempt;
      given += (given.empty() ? "" : " ") + (same ? "-" : story.at(payout));
    }
    CHECK_MESSAGE(given == expected.at(state), model::name_of(state));
  }
}

TEST_CASE("every state, result, source and reason, newest and earlier attempt, twice: never an impossible move, never twice the money") {
  constexpr RailReason reasons[] = {RailReason::none,       RailReason::rail_busy,         RailReason::other,     RailReason::not_found_at_rail,
                                    RailReason::tombstoned, RailReason::returned_by_beneficiary_bank};
  int cases = 0;
  for (const TransferState state : reachable) {
    for (const bool earlier : {false, true}) {
      if (earlier && state == TransferState::reviewing) continue;
      for (const RailResult result : all_results) {
        for (const ReportSource source : all_sources) {
          for (const RailReason reason : reasons) {
            if (result != RailResult::not_sent && result != RailResult::rejected && reason != RailReason::none) continue;
            RailStory story;
            const auto payout = payout_in(story, state, earlier ? 2 : 1);
            REQUIRE(story.transfer(payout).status() == state);
            const std::size_t attempts = story.count<model::AttemptStarted>();
            Said said{result, reason, source};
            if (earlier) said.attempt = 1;
            const auto report = story.report_of(payout, said);
            const auto decided = story.run(report);   // laws and moves are checked in here
            REQUIRE(!decided.empty());
            REQUIRE((std::holds_alternative<model::AttemptReported>(decided[0].body) || std::holds_alternative<model::ReportIgnored>(decided[0].body)));
            const bool unclear = state == TransferState::outcome_unknown || state == TransferState::manual_review || state == TransferState::accepted;
            const bool absent = result == RailResult::not_sent &&
                                (source == ReportSource::reply ? reason != RailReason::not_found_at_rail
                                                               : reason == RailReason::tombstoned && source <= ReportSource::inquiry);
            std::size_t sent = 0;
            for (const auto& event : decided) {
              const auto* started = std::get_if<model::AttemptStarted>(&event.body);
              sent += started != nullptr && started->transfer == payout;
            }
            // Never another rail after unknown without proof of absence.
            if (unclear && !earlier && !absent) CHECK_MESSAGE(sent == 0, model::name_of(state), " ", static_cast<int>(result), " ", static_cast<int>(source), " ", static_cast<int>(reason));
            if (model::is_final(state)) CHECK(story.transfer(payout).status() == state);
            const std::string once = look(story, payout);
            // The same again changes nothing that counts.
            const auto again = story.run(report);
            if (result == RailResult::settled) CHECK(look(story, payout) == once);
            CHECK(story.count<model::AttemptStarted>() <= attempts + 2);
            ++cases;
          }
        }
      }
    }
  }
  MESSAGE("cases: ", cases);
}

namespace {

// Plays every sequence of letters up to a length on a fresh story.
class SmallWorld {
 public:
  explicit SmallWorld(std::vector<Said> letters) : letters_(std::move(letters)) {}

  void explore(std::size_t length) {
    std::vector<std::size_t> path(length, 0);
    do {
      play(path);
      ++played_;
    } while (next(path));
    MESSAGE("sequences: ", played_);
  }

 private:
  bool next(std::vector<std::size_t>& path) const {
    for (std::size_t& letter : path) {
      if (++letter <= letters_.size()) return true;
      letter = 0;
    }
    return false;
  }

  // Every unit of money has one place: what left the customer is at a rail, what rails paid beyond it is in suspense.
  void play(const std::vector<std::size_t>& path) {
    RailStory story(2);
    const auto payout = story.pay(100);
    std::map<int, bool> settled;   // by attempt
    for (const std::size_t letter : path) {
      if (letter == letters_.size()) {
        story.now = story.now + base::seconds(100);
        story.run(model::Tick{});
        continue;
      }
      Said said = letters_[letter];
      if (said.attempt > story.transfer(payout).attempt) continue;
      story.report(payout, said);
      if (said.result == RailResult::settled) settled[said.attempt == 0 ? story.transfer(payout).attempt : said.attempt] = true;
    }
    const TransferState state = story.transfer(payout).status();
    const bool paid = state == TransferState::settled;
    CHECK(story.customer() == (paid ? "900" : "1000"));
    CHECK(story.state.account(story.account("a"))->counters.debits_pending == (model::is_final(state) ? 0 : 100));
  }

  std::vector<Said> letters_;
  std::uint64_t played_ = 0;
};

}  // namespace

TEST_CASE("small world: a payout, two rails, every sequence of five reports and pauses") {
  SmallWorld world({{RailResult::settled},
                    {RailResult::unknown, RailReason::reply_lost},
                    {RailResult::rejected, RailReason::rail_busy},
                    {RailResult::not_sent, RailReason::tombstoned, ReportSource::inquiry},
                    {RailResult::settled, RailReason::none, ReportSource::callback, {}, {}, 1}});
  world.explore(5);
}
