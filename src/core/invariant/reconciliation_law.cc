#include <set>

#include "core/invariant/laws.h"

namespace core {

using model::ExceptionKind;
using model::LineResult;

namespace {

// The exception that a line of that result must have had; nothing for a match.
std::optional<ExceptionKind> kind_of(LineResult result) {
  switch (result) {
    case LineResult::matched: return std::nullopt;
    case LineResult::missing_here: return ExceptionKind::missing_here;
    case LineResult::amount_differs: return ExceptionKind::amount_differs;
    case LineResult::currency_differs: return ExceptionKind::currency_differs;
    case LineResult::duplicate: return ExceptionKind::duplicate;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Violation> LinesAreExplained::judge(const State& state, const LineRecord& line) const {
  const ReconciliationTables& tables = state.reconciliation();
  const auto broken = [&](const char* what) { return Violation{name(), "line " + std::to_string(line.recorded) + " " + what, 0}; };
  const AttemptRecord* attempt = line.attempt == 0 ? nullptr : tables.attempt(line.attempt);
  if (line.attempt != 0 && (attempt == nullptr || attempt->rail != line.rail)) return broken("belongs to no attempt of its rail");
  if ((line.attempt == 0) != (line.what() == LineResult::missing_here)) return broken("is missing here and belongs to something, or neither");
  if (line.what() == LineResult::matched && line.amount != attempt->expected(line.credit != 0)) return broken("is matched with another amount");
  const bool stands = line.what() == LineResult::matched || line.what() == LineResult::amount_differs;
  const bool named = attempt != nullptr && (attempt->line == line.recorded || attempt->return_line == line.recorded);
  if (stands != named) return broken("and its attempt do not agree about who stands for whom");
  const ExceptionRecord* exception = line.exception == 0 ? nullptr : tables.exception(line.exception);
  const auto kind = kind_of(line.what());
  if (!kind && exception != nullptr && exception->is_open()) return broken("is matched and has an open exception");
  if (kind && (exception == nullptr || exception->what() != *kind || exception->line != line.recorded)) return broken("does not agree, and nobody is told");
  if (kind && !exception->is_open() && line.decided == 0) return broken("does not agree, and nobody decided that it need not");
  return std::nullopt;
}

std::optional<Violation> LinesAreExplained::check(const State& state) {
  const ReconciliationTables& tables = state.reconciliation();
  for (std::size_t slot = 0; slot < tables.line_count(); ++slot) {
    if (auto violation = judge(state, tables.line_at(slot))) return violation;
  }
  std::size_t open = 0;
  for (std::size_t slot = 0; slot < tables.exception_count(); ++slot) open += tables.exception_at(slot).is_open();
  if (open != tables.open_exceptions()) return Violation{name(), "open exceptions are miscounted", 0};
  for (std::size_t slot = 0; slot < tables.attempt_count(); ++slot) {
    const AttemptRecord& attempt = tables.attempt_at(slot);
    const ExceptionRecord* missing = attempt.missing == 0 ? nullptr : tables.exception(attempt.missing);
    if (missing != nullptr && missing->is_open() && attempt.line != 0) {
      return Violation{name(), "attempt " + std::to_string(attempt.started) + " is on a statement and missing there", 0};
    }
  }
  return std::nullopt;
}

std::optional<Violation> LinesAreExplained::check_touched(const State& state, std::span<const model::Event> events) {
  std::set<model::EventNumber> lines;
  model::EventNumber number = state.head().next_event - events.size();
  for (const model::Event& event : events) {
    if (std::holds_alternative<model::LineRecorded>(event.body)) lines.insert(number);
    if (const auto* linked = std::get_if<model::LineLinked>(&event.body)) lines.insert(linked->line);
    if (const auto* opened = std::get_if<model::ExceptionOpened>(&event.body); opened != nullptr && opened->line != 0) lines.insert(opened->line);
    ++number;
  }
  for (const model::EventNumber line : lines) {
    if (auto violation = judge(state, *state.reconciliation().line(line))) return violation;
  }
  return std::nullopt;
}

}  // namespace core
