#pragma once
// How an event changes the records of reconciliation: results are taken over, nothing is decided. One text for the tables and for
// decisions that must see their own steps. Memory gives records for writing:
//
//   AttemptRecord& attempt(EventNumber started), new_attempt(EventNumber); EventNumber newest_attempt(EventNumber transfer);
//   bool is_known(Tag128 rail_reference_key): some attempt has it
//   LineRecord& line(EventNumber), new_line(EventNumber); and the same of exception, orphan, statement.

#include <algorithm>
#include <type_traits>

#include "base/check.h"
#include "core/tables/reconciliation_records.h"
#include "model/event.h"

namespace core {

namespace reconciliation_detail {

/// The record of an attempt by its number within its transfer; null where none of that number was started.
template <typename Memory>
AttemptRecord* attempt_of(Memory& memory, model::EventNumber transfer, std::uint8_t number) {
  for (model::EventNumber started = memory.newest_attempt(transfer); started != 0;) {
    AttemptRecord& record = memory.attempt(started);
    if (record.attempt == number) return &record;
    started = record.previous;
  }
  return nullptr;
}

/// The first attempt that a rail calls by a reference keeps it.
template <typename Memory>
void learn(Memory& memory, AttemptRecord& attempt, const base::Tag128& key) {
  if (attempt.rail_reference_key == base::Tag128{} && key != base::Tag128{} && !memory.is_known(key)) attempt.rail_reference_key = key;
}

/// Ties a line to its attempt: a match and another amount stand for it, whatever else does not.
template <typename Memory>
void tie(Memory& memory, const LineRecord& line) {
  if (line.attempt == 0) return;
  AttemptRecord& attempt = memory.attempt(line.attempt);
  // What only resembles the attempt says nothing of how the rail calls it.
  if (!line.is_by(model::MatchedBy::amount_and_date)) learn(memory, attempt, line.rail_reference_key);
  if (line.what() != model::LineResult::matched && line.what() != model::LineResult::amount_differs) return;
  if (line.credit == attempt.inbound) {
    attempt.line = line.recorded;
    attempt.resembles = line.is_by(model::MatchedBy::amount_and_date);
  } else {
    attempt.return_line = line.recorded;
  }
}

template <typename Memory>
void untie(Memory& memory, const LineRecord& line) {
  if (line.attempt == 0) return;
  AttemptRecord& attempt = memory.attempt(line.attempt);
  if (attempt.line == line.recorded) {
    attempt.line = 0;
    attempt.resembles = 0;
  }
  if (attempt.return_line == line.recorded) attempt.return_line = 0;
}

}  // namespace reconciliation_detail

template <typename Memory, typename Body>
void fold_reconciliation(Memory& memory, const Body& body, model::EventNumber number, base::Instant at) {
  namespace detail = reconciliation_detail;
  if constexpr (std::is_same_v<Body, model::AttemptStarted>) {
    const model::EventNumber previous = memory.newest_attempt(body.transfer);
    AttemptRecord& attempt = memory.new_attempt(number);
    attempt.amount = body.amount;
    attempt.transfer = body.transfer;
    attempt.previous = previous;
    attempt.rail = body.rail;
    attempt.attempt = body.attempt;
    attempt.inbound = body.kind != model::TransferKind::payout;
  } else if constexpr (std::is_same_v<Body, model::AttemptReported>) {
    AttemptRecord* attempt = detail::attempt_of(memory, body.transfer, body.attempt);
    if (attempt == nullptr) return;
    detail::learn(memory, *attempt, body.rail_reference_key);
    if (body.result == model::RailResult::settled) {
      if (attempt->settled_at_ns == 0) attempt->settled_at_ns = at.ns;
      if (body.amount) attempt->booked = *body.amount;
    }
    if (body.reason == model::RailReason::returned_by_beneficiary_bank) attempt->returned = 1;
  } else if constexpr (std::is_same_v<Body, model::TransferMoved>) {
    if (body.to != model::TransferState::settled || body.cause != model::MoveCause::resolution) return;
    const model::EventNumber started = memory.newest_attempt(body.transfer);
    if (started == 0) return;
    AttemptRecord& attempt = memory.attempt(started);
    if (attempt.settled_at_ns == 0) attempt.settled_at_ns = at.ns;
  } else if constexpr (std::is_same_v<Body, model::StatementRecorded>) {
    StatementRecord& statement = body.statement == 0 ? memory.new_statement(number) : memory.statement(body.statement);
    if (body.statement == 0) {
      statement.file = body.file;
      statement.recorded_at_ns = at.ns;
      statement.from_ns = statement.look_from_ns = body.from.ns;
      statement.until_ns = statement.look_until_ns = body.until.ns;
      statement.parts = body.parts;
      statement.lines_total = body.lines_total;
      statement.rail = body.rail;
      statement.format = static_cast<std::uint8_t>(body.format);
    }
    if (body.repeated) return;
    statement.parts_taken = body.part;
    statement.lines_new += body.lines_new;
    statement.lines_known += body.lines_known;
  } else if constexpr (std::is_same_v<Body, model::LineRecorded>) {
    LineRecord& line = memory.new_line(number);
    line.amount = body.amount;
    line.identity = body.identity;
    line.rail_reference_key = body.rail_reference_key;
    line.statement = body.statement;
    line.attempt = body.attempt;
    line.booked_at_ns = body.booked_at.ns;
    line.line = body.line;
    line.rail = body.rail;
    line.credit = body.credit;
    line.result = static_cast<std::uint8_t>(body.result);
    line.matched_by = body.matched_by;
    line.other_asset = body.asset.has_value();
    detail::tie(memory, line);
    StatementRecord& statement = memory.statement(body.statement);
    const std::int64_t settled = body.attempt == 0 ? 0 : memory.attempt(body.attempt).settled_at_ns;
    for (const std::int64_t touched : {body.booked_at.ns, settled == 0 ? body.booked_at.ns : settled}) {
      statement.look_from_ns = std::min(statement.look_from_ns, touched);
      statement.look_until_ns = std::max(statement.look_until_ns, touched);
    }
  } else if constexpr (std::is_same_v<Body, model::LineLinked>) {
    LineRecord& line = memory.line(body.line);
    detail::untie(memory, line);
    line.attempt = body.attempt;
    line.result = static_cast<std::uint8_t>(body.result);
    line.matched_by = body.matched_by;
    detail::tie(memory, line);
  } else if constexpr (std::is_same_v<Body, model::ExceptionOpened>) {
    ExceptionRecord& exception = memory.new_exception(number);
    exception.expected = body.expected;
    exception.stated = body.stated;
    exception.statement = body.statement;
    exception.line = body.line;
    exception.orphan = body.orphan;
    exception.attempt = body.attempt;
    exception.belongs_to = body.belongs_to;
    exception.opened_at_ns = at.ns;
    exception.rail = body.rail;
    exception.kind = static_cast<std::uint8_t>(body.kind);
    exception.party = static_cast<std::uint8_t>(body.party);
    exception.credit = body.credit;
    if (body.line != 0) memory.line(body.line).exception = number;
    if (body.orphan != 0) memory.orphan(body.orphan).exception = number;
    if (body.kind == model::ExceptionKind::missing_at_rail) memory.attempt(body.attempt).missing = number;
  } else if constexpr (std::is_same_v<Body, model::ExceptionVoted>) {
    if (body.end == model::ExceptionEnd::waiting) return;
    ExceptionRecord& exception = memory.exception(body.exception);
    exception.vote = static_cast<std::uint8_t>(body.end);
    exception.voter = body.person;
    exception.voted_transfer = body.belongs_to;
  } else if constexpr (std::is_same_v<Body, model::ExceptionResolved>) {
    ExceptionRecord& exception = memory.exception(body.exception);
    CHECK_THAT(exception.is_open(), "an exception ends once");
    exception.end = static_cast<std::uint8_t>(body.end);
    exception.posting = body.posting;
    exception.ended_at_ns = at.ns;
    if (body.attempt != 0) exception.attempt = body.attempt;
    if (body.end == model::ExceptionEnd::written_off && exception.what() == model::ExceptionKind::amount_differs) {
      AttemptRecord& attempt = memory.attempt(exception.attempt);
      if (exception.credit == attempt.inbound) attempt.booked = exception.stated;
    }
    const bool by_people = body.end != model::ExceptionEnd::explained;
    if (by_people && exception.line != 0) memory.line(exception.line).decided = 1;
    if (!by_people && exception.what() == model::ExceptionKind::missing_at_rail) memory.attempt(exception.attempt).missing = 0;
  } else if constexpr (std::is_same_v<Body, model::OrphanRecorded>) {
    OrphanRecord& orphan = memory.new_orphan(number);
    orphan.amount = body.amount;
    orphan.rail_reference_key = body.rail_reference_key;
    orphan.rail = body.rail;
    orphan.source = static_cast<std::uint8_t>(body.source);
    orphan.result = static_cast<std::uint8_t>(body.result);
    orphan.reason = static_cast<std::uint8_t>(body.reason);
  } else if constexpr (std::is_same_v<Body, model::StatementSwept>) {
    StatementRecord& statement = memory.statement(body.statement);
    statement.lines_to_ns = body.lines_to.ns;
    statement.line_to = body.line;
    statement.attempts_to_ns = body.attempts_to.ns;
    statement.attempt_to = body.attempt;
    statement.swept = body.done;
  }
}

}  // namespace core
