#include "core/reconciliation/statement_story_test.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace core {

using model::ExceptionEnd;
using model::Outcome;
using Texts = std::vector<std::string>;

namespace {

model::CommandBody word(model::EventNumber exception, ExceptionEnd end, model::EventNumber transfer = 0) {
  return model::ResolveException{.exception = exception, .end = end, .transfer = transfer, .reason = {}};
}

}  // namespace

TEST_CASE("a line that our reference ties to an open attempt settles it; a known line says nothing twice") {
  StatementStory story;
  const auto paid = story.unknown(100);
  const auto told = story.settled(50);
  story.until_hour(30);
  const File file{.name = 1, .lines = {{.amount = 100, .reference = story.attempt_of(paid)}, {.amount = 50, .reference = story.attempt_of(told)}}};
  CHECK(story.take(file) == Outcome::done);
  CHECK(story.at(paid) == "settled");
  CHECK(story.open().empty());
  CHECK(story.money() == "850 150 0");
  const std::size_t reports = story.count<model::AttemptReported>();
  CHECK(story.take(file) == Outcome::done);   // the same file
  File again = file;
  again.name = 2;
  CHECK(story.take(again) == Outcome::done);  // the same lines in another file
  CHECK(story.count<model::AttemptReported>() == reports);
  CHECK(story.count<model::LineRecorded>() == 2);
  CHECK(story.money() == "850 150 0");
}

TEST_CASE("the rail's own reference ties lines of later and of earlier files") {
  StatementStory story;
  const auto paid = story.unknown(100);
  story.until_hour(60);
  const File named{.name = 1, .lines = {{.amount = 100, .reference = story.attempt_of(paid), .rail_reference = 7}}};
  const File returned{.name = 2, .from = 24, .until = 48, .lines = {{.amount = 100, .credit = true, .rail_reference = 7, .hour = 30}}};
  SUBCASE("named first") {
    story.take(named);
    story.take(returned);
  }
  SUBCASE("named last") {
    story.take(returned);
    CHECK(story.open() == Texts{"missing_here 0/100 of 0 copy 0 hour 30"});
    story.take(named);
  }
  CHECK(story.open().empty());
  CHECK(story.money() == "900 0 100");   // it left, and came back to nobody's place
}

TEST_CASE("another amount, another currency, a second line") {
  StatementStory story;
  const auto paid = story.unknown(100);
  const auto started = story.attempt_of(paid);
  story.until_hour(30);
  SUBCASE("amount") {
    story.take({.name = 1, .lines = {{.amount = 130, .reference = started}}});
    CHECK(story.at(paid) == "settled");
    CHECK(story.open() == Texts{"amount_differs 100/130 of " + std::to_string(started) + " copy 0 hour 0"});
    CHECK(story.money() == "900 100 0");
    // Two people post the difference.
    const auto exception = story.newest_exception();
    CHECK(story.by(RailStory::service, word(exception, ExceptionEnd::written_off)) == Outcome::approver_must_be_a_person);
    CHECK(story.by(RailStory::ann, word(exception, ExceptionEnd::written_off)) == Outcome::done);
    CHECK(story.by(RailStory::ann, word(exception, ExceptionEnd::written_off)) == Outcome::approver_counted_already);
    CHECK(story.money() == "900 100 0");
    CHECK(story.by(RailStory::bob, word(exception, ExceptionEnd::waiting)) == Outcome::done);
    CHECK(story.by(RailStory::bob, word(exception, ExceptionEnd::written_off)) == Outcome::done);
    CHECK(story.money() == "900 130 -30");
    CHECK(story.open().empty());
    CHECK(story.by(RailStory::bob, word(exception, ExceptionEnd::accepted)) == Outcome::exception_already_resolved);
    // The right amount comes as well: what people decided stands.
    story.take({.name = 2, .lines = {{.amount = 100, .reference = started, .copy = 1}}});
    CHECK(story.open() == Texts{"duplicate 0/100 of " + std::to_string(started) + " copy 1 hour 0"});
  }
  SUBCASE("currency") {
    story.take({.name = 1, .lines = {{.amount = 100, .reference = started, .asset = "EUR/2"}}});
    CHECK(story.at(paid) == "outcome_unknown");
    CHECK(story.open() == Texts{"currency_differs 100/100 of " + std::to_string(started) + " copy 0 hour 0"});
    CHECK(story.by(RailStory::ann, word(story.newest_exception(), ExceptionEnd::written_off)) == Outcome::exception_cannot_be_written_off);
    CHECK(story.by(RailStory::ann, word(story.newest_exception(), ExceptionEnd::linked, paid)) == Outcome::exception_cannot_be_linked);
  }
  SUBCASE("twice") {
    story.take({.name = 1, .lines = {{.amount = 100, .reference = started}, {.amount = 100, .reference = started, .copy = 1}}});
    CHECK(story.open() == Texts{"duplicate 0/100 of " + std::to_string(started) + " copy 1 hour 0"});
    CHECK(story.money() == "900 100 0");
    CHECK(story.by(RailStory::ann, word(story.newest_exception(), ExceptionEnd::written_off)) == Outcome::done);
    CHECK(story.by(RailStory::bob, word(story.newest_exception(), ExceptionEnd::written_off)) == Outcome::done);
    CHECK(story.money() == "900 200 -100");
  }
}

