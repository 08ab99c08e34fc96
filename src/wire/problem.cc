#include "wire/problem.h"

#include "wire/json_writer.h"

namespace wire {

void write_problem(const Problem& problem, std::string& out) {
  JsonWriter json(out);
  const auto text = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) json.member(name, value);
  };
  json.begin_object();
  text("type", problem.type.empty() ? "about:blank" : problem.type);
  text("title", problem.title.empty() ? reason_phrase(problem.status) : problem.title);
  json.member("status", std::uint64_t{problem.status});
  text("code", problem.code);
  text("detail", problem.detail);
  text("instance", problem.instance);
  text("hop", problem.hop);
  text("responsible_party", problem.responsible_party);
  text("outcome", problem.outcome);
  text("safe_to_retry", problem.safe_to_retry);
  text("next_action", problem.next_action);
  text("trace_id", problem.trace_id);
  if (!problem.fields.empty()) {
    json.key("fields");
    json.begin_array();
    for (const FieldProblem& field : problem.fields) {
      json.begin_object();
      json.member("pointer", field.pointer);
      json.member("code", field.code);
      text("detail", field.detail);
      text("suggestion", field.suggestion);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
}

Response problem_response(const Problem& problem) {
  Response response;
  response.status = problem.status;
  response.headers.add("content-type", "application/problem+json");
  response.headers.add("cache-control", "no-store");
  write_problem(problem, response.body);
  return response;
}

}  // namespace wire
