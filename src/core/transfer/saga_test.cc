#include <algorithm>

#include "core/transfer/rail_story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::CaseKind;
using model::IgnoredWhy;
using model::Outcome;
using model::RailReason;
using model::RailResult;
using model::ReportSource;

namespace {

IgnoredWhy ignored(const std::vector<model::Event>& events) {
  REQUIRE(!events.empty());
  const auto* body = std::get_if<model::ReportIgnored>(&events[0].body);
  REQUIRE(body != nullptr);
  return body->why;
}

const Said not_found{RailResult::not_sent, RailReason::not_found_at_rail, ReportSource::inquiry};
const Said tombstoned{RailResult::not_sent, RailReason::tombstoned, ReportSource::inquiry};

}  // namespace

TEST_CASE("a payout holds, sends, is accepted and settles; every step is an event of its own") {
  RailStory story;
  const auto payout = story.pay(100);
  CHECK(story.at(payout) == "sending");
  CHECK(story.state.account(story.account("a"))->counters.debits_pending == 100);
  CHECK(story.transfer(payout).rail == story.rail("first"));
  CHECK(story.after(payout, {RailResult::accepted}) == "accepted");
  CHECK(story.after(payout, {RailResult::settled, RailReason::none, ReportSource::callback}) == "settled");
  CHECK(story.customer() == "900");
  CHECK(story.clearing("first") == "100");
  CHECK(story.suspense("first") == "0");
  CHECK(story.record("first").in_flight == 0);
  CHECK(story.state.head().open_holds == 0);
  CHECK(ignored(story.report(payout, {RailResult::settled})) == IgnoredWhy::duplicate);
  CHECK(ignored(story.report(payout, {RailResult::accepted})) == IgnoredWhy::late);
}

TEST_CASE("a collect holds nothing and credits its account when it settles, frozen or not") {
  RailStory story;
  const auto collect = story.collect(70);
  CHECK(story.at(collect) == "sending");
  CHECK(story.after(collect, {RailResult::accepted}) == "accepted");
  story.tell("freeze a credits");
  CHECK(story.after(collect, {RailResult::settled}) == "settled");
  CHECK(story.customer() == "1070");
  CHECK(story.clearing("first") == "-70");
}

TEST_CASE("collected money that its account cannot take waits in suspense, with a case") {
  RailStory story;
  const auto collect = story.collect(70);
  story.tell("move a world 1000\nclose a");
  CHECK(story.after(collect, {RailResult::settled}) == "settled");
  CHECK(story.suspense("first") == "70");
  CHECK(story.transfer(collect).has_case(CaseKind::account_unusable, 1));
  CHECK(story.outcome_of(model::RefundTransfer{.original = collect, .standing = {}, .amount = {}, .reference = {}, .metadata = {}}) ==
        Outcome::transfer_not_refundable);
}

TEST_CASE("another rail is tried after not_sent and after a reroutable rejection; the hold moves with it") {
  RailStory story;
  const auto payout = story.pay(100);
  story.tell("freeze a debits");   // asks for no new debit
  CHECK(story.after(payout, {RailResult::rejected, RailReason::rail_in_maintenance}) == "sending");
  CHECK(story.transfer(payout).rail == story.rail("second"));
  CHECK(story.count<model::HoldRedirected>() == 1);
  CHECK(story.after(payout, {RailResult::not_sent, RailReason::connection_refused}) == "sending");
  // Not the first, which rejected it, nor the second, which could not be reached just now.
  CHECK(story.transfer(payout).rail == story.rail("third"));
  CHECK(story.after(payout, {RailResult::settled}) == "settled");
  CHECK(story.clearing("third") == "100");
  CHECK(story.clearing("first") == "0");
}

TEST_CASE("a rejection that is not reroutable fails and gives the money back") {
  RailStory story;
  const auto payout = story.pay(100);
  CHECK(story.after(payout, {RailResult::rejected, RailReason::beneficiary_account_closed}) == "failed");
  CHECK(story.customer() == "1000");
  CHECK(story.state.account(story.account("a"))->counters.debits_pending == 0);
  CHECK(story.record("first").successes + story.record("first").attempts == 0);   // not the rail's fault
}

