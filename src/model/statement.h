#pragma once
// The small words of reconciliation: where a statement came from, what became of its lines, what people decide. Numbers are
// part of the formats.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace model {

/// How a statement was written.
enum class StatementFormat : std::uint8_t { csv = 1, camt053 = 2, mt940 = 3 };
constexpr StatementFormat statement_format_last = StatementFormat::mt940;
std::string_view name_of(StatementFormat format);

/// What a line of a statement is, beside our books.
enum class LineResult : std::uint8_t {
  matched = 1,
  missing_here = 2,       ///< nothing of ours is what it names
  amount_differs = 3,
  currency_differs = 4,
  duplicate = 5,          ///< of an attempt that another line stands for
};
constexpr LineResult line_result_last = LineResult::duplicate;
std::string_view name_of(LineResult result);

/// What tied a line to an attempt. Ascending: weaker.
enum class MatchedBy : std::uint8_t { our_reference = 1, rail_reference = 2, amount_and_date = 3, person = 4 };
constexpr MatchedBy matched_by_last = MatchedBy::person;
std::string_view name_of(MatchedBy by);

/// What does not agree between the books and a rail.
enum class ExceptionKind : std::uint8_t {
  missing_at_rail = 1,    ///< settled here, and no statement that should show it does
  missing_here = 2,       ///< on a statement, or told by a rail, and nothing of ours
  amount_differs = 3,
  currency_differs = 4,
  duplicate = 5,
};
constexpr ExceptionKind exception_kind_last = ExceptionKind::duplicate;
std::string_view name_of(ExceptionKind kind);

/// Who has to explain it first.
enum class ExceptionParty : std::uint8_t { rail = 1, operator_ = 2, holdfast = 3 };
std::string_view name_of(ExceptionParty party);

/// How an exception ended, or what a person says of an open one.
enum class ExceptionEnd : std::uint8_t {
  accepted = 1,           ///< by a person: known and right, no money moves
  written_off = 2,        ///< by two people: posted between the rail's clearing and suspense accounts
  linked = 3,             ///< by two people: the line, or what the rail told, belongs to this transfer
  waiting = 4,            ///< by a person: seen, stays open
  explained = 5,          ///< by evidence: another line, a report, or its rail's own reference
};
constexpr ExceptionEnd exception_end_by_people_last = ExceptionEnd::waiting;
constexpr ExceptionEnd exception_end_last = ExceptionEnd::explained;
std::string_view name_of(ExceptionEnd end);

/// Lines that one command brings at most; a longer statement is several parts.
constexpr std::size_t statement_part_lines_max = 1'000;
/// Parts of one statement at most.
constexpr std::uint32_t statement_parts_max = 1'000;

}  // namespace model
