#include "intake/statement/statement.h"

#include <algorithm>
#include <array>

#include "intake/statement/words.h"

namespace intake {

std::optional<model::StatementFormat> sniff_statement(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = statement::trimmed(text.substr(0, 4096));
  if (text.starts_with('<')) return model::StatementFormat::camt053;
  if (text.starts_with(":20:") || text.starts_with("{1:") || text.starts_with("{4:")) return model::StatementFormat::mt940;
  const std::string_view header = text.substr(0, text.find('\n'));
  if (header.find("amount") != std::string_view::npos) return model::StatementFormat::csv;
  return std::nullopt;
}

namespace {

base::Result<Statement> read_by_format(model::StatementFormat format, std::string_view text) {
  switch (format) {
    case model::StatementFormat::csv: return read_statement_csv(text);
    case model::StatementFormat::camt053: return read_statement_camt(text);
    case model::StatementFormat::mt940: return read_statement_mt940(text);
  }
  return base::Error{"statement_format_unknown", "a statement is CSV, camt.053 or MT940"};
}

// What banks write where there is no reference: the same for many payments.
void drop_placeholder(std::string& reference) {
  constexpr std::array<std::string_view, 4> placeholders = {"NOTPROVIDED", "NONREF", "NOREF", "NONE"};
  if (std::find(placeholders.begin(), placeholders.end(), reference) != placeholders.end()) reference.clear();
}

}  // namespace

base::Result<Statement> read_statement(model::StatementFormat format, std::string_view text) {
  if (text.size() > statement_bytes_max) return base::Error{"statement_too_large", "a statement has at most 16 MiB"};
  TRY_ASSIGN(Statement statement, read_by_format(format, text));
  for (BookedLine& line : statement.lines) {
    drop_placeholder(line.our_reference);
    drop_placeholder(line.rail_reference);
  }
  return statement;
}

}  // namespace intake