TEST_CASE("never another rail after unknown, whatever time passes; in the end two people decide") {
  RailStory story(3, model::idempotent_reference | model::inquiry_supported);
  const auto payout = story.pay(100);
  CHECK(story.after(payout, {RailResult::unknown, RailReason::reply_lost}) == "outcome_unknown");
  for (int i = 0; i < 30 && story.at(payout) == "outcome_unknown"; ++i) {
    story.pass(base::seconds(301));
    // A rail with neither expiry nor tombstone never proves absence.
    if (story.at(payout) == "outcome_unknown") CHECK(ignored(story.report(payout, not_found)) == IgnoredWhy::absence_not_proven);
  }
  CHECK(story.at(payout) == "manual_review");
  CHECK(story.count<model::AttemptStarted>() == 1);
  CHECK(story.state.account(story.account("a"))->counters.debits_pending == 100);
  CHECK(story.count<model::AgeAlarmRaised>() >= 1);

  CHECK(ignored(story.report(payout, {RailResult::settled, RailReason::none, ReportSource::operator_decision})) == IgnoredWhy::no_news);

  model::ResolveUnknown verdict{.transfer = payout, .verdict = model::Verdict::failed, .reason = {}};
  CHECK(story.by(RailStory::service, verdict) == Outcome::approver_must_be_a_person);
  CHECK(story.by(RailStory::requester, verdict) == Outcome::approver_must_not_be_requester);
  CHECK(story.by(RailStory::ann, verdict) == Outcome::done);
  CHECK(story.at(payout) == "manual_review");
  CHECK(story.by(RailStory::ann, verdict) == Outcome::approver_counted_already);
  verdict.verdict = model::Verdict::settled;
  CHECK(story.by(RailStory::bob, verdict) == Outcome::done);   // of another mind: counted anew
  CHECK(story.at(payout) == "manual_review");
  CHECK(story.by(RailStory::ann, verdict) == Outcome::done);
  CHECK(story.at(payout) == "settled");
  CHECK(story.customer() == "900");
}

TEST_CASE("what two people call failed is voided at the rail, and what comes of that is judged like any other word") {
  for (const bool can_void : {true, false}) {
    RailStory story(1, model::idempotent_reference | (can_void ? model::void_supported : model::expiry_honoured));
    const auto payout = story.pay(100);
    story.report(payout, {RailResult::unknown, RailReason::reply_lost});
    for (int i = 0; i < 30 && story.at(payout) == "outcome_unknown"; ++i) story.pass(base::seconds(301));
    REQUIRE(story.at(payout) == "manual_review");
    const auto asked = story.transfer(payout).inquiries;
    const model::ResolveUnknown verdict{.transfer = payout, .verdict = model::Verdict::failed, .reason = {}};
    CHECK(story.by(RailStory::ann, verdict) == Outcome::done);
    CHECK(story.transfer(payout).inquiries == asked);
    const model::EventNumber before = story.state.head().next_event;
    CHECK(story.by(RailStory::bob, verdict) == Outcome::done);
    CHECK(story.at(payout) == "failed");
    CHECK(story.customer() == "1000");
    std::vector<model::Effect> effects;
    for (model::EventNumber n = before; n < story.state.head().next_event; ++n) effects_of(story.state, story.events[n - 1], n, effects);
    REQUIRE(effects.size() == (can_void ? 1u : 0u));
    if (!can_void) continue;
    CHECK(std::get<model::VoidAtRail>(effects[0]).inquiry == asked + 1);
    CHECK(story.transfer(payout).due_ns == 0);
    // It had been paid after all.
    story.report(payout, {RailResult::settled, RailReason::none, ReportSource::inquiry});
    CHECK(story.transfer(payout).has_case(model::CaseKind::late_success, 1));
  }
}

TEST_CASE("absence needs the horizon, a question asked after it, and a tombstone where the rail has one") {
  RailStory story;
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::unknown, RailReason::reply_timed_out});
  story.pass(base::seconds(3));
  CHECK(story.transfer(payout).inquiries == 1);
  CHECK(ignored(story.report(payout, not_found)) == IgnoredWhy::absence_not_proven);
  CHECK(story.transfer(payout).void_asked == 0);
  story.pass(base::seconds(120));
  auto old_answer = story.report_of(payout, not_found);
  old_answer.inquiry -= 1;
  CHECK(ignored(story.run(old_answer)) == IgnoredWhy::absence_not_proven);
  CHECK(story.transfer(payout).void_asked == 0);
  const auto decided = story.report(payout, not_found);
  CHECK(ignored(decided) == IgnoredWhy::absence_not_proven);
  CHECK(story.transfer(payout).void_asked == 1);   // asked for a tombstone at once
  std::vector<model::Effect> effects;
  effects_of(story.state, decided.back(), story.state.head().next_event - 1, effects);
  REQUIRE(effects.size() == 1);
  CHECK(std::holds_alternative<model::VoidAtRail>(effects[0]));
  CHECK(ignored(story.report(payout, not_found)) == IgnoredWhy::absence_not_proven);
  CHECK(story.after(payout, tombstoned) == "sending");
  CHECK(story.transfer(payout).rail == story.rail("second"));
}

