#include <array>

#include "base/check.h"
#include "wire/http_machine.h"
#include "wire/problem.h"

namespace wire {

namespace {

struct Row {
  Refusal refusal;
  RefusalText text;
  const char* next_action;
};

constexpr std::array<Row, 15> rows = {{
    {Refusal::none, {0, "", ""}, ""},
    {Refusal::malformed,
     {400, "http_request_malformed", "The request is not strict HTTP (RFC 9110, RFC 9112)."},
     "Correct the request; a proxy on the way may have changed it."},
    {Refusal::header_too_large,
     {431, "http_header_too_large", "The header section is larger than this server takes."},
     "Send fewer or shorter header fields."},
    {Refusal::target_too_long,
     {414, "http_target_too_long", "The request target is longer than this server takes."},
     "Send fewer or shorter query parameters."},
    {Refusal::body_too_large,
     {413, "http_body_too_large", "The body is larger than this server takes."},
     "Send a smaller body, for example fewer items at once."},
    {Refusal::header_timeout,
     {408, "http_header_timeout", "The header section did not arrive in time."},
     "Send the request again with the same idempotency key."},
    {Refusal::body_too_slow,
     {408, "http_body_too_slow", "The body arrived too slowly."},
     "Send the request again with the same idempotency key."},
    {Refusal::expectation_unknown,
     {417, "http_expectation_unknown", "The only expectation this server knows is 100-continue."},
     "Leave the Expect field out."},
    {Refusal::method_not_implemented,
     {501, "http_method_not_implemented", "This server does not implement the method."},
     "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS."},
    {Refusal::version_not_supported,
     {505, "http_version_not_supported", "This server speaks HTTP/1.1, HTTP/1.0 and HTTP/2."},
     "Use HTTP/1.1 or HTTP/2."},
    {Refusal::idle, {0, "http_connection_idle", "The connection was idle."}, ""},
    {Refusal::output_too_slow, {0, "http_reply_fetched_too_slowly", "The peer fetched its replies too slowly."}, ""},
    {Refusal::flood, {0, "http_frame_flood", "The peer sent more control frames than this server takes."}, ""},
    {Refusal::protocol_error, {0, "http_protocol_error", "The peer broke the rules of HTTP/2 (RFC 9113)."}, ""},
    {Refusal::truncated, {0, "http_request_truncated", "The peer ended in the middle of a request."}, ""},
}};

const Row& row_of(Refusal refusal) {
  const Row& row = rows[static_cast<std::size_t>(refusal)];
  CHECK(row.refusal == refusal);
  return row;
}

}  // namespace

const RefusalText& to_text(Refusal refusal) { return row_of(refusal).text; }

Response refusal_response(Refusal refusal) {
  const Row& row = row_of(refusal);
  CHECK(row.text.status != 0);
  Problem problem;
  problem.status = row.text.status;
  problem.code = row.text.code;
  problem.detail = row.text.detail;
  problem.hop = "client";
  problem.responsible_party = "client";
  // Nothing but a complete request is ever handed on, so a refused one had no effect.
  problem.outcome = "definite_failure";
  problem.safe_to_retry = "same_key";
  problem.next_action = row.next_action;
  return problem_response(problem);
}

}  // namespace wire
