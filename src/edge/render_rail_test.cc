// Transfers over rails and rails as they are shown. The schemas are checked member by member against the document.
#include "edge/render.h"

#include <doctest/doctest.h>

#include "edge/edge_fixture.h"
#include "edge/schemas_for_tests.h"

using namespace edge;

namespace {

constexpr model::EventNumber requested = 41;

model::TransferRequested some_request() {
  model::TransferRequested request;
  request.account = 1;
  request.requester = 7;
  request.asset = 1;
  request.amount = 900;
  request.country = *model::parse_country("DE");
  request.instrument = 2;
  request.wanted = 1;
  request.send_by = some_time;
  return request;
}

model::HoldPlaced some_hold() {
  model::HoldPlaced hold;
  hold.amount = 900;
  hold.asset = 1;
  hold.debit = {.account = 1, .after = {.credits_posted = 1000, .debits_pending = 900}, .links = {}};
  hold.credit = {.account = 2, .after = {.credits_pending = 900}, .links = {}};
  return hold;
}

model::TransferMoved move_of(model::TransferState from, model::TransferState to, model::MoveCause cause,
                             model::RailReason reason = model::RailReason::none) {
  model::TransferMoved move;
  move.transfer = requested;
  move.from = from;
  move.to = to;
  move.cause = cause;
  move.reason = reason;
  if (to == model::TransferState::held) move.hold = requested + 1;
  return move;
}

std::shared_ptr<EntryWithPrivates> sent() {
  using State = model::TransferState;
  model::RouteDecided route;
  route.transfer = requested;
  route.choices = {{1, model::RouteVerdict::chosen, 60000, -5}, {2, model::RouteVerdict::paused, 0, 0}};
  model::AttemptStarted attempt;
  attempt.transfer = requested;
  attempt.attempt = 1;
  attempt.rail = 1;
  attempt.send_not_after = some_time;
  auto source = make_source(requested, {some_request(), some_hold(),
                                        move_of(State::requested, State::held, model::MoveCause::request), route,
                                        move_of(State::held, State::sending, model::MoveCause::routing), attempt});
  source->entry.command.body = model::CreatePayout{};
  const auto text = [](std::string_view value) { return base::to_bytes(base::as_bytes(value)); };
  source->privates.push_back({requested, model::PrivateField::transfer_reference, {}, text("order 9")});
  source->privates.push_back({requested, model::PrivateField::transfer_beneficiary, {}, text(R"({"iban":"DE0"})")});
  return source;
}

struct Fixture {
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  FakeBackend backend{*loop};
  Schemas schemas;
  RenderContext context{.backend = backend, .operation = model::Operation::create_payout, .trace = {9}, .secret = {}};
  Rendered rendered;

