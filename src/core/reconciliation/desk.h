#pragma once
// A decision about statements in the making: the records of reconciliation with the steps of this decision laid over them, so that
// each line sees the ones before.

#include <unordered_map>

#include "core/reconciliation/reconciliation.h"
#include "core/tables/reconciliation_fold.h"

namespace core {

class Desk {
 public:
  explicit Desk(Draft& draft) : draft_(draft), memory_{draft.state(), {}, {}, {}, {}, {}} {}

  Draft& draft() { return draft_; }
  const ReconciliationTables& tables() const { return draft_.state().reconciliation(); }

  /// Adds an event and lays it over the records; gives its number.
  template <typename Body>
  model::EventNumber emit(Body body) {
    const model::EventNumber number = draft_.emit(body);
    fold_reconciliation(memory_, body, number, draft_.at());
    return number;
  }

  /// Records as this decision sees them so far; null where there is none.
  const AttemptRecord* attempt(model::EventNumber started);
  const AttemptRecord* attempt_by_rail_reference(const base::Tag128& key);
  /// The rail calls the attempt so, by what was told outside of this desk.
  void learn(model::EventNumber started, const base::Tag128& rail_reference_key);
  const LineRecord& line(model::EventNumber recorded) { return memory_.line(recorded); }
  const ExceptionRecord* exception(model::EventNumber opened);
  const OrphanRecord* orphan(model::EventNumber recorded) const { return tables().orphan(recorded); }

  /// Judges what somebody says of an attempt, and what a line has to do with it then.
  void take(const model::ReportRail& report);
  /// Drives the attempt's transfer as a report does that comes on a statement, if that is news.
  void report_settled(const AttemptRecord& attempt, const base::Tag128& rail_reference_key);
  void report_returned(const AttemptRecord& attempt, const base::Tag128& rail_reference_key);
  /// The same with what an orphan says, once its attempt is known; the orphan's exception ends.
  void adopt(const OrphanRecord& orphan, const AttemptRecord& attempt, model::ExceptionEnd end);

  /// Ends an exception by evidence, if it is open.
  void explain(model::EventNumber exception, model::EventNumber attempt = 0);
  /// Nothing of ours, or nothing more, stands behind a line. The party is the rail's unless nothing else is said.
  void open_for_line(model::EventNumber line, model::ExceptionKind kind, model::ExceptionParty party, base::U128 expected,
                     model::EventNumber statement);
  /// No statement shows an attempt that complete ones should show; nothing if that is not so.
  void open_if_missing(model::EventNumber attempt, model::EventNumber statement);

 private:
  struct Memory {
    const State& state;
    std::unordered_map<model::EventNumber, AttemptRecord> attempts;
    std::unordered_map<model::EventNumber, LineRecord> lines;
    std::unordered_map<model::EventNumber, ExceptionRecord> exceptions;
    std::unordered_map<model::EventNumber, OrphanRecord> orphans;
    std::unordered_map<model::EventNumber, StatementRecord> statements;

    AttemptRecord& attempt(model::EventNumber number);
    AttemptRecord& new_attempt(model::EventNumber number);
    model::EventNumber newest_attempt(model::EventNumber transfer) const;
    bool is_known(const base::Tag128& rail_reference_key) const;
    LineRecord& line(model::EventNumber number);
    LineRecord& new_line(model::EventNumber number);
    ExceptionRecord& exception(model::EventNumber number);
    ExceptionRecord& new_exception(model::EventNumber number);
    OrphanRecord& orphan(model::EventNumber number);
    OrphanRecord& new_orphan(model::EventNumber number);
    StatementRecord& statement(model::EventNumber number);
    StatementRecord& new_statement(model::EventNumber number);
  };
  void report(const AttemptRecord& attempt, model::ReportRail report);
  void compare_again(model::EventNumber started);

  Draft& draft_;
  Memory memory_;
};

}  // namespace core