TEST_CASE("a rail that honours expiry and has no tombstones proves absence past the horizon") {
  RailStory story(2, model::inquiry_supported | model::expiry_honoured);
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::unknown, RailReason::reply_timed_out});
  story.pass(base::seconds(3));
  CHECK(story.after(payout, not_found) == "outcome_unknown");
  CHECK(story.after(payout, tombstoned) == "outcome_unknown");   // it has none to confirm
  story.pass(base::seconds(120));
  CHECK(story.after(payout, not_found) == "sending");
  CHECK(story.transfer(payout).attempt == 2);
}

TEST_CASE("a sender that wakes up late says that nothing left") {
  RailStory story;
  const auto payout = story.pay(100);
  story.pass(base::seconds(30));   // silence
  CHECK(story.at(payout) == "outcome_unknown");
  CHECK(story.after(payout, {RailResult::not_sent, RailReason::send_deadline_passed}) == "sending");
  CHECK(story.transfer(payout).attempt == 2);
}

TEST_CASE("found out by inquiry: rejected fails, whatever the reason; accepted goes on") {
  RailStory story;
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::unknown, RailReason::reply_lost});
  CHECK(story.after(payout, {RailResult::rejected, RailReason::rail_busy, ReportSource::inquiry}) == "failed");
  const auto other = story.pay(100);
  story.report(other, {RailResult::unknown, RailReason::reply_lost});
  CHECK(story.after(other, {RailResult::accepted, RailReason::none, ReportSource::callback}) == "accepted");
  CHECK(story.after(other, {RailResult::rejected, RailReason::returned_by_beneficiary_bank, ReportSource::callback}) == "returned");
  CHECK(story.customer() == "1000");
  CHECK(ignored(story.report(other, {RailResult::settled, RailReason::none, ReportSource::callback})) == IgnoredWhy::late);
}

TEST_CASE("a late success after failure: posted to suspense once, one case, one recall; what it brings back clears suspense") {
  RailStory story;
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::rejected, RailReason::beneficiary_account_invalid});
  const model::EventNumber next = story.state.head().next_event;
  story.report(payout, {RailResult::settled, RailReason::none, ReportSource::statement});
  CHECK(story.at(payout) == "failed");
  CHECK(story.suspense("first") == "-100");
  CHECK(story.clearing("first") == "100");
  CHECK(story.customer() == "1000");
  CHECK(story.count<model::CaseOpened>() == 1);
  CHECK(ignored(story.report(payout, {RailResult::settled, RailReason::none, ReportSource::callback})) == IgnoredWhy::duplicate);
  model::EventNumber recall = 0;
  for (model::EventNumber n = next; n < story.state.head().next_event; ++n) {
    if (std::holds_alternative<model::TransferRequested>(story.events[n - 1].body)) recall = n;
  }
  REQUIRE(recall != 0);
  CHECK(story.at(recall) == "sending");
  CHECK(story.after(recall, {RailResult::accepted}) == "accepted");
  CHECK(story.after(recall, {RailResult::settled}) == "settled");
  CHECK(story.suspense("first") == "0");
  CHECK(story.clearing("first") == "0");
}

TEST_CASE("a recall that fails is told to people") {
  RailStory story;
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::rejected, RailReason::beneficiary_account_invalid});
  story.report(payout, {RailResult::settled});
  const auto recall = static_cast<model::EventNumber>(
      std::find_if(story.events.rbegin(), story.events.rend(), [](const auto& e) { return std::holds_alternative<model::TransferRequested>(e.body); }).base() -
      story.events.begin());
  CHECK(story.after(recall, {RailResult::rejected, RailReason::payer_refused}) == "failed");
  CHECK(story.transfer(payout).has_case(CaseKind::recall_failed, 0));
}

TEST_CASE("settled, then given back: to suspense with a case; settled, then rejected: a contradiction") {
  RailStory story;
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::settled, RailReason::none, ReportSource::reply, 100});
  const Said back{RailResult::rejected, RailReason::returned_by_beneficiary_bank, ReportSource::callback};
  CHECK(story.after(payout, back) == "settled");
  CHECK(story.suspense("first") == "100");
  CHECK(story.clearing("first") == "0");
  CHECK(ignored(story.report(payout, back)) == IgnoredWhy::duplicate);
  CHECK(story.suspense("first") == "100");
  CHECK(ignored(story.report(payout, {RailResult::rejected, RailReason::other})) == IgnoredWhy::contradicts_result);
  CHECK(story.transfer(payout).has_case(CaseKind::contradiction, 1));
  CHECK(ignored(story.report(payout, {RailResult::settled, RailReason::none, ReportSource::callback, 99})) == IgnoredWhy::contradicts_result);
  CHECK(story.count<model::CaseOpened>() == 2);
}

