// Payouts, collects, decisions about them, rails, and what rails report.

// clang-format off
#include "crypto/hash.h"
#include "gate/gate_fixture.h"
// clang-format on

using namespace gate;

namespace {

constexpr const char* payout_text =
    R"({"kind":"payout","debit_account":"users/1","asset":"USD/2","amount":"2500","rail":"bank-a",
        "beneficiary":{"name":"Ada","account":{"number":7,"bank":"x"}},"country":"DE","instrument":3,
        "send_within_seconds":60,"reference":"r","metadata":{"a":"1"}})";

struct FakeVoices final : RailVoices {
  std::string rail;
  std::variant<RailReport, VoiceRefused> answer = RailReport{};
  std::variant<RailReport, VoiceRefused> hear(std::string_view from, const wire::Request&, base::Instant) override {
    rail = std::string(from);
    return answer;
  }
};

const model::Admitted& admitted(const Admission& admission) {
  REQUIRE_MESSAGE(std::holds_alternative<model::Admitted>(admission), Fixture::told(admission));
  return std::get<model::Admitted>(admission);
}

// The value that a commitment covers is in the private drafts, with its salt.
void check_covered(const model::Admitted& admitted, std::size_t place, model::PrivateField field, std::uint32_t item,
                   std::string_view value, const model::Commitment& commitment) {
  REQUIRE(place < admitted.privates.size());
  const model::PrivateDraft& draft = admitted.privates[place];
  CHECK(draft.field == field);
  CHECK(draft.item == item);
  CHECK(base::as_text(draft.value) == value);
  CHECK(crypto::sha256({draft.salt, draft.value}) == commitment);
}

}  // namespace

TEST_CASE("a payout becomes a command without names, beneficiary or reference") {
  Fixture f;
  const Admission admission = f.admit("POST", "/v1/transfers", payout_text);
  const model::Admitted& a = admitted(admission);
  const auto& request = std::get<model::CreatePayout>(a.commands.at(0).body).request;
  CHECK(request.account == 0);
  CHECK(request.amount == 2500);
  CHECK(request.country == *model::parse_country("DE"));
  CHECK(request.instrument == 3);
  CHECK(request.send_within == base::seconds(60));
  CHECK(request.approvals == 0);
  CHECK(request.reference_key == reference_mac(f.keys, 1, "r"));
  check_covered(a, 0, model::PrivateField::transfer_beneficiary, 0,
                R"({"account":{"bank":"x","number":7},"name":"Ada"})", request.beneficiary);
  check_covered(a, 1, model::PrivateField::transfer_reference, 0, "r", *request.reference);
  CHECK(a.privates.size() == 3);
  REQUIRE(a.names.size() == 2);
  CHECK(a.names[0].field == model::NameToResolve::Field::account);
  CHECK(a.names[0].name == "users/1");
  CHECK(a.names[1].field == model::NameToResolve::Field::rail);
  CHECK(a.names[1].name == "bank-a");
  CHECK(a.commands[0].idempotency->key == key_mac(f.keys, 1, 2, model::Operation::create_payout, "key-1"));
}

TEST_CASE("the same payout in another order of members is the same request; another beneficiary is not") {
  Fixture f;
  const auto fingerprint = [&](const std::string& text) {
    const Admission admission = f.admit("POST", "/v1/transfers", text);
    return *admitted(admission).commands.at(0).idempotency;
  };
  const std::string head = R"({"kind":"payout","debit_account":"a","asset":"USD/2","amount":"1","beneficiary":)";
  const auto first = fingerprint(head + R"({"x":1,"y":"2"}})");
  CHECK(first.fingerprint == fingerprint(head + R"({"y":"2", "x":1}})").fingerprint);
  const auto other = fingerprint(head + R"({"x":2,"y":"2"}})");
  CHECK(differing_fields(model::Operation::create_payout, first, other) == std::vector<std::string_view>{"beneficiary"});
}

