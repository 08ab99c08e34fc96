#pragma once
// Replies as JSON. Everything is made of journaled data (events with their instants, the private values beside them)
// and of names that never change, so that the replay of a reply has the same bytes as the first one.
//
// Amounts are decimal strings, instants RFC 3339 with nine fraction digits, ids as in model/ids.h. Members that have no
// value are left out. Every member is declared in docs/openapi.json; a test sees to that.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "edge/backend.h"
#include "gate/query.h"
#include "model/command.h"
#include "model/outcome.h"
#include "wire/json_fields.h"

namespace edge {

/// What a rendered body needs around it.
struct Rendered {
  std::uint16_t status = 200;
  model::Outcome outcome = model::Outcome::done;
  std::string location;  ///< of what was created, if it has an address of its own
  bool problem() const { return outcome != model::Outcome::done; }
};

/// What a reply needs besides its event.
struct RenderContext {
  const Backend& backend;
  model::Operation operation = model::Operation::none;  ///< names the fields that differ
  base::Tag128 trace{};                                 ///< for refusals without an event
  std::string_view secret;                              ///< of a new client, for the first reply only
};

/// Appends the resource or the problem that one item is.
Rendered render_item(const RenderContext& context, const AnswerItem& item, std::string& out);
/// Appends the reply of a batch: `items`, each with its status.
void render_batch(const RenderContext& context, const Answer& answer, std::string& out);
/// Appends the reply to a query.
Rendered render_reading(const RenderContext& context, const Reading& reading, std::string& out);

/// A refusal that no event recorded.
struct PlainProblem {
  model::Outcome outcome = model::Outcome::not_found;
  std::string_view detail;
  base::Tag128 trace{};  ///< all zero: left out
  std::vector<wire::FieldProblem> fields;
};
/// Appends problem+json (RFC 9457).
Rendered render_problem(const PlainProblem& problem, std::string& out);

/// The text behind a problem's `type`: what the table of outcomes says of it.
std::string explain_problem(const model::OutcomeRow& row);

}  // namespace edge
