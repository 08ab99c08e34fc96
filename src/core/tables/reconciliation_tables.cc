#include "core/tables/reconciliation_tables.h"

#include <cstring>

#include "base/check.h"
#include "core/tables/reconciliation_fold.h"
#include "core/tables/saga_tables.h"

namespace core {

namespace {

base::Error malformed(const char* what) { return {"snapshot_state_malformed", what}; }

model::EventNumber number_of(const AttemptRecord& record) { return record.started; }
model::EventNumber number_of(const LineRecord& record) { return record.recorded; }
model::EventNumber number_of(const ExceptionRecord& record) { return record.opened; }
model::EventNumber number_of(const OrphanRecord& record) { return record.recorded; }
model::EventNumber number_of(const StatementRecord& record) { return record.recorded; }

// The slot of a number in a table whose numbers ascend; its size if there is none.
template <typename Record>
std::size_t slot_of(const CowArray<Record>& table, model::EventNumber number) {
  std::size_t low = 0, high = table.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (number_of(table[middle]) < number) low = middle + 1;
    else high = middle;
  }
  return low < table.size() && number_of(table[low]) == number ? low : table.size();
}

template <typename Record>
const Record* find(const CowArray<Record>& table, model::EventNumber number) {
  const std::size_t slot = slot_of(table, number);
  return slot == table.size() ? nullptr : &table[slot];
}

template <typename Record>
Record& writable(CowArray<Record>& table, model::EventNumber number) {
  const std::size_t slot = slot_of(table, number);
  CHECK_THAT(slot < table.size(), "an event of reconciliation names what is known");
  return table.writable(slot);
}

template <typename Record>
Record& append(CowArray<Record>& table, model::EventNumber Record::*identity, model::EventNumber number) {
  Record record;
  record.*identity = number;
  table.push_back(record);
  return table.writable(table.size() - 1);
}

template <typename Record>
bool ascends(const CowArray<Record>& table, model::EventNumber next_event) {
  model::EventNumber last = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (number_of(table[i]) <= last || number_of(table[i]) >= next_event) return false;
    last = number_of(table[i]);
  }
  return true;
}

template <typename Set, typename Key>
void put(Set& set, const Key& key, bool present) {
  if (present) set.insert(key);
  else set.erase(key);
}

}  // namespace

std::size_t ReconciliationTables::TagHash::operator()(const base::Tag128& tag) const {
  std::size_t hash = 0;   // keyed hashes are spread already
  std::memcpy(&hash, tag.data(), sizeof hash);
  return hash;
}

const AttemptRecord* ReconciliationTables::attempt(model::EventNumber started) const { return find(attempts_, started); }
const LineRecord* ReconciliationTables::line(model::EventNumber recorded) const { return find(lines_, recorded); }
const ExceptionRecord* ReconciliationTables::exception(model::EventNumber opened) const { return find(exceptions_, opened); }
const OrphanRecord* ReconciliationTables::orphan(model::EventNumber recorded) const { return find(orphans_, recorded); }
const StatementRecord* ReconciliationTables::statement(model::EventNumber recorded) const { return find(statements_, recorded); }

const AttemptRecord* ReconciliationTables::attempt_by_rail_reference(const base::Tag128& key) const {
  const auto found = attempts_by_key_.find(key);
  return found == attempts_by_key_.end() ? nullptr : attempt(found->second);
}
const LineRecord* ReconciliationTables::line_by_identity(const base::Tag128& identity) const {
  const auto found = lines_by_identity_.find(identity);
  return found == lines_by_identity_.end() ? nullptr : line(found->second);
}
const StatementRecord* ReconciliationTables::statement_by_file(const base::Tag128& file) const {
  const auto found = statements_by_file_.find(file);
  return found == statements_by_file_.end() ? nullptr : statement(found->second);
}
const OrphanRecord* ReconciliationTables::orphan_by_rail_reference(const base::Tag128& key) const {
  const auto found = orphans_by_key_.find(key);
  return found == orphans_by_key_.end() ? nullptr : orphan(found->second);
}

bool ReconciliationTables::is_covered(model::RailNumber rail, std::int64_t from_ns, std::int64_t until_ns) const {
  const auto of_rail = covered_.find(rail);
  if (of_rail == covered_.end()) return false;
  auto after = of_rail->second.upper_bound(from_ns);
  if (after == of_rail->second.begin()) return false;
  return until_ns < std::prev(after)->second;
}