TEST_CASE("a collect credits its account and names a payer") {
  Fixture f;
  const Admission admission = f.admit(
      "POST", "/v1/transfers", R"({"kind":"collect","credit_account":"users/1","asset":"USD/2","amount":"5","payer":{}})");
  const model::Admitted& a = admitted(admission);
  const auto& request = std::get<model::CreateCollect>(a.commands.at(0).body).request;
  CHECK(request.amount == 5);
  check_covered(a, 0, model::PrivateField::transfer_beneficiary, 0, "{}", request.beneficiary);
}

TEST_CASE("what is wrong with a payout is named, all of it") {
  Fixture f;
  const auto told = [&](const std::string& text) { return Fixture::told(f.admit("POST", "/v1/transfers", text)); };
  CHECK(told(R"({"kind":"payout"})") == "request_field_missing /debit_account /asset /amount /beneficiary");
  CHECK(told(R"({"kind":"collect"})") == "request_field_missing /credit_account /asset /amount /payer");
  CHECK(told(R"({"kind":"payout","debit_account":"a b","asset":"USD/2","amount":"1","beneficiary":{},"rail":"A",
                 "country":"de","instrument":0,"send_within_seconds":0,"reference":""})") ==
        "request_field_invalid /country /instrument /send_within_seconds /reference /debit_account /rail");
  CHECK(told(R"({"kind":"payout","debit_account":"a","asset":"USD/2","amount":"1","beneficiary":{"share":0.5}})") ==
        "request_field_invalid /beneficiary");
  CHECK(told(R"({"kind":"payout","debit_account":"a","asset":"USD/2","amount":"1","beneficiary":{"n":")" +
             std::string(4096, 'x') + R"("}})") == "request_field_invalid /beneficiary");
  CHECK(told(R"({"kind":"payout","debit_account":"a","asset":"USD/2","amount":"1","beneficiary":{},"hold":true})") ==
        "request_field_unknown /hold");
}

TEST_CASE("the policy asks for people from an amount on") {
  Fixture f;
  const model::Asset usd = *model::parse_asset("USD/2");
  Gate gate(f.keys, f.book, [](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), std::uint8_t{1}); },
            {.rate = {}, .approvals = {{usd, 100, 1}, {usd, 1000, 9}}, .refund_approvals = 1});
  const auto asked = [&](base::U128 amount, const char* asset) {
    RailTransferRequest body;
    body.account = "a";
    body.asset = *model::parse_asset(asset);
    body.amount = amount;
    body.beneficiary = "{}";
    const auto admission = gate.admit_body({.tenant = 1, .principal = 2}, "k", body);
    return std::get<model::CreatePayout>(std::get<model::Admitted>(admission).commands[0].body).request.approvals;
  };
  CHECK(asked(99, "USD/2") == 0);
  CHECK(asked(100, "USD/2") == 1);
  CHECK(asked(1000, "USD/2") == model::approvals_max);
  CHECK(asked(1000, "EUR/2") == 0);
  const auto refund = gate.admit_body({.tenant = 1, .principal = 2}, "k", Refund{{0, 10}, {}, {}, {}});
  CHECK(std::get<model::RefundTransfer>(std::get<model::Admitted>(refund).commands[0].body).approvals == 1);
}

