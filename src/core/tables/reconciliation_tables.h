#pragma once
// The tables of reconciliation: what statements said, what does not agree, what rails told of things nobody knows. Part of
// core::State; changed by its apply() alone. Belongs to one thread; Frozen may be read anywhere.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/ledger/cow_array.h"
#include "core/tables/reconciliation_records.h"
#include "model/event.h"

namespace core {

class SagaTables;

class ReconciliationTables {
 public:
  const AttemptRecord* attempt(model::EventNumber started) const;
  const LineRecord* line(model::EventNumber recorded) const;
  const ExceptionRecord* exception(model::EventNumber opened) const;
  const OrphanRecord* orphan(model::EventNumber recorded) const;
  const StatementRecord* statement(model::EventNumber recorded) const;

  /// By keyed hashes; null if unknown. Of an orphan: one that nothing explains yet.
  const AttemptRecord* attempt_by_rail_reference(const base::Tag128& key) const;
  const LineRecord* line_by_identity(const base::Tag128& identity) const;
  const StatementRecord* statement_by_file(const base::Tag128& file) const;
  const OrphanRecord* orphan_by_rail_reference(const base::Tag128& key) const;

  std::size_t line_count() const { return lines_.size(); }
  const LineRecord& line_at(std::size_t slot) const { return lines_[slot]; }
  std::size_t attempt_count() const { return attempts_.size(); }
  const AttemptRecord& attempt_at(std::size_t slot) const { return attempts_[slot]; }
  std::size_t exception_count() const { return exceptions_.size(); }
  const ExceptionRecord& exception_at(std::size_t slot) const { return exceptions_[slot]; }
  std::size_t statement_count() const { return statements_.size(); }
  const StatementRecord& statement_at(std::size_t slot) const { return statements_[slot]; }
  std::size_t open_exceptions() const { return open_exceptions_; }
  std::size_t open_orphans() const { return orphans_by_key_.size() + nameless_orphans_; }

  /// What could belong together without a reference, by what must be alike and then by time: rail, credit, amount, instant, number.
  using Alike = std::tuple<model::RailNumber, bool, base::U128, std::int64_t, model::EventNumber>;
  const std::set<Alike>& loose_lines() const { return loose_lines_; }
  const std::set<Alike>& unclaimed_attempts() const { return unclaimed_attempts_; }
  /// The same by time alone: rail, instant, number.
  using Timed = std::tuple<model::RailNumber, std::int64_t, model::EventNumber>;
  const std::set<Timed>& loose_lines_by_time() const { return loose_by_time_; }
  const std::set<Timed>& unclaimed_by_time() const { return unclaimed_by_time_; }
  /// Loose lines that have a reference of the rail's own, by its keyed hash.
  const std::set<std::pair<base::Tag128, model::EventNumber>>& loose_by_reference() const { return loose_by_reference_; }

  /// Complete statements that the books were not compared with to the end, oldest first.
  const std::set<model::EventNumber>& unswept() const { return unswept_; }
  /// True if complete statements of the rail show everything booked in [from, until].
  bool is_covered(model::RailNumber rail, std::int64_t from_ns, std::int64_t until_ns) const;

  /// True for events that these tables take alone; AttemptStarted, AttemptReported and TransferMoved they take besides.
  template <typename Body>
  static constexpr bool is_own =
      std::is_same_v<Body, model::StatementRecorded> || std::is_same_v<Body, model::LineRecorded> || std::is_same_v<Body, model::LineLinked> ||
      std::is_same_v<Body, model::ExceptionOpened> || std::is_same_v<Body, model::ExceptionVoted> ||
      std::is_same_v<Body, model::ExceptionResolved> || std::is_same_v<Body, model::OrphanRecorded> || std::is_same_v<Body, model::StatementSwept>;

  /// Takes an event, before the sagas do: `sagas` are as they were.
  template <typename Body>
  void apply(const Body& body, model::EventNumber number, base::Instant at, const SagaTables& sagas);

  struct Frozen {
    CowArray<AttemptRecord>::Frozen attempts;
    CowArray<LineRecord>::Frozen lines;
    CowArray<ExceptionRecord>::Frozen exceptions;
    CowArray<OrphanRecord>::Frozen orphans;
    CowArray<StatementRecord>::Frozen statements;
  };
  Frozen freeze() const;

 private:
  friend class StateLoader;
  friend class State;
  struct Writer;
  struct TagHash {
    std::size_t operator()(const base::Tag128& tag) const;
  };
  void index_attempt(const AttemptRecord& record, bool present);
  void index_line(const LineRecord& record, bool present);
  void index_orphan(const OrphanRecord& record, bool present);
  void index_statement(const StatementRecord& record);
  void cover(const StatementRecord& statement);
  /// Errors: `snapshot_state_malformed`.
  base::Status rebuild_derived(model::EventNumber next_event, const SagaTables& sagas);

  CowArray<AttemptRecord> attempts_;
  CowArray<LineRecord> lines_;
  CowArray<ExceptionRecord> exceptions_;
  CowArray<OrphanRecord> orphans_;
  CowArray<StatementRecord> statements_;
  // Derived from the tables, rebuilt on load; hash maps are never iterated. They give the number of a record.
  std::unordered_map<base::Tag128, model::EventNumber, TagHash> attempts_by_key_;
  std::unordered_map<base::Tag128, model::EventNumber, TagHash> lines_by_identity_;
  std::unordered_map<base::Tag128, model::EventNumber, TagHash> statements_by_file_;
  std::unordered_map<base::Tag128, model::EventNumber, TagHash> orphans_by_key_;
  std::size_t nameless_orphans_ = 0;
  std::size_t open_exceptions_ = 0;
  std::set<Alike> loose_lines_;
  std::set<Alike> unclaimed_attempts_;
  std::set<Timed> loose_by_time_;
  std::set<std::pair<base::Tag128, model::EventNumber>> loose_by_reference_;
  std::set<Timed> unclaimed_by_time_;
  std::set<model::EventNumber> unswept_;
  std::map<model::RailNumber, std::map<std::int64_t, std::int64_t>> covered_;   // from -> until, apart from each other
};

}  // namespace core
