#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "gate/refusal_of.h"

namespace gate {

namespace {

model::Outcome outcome_of(std::string_view code) {
  if (code == "request_field_unknown") return model::Outcome::request_field_unknown;
  if (code == "request_field_missing") return model::Outcome::request_field_missing;
  return model::Outcome::request_field_invalid;
}

}  // namespace

Refusal refusal(Problems problems, const base::Tag128& trace) {
  CHECK(!problems.empty());
  // The table's order within its block is the order of precedence.
  const auto gravest = std::min_element(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return outcome_of(a.code) < outcome_of(b.code);
  });
  std::string detail = (gravest->pointer.empty() ? std::string("the body") : gravest->pointer) + ": " + gravest->detail;
  if (problems.size() > 1) detail += "; fields names " + std::to_string(problems.size()) + " problems";
  Refusal refused = refusal(outcome_of(gravest->code), std::move(detail), trace);
  refused.fields = std::move(problems);
  return refused;
}

}  // namespace gate
