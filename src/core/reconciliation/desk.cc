#include "core/reconciliation/desk.h"

#include <algorithm>
#include <variant>

#include "base/check.h"
#include "core/transfer/saga.h"

namespace core {

namespace {

template <typename Record>
Record& over(std::unordered_map<model::EventNumber, Record>& overlay, model::EventNumber number, const Record* below) {
  const auto found = overlay.find(number);
  if (found != overlay.end()) return found->second;
  CHECK_THAT(below != nullptr, "a step of reconciliation names what is known");
  return overlay.emplace(number, *below).first->second;
}

template <typename Record>
Record& made(std::unordered_map<model::EventNumber, Record>& overlay, model::EventNumber Record::*identity, model::EventNumber number) {
  Record& record = overlay[number];
  record.*identity = number;
  return record;
}

}  // namespace

AttemptRecord& Desk::Memory::attempt(model::EventNumber number) { return over(attempts, number, state.reconciliation().attempt(number)); }
AttemptRecord& Desk::Memory::new_attempt(model::EventNumber number) { return made(attempts, &AttemptRecord::started, number); }
model::EventNumber Desk::Memory::newest_attempt(model::EventNumber transfer) const {
  const TransferRecord* record = state.sagas().transfer(transfer);
  return record == nullptr ? 0 : record->attempt_event;
}
bool Desk::Memory::is_known(const base::Tag128& key) const {
  if (state.reconciliation().attempt_by_rail_reference(key) != nullptr) return true;
  return std::any_of(attempts.begin(), attempts.end(), [&](const auto& entry) { return entry.second.rail_reference_key == key; });
}
LineRecord& Desk::Memory::line(model::EventNumber number) { return over(lines, number, state.reconciliation().line(number)); }
LineRecord& Desk::Memory::new_line(model::EventNumber number) { return made(lines, &LineRecord::recorded, number); }
ExceptionRecord& Desk::Memory::exception(model::EventNumber number) { return over(exceptions, number, state.reconciliation().exception(number)); }
ExceptionRecord& Desk::Memory::new_exception(model::EventNumber number) { return made(exceptions, &ExceptionRecord::opened, number); }
OrphanRecord& Desk::Memory::orphan(model::EventNumber number) { return over(orphans, number, state.reconciliation().orphan(number)); }
OrphanRecord& Desk::Memory::new_orphan(model::EventNumber number) { return made(orphans, &OrphanRecord::recorded, number); }
StatementRecord& Desk::Memory::statement(model::EventNumber number) { return over(statements, number, state.reconciliation().statement(number)); }
StatementRecord& Desk::Memory::new_statement(model::EventNumber number) { return made(statements, &StatementRecord::recorded, number); }

const AttemptRecord* Desk::attempt(model::EventNumber started) {
  const auto found = memory_.attempts.find(started);
  return found != memory_.attempts.end() ? &found->second : tables().attempt(started);
}

// A reference that an earlier line of the same part gave to an attempt counts for the later ones. No two attempts have it.
const AttemptRecord* Desk::attempt_by_rail_reference(const base::Tag128& key) {
  if (const AttemptRecord* known = tables().attempt_by_rail_reference(key)) return attempt(known->started);
  const auto found = std::find_if(memory_.attempts.begin(), memory_.attempts.end(), [&](const auto& entry) { return entry.second.rail_reference_key == key; });
  return found == memory_.attempts.end() ? nullptr : &found->second;
}

void Desk::learn(model::EventNumber started, const base::Tag128& key) {
  reconciliation_detail::learn(memory_, memory_.attempt(started), key);
}

const ExceptionRecord* Desk::exception(model::EventNumber opened) {
  const auto found = memory_.exceptions.find(opened);
  return found != memory_.exceptions.end() ? &found->second : tables().exception(opened);
}

// --- reports ----------------------------------------------------------------------------------------------------------------

void Desk::report(const AttemptRecord& attempt, model::ReportRail report) {
  report.reference = attempt.started;
  report.transfer = attempt.transfer;
  report.attempt = attempt.attempt;
  report.rail = attempt.rail;
  if (draft_.find_transfer(attempt.transfer) != nullptr) take(report);
}

void Desk::take(const model::ReportRail& report) {
  const std::size_t before = draft_.event_count();
  judge(draft_, report);
  for (const model::Event& event : draft_.events_from(before)) {
    if (const auto* reported = std::get_if<model::AttemptReported>(&event.body)) fold_reconciliation(memory_, *reported, 0, draft_.at());
  }
  compare_again(report.reference);
}

// Our books may say another amount than before: what stands on a statement agrees now, or no longer does.
void Desk::compare_again(model::EventNumber started) {
  const AttemptRecord* known = attempt(started);
  if (known == nullptr || known->line == 0) return;
  const AttemptRecord record = *known;
  const LineRecord standing = line(record.line);
  const bool agrees = standing.amount == record.expected(standing.credit != 0);
  if (standing.decided != 0 || agrees == (standing.what() == model::LineResult::matched)) return;
  emit(model::LineLinked{.line = standing.recorded,
                         .result = agrees ? model::LineResult::matched : model::LineResult::amount_differs,
                         .attempt = started,
                         .belongs_to = record.transfer,
                         .matched_by = standing.matched_by});
  if (agrees) return explain(standing.exception, started);
  open_for_line(standing.recorded, model::ExceptionKind::amount_differs, model::ExceptionParty::rail, record.expected(standing.credit != 0), standing.statement);
}

void Desk::report_settled(const AttemptRecord& attempt, const base::Tag128& rail_reference_key) {
  if (attempt.settled_at_ns != 0) return;
  report(attempt, {.source = model::ReportSource::statement,
                   .result = model::RailResult::settled,
                   .amount = {},
                   .asset = {},
                   .rail_reference = {},
                   .body = {},
                   .rail_reference_key = rail_reference_key});
}

void Desk::report_returned(const AttemptRecord& attempt, const base::Tag128& rail_reference_key) {
  const model::EventNumber started = attempt.started;
  // What came back has left before, whether or not its own line was seen yet.
  report_settled(attempt, rail_reference_key);
  const AttemptRecord& now = *this->attempt(started);
  if (now.returned != 0) return;
  report(now, {.source = model::ReportSource::statement,
               .result = model::RailResult::rejected,
               .reason = model::RailReason::returned_by_beneficiary_bank,
               .amount = {},
               .asset = {},
               .rail_reference = {},
               .body = {},
               .rail_reference_key = rail_reference_key});
}

void Desk::adopt(const OrphanRecord& orphan, const AttemptRecord& attempt, model::ExceptionEnd end) {
  const ExceptionRecord* open = exception(orphan.exception);
  if (open == nullptr || !open->is_open()) return;
  const model::EventNumber started = attempt.started;
  emit(model::ExceptionResolved{.exception = orphan.exception, .end = end, .posting = 0, .attempt = started});
  report(*this->attempt(started), {.source = static_cast<model::ReportSource>(orphan.source),
                                   .result = static_cast<model::RailResult>(orphan.result),
                                   .reason = static_cast<model::RailReason>(orphan.reason),
                                   .amount = orphan.amount == 0 ? std::nullopt : std::optional(orphan.amount),
                                   .asset = {},
                                   .rail_reference = {},
                                   .body = {},
                                   .rail_reference_key = orphan.rail_reference_key});
}

// --- exceptions -------------------------------------------------------------------------------------------------------------

void Desk::explain(model::EventNumber number, model::EventNumber attempt) {
  const ExceptionRecord* record = number == 0 ? nullptr : exception(number);
  if (record == nullptr || !record->is_open()) return;
  emit(model::ExceptionResolved{.exception = number, .end = model::ExceptionEnd::explained, .posting = 0, .attempt = attempt});
}

void Desk::open_for_line(model::EventNumber number, model::ExceptionKind kind, model::ExceptionParty party, base::U128 expected,
                         model::EventNumber statement) {
  const LineRecord line = memory_.line(number);
  const AttemptRecord* behind = line.attempt == 0 ? nullptr : attempt(line.attempt);
  emit(model::ExceptionOpened{.rail = line.rail,
                              .kind = kind,
                              .party = party,
                              .statement = statement,
                              .line = number,
                              .orphan = 0,
                              .attempt = line.attempt,
                              .belongs_to = behind == nullptr ? 0 : behind->transfer,
                              .expected = expected,
                              .stated = line.amount,
                              .credit = line.credit != 0});
}

void Desk::open_if_missing(model::EventNumber started, model::EventNumber statement) {
  const AttemptRecord* record = attempt(started);
  if (record->settled_at_ns == 0 || record->line != 0 || record->missing != 0) return;
  const std::int64_t visible_ns = record->settled_at_ns + draft_.rail(record->rail).visibility_horizon_ns;
  if (!tables().is_covered(record->rail, record->settled_at_ns, visible_ns)) return;
  if (tables().open_exceptions() >= draft_.limits().reconciliation.open_exceptions_max) return;
  emit(model::ExceptionOpened{.rail = record->rail,
                              .kind = model::ExceptionKind::missing_at_rail,
                              .party = model::ExceptionParty::rail,
                              .statement = statement,
                              .line = 0,
                              .orphan = 0,
                              .attempt = started,
                              .belongs_to = record->transfer,
                              .expected = record->moved(),
                              .stated = 0,
                              .credit = record->inbound != 0});
}

}  // namespace core
