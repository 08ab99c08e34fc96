#include "edge/render.h"

#include <doctest/doctest.h>

#include "edge/edge_fixture.h"
#include "edge/schemas_for_tests.h"
#include "gate/request_body.h"
#include "wire/json_value.h"

using namespace edge;
using model::Outcome;

namespace {

struct Fixture {
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  FakeBackend backend{*loop};
  Schemas schemas;
  RenderContext context{.backend = backend, .operation = model::Operation::create_transfer, .trace = {9}, .secret = {}};
  Rendered rendered;

  std::string item(const AnswerItem& item) {
    std::string out, again;
    rendered = render_item(context, item, out);
    render_item(context, item, again);
    CHECK_EQ(out, again);
    return out;
  }
  std::string event(model::EventBody body) { return item(item_of(make_source(41, {std::move(body)}))); }
  std::string reading(decltype(Reading::body) body) {
    std::string out;
    rendered = render_reading(context, {.position = 5, .body = std::move(body)}, out);
    return out;
  }
};

base::Bytes bytes_of(std::string_view text) { return base::to_bytes(base::as_bytes(text)); }

model::AccountOpened some_opening() {
  model::AccountOpened opening;
  opening.number = 9;
  opening.tenant = 1;
  opening.asset = 1;
  return opening;
}

model::HoldPlaced some_hold() {
  model::HoldPlaced hold;
  hold.amount = 900;
  hold.asset = 1;
  hold.debit = {.account = 1, .after = {.credits_posted = 1000, .debits_pending = 900}, .links = {}};
  hold.credit = {.account = 2, .after = {.credits_pending = 900}, .links = {}};
  hold.expires_at = {some_time.ns + base::seconds(60).ns};
  return hold;
}

model::HoldResolved some_end(model::HoldResolution resolution, base::U128 captured) {
  return {.hold = 41,
          .resolution = resolution,
          .held = 900,
          .captured = captured,
          .asset = 1,
          .debit = {.account = 1, .after = {.debits_posted = captured, .credits_posted = 1000}, .links = {}},
          .credit = {.account = 2, .after = {.credits_posted = captured}, .links = {}}};
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a posted transfer, byte for byte") {
  auto source = make_source(41, {some_posting()});
  source->privates.push_back({41, model::PrivateField::transfer_reference, {}, bytes_of("order 4711")});
  source->privates.push_back(
      {41, model::PrivateField::transfer_metadata, {}, *gate::canonical_metadata({{"cart", "7"}})});
  CHECK_EQ(
      item(item_of(source)),
      R"({"id":"tr_0000000000019","kind":"internal","state":"posted","amount":"1500","asset":"USD/2",)"
      R"("debit_account":"users/a","credit_account":"users/b","hold":false,"reference":"order 4711",)"
      R"("metadata":{"cart":"7"},"created_at":"2027-01-15T08:00:00.123456789Z","balances":{"debit_account":)"
      R"({"debits_posted":"1500","credits_posted":"1000","debits_pending":"0","credits_pending":"0","available":"-500"},)"
      R"("credit_account":{"debits_posted":"0","credits_posted":"1500","debits_pending":"0","credits_pending":"0",)"
      R"("available":"1500"}}})");
  CHECK_EQ(rendered.status, 201);
  CHECK_EQ(rendered.location, "/v1/transfers/tr_0000000000019");
  CHECK_FALSE(rendered.problem());
}

TEST_CASE_FIXTURE(Fixture, "every event as the resource that the document declares") {
  schemas.check("Tenant", event(model::TenantOpened{.tenant = 2}));
  CHECK_EQ(rendered.status, 201);
  schemas.check("AssetRegistered", event(model::AssetRegistered{.number = 1, .tenant = 1, .asset = usd}));
  CHECK_EQ(rendered.status, 201);

  model::AccountOpened opening = some_opening();
  opening.flags = 63;
  opening.limits = {.debit_amount_max = 5, .daily_debits_max = 6, .balance_max = 7};
  auto opened = make_source(41, {opening});
  opened->privates.push_back({41, model::PrivateField::account_name, {}, bytes_of("users/c d")});
  opened->privates.push_back({41, model::PrivateField::account_metadata, {}, *gate::canonical_metadata({{"a", "b"}})});
  schemas.check("Account", item(item_of(opened)));
  CHECK_EQ(rendered.location, "/v1/accounts/users%2Fc%20d");
  schemas.check("AccountFlagsChanged",
                event(model::AccountFlagsChanged{.account = 1, .flags = model::closed, .counters = {}}));
  CHECK_EQ(rendered.status, 200);
  schemas.check("AccountLimitsSet",
                event(model::AccountLimitsSet{
                    .account = 1, .limits = {.debit_amount_max = 5, .daily_debits_max = {}, .balance_max = {}}}));

  auto posting = some_posting(base::amount_max);
  posting.group = 40;
  const std::string grouped = event(posting);
  schemas.check("Transfer", grouped);
  CHECK_NE(grouped.find(R"("amount":"170141183460469231731687303715884105727")"), std::string::npos);
  CHECK_NE(grouped.find(R"("group":"tr_0000000000018")"), std::string::npos);
  schemas.check("Transfer", event(some_hold()));
  CHECK_EQ(rendered.status, 201);
  for (const auto resolution :
       {model::HoldResolution::captured, model::HoldResolution::voided, model::HoldResolution::expired}) {
    schemas.check("HoldResolved", event(some_end(resolution, resolution == model::HoldResolution::captured ? 300 : 0)));
    CHECK_EQ(rendered.status, 200);
  }
  schemas.check("KeyCancelled", event(model::KeyCancelled{}));
  context.secret = "hfs_x";
  schemas.check("ClientCreated",
                event(model::ClientCreated{
                    .number = 3, .tenant = 1, .kind = model::PrincipalKind::person, .scopes = model::all_scopes}));
  CHECK_EQ(rendered.status, 201);
  schemas.check("ClientRotated",
                event(model::ClientRotated{.number = 3, .former_valid_until = some_time, .generation = 2}));
  schemas.check("ClientRevoked", event(model::ClientRevoked{.number = 3, .generation = 3}));
}

TEST_CASE_FIXTURE(Fixture, "erased names and unknown assets are left open, not invented") {
  model::TransferPosted posting = some_posting();
  posting.debit.account = 5;
  posting.asset = 2;
  const std::string body = event(posting);
  schemas.check("Transfer", body);
  CHECK_NE(body.find(R"("debit_account":null)"), std::string::npos);
  CHECK_EQ(body.find("asset"), std::string::npos);
  schemas.check("Account", event(some_opening()));
  CHECK_EQ(rendered.location, "");
}

TEST_CASE_FIXTURE(Fixture, "every outcome as the problem that the document declares") {
  const Outcome all[] = {
#define OUTCOME(number, code, status, hop, party, fate, retry, action) Outcome::code,
#include "model/outcome.def"
#undef OUTCOME
  };
  for (const Outcome outcome : all) {
    if (outcome == Outcome::done) continue;
    const model::OutcomeRow& row = model::row_of(outcome);
    CAPTURE(row.code);
    // Recorded by an event, for each operation it may answer.
    for (int number = 0; number < 256; ++number) {
      if (!model::is_operation(static_cast<std::uint64_t>(number))) continue;
      const std::string body = event(model::Refused{.outcome = outcome,
                                                    .operation = static_cast<model::Operation>(number),
                                                    .debit = 1,
                                                    .credit = 2,
                                                    .amount = 5,
                                                    .subject = 41,
                                                    .trace = {1, 2}});
      schemas.check("Problem", body);
      CHECK_EQ(rendered.status, row.http_status);
      CHECK_NE(body.find("\"trace_id\":\"01020000000000000000000000000000\""), std::string::npos);
    }
    // Not recorded.
    const std::string body = item({.source = nullptr, .refusal = outcome});
    schemas.check("Problem", body);
    CHECK_EQ(rendered.status, row.http_status);
    CHECK_EQ(rendered.outcome, outcome);
    CHECK_NE(body.find("\"type\":\"/problems/" + std::string(row.code) + "\""), std::string::npos);
    CHECK_NE(explain_problem(row).find(row.next_action), std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "a reused key names the fields that differ") {
  const std::string body = item(
      {.source = nullptr, .refusal = Outcome::idempotency_key_reused_with_different_body, .differing_fields = 0b1001});
  schemas.check("Problem", body);
  CHECK_NE(body.find(R"("fields":[{"pointer":"/debit_account","code":"request_field_differs","detail":)"),
           std::string::npos);
  CHECK_NE(body.find(R"("pointer":"/amount")"), std::string::npos);
  CHECK_EQ(body.find(R"("pointer":"/asset")"), std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a secret is shown once; its replay is a problem with the first request's trace") {
  auto created = item_of(make_source(41, {model::ClientCreated{.number = 3, .tenant = 1}}));
  context.secret = "hfs_x";
  CHECK_NE(item(created).find(R"("refresh_secret":"hfs_x")"), std::string::npos);
  created.replayed = true;
  const std::string replay = item(created);
  CHECK_EQ(replay.find("hfs_x"), std::string::npos);
  CHECK_EQ(rendered.outcome, Outcome::secret_already_shown);
  CHECK_NE(replay.find("\"trace_id\":\"abcd01"), std::string::npos);
  auto rotated = item_of(make_source(41, {model::ClientRotated{.number = 3}}));
  rotated.replayed = true;
  CHECK_EQ(item(rotated).find("hfs_x"), std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "an answer that is not the event's own says what it is") {
  auto cancelled = item_of(make_source(41, {model::KeyCancelled{}}));
  cancelled.refusal = Outcome::idempotency_key_cancelled;
  schemas.check("Problem", item(cancelled));
  CHECK_EQ(rendered.outcome, Outcome::idempotency_key_cancelled);
}

TEST_CASE_FIXTURE(Fixture, "a batch: every item with its status, private values with their event") {
  auto source = make_source(41, {some_posting(1), some_posting(2)});
  source->privates.push_back({42, model::PrivateField::transfer_reference, {}, bytes_of("second")});
  Answer answer;
  answer.items = {item_of(source),
                  item_of(source, 1),
                  item_of(make_source(50, {model::Refused{.outcome = Outcome::exceeds_available_balance,
                                                          .operation = model::Operation::create_transfer,
                                                          .debit = 1,
                                                          .credit = 2,
                                                          .amount = 5}})),
                  {.source = nullptr, .refusal = Outcome::idempotency_key_cancelled}};
  answer.items[1].replayed = true;
  answer.batch = make_source(60, {model::BatchRecorded{4}});
  std::string body;
  render_batch(context, answer, body);
  schemas.check("BatchReply", body);
  const auto parsed = wire::parse_json(base::as_bytes(body));
  REQUIRE(parsed.ok());
  std::vector<std::uint64_t> statuses;
  for (const wire::JsonValue item : parsed->root().find("items")->elements())
    statuses.push_back(*item.find("status")->uint64());
  CHECK_EQ(statuses, std::vector<std::uint64_t>{201, 201, 409, 409});
  const wire::JsonValue second = element(*parsed->root().find("items"), 1);
  CHECK_EQ(second.find("reference")->string(), "second");
  CHECK_EQ(second.find("idempotency_replayed")->boolean(), true);
}

TEST_CASE_FIXTURE(Fixture, "every reading as the document declares") {
  AccountReading account{
      .number = 1,
      .name = "users/a",
      .asset = usd,
      .flags = 1,
      .limits = {},
      .counters = {.debits_posted = 1, .credits_posted = 5, .debits_pending = 2, .credits_pending = 3},
      .opened_at = some_time,
      .metadata = *gate::canonical_metadata({{"a", "b"}})};
  schemas.check("Account", reading(account));
  CHECK_EQ(rendered.status, 200);
  TransferReading held{
      .created = item_of(make_source(41, {some_hold()})), .state = gate::TransferState::held, .resolved = {}, .steps = {}};
  schemas.check("Transfer", reading(held));
  TransferReading captured = held;
  captured.state = gate::TransferState::captured;
  captured.resolved = item_of(make_source(43, {some_end(model::HoldResolution::captured, 300)}));
  const std::string body = reading(captured);
  schemas.check("Transfer", body);
  CHECK_NE(body.find(R"("captured_amount":"300","released_amount":"600")"), std::string::npos);

  schemas.check("AccountList", reading(AccountsPage{{account, account}, "users/a"}));
  CHECK_NE(reading(AccountsPage{{account}, "users/a"}).find(gate::to_cursor(gate::ListKind::accounts, "users/a")),
           std::string::npos);
  CHECK_EQ(reading(AccountsPage{}), R"({"items":[]})");
  const std::string transfers = reading(TransfersPage{{held, captured}, 41});
  schemas.check("TransferList", transfers);
  CHECK_NE(transfers.find(gate::to_cursor(gate::ListKind::transfers, 41)), std::string::npos);

  HistoryPage history{.account = "users/a", .events = {}, .number = 2, .next = 41};
  history.events.push_back(item_of(make_source(41, {some_posting()})));
  history.events.push_back(item_of(make_source(42, {some_hold()})));
  for (const auto resolution :
       {model::HoldResolution::captured, model::HoldResolution::voided, model::HoldResolution::expired}) {
    history.events.push_back(item_of(make_source(43, {some_end(resolution, 0)})));
  }
  const std::string lines = reading(history);
  schemas.check("History", lines);
  CHECK_NE(lines.find(R"("side":"credit","amount":"1500","asset":"USD/2","counterparty":"users/a")"),
           std::string::npos);

  TrialBalanceReading balance{{{.asset = usd, .accounts = 3, .totals = {5, 5, 1, 1}, .balanced = true}}};
  schemas.check("TrialBalance", reading(balance));
  balance.rows.push_back({.asset = usd, .accounts = 1, .totals = {1, 0, 0, 0}, .balanced = false});
  CHECK_NE(reading(balance).find(R"(],"balanced":false})"), std::string::npos);

  schemas.check("Problem", reading(ReadRefused{Outcome::view_not_caught_up, "the list lags by 12 events"}));
  CHECK_EQ(rendered.status, 503);
}
