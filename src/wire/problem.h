#pragma once
// application/problem+json (RFC 9457) with the members every Holdfast error carries: who failed, who is responsible,
// what is known about the outcome, and what is safe to do next.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/http_message.h"
#include "wire/json_fields.h"

namespace wire {

/// Texts are views: they must live until render. Empty texts are left out.
struct Problem {
  std::string_view type;   ///< URI; `about:blank` is written if empty
  std::string_view title;  ///< the same for every occurrence of `code`; the status' reason phrase if empty
  std::uint16_t status = 500;
  std::string_view code;               ///< stable snake_case
  std::string_view detail;             ///< this occurrence, for a person
  std::string_view instance;           ///< URI reference of the thing concerned
  std::string_view hop;                ///< client, network, gate, core, store, effects, rail...
  std::string_view responsible_party;  ///< client, holdfast, rail, operator...
  std::string_view outcome;            ///< definite_failure, definite_success, unknown
  std::string_view safe_to_retry;      ///< same_key, new_key, after_inquiry, never
  std::string_view next_action;        ///< one sentence
  std::string_view trace_id;
  std::vector<FieldProblem> fields;  ///< written as `fields`: [{pointer, code, detail, suggestion}]
};

/// Appends the JSON text; the order of members is fixed.
void write_problem(const Problem& problem, std::string& out);
/// The whole reply: status, Content-Type, Cache-Control: no-store, body.
Response problem_response(const Problem& problem);

}  // namespace wire
