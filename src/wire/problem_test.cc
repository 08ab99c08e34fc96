#include "wire/problem.h"

#include <doctest/doctest.h>

using namespace wire;

TEST_CASE("a full problem") {
  Problem problem;
  problem.type = "https://holdfast.example/problems/exceeds_available_balance";
  problem.title = "Not enough money";
  problem.status = 422;
  problem.code = "exceeds_available_balance";
  problem.detail = "The account holds less than the amount.";
  problem.instance = "/v1/transfers/tr_0";
  problem.hop = "core";
  problem.responsible_party = "client";
  problem.outcome = "definite_failure";
  problem.safe_to_retry = "new_key";
  problem.next_action = "Add funds.";
  problem.trace_id = "4bf9";
  problem.fields = {{"request_field_unknown", "/debit_acount", "no such field", "debit_account"},
                    {"request_field_missing", "/amount", "", ""}};
  const Response response = problem_response(problem);
  CHECK(response.status == 422);
  CHECK(response.headers.find("content-type") == "application/problem+json");
  CHECK(response.headers.find("cache-control") == "no-store");
  CHECK(response.body ==
        "{\"type\":\"https://holdfast.example/problems/exceeds_available_balance\",\"title\":\"Not enough money\","
        "\"status\":422,\"code\":\"exceeds_available_balance\",\"detail\":\"The account holds less than the amount.\","
        "\"instance\":\"/v1/transfers/tr_0\",\"hop\":\"core\",\"responsible_party\":\"client\","
        "\"outcome\":\"definite_failure\",\"safe_to_retry\":\"new_key\",\"next_action\":\"Add funds.\","
        "\"trace_id\":\"4bf9\",\"fields\":[{\"pointer\":\"/debit_acount\",\"code\":\"request_field_unknown\","
        "\"detail\":\"no such field\",\"suggestion\":\"debit_account\"},"
        "{\"pointer\":\"/amount\",\"code\":\"request_field_missing\"}]}");
}

TEST_CASE("an empty problem falls back to the status") {
  Problem problem;
  problem.status = 503;
  std::string out;
  write_problem(problem, out);
  CHECK(out == R"({"type":"about:blank","title":"Service Unavailable","status":503})");
}
