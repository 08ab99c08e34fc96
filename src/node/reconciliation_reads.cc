// Reads of statements and exceptions, from memory at a durable position.

#include <unordered_map>

#include "core/ledger/state.h"
#include "node/backend.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

namespace {

class Reconciliations {
 public:
  Reconciliations(const core::FrozenState& state, model::TenantNumber tenant) : state_(state), tenant_(tenant) {}

  // What exceptions and lines add up to for the statements of a page; one walk for all of them.
  edge::StatementsPage list(const gate::ListReconciliations& wanted) const {
    std::unordered_map<model::EventNumber, std::uint32_t> open;
    for (std::size_t i = 0; i < tables().exceptions.size(); ++i) {
      const core::ExceptionRecord& record = tables().exceptions[i];
      if (record.is_open()) ++open[statement_of(record)];
    }
    edge::StatementsPage page;
    for (std::size_t i = tables().statements.size(); i-- > 0;) {
      const core::StatementRecord& record = tables().statements[i];
      if (!is_ours(record.rail) || (wanted.before != 0 && record.recorded >= wanted.before)) continue;
      if (!wanted.rail.empty() && rail_name(record.rail) != wanted.rail) continue;
      const auto found = open.find(record.recorded);
      if (wanted.open_only && found == open.end()) continue;
      if (page.statements.size() == wanted.limit) {
        page.next = page.statements.back().statement;
        break;
      }
      page.statements.push_back(reading_of(record));
      if (found != open.end()) page.statements.back().open_exceptions = found->second;
    }
    std::unordered_map<model::EventNumber, edge::StatementReading*> shown;
    for (edge::StatementReading& statement : page.statements) shown.emplace(statement.statement, &statement);
    for (std::size_t i = 0; i < tables().lines.size(); ++i) {
      const auto found = shown.find(tables().lines[i].statement);
      if (found != shown.end()) ++found->second->results[tables().lines[i].result];
    }
    return page;
  }

  // Nothing if there is no such statement.
  std::optional<edge::ReconciliationReading> get(const gate::GetReconciliation& wanted) const {
    edge::ReconciliationReading reading;
    const core::StatementRecord* statement = wanted.statement == 0 ? nullptr : find(wanted.statement);
    if (wanted.statement != 0 && (statement == nullptr || !is_ours(statement->rail))) return std::nullopt;
    if (statement != nullptr) reading.statement = reading_of(*statement);
    for (std::size_t i = 0; statement != nullptr && i < tables().lines.size(); ++i) {
      if (tables().lines[i].statement == wanted.statement) ++reading.statement.results[tables().lines[i].result];
    }
    for (std::size_t i = tables().exceptions.size(); i-- > 0;) {
      const core::ExceptionRecord& record = tables().exceptions[i];
      if (statement_of(record) != wanted.statement || !is_ours(record.rail)) continue;
      if (record.is_open()) ++reading.statement.open_exceptions;
      if ((wanted.before != 0 && record.opened >= wanted.before) || reading.next != 0) continue;
      if (reading.exceptions.size() == wanted.limit) {
        reading.next = reading.exceptions.back().exception;
        continue;
      }
      reading.exceptions.push_back(reading_of(record));
    }
    return reading;
  }

 private:
  const core::ReconciliationTables::Frozen& tables() const { return state_.reconciliation; }
  const core::RailRecord& rail(model::RailNumber number) const { return state_.sagas.rails[number - 1u]; }
  bool is_ours(model::RailNumber number) const { return rail(number).tenant == tenant_; }
  std::string rail_name(model::RailNumber number) const { return std::string(model::to_text(core::name_of(rail(number)))); }

  const core::StatementRecord* find(model::EventNumber number) const {
    for (std::size_t i = 0; i < tables().statements.size(); ++i) {
      if (tables().statements[i].recorded == number) return &tables().statements[i];
    }
    return nullptr;
  }
  // Lines ascend by their numbers.
  const core::LineRecord* line(model::EventNumber number) const {
    std::size_t low = 0, high = tables().lines.size();
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (tables().lines[middle].recorded < number) low = middle + 1;
      else high = middle;
    }
    return low < tables().lines.size() && tables().lines[low].recorded == number ? &tables().lines[low] : nullptr;
  }

  // The statement that shows its line, whichever other statement or report it was that the line did not agree with. Of what no line
  // shows the statement whose time has it missing; 0 of what a rail told by itself.
  model::EventNumber statement_of(const core::ExceptionRecord& record) const {
    const core::LineRecord* shown = record.line == 0 ? nullptr : line(record.line);
    return shown == nullptr ? record.statement : shown->statement;
  }

  edge::StatementReading reading_of(const core::StatementRecord& record) const {
    return {.statement = record.recorded,
            .rail = rail_name(record.rail),
            .format = static_cast<model::StatementFormat>(record.format),
            .recorded_at = {record.recorded_at_ns},
            .from = {record.from_ns},
            .until = {record.until_ns},
            .parts = record.parts,
            .parts_taken = record.parts_taken,
            .lines_total = record.lines_total,
            .lines_known = record.lines_known,
            .compared = record.swept != 0,
            .results = {},
            .open_exceptions = 0};
  }
  edge::ExceptionReading reading_of(const core::ExceptionRecord& record) const {
    const core::LineRecord* shown = record.line == 0 ? nullptr : line(record.line);
    return {.exception = record.opened,
            .statement = statement_of(record),
            .rail = rail_name(record.rail),
            .asset = rail(record.rail).asset,
            .kind = record.what(),
            .party = static_cast<model::ExceptionParty>(record.party),
            .line = shown == nullptr ? 0 : shown->line,
            .orphan = record.orphan != 0,
            .transfer = record.belongs_to,
            .expected = record.expected,
            .stated = record.stated,
            .credit = record.credit != 0,
            .booked_at = {shown == nullptr ? 0 : shown->booked_at_ns},
            .opened_at = {record.opened_at_ns},
            .ended_at = {record.ended_at_ns},
            .end = record.is_open() ? model::ExceptionEnd::waiting : static_cast<model::ExceptionEnd>(record.end),
            .posting = record.posting,
            .voter = record.voter,
            .vote = record.vote == 0 ? model::ExceptionEnd::waiting : static_cast<model::ExceptionEnd>(record.vote)};
  }

  const core::FrozenState& state_;
  const model::TenantNumber tenant_;
};

}  // namespace

edge::Reading Backend::read_reconciliations(const gate::Query& query, const Answer& answer) const {
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  const auto* found = std::get_if<StateFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::overloaded);
  const Reconciliations reconciliations(*found->state, query.tenant);
  if (const auto* list = std::get_if<gate::ListReconciliations>(&query.body)) return {answer.position, reconciliations.list(*list)};
  auto reading = reconciliations.get(std::get<gate::GetReconciliation>(query.body));
  if (!reading) return refused(answer.position, Outcome::statement_not_found);
  return {answer.position, *std::move(reading)};
}

}  // namespace node