TEST_CASE("what settled and is not on a statement is missing once its time and the horizon are covered") {
  StatementStory story;
  story.now = story.hour(1);
  const auto early = story.settled(100);
  story.now = base::Instant{story.hour(24).ns - base::seconds(30).ns};
  const auto late = story.settled(60);   // the horizon of a minute ends after the day
  story.until_hour(30);
  story.take({.name = 1, .lines = {}});
  CHECK(story.open() == Texts{"missing_at_rail 100/0 of " + std::to_string(story.attempt_of(early))});
  story.until_hour(50);
  story.take({.name = 2, .from = 24, .until = 48, .lines = {{.amount = 60, .reference = story.attempt_of(late), .hour = 25}}});
  CHECK(story.open() == Texts{"missing_at_rail 100/0 of " + std::to_string(story.attempt_of(early))});
  story.take({.name = 3, .from = 24, .until = 48, .lines = {{.amount = 100, .reference = story.attempt_of(early), .hour = 26}}});
  CHECK(story.open().empty());
  CHECK(story.money() == "840 160 0");
}

TEST_CASE("amount and date tie what is the only one of its kind, and move no money") {
  StatementStory story;
  story.now = story.hour(2);
  const auto first = story.settled(100);
  const auto waits = story.unknown(70);
  story.until_hour(30);
  const File loose{.name = 1, .lines = {{.amount = 100, .hour = 3}, {.amount = 70, .hour = 3}}};
  story.take(loose);
  CHECK(story.at(waits) == "outcome_unknown");
  CHECK(story.open() == Texts{"missing_here 0/70 of 0 copy 0 hour 3"});
  CHECK(story.state.reconciliation().attempt(story.attempt_of(first))->resembles == 1);
  SUBCASE("a second line makes it doubtful") {
    story.take({.name = 2, .lines = {{.amount = 100, .hour = 4}}});
    CHECK(story.open() == Texts{"missing_at_rail 100/0 of " + std::to_string(story.attempt_of(first)), "missing_here 0/100 of 0 copy 0 hour 3",
                                "missing_here 0/100 of 0 copy 0 hour 4", "missing_here 0/70 of 0 copy 0 hour 3"});
  }
  SUBCASE("a reference says otherwise") {
    story.take({.name = 2, .lines = {{.amount = 100, .reference = story.attempt_of(first), .hour = 5}}});
    CHECK(story.open() == Texts{"missing_here 0/100 of 0 copy 0 hour 3", "missing_here 0/70 of 0 copy 0 hour 3"});
  }
  SUBCASE("two people say where the other one belongs") {
    const auto exception = story.newest_exception();
    CHECK(story.by(RailStory::ann, word(exception, ExceptionEnd::linked, 999)) == Outcome::transfer_not_found);
    CHECK(story.by(RailStory::ann, word(exception, ExceptionEnd::linked, first)) == Outcome::done);
    CHECK(story.by(RailStory::bob, word(exception, ExceptionEnd::linked, waits)) == Outcome::done);   // says another thing
    CHECK(story.at(waits) == "outcome_unknown");
    CHECK(story.by(RailStory::ann, word(exception, ExceptionEnd::linked, waits)) == Outcome::done);
    CHECK(story.at(waits) == "settled");
    CHECK(story.open().empty());
    CHECK(story.money() == "830 170 0");
  }
}