// --- indexes ----------------------------------------------------------------------------------------------------------------

void ReconciliationTables::index_attempt(const AttemptRecord& record, bool present) {
  if (present && record.rail_reference_key != base::Tag128{}) attempts_by_key_.emplace(record.rail_reference_key, record.started);
  const bool unclaimed = present && record.is_unclaimed();
  if (record.settled_at_ns == 0) return;
  put(unclaimed_attempts_, Alike{record.rail, record.inbound != 0, record.moved(), record.settled_at_ns, record.started}, unclaimed);
  put(unclaimed_by_time_, Timed{record.rail, record.settled_at_ns, record.started}, unclaimed);
}

void ReconciliationTables::index_line(const LineRecord& record, bool present) {
  if (present) lines_by_identity_.emplace(record.identity, record.recorded);
  const bool loose = present && record.is_loose();
  put(loose_lines_, Alike{record.rail, record.credit != 0, record.amount, record.booked_at_ns, record.recorded}, loose);
  put(loose_by_time_, Timed{record.rail, record.booked_at_ns, record.recorded}, loose);
  if (record.rail_reference_key != base::Tag128{}) put(loose_by_reference_, std::pair(record.rail_reference_key, record.recorded), loose);
}

void ReconciliationTables::index_orphan(const OrphanRecord& record, bool present) {
  const bool named = record.rail_reference_key != base::Tag128{};
  if (named && present) orphans_by_key_.emplace(record.rail_reference_key, record.recorded);
  if (named && !present) orphans_by_key_.erase(record.rail_reference_key);
  if (!named && present) ++nameless_orphans_;
  if (!named && !present) --nameless_orphans_;
}

void ReconciliationTables::index_statement(const StatementRecord& record) {
  statements_by_file_.emplace(record.file, record.recorded);
  if (!record.is_complete()) return;
  put(unswept_, record.recorded, record.swept == 0);
  cover(record);
}

// Periods that touch become one.
void ReconciliationTables::cover(const StatementRecord& statement) {
  auto& periods = covered_[statement.rail];
  std::int64_t from = statement.from_ns, until = statement.until_ns;
  auto next = periods.upper_bound(from);
  if (next != periods.begin() && std::prev(next)->second >= from) --next;
  while (next != periods.end() && next->first <= until) {
    from = std::min(from, next->first);
    until = std::max(until, next->second);
    next = periods.erase(next);
  }
  periods.emplace(from, until);
}

// --- events -----------------------------------------------------------------------------------------------------------------

// Takes what the fold touches out of the indexes, and puts it back as it is afterwards.
struct ReconciliationTables::Writer {
  ReconciliationTables& tables;
  const SagaTables& sagas;
  std::vector<model::EventNumber> attempts, lines, statements;

  template <typename Touched>
  static bool note(Touched& touched, model::EventNumber number) {
    if (std::find(touched.begin(), touched.end(), number) != touched.end()) return false;
    touched.push_back(number);
    return true;
  }
  AttemptRecord& attempt(model::EventNumber number) {
    AttemptRecord& record = writable(tables.attempts_, number);
    if (note(attempts, number)) tables.index_attempt(record, false);
    return record;
  }
  AttemptRecord& new_attempt(model::EventNumber number) {
    attempts.push_back(number);
    return append(tables.attempts_, &AttemptRecord::started, number);
  }
  model::EventNumber newest_attempt(model::EventNumber transfer) {
    const TransferRecord* record = sagas.transfer(transfer);
    return record == nullptr ? 0 : record->attempt_event;
  }
  bool is_known(const base::Tag128& rail_reference_key) const { return tables.attempt_by_rail_reference(rail_reference_key) != nullptr; }
  LineRecord& line(model::EventNumber number) {
    LineRecord& record = writable(tables.lines_, number);
    if (note(lines, number)) tables.index_line(record, false);
    return record;
  }
  LineRecord& new_line(model::EventNumber number) {
    lines.push_back(number);
    return append(tables.lines_, &LineRecord::recorded, number);
  }
  ExceptionRecord& exception(model::EventNumber number) { return writable(tables.exceptions_, number); }
  ExceptionRecord& new_exception(model::EventNumber number) { return append(tables.exceptions_, &ExceptionRecord::opened, number); }
  OrphanRecord& orphan(model::EventNumber number) { return writable(tables.orphans_, number); }
  OrphanRecord& new_orphan(model::EventNumber number) { return append(tables.orphans_, &OrphanRecord::recorded, number); }
  StatementRecord& statement(model::EventNumber number) {
    note(statements, number);
    return writable(tables.statements_, number);
  }
  StatementRecord& new_statement(model::EventNumber number) {
    statements.push_back(number);
    return append(tables.statements_, &StatementRecord::recorded, number);
  }
  void index() {
    for (const model::EventNumber number : attempts) tables.index_attempt(*tables.attempt(number), true);
    for (const model::EventNumber number : lines) tables.index_line(*tables.line(number), true);
    for (const model::EventNumber number : statements) tables.index_statement(*tables.statement(number));
  }
};

