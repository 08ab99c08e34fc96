#pragma once
// What the gate says no with: a row of the table of outcomes and what is particular to this request. Nothing was
// decided and nothing is journaled; an idempotency key is not used up.

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "model/outcome.h"
#include "wire/json_fields.h"

namespace gate {

struct Refusal {
  model::Outcome outcome = model::Outcome::request_malformed;
  /// One sentence for a person; never holds secrets or the refused values.
  std::string detail;
  /// Every field that is wrong, with JSON pointers into the body (`/items/3/amount`); for query parameters and path
  /// parameters the pointer is `/` and the parameter's name.
  std::vector<wire::FieldProblem> fields;
  std::string_view allow;        ///< with method_not_allowed: the Allow header; static storage
  base::Duration retry_after{};  ///< with too_many_requests: when the next request would pass; otherwise 0
  base::Tag128 trace{};          ///< trace id of the request
};

}  // namespace gate