TEST_CASE("a line that names nobody belongs to whoever runs the account, a reference in our shape to us") {
  StatementStory story;
  story.until_hour(30);
  story.take({.name = 1, .lines = {{.amount = 5}, {.amount = 6, .named = true}}});
  const ReconciliationTables& tables = story.state.reconciliation();
  CHECK(tables.exception_at(0).party == static_cast<std::uint8_t>(model::ExceptionParty::operator_));
  CHECK(tables.exception_at(1).party == static_cast<std::uint8_t>(model::ExceptionParty::holdfast));
  CHECK(story.by(RailStory::ann, word(tables.exception_at(0).opened, ExceptionEnd::accepted)) == Outcome::done);
  CHECK(story.open() == Texts{"missing_here 0/6 of 0 copy 0 hour 0"});
}

TEST_CASE("refusals of statements and of words about exceptions") {
  StatementStory story;
  story.until_hour(30);
  const File file{.name = 1, .lines = {{.amount = 5}}};
  model::RecordStatement body = story.command_of(file);
  body.rail = 9;
  CHECK(story.outcome_of(body) == Outcome::rail_not_found);
  CHECK(story.take({.name = 1, .from = 5, .until = 5, .lines = {}}) == Outcome::statement_period_contradicts);
  CHECK(story.take({.name = 1, .from = 40, .until = 50, .lines = {}}) == Outcome::statement_period_contradicts);
  body = story.command_of(file);
  body.parts = 2;
  body.part = 2;
  CHECK(story.outcome_of(body) == Outcome::statement_part_missing);
  body.part = 1;
  CHECK(story.outcome_of(body) == Outcome::done);
  CHECK(story.state.reconciliation().unswept().empty());   // incomplete
  body.part = 2;
  CHECK(story.outcome_of(body) == Outcome::done);
  CHECK(story.state.reconciliation().unswept().size() == 1);
  CHECK(story.outcome_of(model::ResolveException{.exception = 9999, .reason = {}}) == Outcome::exception_not_found);
  story.bounds.sagas.reconciliation.open_exceptions_max = 1;
  CHECK(story.take({.name = 2, .lines = {{.amount = 8}}}) == Outcome::too_many_exceptions);
  story.bounds.sagas.reconciliation.lines_max = 1;
  CHECK(story.take({.name = 2, .lines = {{.amount = 8}}}) == Outcome::too_many_statement_lines);
  story.bounds.sagas.reconciliation.statements_max = 1;
  CHECK(story.take({.name = 2, .lines = {}}) == Outcome::too_many_statements);
}