template <typename Body>
void ReconciliationTables::apply(const Body& body, model::EventNumber number, base::Instant at, const SagaTables& sagas) {
  Writer writer{*this, sagas, {}, {}, {}};
  fold_reconciliation(writer, body, number, at);
  writer.index();
  if constexpr (std::is_same_v<Body, model::OrphanRecorded>) index_orphan(*orphan(number), true);
  if constexpr (std::is_same_v<Body, model::ExceptionOpened>) ++open_exceptions_;
  if constexpr (std::is_same_v<Body, model::ExceptionResolved>) {
    --open_exceptions_;
    const ExceptionRecord& ended = *exception(body.exception);
    if (ended.orphan != 0) index_orphan(*orphan(ended.orphan), false);
  }
}

template void ReconciliationTables::apply(const model::AttemptStarted&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::AttemptReported&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::TransferMoved&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::StatementRecorded&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::LineRecorded&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::LineLinked&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::ExceptionOpened&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::ExceptionVoted&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::ExceptionResolved&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::OrphanRecorded&, model::EventNumber, base::Instant, const SagaTables&);
template void ReconciliationTables::apply(const model::StatementSwept&, model::EventNumber, base::Instant, const SagaTables&);

ReconciliationTables::Frozen ReconciliationTables::freeze() const {
  return {attempts_.freeze(), lines_.freeze(), exceptions_.freeze(), orphans_.freeze(), statements_.freeze()};
}

base::Status ReconciliationTables::rebuild_derived(model::EventNumber next_event, const SagaTables& sagas) {
  if (!ascends(attempts_, next_event) || !ascends(lines_, next_event) || !ascends(exceptions_, next_event) || !ascends(orphans_, next_event) ||
      !ascends(statements_, next_event)) {
    return malformed("records of reconciliation are out of order");
  }
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    const AttemptRecord& record = attempts_[i];
    if (sagas.rail(record.rail) == nullptr || sagas.transfer(record.transfer) == nullptr) return malformed("an attempt names no rail or transfer");
    if ((record.line != 0 && line(record.line) == nullptr) || (record.return_line != 0 && line(record.return_line) == nullptr)) {
      return malformed("an attempt names no line");
    }
    index_attempt(record, true);
  }
  for (std::uint32_t slot = 0; slot < sagas.slot_count(); ++slot) {
    const TransferRecord& transfer = sagas.slot(slot);
    if (transfer.requested != 0 && transfer.attempt_event != 0 && attempt(transfer.attempt_event) == nullptr) {
      return malformed("an attempt is not known to reconciliation");
    }
  }
  for (std::size_t i = 0; i < statements_.size(); ++i) {
    const StatementRecord& record = statements_[i];
    if (sagas.rail(record.rail) == nullptr || record.parts_taken > record.parts) return malformed("a statement makes no sense");
    index_statement(record);
  }
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const LineRecord& record = lines_[i];
    if (statement(record.statement) == nullptr || (record.attempt != 0 && attempt(record.attempt) == nullptr) ||
        (record.exception != 0 && exception(record.exception) == nullptr)) {
      return malformed("a line of a statement makes no sense");
    }
    index_line(record, true);
  }
  for (std::size_t i = 0; i < exceptions_.size(); ++i) {
    const ExceptionRecord& record = exceptions_[i];
    if (sagas.rail(record.rail) == nullptr || (record.line != 0 && line(record.line) == nullptr) ||
        (record.orphan != 0 && orphan(record.orphan) == nullptr) || (record.attempt != 0 && attempt(record.attempt) == nullptr)) {
      return malformed("an exception makes no sense");
    }
    if (record.is_open()) ++open_exceptions_;
    if (record.is_open() && record.orphan != 0) index_orphan(*orphan(record.orphan), true);
  }
  return base::ok();
}

}  // namespace core