TEST_CASE("another amount: the promise is booked, the difference waits in suspense; another currency: unknown") {
  RailStory story;
  const auto less = story.pay(100);
  story.report(less, {RailResult::settled, RailReason::none, ReportSource::reply, 90});
  CHECK(story.at(less) == "settled");
  CHECK(story.customer() == "900");
  CHECK(story.clearing("first") == "90");
  CHECK(story.suspense("first") == "10");
  const auto more = story.pay(100);
  story.report(more, {RailResult::settled, RailReason::none, ReportSource::reply, 130});
  CHECK(story.clearing("first") == "220");
  CHECK(story.suspense("first") == "-20");
  const auto collect = story.collect(50);
  story.report(collect, {RailResult::settled, RailReason::none, ReportSource::reply, 60});
  CHECK(story.suspense("first") == "-10");
  CHECK(story.clearing("first") == "160");
  CHECK(story.count<model::CaseOpened>() == 3);
  const auto foreign = story.pay(100);
  CHECK(story.after(foreign, {RailResult::settled, RailReason::none, ReportSource::reply, 100, core::asset("EUR/2")}) == "outcome_unknown");
  CHECK(story.transfer(foreign).reason == static_cast<std::uint8_t>(RailReason::reply_contradicts_request));
  const auto absurd = story.pay(100);
  story.report(absurd, {RailResult::settled, RailReason::none, ReportSource::reply, base::amount_max});
  CHECK(story.at(absurd) == "settled");
  const auto again = story.pay(100);
  story.report(again, {RailResult::settled, RailReason::none, ReportSource::reply, base::amount_max});   // beyond any counter
  CHECK(story.transfer(again).has_case(CaseKind::other_amount, 1));
}

TEST_CASE("all rails out: parked with its hold, resumed by itself; cancelled or expired otherwise") {
  RailStory story(2);
  for (const char* name : {"first", "second"}) story.run(model::ControlRail{.rail = story.rail(name), .paused = true});
  const auto payout = story.pay(100);
  CHECK(story.at(payout) == "parked");
  CHECK(story.state.account(story.account("a"))->counters.debits_pending == 100);
  const auto events = story.events.size();
  story.pass(base::seconds(20));
  CHECK(story.events.size() == events);   // waiting costs no event
  const auto cancelled = story.pay(50);
  CHECK(story.outcome_of(model::CancelTransfer{.transfer = cancelled}) == Outcome::done);
  CHECK(story.at(cancelled) == "cancelled");
  story.run(model::ControlRail{.rail = story.rail("second")});
  story.pass(base::seconds(1));
  CHECK(story.at(payout) == "sending");
  CHECK(story.transfer(payout).rail == story.rail("second"));
  CHECK(story.count<model::HoldRedirected>() == 1);
  story.run(model::ControlRail{.rail = story.rail("second"), .maintenance_from = story.now, .maintenance_until = story.now + base::seconds(50)});
  model::RailRequest hasty = story.request(30);
  hasty.send_within = base::seconds(20);
  const auto expired = story.start(model::CreatePayout{hasty});
  CHECK(story.at(expired) == "parked");
  const auto patient = story.pay(30);
  story.pass(base::seconds(30));
  CHECK(story.at(expired) == "failed");
  CHECK(story.at(patient) == "parked");
  story.pass(base::seconds(30));
  CHECK(story.at(patient) == "sending");
}

TEST_CASE("what is said of a rail leaves what is not said as it was") {
  RailStory story(1);
  const model::RailNumber rail = story.rail("first");
  const auto paused = [&] { return story.record("first").paused != 0; };
  const auto in_window = [&] { return story.record("first").maintenance_until_ns != 0; };
  const base::Instant from = story.now + base::seconds(10), until = story.now + base::seconds(20);
  story.run(model::ControlRail{.rail = rail, .maintenance_from = from, .maintenance_until = until});
  story.run(model::ControlRail{.rail = rail, .paused = true});
  CHECK(paused());
  CHECK(story.record("first").maintenance_from_ns == from.ns);
  story.run(model::ControlRail{.rail = rail, .maintenance_from = from, .maintenance_until = until + base::seconds(5)});
  CHECK(paused());
  CHECK(story.record("first").maintenance_until_ns == (until + base::seconds(5)).ns);
  story.run(model::ControlRail{.rail = rail});
  CHECK_FALSE(paused());
  CHECK(in_window());
  // A window that is over lifts one that stands.
  story.run(model::ControlRail{.rail = rail, .maintenance_from = {1}, .maintenance_until = {2}});
  CHECK_FALSE(in_window());
  story.run(model::ControlRail{.rail = rail, .paused = true, .maintenance_from = from, .maintenance_until = until});
  story.pass(base::seconds(30));
  story.run(model::ControlRail{.rail = rail, .paused = true});
  CHECK(paused());
  CHECK_FALSE(in_window());
}