TEST_CASE("a callback that names nothing we know waits until its reference appears") {
  StatementStory story;
  const auto paid = story.unknown(100);
  model::ReportRail told;
  told.rail = 1;
  told.source = model::ReportSource::callback;
  told.result = model::RailResult::settled;
  told.amount = 100;
  told.rail_reference_key = rail_key(7);
  CHECK(story.outcome_of(told) == Outcome::done);
  CHECK(story.open() == Texts{"missing_here 0/100 of 0 orphan"});
  CHECK(story.outcome_of(told) == Outcome::transfer_not_found);   // no news
  const auto exception = story.newest_exception();
  CHECK(story.by(RailStory::ann, word(exception, ExceptionEnd::written_off)) == Outcome::exception_cannot_be_written_off);
  SUBCASE("a reply brings it") {
    model::ReportRail reply = story.report_of(paid, {.result = model::RailResult::accepted, .source = model::ReportSource::inquiry});
    reply.rail_reference_key = rail_key(7);
    story.run(reply);
    // From now on the rail may speak by its own reference.
    told.result = model::RailResult::rejected;
    told.reason = model::RailReason::returned_by_beneficiary_bank;
    CHECK(story.outcome_of(told) == Outcome::done);
    CHECK(story.suspense("first") == "100");
  }
  SUBCASE("a statement brings it") {
    story.until_hour(30);
    story.take({.name = 1, .lines = {{.amount = 100, .reference = story.attempt_of(paid), .rail_reference = 7}}});
  }
  SUBCASE("two people know") {
    CHECK(story.by(RailStory::ann, word(exception, ExceptionEnd::linked, paid)) == Outcome::done);
    CHECK(story.by(RailStory::bob, word(exception, ExceptionEnd::linked, paid)) == Outcome::done);
  }
  CHECK(story.at(paid) == "settled");
  CHECK(story.open().empty());
  CHECK(story.state.reconciliation().open_orphans() == 0);
}

TEST_CASE("orphans are bounded") {
  StatementStory story;
  story.bounds.sagas.reconciliation.orphans_max = 1;
  model::ReportRail told;
  told.rail = 1;
  told.source = model::ReportSource::callback;
  CHECK(story.outcome_of(told) == Outcome::done);
  CHECK(story.outcome_of(told) == Outcome::transfer_not_found);
}

