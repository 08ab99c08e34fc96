#include "core/reconciliation/matching.h"

#include <tuple>
#include <vector>

namespace core {

using model::ExceptionKind;
using model::ExceptionParty;
using model::LineResult;
using model::MatchedBy;

namespace {

// Smaller agrees better. Total: identities differ.
auto rank_of(const LineFacts& line, const AttemptRecord& attempt) {
  return std::tuple(line.amount != attempt.expected(line.credit), line.booked_at_ns, line.identity);
}

}  // namespace

LineFacts facts_of(const LineRecord& line) {
  return {.amount = line.amount,
          .booked_at_ns = line.booked_at_ns,
          .identity = line.identity,
          .rail_reference_key = line.rail_reference_key,
          .credit = line.credit != 0,
          .other_asset = line.other_asset != 0};
}

// Another line agrees better: this one is the second of its attempt.
void Matching::demote(model::EventNumber number, const AttemptRecord& attempt) {
  const LineRecord line = desk_.line(number);
  desk_.emit(model::LineLinked{.line = number,
                               .result = LineResult::duplicate,
                               .attempt = attempt.started,
                               .belongs_to = attempt.transfer,
                               .matched_by = line.matched_by});
  desk_.explain(line.exception);
  desk_.open_for_line(number, ExceptionKind::duplicate, ExceptionParty::rail, 0, statement_);
}

// What only resembled the attempt is nobody's again.
void Matching::loosen(model::EventNumber number) {
  desk_.emit(model::LineLinked{.line = number, .result = LineResult::missing_here, .attempt = 0, .belongs_to = 0, .matched_by = 0});
  desk_.open_for_line(number, ExceptionKind::missing_here, ExceptionParty::operator_, 0, statement_);
}

LineResult Matching::make_room(const LineFacts& line, model::EventNumber started) {
  if (line.other_asset) return LineResult::currency_differs;
  const AttemptRecord attempt = *desk_.attempt(started);
  const bool forward = line.credit == (attempt.inbound != 0);
  const model::EventNumber standing = forward ? attempt.line : attempt.return_line;
  if (standing != 0) {
    const LineRecord& other = desk_.line(standing);
    if (other.is_loose()) {
      loosen(standing);
    } else if (other.decided != 0 || rank_of(facts_of(other), attempt) < rank_of(line, attempt)) {
      return LineResult::duplicate;
    } else {
      demote(standing, attempt);
    }
  }
  return line.amount == attempt.expected(line.credit) ? LineResult::matched : LineResult::amount_differs;
}

void Matching::follow(const LineFacts& line, model::EventNumber started, LineResult result, model::EventNumber number) {
  const AttemptRecord attempt = *desk_.attempt(started);
  switch (result) {
    case LineResult::currency_differs:
      return desk_.open_for_line(number, ExceptionKind::currency_differs, ExceptionParty::rail, attempt.expected(line.credit), statement_);
    case LineResult::duplicate:
      return desk_.open_for_line(number, ExceptionKind::duplicate, ExceptionParty::rail, 0, statement_);
    case LineResult::amount_differs:
      desk_.open_for_line(number, ExceptionKind::amount_differs, ExceptionParty::rail, attempt.expected(line.credit), statement_);
      break;
    case LineResult::matched:
    case LineResult::missing_here:
      break;
  }
  desk_.explain(attempt.missing, started);
  if (line.credit == (attempt.inbound != 0)) {
    desk_.report_settled(attempt, line.rail_reference_key);
  } else {
    desk_.report_returned(attempt, line.rail_reference_key);
  }
}

void Matching::claim(const base::Tag128& key, model::EventNumber started) {
  if (key == base::Tag128{}) return;
  const AttemptRecord* first = desk_.attempt_by_rail_reference(key);
  if (first == nullptr || first->started != started) return;   // the rail gave it to another attempt before
  if (const OrphanRecord* orphan = desk_.tables().orphan_by_rail_reference(key); orphan != nullptr && orphan->rail == first->rail) {
    desk_.adopt(*orphan, *first, model::ExceptionEnd::explained);
  }
  const auto& loose = desk_.tables().loose_by_reference();
  for (auto next = loose.lower_bound({key, 0}); next != loose.end() && next->first == key; ++next) {
    const LineRecord line = desk_.line(next->second);
    if (!line.is_loose()) continue;   // claimed by this decision before
    desk_.explain(line.exception, started);
    tie(facts_of(line), started, [&](LineResult result) {
      desk_.emit(model::LineLinked{.line = line.recorded,
                                   .result = result,
                                   .attempt = started,
                                   .belongs_to = desk_.attempt(started)->transfer,
                                   .matched_by = static_cast<std::uint8_t>(MatchedBy::rail_reference)});
      return line.recorded;
    });
  }
}

}  // namespace core