TEST_CASE("a rail that cannot be reached is tried again later, a little longer each time") {
  RailStory story(1);
  const auto payout = story.pay(100);
  const Said refused{RailResult::not_sent, RailReason::connection_refused};
  CHECK(story.after(payout, refused) == "parked");
  story.pass(base::seconds(3));
  CHECK(story.at(payout) == "sending");
  CHECK(story.after(payout, refused) == "parked");
  story.pass(base::seconds(3));
  CHECK(story.at(payout) == "parked");
  story.pass(base::seconds(3));
  CHECK(story.at(payout) == "sending");
  story.report(payout, refused);
  while (story.transfer(payout).attempt < 6) {
    while (story.at(payout) == "parked") story.pass(base::seconds(1));
    story.report(payout, refused);
  }
  CHECK(story.record("first").breaker == static_cast<std::uint8_t>(model::Breaker::open));
  CHECK(story.state.account(story.account("a"))->counters.debits_pending == 100);
}

TEST_CASE("an earlier attempt that settled after all is taken while the money is still held") {
  RailStory story(1);
  const auto payout = story.pay(100);
  CHECK(story.after(payout, {RailResult::not_sent, RailReason::tls_failed}) == "parked");
  CHECK(ignored(story.report(payout, {RailResult::unknown})) == IgnoredWhy::late);
  CHECK(ignored(story.report(payout, {RailResult::rejected})) == IgnoredWhy::duplicate);
  CHECK(story.after(payout, {RailResult::settled, RailReason::none, ReportSource::callback}) == "settled");
  CHECK(story.customer() == "900");
  const auto other = story.pay(100);
  story.report(other, {RailResult::not_sent, RailReason::tls_failed});
  CHECK(story.after(other, {RailResult::accepted, RailReason::none, ReportSource::callback}) == "accepted");
}

TEST_CASE("an earlier attempt that settled while another is out: suspense, case, recall at its own rail") {
  RailStory story;
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::rejected, RailReason::rail_busy});
  CHECK(story.transfer(payout).attempt == 2);
  CHECK(ignored(story.report(payout, {RailResult::rejected, RailReason::rail_busy, ReportSource::callback, {}, {}, 1})) == IgnoredWhy::earlier_attempt);
  story.report(payout, {RailResult::settled, RailReason::none, ReportSource::callback, {}, {}, 1});
  CHECK(story.suspense("first") == "-100");
  CHECK(story.at(payout) == "sending");
  CHECK(story.after(payout, {RailResult::settled}) == "settled");
  CHECK(story.clearing("second") == "100");
  CHECK(story.customer() == "900");
  auto strange = story.report_of(payout, {RailResult::settled});
  strange.rail = story.rail("third");
  CHECK(ignored(story.run(strange)) == IgnoredWhy::no_such_attempt);
  strange = story.report_of(payout, {RailResult::settled});
  strange.attempt = 9;
  CHECK(ignored(story.run(strange)) == IgnoredWhy::no_such_attempt);
}