TEST_CASE("whatever the order and repetition of files: the same exceptions, the same money") {
  // Files of two days that overlap, with everything that can go wrong. All orders, each file a second time somewhere.
  const auto play = [](const std::vector<int>& order, bool twice) {
    StatementStory story;
    story.now = story.hour(1);
    const auto settled = story.settled(100), same = story.settled(100), lost = story.unknown(40), wrong = story.unknown(30);
    const auto failed = story.pay(20);
    story.report(failed, {.result = model::RailResult::rejected, .reason = model::RailReason::beneficiary_refused});
    const auto missing = story.settled(11), returned = story.unknown(12), alone = story.settled(13);
    story.until_hour(80);
    const auto of = [&](model::EventNumber transfer) { return story.attempt_of(transfer); };
    const std::vector<File> files = {
        {.name = 1, .from = 0, .until = 24, .lines = {{.amount = 100, .hour = 2}, {.amount = 40, .reference = of(lost), .hour = 2}, {.amount = 13, .hour = 3}}},
        {.name = 2, .from = 0, .until = 48, .lines = {{.amount = 100, .reference = of(settled), .hour = 30},
                                                       {.amount = 40, .reference = of(lost), .hour = 2, .copy = 1},
                                                       {.amount = 31, .reference = of(wrong), .rail_reference = 4, .hour = 2},
                                                       {.amount = 77, .hour = 5}}},
        {.name = 3, .from = 24, .until = 72, .lines = {{.amount = 30, .rail_reference = 4, .hour = 40}, {.amount = 20, .reference = of(failed), .hour = 26},
                                                        {.amount = 12, .credit = true, .reference = of(returned), .hour = 60}}},
        {.name = 4, .from = 24, .until = 72, .lines = {{.amount = 12, .reference = of(returned), .hour = 50},
                                                        {.amount = 40, .reference = of(lost), .hour = 2},
                                                        {.amount = 100, .reference = of(same), .hour = 30, .asset = "EUR/2"}}}};
    for (const int index : order) {
      CHECK(story.take(files[static_cast<std::size_t>(index)]) == Outcome::done);
      if (twice) CHECK(story.take(files[static_cast<std::size_t>(order[0])]) == Outcome::done);
    }
    Texts result = story.open();
    result.push_back(story.money());
    for (const auto transfer : {settled, same, lost, wrong, failed, missing, returned, alone}) result.push_back(story.at(transfer));
    return result;
  };
  std::vector<int> order = {0, 1, 2, 3};
  const Texts expected = play(order, false);
  CHECK(expected.size() > 12);
  do {
    CAPTURE(order[0] * 1000 + order[1] * 100 + order[2] * 10 + order[3]);
    CHECK(play(order, false) == expected);
    CHECK(play(order, true) == expected);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a statement in parts, and a sweep in pieces, end where one of each does") {
  StatementStory story;
  story.now = story.hour(1);
  std::vector<model::EventNumber> paid;
  for (int i = 0; i < 8; ++i) paid.push_back(story.settled(static_cast<unsigned>(i + 1)));
  story.until_hour(30);
  story.bounds.sagas.reconciliation.sweep_steps_max = 3;
  model::RecordStatement body = story.command_of({.name = 1, .lines = {{.amount = 1, .hour = 2}, {.amount = 2, .hour = 2}}});
  body.parts = 2;
  CHECK(story.outcome_of(body) == Outcome::done);
  model::RecordStatement second = story.command_of({.name = 1, .lines = {{.amount = 3, .hour = 2}, {.amount = 4, .hour = 2}, {.amount = 99, .hour = 2}}});
  second.part = second.parts = 2;
  CHECK(story.outcome_of(second) == Outcome::done);
  story.drain();
  CHECK(story.count<model::StatementSwept>() > 2);
  CHECK(story.open().size() == 5);   // four that are missing there, one that is missing here
  CHECK(story.outcome_of(body) == Outcome::done);   // a part again
  CHECK(story.open().size() == 5);
}

TEST_CASE("what is remembered of statements survives a snapshot") {
  StatementStory story;
  story.now = story.hour(1);
  const auto paid = story.settled(100);
  story.settled(50);
  story.until_hour(30);
  story.take({.name = 1, .lines = {{.amount = 100, .reference = story.attempt_of(paid), .rail_reference = 3}, {.amount = 9}}});
  model::ReportRail told;
  told.rail = 1;
  told.source = model::ReportSource::callback;
  told.rail_reference_key = rail_key(8);
  story.run(told);
  const FrozenState frozen = story.state.freeze();
  StateLoader loader;
  for (const StateSection section : all_state_sections) {
    frozen.for_each_piece(section, [&](base::ByteView piece) { loader.take(section, piece); });
  }
  auto loaded = loader.finish();
  REQUIRE_MESSAGE(loaded.ok(), loaded.error().message);
  const ReconciliationTables& before = story.state.reconciliation();
  const ReconciliationTables& after = loaded->reconciliation();
  CHECK(after.open_exceptions() == before.open_exceptions());
  CHECK(after.open_orphans() == 1);
  CHECK(after.loose_lines() == before.loose_lines());
  CHECK(after.unclaimed_attempts() == before.unclaimed_attempts());
  CHECK(after.unswept() == before.unswept());
  CHECK(after.attempt_by_rail_reference(rail_key(3))->started == story.attempt_of(paid));
  CHECK(after.is_covered(1, story.hour(1).ns, story.hour(2).ns));
  CHECK_FALSE(after.is_covered(1, story.hour(1).ns, story.hour(24).ns));
  CHECK(after.statement_by_file({1, 1}) != nullptr);
}

TEST_CASE("lines are compared with what our books have as moved, whoever said it first, and no difference is booked twice") {
  StatementStory story;
  const auto paid = story.unknown(100);
  const File file{.name = 1, .lines = {{.amount = 130, .reference = story.attempt_of(paid)}}};
  const model::ReportRail told = story.report_of(paid, {.result = model::RailResult::settled, .source = model::ReportSource::callback, .amount = 130});
  story.until_hour(30);
  SUBCASE("the rail, then the statement") {
    story.run(told);
    story.take(file);
  }
  SUBCASE("the statement, then the rail") {
    story.take(file);
    CHECK(story.money() == "900 100 0");
    story.run(told);
  }
  SUBCASE("the statement, people, then the rail") {
    story.take(file);
    CHECK(story.by(RailStory::ann, word(story.newest_exception(), ExceptionEnd::written_off)) == Outcome::done);
    CHECK(story.by(RailStory::bob, word(story.newest_exception(), ExceptionEnd::written_off)) == Outcome::done);
    story.run(told);
  }
  CHECK(story.open().empty());
  CHECK(story.money() == "900 130 -30");
}

TEST_CASE("a statement that agreed with what was asked differs once the rail says another amount") {
  StatementStory story;
  const auto paid = story.unknown(100);
  const File file{.name = 1, .lines = {{.amount = 100, .reference = story.attempt_of(paid)}}};
  const model::ReportRail told = story.report_of(paid, {.result = model::RailResult::settled, .source = model::ReportSource::callback, .amount = 130});
  story.until_hour(30);
  SUBCASE("before") {
    story.run(told);
    story.take(file);
  }
  SUBCASE("after") {
    story.take(file);
    CHECK(story.open().empty());
    story.run(told);
  }
  CHECK(story.open() == Texts{"amount_differs 130/100 of " + std::to_string(story.attempt_of(paid)) + " copy 0 hour 0"});
  CHECK(story.money() == "900 130 -30");
}

TEST_CASE("what only resembles an attempt does not say how the rail calls it") {
  StatementStory story;
  story.now = story.hour(2);
  const auto paid = story.settled(100);
  story.until_hour(30);
  story.take({.name = 1, .lines = {{.amount = 100, .rail_reference = 7, .hour = 3}}});
  CHECK(story.state.reconciliation().attempt(story.attempt_of(paid))->resembles == 1);
  story.take({.name = 2, .lines = {{.amount = 100, .credit = true, .rail_reference = 7, .hour = 4}}});
  CHECK(story.open() == Texts{"missing_here 0/100 of 0 copy 0 hour 4"});
  CHECK(story.money() == "900 100 0");
}

TEST_CASE("the first attempt that a rail calls by a reference keeps it, whichever was started first") {
  StatementStory story;
  const auto older = story.unknown(100), newer = story.unknown(100);
  for (const auto transfer : {newer, older}) {
    model::ReportRail reply = story.report_of(transfer, {.result = model::RailResult::accepted, .source = model::ReportSource::inquiry});
    reply.rail_reference_key = rail_key(7);
    story.run(reply);
  }
  const ReconciliationTables& tables = story.state.reconciliation();
  CHECK(tables.attempt_by_rail_reference(rail_key(7))->started == story.attempt_of(newer));
  CHECK(tables.attempt(story.attempt_of(older))->rail_reference_key == base::Tag128{});
}

TEST_CASE("a callback in another asset that nobody knows settles nothing once its place is found") {
  StatementStory story;
  const auto paid = story.unknown(100);
  CHECK(story.outcome_of(model::ReportRail{.rail = 1, .source = model::ReportSource::callback, .result = model::RailResult::settled, .amount = 90,
                                           .asset = core::asset("EUR/2"), .rail_reference = {}, .body = {}, .rail_reference_key = rail_key(7)}) == Outcome::done);
  CHECK(story.open() == Texts{"missing_here 0/0 of 0 orphan"});
  model::ReportRail reply = story.report_of(paid, {.result = model::RailResult::accepted, .source = model::ReportSource::inquiry});
  reply.rail_reference_key = rail_key(7);
  story.run(reply);
  CHECK(story.open().empty());
  CHECK(story.at(paid) != "settled");
  CHECK(story.money() == "1000 0 0");   // held
}

}  // namespace core
