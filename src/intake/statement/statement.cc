#include "intake/statement/statement.h"

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

base::Result<Statement> read_statement(model::StatementFormat format, std::string_view text) {
  if (text.size() > statement_bytes_max) return base::Error{"statement_too_large", "a statement has at most 16 MiB"};
  switch (format) {
    case model::StatementFormat::csv: return read_statement_csv(text);
    case model::StatementFormat::camt053: return read_statement_camt(text);
    case model::StatementFormat::mt940: return read_statement_mt940(text);
  }
  return base::Error{"statement_format_unknown", "a statement is CSV, camt.053 or MT940"};
}

}  // namespace intake