TEST_CASE("decisions about transfers") {
  Fixture f;
  const auto body_of = [&](const char* what, const char* text) {
    const Admission admission = f.admit("POST", std::string("/v1/transfers/tr_000000000000a/") + what, text);
    return admitted(admission).commands.at(0).body;
  };
  CHECK(std::get<model::CancelTransfer>(body_of("cancel", "")).transfer == 10);
  const auto review = std::get<model::ReviewTransfer>(body_of("review", R"({"decision":"approve"})"));
  CHECK(review.transfer == 10);
  CHECK(review.approve);
  CHECK_FALSE(review.reason.has_value());
  const auto rejected = std::get<model::ReviewTransfer>(body_of("review", R"({"decision":"reject","reason":"no"})"));
  CHECK_FALSE(rejected.approve);
  CHECK(rejected.reason.has_value());
  const auto resolved = std::get<model::ResolveUnknown>(body_of("resolve", R"({"verdict":"failed","reason":"asked"})"));
  CHECK(resolved.verdict == model::Verdict::failed);
  const auto refund = std::get<model::RefundTransfer>(body_of("refunds", R"({"amount":"7","reference":"x"})"));
  CHECK(refund.original == 10);
  CHECK(refund.amount == base::U128{7});
  CHECK(refund.reference.has_value());
  const auto told = [&](const char* what, const char* text) {
    return Fixture::told(f.admit("POST", std::string("/v1/transfers/tr_000000000000a/") + what, text));
  };
  CHECK(told("review", R"({"decision":"maybe","reason":""})") == "request_field_invalid /decision /reason");
  CHECK(told("resolve", R"({"verdict":"lost"})") == "request_field_missing /verdict /reason");
  CHECK(told("resolve", R"({"verdict":"settled","reason":""})") == "request_field_invalid /reason");
  CHECK(told("cancel", R"({"why":"x"})") == "request_field_unknown /why");
  CHECK(Fixture::told(f.admit("POST", "/v1/transfers/tr_x/cancel")) == "request_field_invalid /id");
  const Sender client{.tenant = 1, .principal = 2};
  const auto elsewhere = [&](const RequestBody& body) {
    return std::get<Refusal>(f.gate.admit_body(client, "k", body)).outcome == model::Outcome::transfer_not_found;
  };
  CHECK(elsewhere(TransferCancellation{{1, 5}}));
  CHECK(elsewhere(TransferReview{{1, 5}, true, {}}));
  CHECK(elsewhere(UnknownResolution{{1, 5}, model::Verdict::settled, "x"}));
  CHECK(elsewhere(Refund{{1, 5}, {}, {}, {}}));
}

TEST_CASE("decisions need their scopes") {
  Fixture f;
  const auto told = [&](const char* path, model::Scopes scopes) {
    wire::Request request = f.request("POST", path, "{}");
    wire::Headers headers;
    for (std::size_t i = 0; i < request.headers.size(); ++i) {
      const auto field = request.headers.at(i);
      headers.add(field.name, field.name == "authorization" ? "Bearer " + f.token(scopes) : std::string(field.value));
    }
    request.headers = headers;
    return Fixture::told(f.gate.admit(request, test_now));
  };
  constexpr model::Scopes all = model::all_scopes;
  CHECK(told("/v1/transfers/tr_000000000000a/cancel", all & ~model::transfers_write) == "scope_missing");
  CHECK(told("/v1/transfers/tr_000000000000a/review", all & ~model::transfers_review) == "scope_missing");
  CHECK(told("/v1/transfers/tr_000000000000a/resolve", all & ~model::transfers_resolve) == "scope_missing");
  CHECK(told("/v1/rails", all & ~model::rails_write) == "scope_missing");
  CHECK(told("/v1/rails/a/pause", all & ~model::rails_write) == "scope_missing");
}

TEST_CASE("a rail is configured with its two accounts") {
  Fixture f;
  const Admission admission = f.admit("POST", "/v1/rails",
                                      R"({"name":"bank-a","asset":"USD/2","capabilities":["inquiry","void"],
        "directions":["payouts","collects"],"amount_min":"10","amount_max":"1000","cost_fixed":"2","cost_basis_points":5,
        "send_window_ms":1500,"inquiries_max":3,"countries":["DE","AT"]})");
  const model::Admitted& a = admitted(admission);
  const auto& rail = std::get<model::ConfigureRail>(a.commands.at(0).body);
  CHECK(model::to_text(rail.name) == "bank-a");
  CHECK(rail.profile->capabilities == (model::inquiry_supported | model::void_supported));
  CHECK(rail.profile->directions == (model::payouts | model::collects));
  CHECK(rail.profile->amount_max == 1000);
  CHECK(rail.profile->send_window == base::Duration{1'500'000'000});
  CHECK(rail.profile->reply_timeout == model::RailProfile{}.reply_timeout);
  CHECK(rail.profile->countries[0] == *model::parse_country("AT"));
  REQUIRE(a.names.size() == 2);
  CHECK(a.names[0].field == model::NameToResolve::Field::clearing_account);
  CHECK(a.names[0].name == "rails/bank-a/clearing");
  CHECK(a.names[1].field == model::NameToResolve::Field::suspense_account);
  CHECK(a.names[1].name == "suspense/bank-a");
  check_covered(a, 0, model::PrivateField::account_name, 0, "rails/bank-a/clearing", rail.clearing_name);
  check_covered(a, 1, model::PrivateField::account_name, 1, "suspense/bank-a", rail.suspense_name);

  const auto told = [&](const char* text) { return Fixture::told(f.admit("POST", "/v1/rails", text)); };
  CHECK(told("{}") == "request_field_missing /name /asset");
  CHECK(told(R"({"name":"Bank","asset":"USD/2","capabilities":["inquiry","inquiry"],"directions":["up"],
                 "cost_basis_points":10001,"countries":["DE","DE"]})") ==
        "request_field_invalid /capabilities /directions /countries /name /cost_basis_points");
}

