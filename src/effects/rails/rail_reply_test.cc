#include "effects/rails/rail_reply.h"

#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

namespace effects {
namespace {

using model::RailReason;
using model::RailResult;

const Rail::Expected expected{.kind = model::TransferKind::payout, .amount = 1050, .asset = "USD/2"};

wire::Response reply(std::uint16_t status, std::string_view type, std::string body) {
  wire::Response response;
  response.status = status;
  response.headers.add("content-type", type);
  response.body = std::move(body);
  return response;
}
std::string payment(std::string_view state, std::string_view reason = "null", std::string_view amount = "1050", std::string_view asset = "USD/2",
                    std::string_view reference = "r-1", std::string_view kind = "payout") {
  const std::string quoted = reason == "null" ? "null" : "\"" + std::string(reason) + "\"";
  return "{\"reference\":\"" + std::string(reference) + "\",\"payment\":\"bp-7\",\"kind\":\"" + std::string(kind) + "\",\"state\":\"" + std::string(state) +
         "\",\"reason\":" + quoted + ",\"amount\":\"" + std::string(amount) + "\",\"asset\":\"" + std::string(asset) + "\",\"new_member\":[1]}";
}
std::string problem(std::string_view code, std::string_view reference = "r-1") {
  return "{\"status\":422,\"code\":\"" + std::string(code) + "\",\"reference\":\"" + std::string(reference) + "\"}";
}
RailAnswer judged(const wire::Response& response, RailQuestion question = RailQuestion::send) { return judge_reply(question, "r-1", expected, response); }
void is(const RailAnswer& answer, RailResult result, RailReason reason) {
  CHECK_EQ(answer.result, result);
  CHECK_MESSAGE(answer.reason == reason, model::row_of(answer.reason).name, " instead of ", model::row_of(reason).name);
  CHECK(answer.body.has_value());
}
constexpr const char* json = "application/json";
constexpr const char* refusal = "application/problem+json";

TEST_CASE("states of a payment") {
  is(judged(reply(201, json, payment("accepted"))), RailResult::accepted, RailReason::none);
  is(judged(reply(200, json, payment("settled"))), RailResult::settled, RailReason::none);
  is(judged(reply(200, json, payment("rejected", "beneficiary_account_closed"))), RailResult::rejected, RailReason::beneficiary_account_closed);
  is(judged(reply(200, json, payment("rejected", "odd_reason"))), RailResult::rejected, RailReason::other);
  is(judged(reply(200, json, payment("rejected", "reference_voided"))), RailResult::rejected, RailReason::other);
  is(judged(reply(200, json, payment("rejected", "reply_lost"))), RailResult::rejected, RailReason::other);
  is(judged(reply(200, json, payment("returned", "returned_by_beneficiary_bank"))), RailResult::rejected, RailReason::returned_by_beneficiary_bank);
  is(judged(reply(200, json, payment("returned", "payer_refused"))), RailResult::rejected, RailReason::payer_refused);
  is(judged(reply(200, json, payment("voided"))), RailResult::not_sent, RailReason::tombstoned);
  is(judged(reply(200, json, payment("voided", "null", "0", "")), RailQuestion::void_payment), RailResult::not_sent, RailReason::tombstoned);
  const RailAnswer answer = judged(reply(201, json, payment("accepted")));
  CHECK_EQ(answer.rail_reference, "bp-7");
  CHECK_EQ(*answer.amount, base::U128{1050});
  CHECK_EQ(answer.asset, "USD/2");
  CHECK_EQ(answer.detail, "the rail says accepted");
}

TEST_CASE("a reply that contradicts the request leaves the outcome open, and what it says is kept") {
  const RailReason contradiction = RailReason::reply_contradicts_request;
  for (const char* state : {"accepted", "settled", "rejected", "returned"}) {
    is(judged(reply(200, json, payment(state, "null", "1051"))), RailResult::unknown, contradiction);
    is(judged(reply(200, json, payment(state, "null", "1050", "EUR/2"))), RailResult::unknown, contradiction);
    is(judged(reply(200, json, payment(state, "null", "1050", "USD/2", "r-2"))), RailResult::unknown, contradiction);
    is(judged(reply(200, json, payment(state, "null", "1050", "USD/2", "r-1", "collect"))), RailResult::unknown, contradiction);
  }
  is(judged(reply(200, json, payment("voided", "null", "1050", "USD/2", "r-2"))), RailResult::unknown, contradiction);
  is(judged(reply(200, refusal, problem("beneficiary_refused"))), RailResult::unknown, contradiction);
  is(judged(reply(200, json, problem("beneficiary_refused"))), RailResult::unknown, contradiction);
  is(judged(reply(422, refusal, problem("beneficiary_refused", "r-2"))), RailResult::unknown, contradiction);
  is(judged(reply(422, refusal, "{\"code\":\"beneficiary_refused\",\"reference\":7}")), RailResult::unknown, contradiction);
  is(judged(reply(404, refusal, problem("payment_not_found"))), RailResult::unknown, contradiction);
  CHECK_EQ(*judged(reply(200, json, payment("settled", "null", "1051"))).amount, base::U128{1051});
}

TEST_CASE("what is not understood leaves the outcome open") {
  const RailReason malformed = RailReason::reply_malformed;
  const std::string whole = payment("settled");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) is(judged(reply(200, json, whole.substr(0, cut))), RailResult::unknown, malformed);
  is(judged(reply(200, "text/html", whole)), RailResult::unknown, malformed);
  is(judged(reply(200, "nonsense", whole)), RailResult::unknown, malformed);
  is(judged(reply(200, json, "[]")), RailResult::unknown, malformed);
  is(judged(reply(200, json, payment("finished"))), RailResult::unknown, malformed);
  is(judged(reply(200, json, payment("settled", "null", "10.50"))), RailResult::unknown, malformed);
  is(judged(reply(200, json, payment("settled", "null", "-1"))), RailResult::unknown, malformed);
  is(judged(reply(200, json, payment("settled", "null", "1050", "USD/2", "r-1", "gift"))), RailResult::unknown, malformed);
  is(judged(reply(200, json, "{\"reference\":\"r-1\",\"kind\":\"payout\",\"state\":\"settled\",\"amount\":1050,\"asset\":\"USD/2\"}")), RailResult::unknown, malformed);
  is(judged(reply(200, json, whole.substr(0, whole.size() - 1) + ",\"state\":\"rejected\"}")), RailResult::unknown, malformed);
  is(judged(reply(204, json, "")), RailResult::unknown, malformed);
  is(judged(reply(302, json, whole)), RailResult::unknown, malformed);
  is(judged(reply(422, json, problem("beneficiary_refused"))), RailResult::unknown, malformed);
  is(judged(reply(422, refusal, problem("no_such_code"))), RailResult::unknown, malformed);
  is(judged(reply(422, refusal, "{}")), RailResult::unknown, malformed);
  is(judged(reply(422, refusal, "not JSON")), RailResult::unknown, malformed);
  is(judged(reply(404, "text/html", "<html>")), RailResult::unknown, malformed);
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{500, 502, 503, 504}) {
    is(judged(reply(status, json, whole)), RailResult::unknown, RailReason::rail_internal_error);
    is(judged(reply(status, refusal, problem("beneficiary_refused"))), RailResult::unknown, RailReason::rail_internal_error);
  }
}

