// Comparing the books with complete statements, a bounded piece at a time: first the lines that name nothing, each of which may
// stand for the one settled attempt of its amount and date, then the attempts that should be on the statement.

#include <algorithm>

#include "core/reconciliation/matching.h"

namespace core {

using model::ExceptionKind;
using model::ExceptionParty;
using model::LineResult;
using model::MatchedBy;

namespace {

// The only number of a set within a time around an instant; 0 if there is none or more than one.
model::EventNumber only_one(const std::set<ReconciliationTables::Alike>& set, model::RailNumber rail, bool credit, base::U128 amount,
                            std::int64_t around_ns, std::int64_t within_ns) {
  auto next = set.lower_bound({rail, credit, amount, around_ns - within_ns, 0});
  const auto is_alike = [&] {
    return next != set.end() && std::get<0>(*next) == rail && std::get<1>(*next) == credit && std::get<2>(*next) == amount &&
           std::get<3>(*next) <= around_ns + within_ns;
  };
  if (!is_alike()) return 0;
  const model::EventNumber found = std::get<4>(*next);
  ++next;
  return is_alike() ? 0 : found;
}

class Sweep {
 public:
  Sweep(Draft& draft, const StatementRecord& statement)
      : desk_(draft), matching_(desk_, statement.recorded), statement_(statement), bounds_(draft.limits().reconciliation),
        steps_left_(bounds_.sweep_steps_max) {}

  void run() {
    model::StatementSwept swept{.statement = statement_.recorded,
                                .lines_to = {statement_.lines_to_ns},
                                .line = statement_.line_to,
                                .attempts_to = {statement_.attempts_to_ns},
                                .attempt = statement_.attempt_to,
                                .done = false};
    const bool through = sweep_lines(swept) && sweep_attempts(swept);
    if (through) {
      swept.lines_to = swept.attempts_to = {};
      swept.line = swept.attempt = 0;
      swept.done = true;
    }
    desk_.emit(swept);
  }

 private:
  bool sweep_lines(model::StatementSwept& swept) {
    const std::int64_t reach_ns = 2 * bounds_.match_within.ns;
    const auto& lines = desk_.tables().loose_lines_by_time();
    ReconciliationTables::Timed from{statement_.rail, std::max<std::int64_t>(statement_.look_from_ns - reach_ns, 0), 0};
    if (swept.line != 0) from = {statement_.rail, swept.lines_to.ns, swept.line + 1};
    for (auto next = lines.lower_bound(from); next != lines.end(); ++next) {
      const auto& [rail, booked_at_ns, number] = *next;
      if (rail != statement_.rail || booked_at_ns > statement_.look_until_ns + reach_ns) break;
      if (steps_left_-- == 0) return false;
      compare(desk_.line(number));
      swept.lines_to = {booked_at_ns};
      swept.line = number;
    }
    return true;
  }

  bool sweep_attempts(model::StatementSwept& swept) {
    const std::int64_t horizon_ns = desk_.draft().rail(statement_.rail).visibility_horizon_ns;
    const auto& attempts = desk_.tables().unclaimed_by_time();
    ReconciliationTables::Timed from{statement_.rail, std::max<std::int64_t>(statement_.look_from_ns - horizon_ns, 0), 0};
    if (swept.attempt != 0) from = {statement_.rail, swept.attempts_to.ns, swept.attempt + 1};
    for (auto next = attempts.lower_bound(from); next != attempts.end(); ++next) {
      const auto& [rail, settled_at_ns, number] = *next;
      if (rail != statement_.rail || settled_at_ns > statement_.look_until_ns) break;
      if (steps_left_-- == 0) return false;
      desk_.open_if_missing(number, statement_.recorded);
      swept.attempts_to = {settled_at_ns};
      swept.attempt = number;
    }
    return true;
  }

  // The attempt that a line may stand for: each is the only one for the other.
  model::EventNumber partner_of(const LineRecord& line) {
    const std::int64_t within_ns = bounds_.match_within.ns;
    const ReconciliationTables& tables = desk_.tables();
    const model::EventNumber started = only_one(tables.unclaimed_attempts(), line.rail, line.credit != 0, line.amount, line.booked_at_ns, within_ns);
    if (started == 0) return 0;
    const AttemptRecord& attempt = *tables.attempt(started);
    return only_one(tables.loose_lines(), line.rail, line.credit != 0, line.amount, attempt.settled_at_ns, within_ns) == line.recorded ? started : 0;
  }

  void compare(const LineRecord line) {
    const model::EventNumber partner = partner_of(line);
    if (partner == line.attempt) return;
    const AttemptRecord* attempt = partner == 0 ? nullptr : desk_.attempt(partner);
    desk_.emit(model::LineLinked{.line = line.recorded,
                                 .result = attempt == nullptr ? LineResult::missing_here : LineResult::matched,
                                 .attempt = partner,
                                 .belongs_to = attempt == nullptr ? 0 : attempt->transfer,
                                 .matched_by = attempt == nullptr ? std::uint8_t{0} : static_cast<std::uint8_t>(MatchedBy::amount_and_date)});
    if (line.attempt != 0) desk_.open_if_missing(line.attempt, statement_.recorded);
    if (partner == 0) {
      desk_.open_for_line(line.recorded, ExceptionKind::missing_here, ExceptionParty::operator_, 0, statement_.recorded);
    } else {
      desk_.explain(line.exception, partner);
      desk_.explain(desk_.attempt(partner)->missing, partner);
    }
  }

  Desk desk_;
  Matching matching_;
  const StatementRecord statement_;
  const ReconciliationBounds& bounds_;
  std::uint32_t steps_left_;
};

}  // namespace

void sweep_statements(Draft& draft) {
  const ReconciliationTables& tables = draft.state().reconciliation();
  if (tables.unswept().empty()) return;
  Sweep(draft, *tables.statement(*tables.unswept().begin())).run();
}

}  // namespace core