TEST_CASE("a rail is paused, resumed, and has maintenance windows") {
  Fixture f;
  const auto control_of = [&](const char* what, const char* text) {
    const Admission admission = f.admit("POST", std::string("/v1/rails/bank-a/") + what, text);
    CHECK(admitted(admission).names.at(0).name == "bank-a");
    return std::get<model::ControlRail>(admitted(admission).commands.at(0).body);
  };
  CHECK(control_of("pause", "") == model::ControlRail{.paused = true});
  CHECK(control_of("resume", "") == model::ControlRail{});
  const auto window = control_of("maintenance", R"({"from":"2027-01-15T08:00:00Z","until":"2027-01-15T09:00:00Z"})");
  CHECK(window.maintenance_until - window.maintenance_from == base::seconds(3600));
  CHECK_FALSE(window.paused);
  CHECK(Fixture::told(f.admit("POST", "/v1/rails/bank-a/maintenance", R"({"from":"soon"})")) ==
        "request_field_missing /from /until");
  CHECK(Fixture::told(f.admit("POST", "/v1/rails/Bank/pause")) == "request_field_invalid /name");
}

TEST_CASE("what a rail said becomes a command of the process") {
  Fixture f;
  RailReport report;
  report.reference = 41;
  report.source = model::ReportSource::inquiry;
  report.result = model::RailResult::settled;
  report.inquiry = 2;
  report.amount = 7;
  report.rail_reference = "bp-7";
  report.raw = base::to_bytes(base::as_bytes("raw"));
  const model::Admitted a = f.gate.admit_report(report);
  CHECK(a.principal == 0);
  CHECK_FALSE(a.commands.at(0).idempotency.has_value());
  const auto& body = std::get<model::ReportRail>(a.commands[0].body);
  CHECK(body.reference == 41);
  CHECK(body.inquiry == 2);
  CHECK(body.result == model::RailResult::settled);
  CHECK(body.amount == base::U128{7});
  CHECK(body.body == crypto::sha256(report.raw));
  check_covered(a, 0, model::PrivateField::rail_reference, 0, "bp-7", *body.rail_reference);
  REQUIRE(a.privates.size() == 2);
  CHECK(a.privates[1].field == model::PrivateField::rail_report);
  CHECK(base::as_text(a.privates[1].value) == "raw");
  report.raw.resize(rail_report_bytes_max + 1);
  CHECK(f.gate.admit_report(report).privates.size() == 1);
}