TEST_CASE("refusals of a send, one by one") {
  const auto refused = [](std::string_view code) { return judged(reply(422, refusal, problem(code))); };
  for (const char* code : {"rate_limited", "rail_busy", "rail_in_maintenance", "beneficiary_account_invalid", "beneficiary_account_closed", "beneficiary_refused",
                           "payer_refused", "insufficient_funds_at_rail", "insufficient_funds_of_payer", "amount_below_minimum", "amount_above_maximum",
                           "asset_not_supported", "country_not_supported", "compliance_refused", "signature_refused", "credentials_refused",
                           "request_not_understood"}) {
    const RailAnswer answer = refused(code);
    CHECK_EQ(answer.result, RailResult::rejected);
    CHECK_EQ(model::row_of(answer.reason).name, code);   // the protocol and the core call them the same
  }
  is(refused("original_not_refundable"), RailResult::rejected, RailReason::other);
  is(refused("valid_until_passed"), RailResult::not_sent, RailReason::send_deadline_passed);
  is(refused("reference_voided"), RailResult::not_sent, RailReason::tombstoned);
  is(refused("reference_reused"), RailResult::unknown, RailReason::duplicate_reference);
  is(judged(reply(401, refusal, "{\"code\":\"signature_refused\"}")), RailResult::rejected, RailReason::signature_refused);
}

TEST_CASE("a refused question says nothing about the payment") {
  for (const RailQuestion question : {RailQuestion::inquire, RailQuestion::void_payment}) {
    is(judged(reply(404, refusal, problem("payment_not_found")), question), RailResult::unknown, RailReason::not_found_at_rail);
    is(judged(reply(429, refusal, problem("rate_limited")), question), RailResult::unknown, RailReason::rate_limited);
    is(judged(reply(422, refusal, problem("beneficiary_refused")), question), RailResult::unknown, RailReason::beneficiary_refused);
    is(judged(reply(422, refusal, problem("valid_until_passed")), question), RailResult::unknown, RailReason::send_deadline_passed);
    is(judged(reply(410, refusal, problem("reference_voided")), question), RailResult::not_sent, RailReason::tombstoned);
    is(judged(reply(503, refusal, problem("reference_voided")), question), RailResult::unknown, RailReason::rail_internal_error);
    is(judged(reply(200, json, payment("settled")), question), RailResult::settled, RailReason::none);
    is(judged(reply(200, json, payment("rejected", "beneficiary_refused")), question), RailResult::rejected, RailReason::beneficiary_refused);
  }
}

TEST_CASE("the documents name the codes that the program knows") {
  const std::string directory = std::string(HOLDFAST_SOURCE_DIR) + "/docs/";
  std::ifstream page(directory + "rail-protocol.md"), openapi(directory + "rail-openapi.json");
  const std::string text((std::istreambuf_iterator<char>(page)), {}), schema((std::istreambuf_iterator<char>(openapi)), {});
  const auto document = wire::parse_json(base::as_bytes(schema));
  REQUIRE(document.ok());
  std::optional<wire::JsonValue> at = document->root();
  for (const char* step : {"components", "schemas", "Refusal", "properties", "code", "enum"}) {
    at = at->find(step);
    REQUIRE(at.has_value());
  }
  CHECK_EQ(at->size(), 22u);
  for (const wire::JsonValue code : at->elements()) {
    const std::string name(code.string().value_or(""));
    CHECK_MESSAGE(meaning_of_refusal(name).has_value(), name);
    CHECK_MESSAGE(text.find("`" + name + "`") != std::string::npos, name);
  }
}

TEST_CASE("kinds as text") {
  for (const auto kind : {model::TransferKind::payout, model::TransferKind::collect, model::TransferKind::recall}) CHECK_EQ(parse_transfer_kind(to_text(kind)), kind);
  CHECK_FALSE(parse_transfer_kind("Payout").has_value());
}

}  // namespace
}  // namespace effects
