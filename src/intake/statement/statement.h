#pragma once
// Statements of accounts that rails keep for us: CSV, camt.053 and MT940 read into one form. What a counterparty is called and
// what it wrote is read past and not kept. The columns, elements and fields are told in docs/reconciliation.md.
//
// Errors say where: the line (of XML: the entry) and the field. Codes:
//   statement_empty, statement_too_large, statement_too_many_lines, statement_format_unknown, statement_not_utf8,
//   statement_column_missing, statement_column_twice, statement_field_missing, statement_field_malformed,
//   statement_quote_unclosed, statement_amount_malformed, statement_amount_too_precise, statement_date_malformed,
//   statement_currency_malformed, statement_direction_malformed, statement_reference_too_long, statement_xml_malformed,
//   statement_xml_too_deep, statement_not_camt053, statement_sum_differs

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "base/result.h"
#include "model/account.h"
#include "model/statement.h"

namespace intake {

constexpr std::size_t statement_bytes_max = std::size_t{16} << 20;
constexpr std::size_t statement_lines_max = 200'000;
constexpr std::size_t statement_reference_bytes_max = 140;

struct BookedLine {
  std::uint32_t line = 0;            ///< of text the line, of XML the entry; from 1
  std::string our_reference;         ///< what we called the payment, as the rail repeats it; empty if it does not
  std::string rail_reference;        ///< what the rail calls it; empty if it does not say
  base::U128 amount = 0;             ///< smallest unit, never negative
  bool credit = false;               ///< came in
  base::Instant booked_at{};         ///< where only a day is known, its beginning in UTC
  bool by_value_day = false;         ///< the file does not say when it was booked: `booked_at` is its value day
  model::Asset asset;
};

/// A balance as a statement says it.
struct StatedBalance {
  base::U128 amount = 0;
  bool negative = false;
  bool operator==(const StatedBalance&) const = default;
};

struct Statement {
  model::StatementFormat format = model::StatementFormat::csv;
  std::string id;                    ///< what the rail calls the statement; empty if it has no name
  std::string account;
  base::Instant from{};              ///< from is shown, until is not; both 0 where the file does not say and has no lines
  base::Instant until{};
  std::optional<StatedBalance> opening;
  std::optional<StatedBalance> closing;
  std::vector<BookedLine> lines;
};

/// What a file is, by its beginning; nothing if it is none of them.
std::optional<model::StatementFormat> sniff_statement(std::string_view text);

/// Reads a whole file.
base::Result<Statement> read_statement(model::StatementFormat format, std::string_view text);

base::Result<Statement> read_statement_csv(std::string_view text);
base::Result<Statement> read_statement_camt(std::string_view text);
base::Result<Statement> read_statement_mt940(std::string_view text);

}  // namespace intake