TEST_CASE("callbacks go to whoever knows the rails; strangers learn nothing and count by their address") {
  Fixture f;
  wire::Request request;
  request.method = "POST";
  request.path = "/v1/rails/bank-a/callbacks";
  request.body = "{}";
  const auto told = [&] { return Fixture::told(f.gate.admit(request, test_now, "192.0.2.1")); };
  CHECK(told() == "rail_not_found");
  FakeVoices voices;
  f.gate.listen_to(&voices);
  CHECK(told() == "admitted");
  CHECK(voices.rail == "bank-a");
  const Admission admission = f.gate.admit(request, test_now, "192.0.2.1");
  const auto& body = std::get<model::ReportRail>(admitted(admission).commands.at(0).body);
  CHECK(body.source == model::ReportSource::callback);
  CHECK(body.reference == 0);
  CHECK(base::as_text(admitted(admission).privates.at(0).value) == "{}");
  for (const auto outcome : {model::Outcome::callback_signature_invalid, model::Outcome::callback_too_old,
                             model::Outcome::callback_replayed}) {
    voices.answer = VoiceRefused{outcome, "no"};
    CHECK(told() == model::code_of(outcome));
    CHECK(model::row_of(outcome).http_status == 401);
  }
  request.path = "/v1/rails/Bank/callbacks";
  CHECK(told() == "rail_not_found");
  request.path = "/v1/rails/bank-a/callbacks";
  request.body.assign(rail_report_bytes_max + 1, 'x');
  CHECK(told() == "body_too_large");

  Gate narrow(f.keys, f.book, [](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), std::uint8_t{1}); },
              {.rate = {.per_second = 1, .burst = 1}});
  narrow.listen_to(&voices);
  request.body = "{}";
  CHECK(Fixture::told(narrow.admit(request, test_now, "192.0.2.1")) == "callback_replayed");
  CHECK(Fixture::told(narrow.admit(request, test_now, "192.0.2.1")) == "too_many_requests");
  CHECK(Fixture::told(narrow.admit(request, test_now, "192.0.2.2")) == "callback_replayed");
}

TEST_CASE("a rail is not registered with more than its driver can do") {
  Fixture f;
  GateSettings settings;
  settings.beyond_driver = [](model::TenantNumber, std::string_view rail, model::RailCapabilities promised) {
    return static_cast<model::RailCapabilities>(rail == "chain" ? promised & (model::expiry_honoured | model::void_supported) : 0);
  };
  Gate gate(f.keys, f.book, [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{9}); }, settings);
  const auto told = [&](std::string_view rail, std::string_view capabilities) {
    const std::string text = R"({"name":")" + std::string(rail) + R"(","asset":"ETH/18","capabilities":[)" + std::string(capabilities) + "]}";
    return gate.admit(f.request("POST", "/v1/rails", text), test_now);
  };
  const Admission refused = told("chain", R"("void","expiry","inquiry")");
  CHECK(Fixture::told(refused) == "rail_beyond_driver");
  CHECK(std::get<Refusal>(refused).detail == "the rail's driver does not have: void, expiry");
  CHECK(Fixture::told(told("chain", R"("inquiry")")) == "admitted");
  CHECK(Fixture::told(told("bank-a", R"("void","expiry")")) == "admitted");
}

TEST_CASE("rails and queues of transfers are read") {
  Fixture f;
  const auto query = [&](const char* path) {
    const Admission admission = f.admit("GET", path);
    REQUIRE_MESSAGE(std::holds_alternative<Query>(admission), Fixture::told(admission));
    return std::get<Query>(admission).body;
  };
  CHECK(std::holds_alternative<ListRails>(query("/v1/rails")));
  CHECK(std::get<GetRail>(query("/v1/rails/bank-a")).name == "bank-a");
  CHECK(Fixture::told(f.admit("GET", "/v1/rails/Bank")) == "request_field_invalid /name");
  const auto list = std::get<ListTransfers>(query("/v1/transfers?state=outcome_unknown"));
  CHECK(list.saga_state == model::TransferState::outcome_unknown);
  CHECK_FALSE(list.state.has_value());
  CHECK(std::get<ListTransfers>(query("/v1/transfers?state=held")).state == TransferState::held);
  const std::string by_age = to_cursor(ListKind::transfers_by_age, model::EventNumber{5});
  CHECK(std::get<ListTransfers>(query(("/v1/transfers?state=parked&cursor=" + by_age).c_str())).before == 5);
  CHECK(Fixture::told(f.admit("GET", "/v1/transfers?state=held&cursor=" + by_age)) == "cursor_invalid");
  CHECK(Fixture::told(f.admit("GET", "/v1/transfers?state=lost")) == "request_field_invalid /state");
}
