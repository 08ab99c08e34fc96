// Taking statements: each line is known, or tied to an attempt by a reference, or nobody's for now.

#include <vector>

#include <set>

#include "base/check.h"
#include "core/reconciliation/matching.h"
#include "core/transfer/saga.h"

namespace core {

using model::ExceptionKind;
using model::ExceptionParty;
using model::LineResult;
using model::MatchedBy;
using model::Outcome;
using model::StatementLine;

namespace {

class Taking {
 public:
  Taking(Draft& draft, const model::RecordStatement& body)
      : desk_(draft), body_(body), rail_(*draft.state().sagas().rail(body.rail)), asset_(draft.state().asset(rail_.asset)->asset()) {}

  void run(model::EventNumber known_statement) {
    const std::vector<const StatementLine*> lines = new_lines();
    const model::EventNumber recorded = desk_.emit(recorded_event(known_statement, false, lines.size()));
    statement_ = known_statement == 0 ? recorded : known_statement;
    // Those with a reference first: what they say of a rail's own references counts for the others of the same part.
    for (const StatementLine* line : lines) {
      if (line->reference != 0) take(*line);
    }
    for (const StatementLine* line : lines) {
      if (line->reference == 0) take(*line);
    }
  }

  void repeat(model::EventNumber statement) { desk_.emit(recorded_event(statement, true, 0)); }

 private:
  std::vector<const StatementLine*> new_lines() const {
    std::vector<const StatementLine*> lines;
    std::set<base::Tag128> here;
    for (const StatementLine& line : body_.lines) {
      if (desk_.tables().line_by_identity(line.identity) == nullptr && here.insert(line.identity).second) lines.push_back(&line);
    }
    return lines;
  }

  model::StatementRecorded recorded_event(model::EventNumber statement, bool repeated, std::size_t lines_new) {
    return {.statement = statement,
            .rail = body_.rail,
            .format = body_.format,
            .file = body_.file,
            .name = body_.name,
            .from = body_.from,
            .until = std::min(body_.until, desk_.draft().at()),
            .part = body_.part,
            .parts = body_.parts,
            .lines_total = body_.lines_total,
            .lines_new = static_cast<std::uint32_t>(lines_new),
            .lines_known = repeated ? 0 : static_cast<std::uint32_t>(body_.lines.size() - lines_new),
            .repeated = repeated};
  }

  // The attempt that a reference of ours or of the rail names. A rail speaks of its own attempts only.
  const AttemptRecord* attempt_of(const StatementLine& line, MatchedBy& by) {
    const AttemptRecord* named = line.reference == 0 ? nullptr : desk_.attempt(line.reference);
    by = MatchedBy::our_reference;
    if (named != nullptr && named->rail == body_.rail) return named;
    if (line.rail_reference_key == base::Tag128{}) return nullptr;
    by = MatchedBy::rail_reference;
    return desk_.attempt_by_rail_reference(line.rail_reference_key);
  }

  void take(const StatementLine& line) {
    MatchedBy by = MatchedBy::our_reference;
    const AttemptRecord* attempt = attempt_of(line, by);
    model::LineRecorded recorded{.statement = statement_,
                                 .line = line.line,
                                 .rail = body_.rail,
                                 .amount = line.amount,
                                 .credit = line.credit,
                                 .booked_at = line.booked_at,
                                 .result = LineResult::missing_here,
                                 .attempt = 0,
                                 .belongs_to = 0,
                                 .matched_by = 0,
                                 .rail_reference_key = line.rail_reference_key,
                                 .identity = line.identity,
                                 .asset = line.asset == asset_ ? std::nullopt : std::optional(line.asset),
                                 .rail_reference = line.rail_reference};
    if (attempt == nullptr) {
      // A reference in our shape that names nothing of ours: somebody else uses them, or our books are younger than the rail's.
      const ExceptionParty party = line.named ? ExceptionParty::holdfast : ExceptionParty::operator_;
      desk_.open_for_line(desk_.emit(recorded), ExceptionKind::missing_here, party, 0, statement_);
      return;
    }
    const model::EventNumber started = attempt->started;
    recorded.attempt = started;
    recorded.belongs_to = attempt->transfer;
    recorded.matched_by = static_cast<std::uint8_t>(by);
    const LineFacts facts{.amount = line.amount,
                          .booked_at_ns = line.booked_at.ns,
                          .identity = line.identity,
                          .rail_reference_key = line.rail_reference_key,
                          .credit = line.credit,
                          .other_asset = recorded.asset.has_value()};
    Matching matching(desk_, statement_);
    matching.tie(facts, started, [&](LineResult result) {
      recorded.result = result;
      return desk_.emit(recorded);
    });
    if (by == MatchedBy::our_reference) matching.claim(line.rail_reference_key, started);
  }

  Desk desk_;
  const model::RecordStatement& body_;
  const RailRecord& rail_;
  const model::Asset asset_;
  model::EventNumber statement_ = 0;
};

}  // namespace

void decide(Draft& draft, const model::RecordStatement& body) {
  const ReconciliationTables& tables = draft.state().reconciliation();
  const ReconciliationBounds& bounds = draft.limits().reconciliation;
  const RailRecord* rail = draft.state().sagas().rail(body.rail);
  if (rail == nullptr || rail->tenant != draft.command().tenant) return draft.refuse(Outcome::rail_not_found, {.subject = body.rail});
  if (body.from >= body.until || body.from >= draft.at()) return draft.refuse(Outcome::statement_period_contradicts, {.subject = body.rail});
  const StatementRecord* known = tables.statement_by_file(body.file);
  const std::uint32_t taken = known == nullptr ? 0 : known->parts_taken;
  if (body.part == 0 || body.part > body.parts || body.part > taken + 1 || (known != nullptr && known->parts != body.parts)) {
    return draft.refuse(Outcome::statement_part_missing, {.subject = known == nullptr ? 0 : known->recorded});
  }
  if (known == nullptr && tables.statement_count() >= bounds.statements_max) return draft.refuse(Outcome::too_many_statements);
  if (tables.line_count() + body.lines.size() > bounds.lines_max) return draft.refuse(Outcome::too_many_statement_lines);
  if (tables.open_exceptions() + body.lines.size() > bounds.open_exceptions_max) return draft.refuse(Outcome::too_many_exceptions);
  Taking taking(draft, body);
  if (body.part <= taken) return taking.repeat(known->recorded);
  taking.run(known == nullptr ? 0 : known->recorded);
}

}  // namespace core