  std::string item(const AnswerItem& item) {
    std::string out;
    rendered = render_item(context, item, out);
    return out;
  }
  std::string reading(decltype(Reading::body) body) {
    std::string out;
    rendered = render_reading(context, {.position = 5, .body = std::move(body)}, out);
    return out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a payout that was taken, byte for byte") {
  const std::string body = item(item_of(sent()));
  CHECK_EQ(
      body,
      R"({"id":"tr_0000000000019","kind":"payout","state":"sending","cause":"routing","amount":"900","asset":"USD/2",)"
      R"("debit_account":"users/a","rail":"bank-a","wanted_rail":"bank-a","country":"DE","instrument":2,)"
      R"("beneficiary":{"iban":"DE0"},"hold":"tr_000000000001a","reference":"order 9",)"
      R"("send_by":"2027-01-15T08:00:00.123456789Z","created_at":"2027-01-15T08:00:00.123456789Z",)"
      R"("state_since":"2027-01-15T08:00:00.123456789Z","attempts":[{"number":1,"reference":"tr_000000000001e",)"
      R"("rail":"bank-a","started_at":"2027-01-15T08:00:00.123456789Z","send_not_after":"2027-01-15T08:00:00.123456789Z",)"
      R"("reports":[]}],"routing":[{"at":"2027-01-15T08:00:00.123456789Z","rails":[{"rail":"bank-a","verdict":"chosen",)"
      R"("success_in_65535":60000,"value_in_10000":-5},{"rail":null,"verdict":"paused"}]}],)"
      R"("history":[{"from":"requested","to":"held","cause":"request","at":"2027-01-15T08:00:00.123456789Z"},)"
      R"({"from":"held","to":"sending","cause":"routing","at":"2027-01-15T08:00:00.123456789Z"}],)"
      R"("balance":{"debits_posted":"0","credits_posted":"1000","debits_pending":"900","credits_pending":"0",)"
      R"("available":"100"}})");
  CHECK_EQ(rendered.status, 202);
  CHECK_EQ(rendered.location, "/v1/transfers/tr_0000000000019");
  schemas.check("RailTransfer", body);
}

TEST_CASE_FIXTURE(Fixture, "a transfer over a rail with all that can come of it") {
  using State = model::TransferState;
  const auto created = sent();
  TransferReading transfer{.created = item_of(created), .state = gate::TransferState::posted, .resolved = {}, .steps = {}};
  for (std::uint32_t i : {2u, 3u, 4u, 5u}) transfer.steps.push_back(item_of(created, i));
  model::AttemptReported report;
  report.transfer = requested;
  report.attempt = 1;
  report.rail = 1;
  report.source = model::ReportSource::callback;
  report.result = model::RailResult::settled;
  report.amount = 900;
  report.latency = {1'500'000};
  model::InquiryStarted inquiry;
  inquiry.transfer = requested;
  inquiry.attempt = 1;
  model::ReportIgnored ignored;
  ignored.transfer = requested;
  ignored.attempt = 1;
  model::VoteRecorded vote;
  vote.transfer = requested;
  vote.person = 8;
  vote.vote = model::VoteKind::resolve_settled;
  vote.counted = 1;
  vote.needed = 2;
  model::CaseOpened opened;
  opened.transfer = requested;
  opened.attempt = 1;
  opened.rail = 1;
  opened.posting = 40;
  model::HoldResolved end;
  end.hold = requested + 1;
  end.resolution = model::HoldResolution::captured;
  end.held = end.captured = 900;
  end.asset = 1;
  end.debit = {.account = 1, .after = {.debits_posted = 900, .credits_posted = 1000}, .links = {}};
  end.credit = {.account = 2, .after = {.credits_posted = 900}, .links = {}};
  model::RefundCounted counted;
  counted.original = requested;
  counted.pending = 5;
  counted.posted = 6;
  auto later = make_source(60, {inquiry, ignored, vote, report, end,
                                move_of(State::sending, State::settled, model::MoveCause::report, model::RailReason::other),
                                opened, counted});
  const auto text = [](std::string_view value) { return base::to_bytes(base::as_bytes(value)); };
  later->privates.push_back({62, model::PrivateField::vote_reason, {}, text("asked them")});
  later->privates.push_back({63, model::PrivateField::rail_reference, {}, text("bp-7")});
  for (std::uint32_t i : {0u, 1u, 2u, 3u, 5u, 6u, 7u}) transfer.steps.push_back(item_of(later, i));
  const std::string body = reading(transfer);
  schemas.check("RailTransfer", body);
  const auto has = [&](const char* part) { CHECK_MESSAGE(body.find(part) != std::string::npos, part); };
  has(R"("state":"settled","cause":"report","reason":"other")");
  has(R"("reports":[{"source":"callback","result":"settled","amount":"900","rail_reference":"bp-7","latency_us":1500,)");
  has(R"("inquiries":1,"reports_ignored":1)");
  has(R"("votes":[{"person":"cl_8","vote":"settled","counted":1,"needed":2,"reason":"asked them")");
  has(R"("cases":[{"kind":"late_success","attempt":1,"rail":"bank-a","amount":"0","posting":"tr_0000000000018")");
  has(R"("refunded_pending":"5","refunded_posted":"6","balance":{"debits_posted":"900")");
  TransfersPage page{{transfer}, 41, true};
  const std::string list = reading(page);
  CHECK_NE(list.find(gate::to_cursor(gate::ListKind::transfers_by_age, model::EventNumber{41})), std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a collect shows the posting that settled it") {
  using State = model::TransferState;
  model::TransferRequested request = some_request();
  request.kind = model::TransferKind::collect;
  request.account = 2;
  request.original = 7;
  request.approvals = 2;
  model::TransferMoved settled = move_of(State::sending, State::settled, model::MoveCause::report);
  auto source = make_source(requested, {request, some_posting(900), settled});
  source->privates.push_back(
      {requested, model::PrivateField::transfer_beneficiary, {}, base::to_bytes(base::as_bytes("{}"))});
  const std::string body = item(item_of(source));
  schemas.check("RailTransfer", body);
  CHECK_NE(body.find(R"("credit_account":"users/b")"), std::string::npos);
  CHECK_NE(body.find(R"("payer":{},"refund_of":"tr_0000000000007")"), std::string::npos);
  CHECK_NE(body.find(R"("balance":{"debits_posted":"0","credits_posted":"900")"), std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "decisions say where they left the transfer") {
  using State = model::TransferState;
  model::VoteRecorded vote;
  vote.transfer = requested;
  vote.person = 8;
  vote.counted = 1;
  vote.needed = 2;
  auto first = make_source(50, {vote});
  first->entry.command.body = model::ReviewTransfer{.transfer = requested, .approve = true, .reason = {}};
  std::string body = item(item_of(first));
  schemas.check("TransferDecision", body);
  CHECK_NE(body.find(R"("id":"tr_0000000000019","state":"reviewing","vote":{"person":"cl_8","vote":"approve")"), std::string::npos);
  vote.vote = model::VoteKind::resolve_failed;
  auto waiting = make_source(50, {vote});
  waiting->entry.command.body = model::ResolveUnknown{.transfer = requested, .verdict = model::Verdict::failed, .reason = {}};
  CHECK_NE(item(item_of(waiting)).find(R"("state":"manual_review")"), std::string::npos);

  model::HoldResolved end;
  end.hold = requested + 1;
  end.held = 900;
  auto cancelled = make_source(50, {end, move_of(State::parked, State::cancelled, model::MoveCause::cancellation)});
  cancelled->entry.command.body = model::CancelTransfer{.transfer = requested};
  body = item(item_of(cancelled));
  schemas.check("TransferDecision", body);
  CHECK_NE(body.find(R"("state":"cancelled")"), std::string::npos);
  CHECK_EQ(rendered.status, 200);

  auto refund = make_source(50, {some_posting()});
  model::RefundTransfer refunding;
  refunding.original = requested;
  refund->entry.command.body = refunding;
  body = item(item_of(refund));
  schemas.check("Transfer", body);
  CHECK_NE(body.find(R"("refund_of":"tr_0000000000019")"), std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "rails, and callbacks that were taken") {
  model::RailConfigured rail;
  rail.number = 1;
  rail.asset = 1;
  rail.clearing = 1;
  rail.suspense = 2;
  rail.name = *model::parse_rail_name("bank-a");
  rail.profile->capabilities = model::all_rail_capabilities;
  rail.profile->directions = model::payouts | model::collects;
  rail.profile->amount_max = 5;
  rail.profile->countries[0] = *model::parse_country("DE");
  model::AccountOpened opening;
  opening.number = 9;
  auto made = make_source(41, {opening, opening, rail});
  std::string body = item(item_of(made));
  schemas.check("RailConfigured", body);
  CHECK_EQ(rendered.status, 201);
  CHECK_EQ(rendered.location, "/v1/rails/bank-a");
  schemas.check("RailConfigured", item(item_of(make_source(41, {rail}))));
  body = item(item_of(make_source(41, {model::RailControlled{
                                          .rail = 1, .paused = true, .maintenance_from = some_time, .maintenance_until = some_time}})));
  schemas.check("RailControlled", body);
  CHECK_NE(body.find(R"({"name":"bank-a","paused":true,"maintenance_from":)"), std::string::npos);

  auto report = make_source(41, {model::AttemptReported{}});
  report->entry.command.body = model::ReportRail{};
  body = item(item_of(report));
  schemas.check("ReportTaken", body);
  CHECK_EQ(body, R"({"taken_at":"2027-01-15T08:00:00.123456789Z"})");

  RailReading now;
  now.name = "bank-a";
  now.asset = 1;
  now.clearing = 1;
  now.suspense = 2;
  now.maintenance_until = some_time;
  now.health.breaker = model::Breaker::open;
  now.health.observed_at = some_time;
  schemas.check("Rail", reading(now));
  schemas.check("RailList", reading(RailsReading{{now, now}}));
}