TEST_CASE("review: two different people, neither the requester; the last voice meets what stands in the way") {
  RailStory story;
  const auto payout = story.pay(600, 2);
  CHECK(story.at(payout) == "reviewing");
  CHECK(story.state.account(story.account("a"))->counters.debits_pending == 0);
  const model::ReviewTransfer yes{.transfer = payout, .approve = true, .reason = {}};
  CHECK(story.by(RailStory::requester, yes) == Outcome::approver_must_not_be_requester);
  CHECK(story.by(RailStory::service, yes) == Outcome::approver_must_be_a_person);
  CHECK(story.by(RailStory::ann, yes) == Outcome::done);
  CHECK(story.by(RailStory::ann, yes) == Outcome::approver_counted_already);
  story.tell("move a b 500");
  CHECK(story.by(RailStory::bob, yes) == Outcome::exceeds_available_balance);
  CHECK(story.at(payout) == "reviewing");
  story.tell("move b a 500");
  CHECK(story.by(RailStory::bob, yes) == Outcome::done);
  CHECK(story.at(payout) == "sending");
  CHECK(story.by(RailStory::bob, yes) == Outcome::transfer_not_in_review);
  const auto rejected = story.pay(100, 1);
  CHECK(story.by(RailStory::ann, model::ReviewTransfer{.transfer = rejected, .approve = false, .reason = {}}) == Outcome::done);
  CHECK(story.at(rejected) == "rejected");
  const auto late = story.pay(100, 1);
  story.pass(base::seconds(1));
  story.now = story.now + base::seconds(86'400);
  story.pass(base::seconds(1));
  CHECK(story.at(late) == "rejected");
  const auto cancelled = story.pay(100, 1);
  CHECK(story.outcome_of(model::CancelTransfer{.transfer = cancelled}) == Outcome::done);
  CHECK(story.outcome_of(model::CancelTransfer{.transfer = cancelled}) == Outcome::transfer_already_finished);
  CHECK(story.outcome_of(model::CancelTransfer{.transfer = story.pay(10)}) == Outcome::transfer_already_sent);
}

TEST_CASE("refunds never exceed what moved, whatever is under way at the same time") {
  RailStory story;
  const auto payout = story.pay(100);
  story.report(payout, {RailResult::settled});
  const auto ask = [&](std::optional<base::U128> amount) {
    return story.outcome_of(model::RefundTransfer{.original = payout, .standing = {}, .amount = amount, .reference = {}, .metadata = {}});
  };
  const auto one = story.refund(payout, 60);
  CHECK(story.at(one) == "sending");
  CHECK(ask(41) == Outcome::refund_exceeds_captured);
  CHECK(ask(0) == Outcome::refund_must_not_be_zero);
  const auto two = story.refund(payout);
  CHECK(story.transfer(two).amount == 40);
  CHECK(story.at(payout) == "reversing");
  CHECK(ask({}) == Outcome::refund_exceeds_captured);
  CHECK(story.outcome_of(model::RefundTransfer{.original = one, .standing = {}, .amount = {}, .reference = {}, .metadata = {}}) ==
        Outcome::transfer_not_refundable);
  CHECK(story.after(one, {RailResult::settled}) == "settled");
  CHECK(story.customer() == "960");
  CHECK(story.after(two, {RailResult::rejected, RailReason::beneficiary_refused}) == "failed");
  CHECK(story.at(payout) == "settled");
  const auto three = story.refund(payout, 40);
  CHECK(story.at(payout) == "reversing");
  CHECK(story.after(three, {RailResult::settled}) == "settled");
  CHECK(story.at(payout) == "reversed");
  CHECK(story.customer() == "1000");
  CHECK(story.state.sagas().refund(payout)->posted == 100);
}

TEST_CASE("a collect is paid back from its account, a transfer between accounts in the same commit") {
  RailStory story;
  const auto collect = story.collect(100);
  story.report(collect, {RailResult::settled});
  const auto back = story.refund(collect, 30);
  CHECK(story.state.account(story.account("a"))->counters.debits_pending == 30);
  CHECK(story.after(back, {RailResult::settled}) == "settled");
  CHECK(story.customer() == "1070");
  CHECK(story.clearing("first") == "-70");

  const model::EventNumber posted = story.state.head().next_event;
  story.tell("move a b 50");
  const model::OriginalTransfer standing{.found = true, .posted = true, .debit = story.account("a"), .credit = story.account("b"), .amount = 50};
  const auto ask = [&](std::optional<base::U128> amount, model::OriginalTransfer said) {
    return story.outcome_of(model::RefundTransfer{.original = posted, .standing = said, .amount = amount, .reference = {}, .metadata = {}});
  };
  CHECK(ask(20, standing) == Outcome::done);
  CHECK(ask(31, standing) == Outcome::refund_exceeds_captured);
  CHECK(ask(0, standing) == Outcome::refund_must_not_be_zero);
  CHECK(ask({}, standing) == Outcome::done);
  CHECK(ask({}, standing) == Outcome::refund_exceeds_captured);
  CHECK(story.customer() == "1070");
  CHECK(ask({}, {}) == Outcome::transfer_not_found);
  CHECK(ask({}, {.found = true}) == Outcome::transfer_not_refundable);
  model::OriginalTransfer of_rail = standing;
  of_rail.credit = story.record("first").clearing;
  CHECK(ask({}, of_rail) == Outcome::transfer_not_refundable);
}

TEST_CASE("requests that are refused, each with its outcome") {
  RailStory story;
  const auto ask = [&](auto change) {
    model::RailRequest request = story.request();
    change(request);
    return story.outcome_of(model::CreatePayout{request});
  };
  CHECK(ask([](auto& r) { r.amount = 0; }) == Outcome::amount_must_not_be_zero);
  CHECK(ask([](auto& r) { r.amount = base::u128_max; }) == Outcome::amount_exceeds_maximum);
  CHECK(ask([](auto& r) { r.asset = core::asset("EUR/2"); }) == Outcome::asset_not_registered);
  CHECK(ask([](auto& r) { r.account = 0; }) == Outcome::debit_account_not_found);
  CHECK(ask([&](auto& r) { r.account = story.record("first").clearing; }) == Outcome::accounts_must_be_different);
  CHECK(ask([](auto& r) { r.wanted_unknown = true; }) == Outcome::rail_not_found);
  CHECK(ask([](auto& r) { r.send_within = base::milliseconds(1); }) == Outcome::send_within_out_of_range);
  CHECK(ask([](auto& r) { r.amount = 1001; }) == Outcome::exceeds_available_balance);
  story.tell("asset EUR/2");
  CHECK(ask([](auto& r) { r.asset = core::asset("EUR/2"); }) == Outcome::asset_differs_from_accounts);
  model::RailProfile narrow = RailStory::plain();
  narrow.directions = model::payouts;
  narrow.amount_max = 50;
  narrow.countries[0] = *model::parse_country("DE");
  for (const char* name : {"first", "second", "third"}) story.configure(name, narrow);
  CHECK(ask([](auto&) {}) == Outcome::no_rail_carries_this);
  CHECK(ask([](auto& r) { r.amount = 10; }) == Outcome::no_rail_carries_this);
  CHECK(story.outcome_of(model::CreateCollect{story.request(10)}) == Outcome::no_rail_carries_this);
  CHECK(ask([](auto& r) { r.amount = 10, r.country = *model::parse_country("DE"); }) == Outcome::done);
  story.bounds.sagas.open_transfers_max = 1;
  CHECK(ask([](auto&) {}) == Outcome::too_many_open_transfers);

  RailStory collects;
  model::RailRequest nobody = collects.request();
  nobody.account = 0;
  CHECK(collects.outcome_of(model::CreateCollect{nobody}) == Outcome::credit_account_not_found);
  collects.tell("freeze b credits\nopen c\nclose c");
  nobody.account = collects.account("b");
  CHECK(collects.outcome_of(model::CreateCollect{nobody}) == Outcome::credit_account_frozen);
  nobody.account = collects.account("c");
  CHECK(collects.outcome_of(model::CreateCollect{nobody}) == Outcome::credit_account_closed);
  CHECK(collects.outcome_of(model::CancelTransfer{.transfer = 1}) == Outcome::transfer_not_found);
  CHECK(collects.outcome_of(model::ReviewTransfer{.transfer = 1, .reason = {}}) == Outcome::transfer_not_found);
  CHECK(collects.outcome_of(model::ResolveUnknown{.transfer = 1}) == Outcome::transfer_not_found);
  CHECK(collects.outcome_of(model::ReportRail{.transfer = 1, .amount = {}, .asset = {}, .rail_reference = {}, .body = {}}) == Outcome::transfer_not_found);
  const auto payout = collects.pay();
  CHECK(collects.outcome_of(model::ResolveUnknown{.transfer = payout}) == Outcome::transfer_not_in_manual_review);
  CHECK(collects.outcome_of(model::RefundTransfer{.original = payout, .standing = {}, .amount = {}, .reference = {}, .metadata = {}}) ==
        Outcome::transfer_not_refundable);
  model::RailProfile keeps = RailStory::plain(model::inquiry_supported);
  for (const char* name : {"first", "second", "third"}) collects.configure(name, keeps);
  collects.report(payout, {RailResult::settled});
  CHECK(collects.outcome_of(model::RefundTransfer{.original = payout, .standing = {}, .amount = {}, .reference = {}, .metadata = {}}) ==
        Outcome::rail_cannot_give_back);
  collects.tell("tenant 2\nasset USD/2");
  CHECK(collects.outcome_of(model::CancelTransfer{.transfer = payout}) == Outcome::transfer_not_found);   // another tenant's
}

TEST_CASE("rails that are refused, each with its outcome; a hold of a payout belongs to it") {
  RailStory story;
  const auto configure = [&](auto change) {
    model::ConfigureRail body;
    body.name = *model::parse_rail_name("fourth");
    body.asset = core::asset("USD/2");
    body.profile = RailStory::plain();
    change(body);
    return story.outcome_of(body);
  };
  CHECK(configure([](auto& b) { b.asset = core::asset("EUR/2"); }) == Outcome::asset_not_registered);
  CHECK(configure([](auto& b) { b.profile->directions = 0; }) == Outcome::rail_profile_contradicts);
  CHECK(configure([](auto& b) { b.profile->amount_max = 1, b.profile->amount_min = 2; }) == Outcome::rail_profile_contradicts);
  CHECK(configure([](auto& b) { b.profile->send_window = {}; }) == Outcome::rail_profile_contradicts);
  CHECK(configure([](auto& b) { b.profile->inquiry_max = base::milliseconds(1); }) == Outcome::rail_profile_contradicts);
  CHECK(configure([](auto& b) { b.profile->cost_basis_points = 10'001; }) == Outcome::rail_profile_contradicts);
  CHECK(configure([&](auto& b) { b.clearing = story.account("a"); }) == Outcome::rail_account_unsuitable);
  CHECK(configure([&](auto& b) { b.suspense = story.record("first").suspense; }) == Outcome::rail_account_unsuitable);
  story.tell("open own free\nasset EUR/2");
  CHECK(configure([](auto& b) { b.asset = core::asset("EUR/2"), b.name = *model::parse_rail_name("first"); }) ==
        Outcome::rail_exists_with_different_asset);
  CHECK(configure([&](auto& b) { b.clearing = story.account("own"); }) == Outcome::done);
  CHECK(story.record("fourth").clearing == story.account("own"));
  CHECK(story.outcome_of(model::ControlRail{.rail = 9}) == Outcome::rail_not_found);
  CHECK(story.outcome_of(model::ControlRail{.rail = 1, .maintenance_from = {5}, .maintenance_until = {5}}) == Outcome::maintenance_window_contradicts);
  CHECK(story.outcome_of(model::ChangeAccountFlags{.account = story.record("first").suspense, .set = model::closed}) ==
        Outcome::rail_account_stays_open);
  story.bounds.accounts_max = story.state.account_count() + 1;
  CHECK(configure([](auto& b) { b.name = *model::parse_rail_name("fifth"); }) == Outcome::too_many_accounts);

  const auto payout = story.pay();
  const model::EventNumber hold = story.transfer(payout).hold;
  CHECK(story.outcome_of(model::VoidHold{.hold = hold}) == Outcome::hold_belongs_to_transfer);
  CHECK(story.outcome_of(model::CaptureHold{.hold = hold, .amount = {}}) == Outcome::hold_belongs_to_transfer);

  RailStory full(0);
  for (std::size_t i = 0; i < model::rails_max; ++i) full.state.apply({full.now, model::RailConfigured{
      .number = static_cast<model::RailNumber>(i + 1), .tenant = 1, .asset = 1, .clearing = 1, .suspense = 1,
      .name = *model::parse_rail_name("r" + std::to_string(i)), .profile = {}}});
  std::vector<model::Event> events;
  model::ConfigureRail more;
  more.name = *model::parse_rail_name("more");
  more.asset = core::asset("USD/2");
  decide(full.state, {.idempotency = {}, .body = more}, full.now, full.bounds, events);
  CHECK(core::outcome_of(events.at(0)) == Outcome::too_many_rails);
}

TEST_CASE("effects follow from events and state; a restart reports what may have begun") {
  RailStory story;
  const model::EventNumber first = story.state.head().next_event;
  const auto payout = story.pay();
  std::vector<model::Effect> effects;
  for (model::EventNumber n = first; n < story.state.head().next_event; ++n) effects_of(story.state, story.events[n - 1], n, effects);
  REQUIRE(effects.size() == 1);   // one send
  const auto* send = std::get_if<model::SendToRail>(&effects[0]);
  REQUIRE(send != nullptr);
  CHECK(send->key.transfer == payout);
  CHECK(send->key.reference == story.transfer(payout).attempt_event);
  CHECK(send->about == payout);
  CHECK(send->send_not_after == story.now + base::seconds(5));
  const auto open = open_effects(story.state);
  REQUIRE(open.size() == 1);
  REQUIRE(std::holds_alternative<model::ReportInterrupted>(open[0]));
  CHECK(story.after(payout, {RailResult::unknown, RailReason::process_died, ReportSource::recovery}) == "outcome_unknown");
  CHECK(open_effects(story.state).empty());
  CHECK(story.record("first").attempts == 0);   // not the rail's fault
}
