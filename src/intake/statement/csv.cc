// CSV with a header line: RFC 4180 quotes, separated by comma, semicolon or tab, whichever the header uses.

#include <array>
#include <vector>

#include "base/text.h"
#include "intake/statement/words.h"

namespace intake {

namespace {

using statement::broken;

enum Column : std::size_t { booked_at, reference, rail_reference, amount, amount_decimal, asset, currency, direction, statement_id, account, column_count };
constexpr std::array<std::string_view, column_count> column_names = {"booked_at", "reference", "rail_reference", "amount",       "amount_decimal",
                                                                     "asset",     "currency",  "direction",      "statement_id", "account"};
constexpr std::size_t columns_max = 64;
constexpr std::size_t no_column = columns_max;

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  base::Result<Statement> read() {
    if (!base::is_utf8(text_)) return base::Error{"statement_not_utf8", "a CSV statement is UTF-8"};
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    if (statement::trimmed(text_).empty()) return base::Error{"statement_empty", "there is nothing in the file"};
    TRY(read_header());
    Statement result;
    result.format = model::StatementFormat::csv;
    while (at_ < text_.size()) {
      const std::uint32_t line = line_;
      TRY(next_record());
      if (fields_.size() == 1 && statement::trimmed(fields_[0]).empty()) continue;
      if (result.lines.size() >= statement_lines_max) return broken("statement_too_many_lines", "line", line, "a statement has at most 200000 lines");
      TRY_ASSIGN(BookedLine booked, read_line(line));
      if (result.id.empty()) result.id = std::string(field(statement_id));
      if (result.account.empty()) result.account = std::string(field(account));
      if (result.from.ns == 0 || booked.booked_at < result.from) result.from = booked.booked_at;
      if (booked.booked_at.ns >= result.until.ns) result.until = {booked.booked_at.ns + 1};
      result.lines.push_back(std::move(booked));
    }
    return result;
  }

 private:
  base::Status read_header() {
    const std::string_view header = text_.substr(0, text_.find('\n'));
    separator_ = header.find(';') != std::string_view::npos ? ';' : header.find('\t') != std::string_view::npos ? '\t' : ',';
    TRY(next_record());
    places_.fill(no_column);
    if (fields_.size() > columns_max) return broken("statement_field_malformed", "line", 1, "a statement has at most 64 columns");
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      for (std::size_t column = 0; column < column_count; ++column) {
        if (statement::trimmed(fields_[i]) != column_names[column]) continue;
        if (places_[column] != no_column) return broken("statement_column_twice", "line", 1, column_names[column]);
        places_[column] = i;
      }
    }
    columns_ = fields_.size();
    if (!has(booked_at)) return missing("booked_at");
    if (has(amount) == has(amount_decimal)) return missing("either amount (smallest unit) or amount_decimal");
    if (!has(asset) && !has(currency)) return missing("asset or currency");
    if (!has(direction) && !has(amount_decimal)) return missing("direction");
    return base::ok();
  }
  static base::Error missing(std::string_view what) { return broken("statement_column_missing", "line", 1, what); }
  bool has(Column column) const { return places_[column] != no_column; }
  std::string_view field(Column column) const {
    return has(column) ? statement::trimmed(fields_[places_[column]]) : std::string_view();
  }

  base::Result<BookedLine> read_line(std::uint32_t number) {
    if (fields_.size() != columns_) return broken("statement_field_missing", "line", number, "as many fields as the header has columns");
    BookedLine line;
    line.line = number;
    const auto booked = statement::parse_day_or_time(field(booked_at));
    if (!booked) return broken("statement_date_malformed", "line", number, "booked_at is a day or an RFC 3339 time");
    line.booked_at = *booked;
    const auto unit = statement::parse_currency(has(asset) ? field(asset) : field(currency));
    if (!unit) return broken("statement_currency_malformed", "line", number, "an asset is CODE/SCALE, a currency three letters");
    line.asset = *unit;
    TRY(read_amount(number, line));
    for (const auto& [column, into] : {std::pair(reference, &line.our_reference), std::pair(rail_reference, &line.rail_reference)}) {
      if (field(column).size() > statement_reference_bytes_max) return broken("statement_reference_too_long", "line", number, column_names[column]);
      *into = std::string(field(column));
    }
    return line;
  }

  base::Status read_amount(std::uint32_t number, BookedLine& line) {
    std::string_view text = field(has(amount) ? amount : amount_decimal);
    bool negative = false;
    if (has(amount_decimal) && (text.starts_with('-') || text.starts_with('+'))) {
      negative = text[0] == '-';
      text.remove_prefix(1);
    }
    const auto parsed = statement::parse_decimal_amount(text, has(amount) ? std::uint8_t{0} : line.asset.scale, true);
    if (parsed.error != nullptr) return broken(parsed.error, "line", number, "digits, and all decimals of the asset where they are decimal");
    line.amount = parsed.value;
    line.credit = !negative;
    if (!has(direction)) return base::ok();
    const std::string_view said = field(direction);
    const bool credit = said == "credit" || said == "C" || said == "CRDT" || said == "RD";
    if (!credit && said != "debit" && said != "D" && said != "DBIT" && said != "RC") {
      return broken("statement_direction_malformed", "line", number, "debit or credit (D, C, DBIT, CRDT, RC, RD)");
    }
    if (negative && credit) return broken("statement_direction_malformed", "line", number, "a negative amount is no credit");
    line.credit = credit;
    return base::ok();
  }

  // The next record into fields_: a field in quotes may hold separators, line ends and doubled quotes.
  base::Status next_record() {
    fields_.clear();
    const std::uint32_t began = line_;
    for (;;) {
      std::string value;
      if (at_ < text_.size() && text_[at_] == '"') {
        ++at_;
        for (;;) {
          if (at_ >= text_.size()) return broken("statement_quote_unclosed", "line", began, "a quote is not closed");
          const char c = text_[at_++];
          if (c == '\n') ++line_;
          if (c != '"') {
            value += c;
          } else if (at_ < text_.size() && text_[at_] == '"') {
            value += text_[at_++];
          } else {
            break;
          }
        }
      }
      while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') value += text_[at_++];
      fields_.push_back(std::move(value));
      if (at_ >= text_.size()) return base::ok();
      if (text_[at_++] == '\n') {
        ++line_;
        return base::ok();
      }
      if (fields_.size() > columns_max) return broken("statement_field_malformed", "line", began, "a statement has at most 64 columns");
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  char separator_ = ',';
  std::size_t columns_ = 0;
  std::vector<std::string> fields_;
  std::array<std::size_t, column_count> places_{};
};

}  // namespace

base::Result<Statement> read_statement_csv(std::string_view text) { return CsvReader(text).read(); }

}  // namespace intake
