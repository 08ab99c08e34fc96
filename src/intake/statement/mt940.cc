// MT940: fields `:20:`, `:25:`, `:28C:`, `:60F:`, `:61:`, `:86:`, `:62F:`, with or without the blocks of SWIFT around them.

#include <optional>
#include <utility>

#include "intake/statement/words.h"

namespace intake {

namespace {

using statement::broken;

struct Field {
  std::string_view tag;
  std::string value;       // lines of the field, joined by line feeds
  std::uint32_t line = 0;
};

// One field after the other, so that a file of many small ones takes no more memory than itself. `:TAG:` at the beginning of a line
// opens a field; other lines go on with it. `-` or `-}` ends the message.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  /// Nothing at the end of the file.
  std::optional<Field> next() {
    std::optional<Field> field = std::exchange(begun_, std::nullopt);
    while (!text_.empty()) {
      const std::string_view line = next_line();
      if (line == "-" || line.starts_with("-}")) {
        if (field) return field;
        continue;
      }
      const std::size_t colon = line.starts_with(':') ? line.find(':', 1) : std::string_view::npos;
      if (colon != std::string_view::npos && colon >= 3 && colon <= 4) {
        Field opened{line.substr(1, colon - 1), std::string(line.substr(colon + 1)), number_};
        if (!field) {
          field = std::move(opened);
          continue;
        }
        begun_ = std::move(opened);
        return field;
      }
      if (field) field->value.append("\n").append(line);
    }
    return field;
  }

 private:
  std::string_view next_line() {
    ++number_;
    const std::size_t end = text_.find('\n');
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (const std::size_t block = line.find("{4:"); block != std::string_view::npos) line.remove_prefix(block + 3);
    return line;
  }

  std::string_view text_;
  std::uint32_t number_ = 0;
  std::optional<Field> begun_;
};

class Mt940Reader {
 public:
  base::Result<Statement> read(std::string_view text) {
    result_.format = model::StatementFormat::mt940;
    FieldReader fields(text);
    bool any = false;
    while (const std::optional<Field> field = fields.next()) {
      any = true;
      TRY(take(*field));
    }
    if (!any) return base::Error{"statement_empty", "there is no field in the file"};
    if (!opened_) return base::Error{"statement_field_missing", "there is no opening balance, :60F:"};
    if (!closed_) return base::Error{"statement_field_missing", "there is no closing balance, :62F:"};
    if (!statement::balances_agree(result_)) {
      return base::Error{"statement_sum_differs", "the lines do not lead from the opening to the closing balance"};
    }
    statement::set_period(result_, opened_, closed_);
    return std::move(result_);
  }

 private:
  base::Status take(const Field& field) {
    const auto trimmed = [&] { return std::string(statement::trimmed(field.value)); };
    if (field.tag == "20" && result_.id.empty()) result_.id = trimmed();
    if (field.tag == "25" && result_.account.empty()) result_.account = trimmed();
    // Every page has its number.
    if (field.tag == "28C" && !trimmed().empty() && result_.id.size() < statement_reference_bytes_max) result_.id += "/" + trimmed();
    // Of a statement on several pages the first opening and the last closing balance count; M are those between.
    if (field.tag == "60F" || (field.tag == "60M" && !opened_)) {
      if (opened_ && field.tag == "60F") return broken("statement_field_malformed", "line", field.line, "one statement, one :60F:");
      return take_balance(field, result_.opening, opened_);
    }
    if (field.tag == "62F" || field.tag == "62M") return take_balance(field, result_.closing, closed_);
    if (field.tag == "61") return take_line(field);
    if (field.tag == "86") take_description(field);
    return base::ok();
  }

  // C or D, day, currency, amount with a decimal comma.
  base::Status take_balance(const Field& field, std::optional<StatedBalance>& balance, std::optional<base::Instant>& at) {
    const std::string_view value = statement::trimmed(field.value);
    if (value.size() < 11 || (value[0] != 'C' && value[0] != 'D')) return broken("statement_field_malformed", "line", field.line, "a balance is C or D, day, currency, amount");
    at = statement::parse_short_day(value.substr(1, 6));
    if (!at) return broken("statement_date_malformed", "line", field.line, "the day of a balance is YYMMDD");
    const auto asset = statement::parse_currency(value.substr(7, 3));
    if (!asset) return broken("statement_currency_malformed", "line", field.line, "a currency is three letters");
    if (has_asset_ && asset_ != *asset) return broken("statement_currency_malformed", "line", field.line, "one statement, one currency");
    asset_ = *asset;
    has_asset_ = true;
    TRY_ASSIGN(const base::U128 amount, amount_of(value.substr(10), field.line));
    balance = {amount, value[0] == 'D' && amount != 0};
    return base::ok();
  }

  base::Result<base::U128> amount_of(std::string_view text, std::uint32_t line) const {
    if (text.find('.') != std::string_view::npos || text.find(',') == std::string_view::npos) {
      return broken("statement_amount_malformed", "line", line, "an amount has a decimal comma");
    }
    const auto parsed = statement::parse_decimal_amount(text, asset_.scale, false);
    if (parsed.error != nullptr) return broken(parsed.error, "line", line, "an amount is digits, a comma, and at most the currency's decimals");
    return parsed.value;
  }

  // Value day (6), booking day (4, may be missing), C D RC RD EC ED, funds code (may be missing), amount, type (4), our reference,
  // `//` and the bank's; supplementary details on the next line.
  base::Status take_line(const Field& field) {
    if (!has_asset_) return broken("statement_field_missing", "line", field.line, "lines follow the opening balance");
    if (result_.lines.size() >= statement_lines_max) return broken("statement_too_many_lines", "line", field.line, "a statement has at most 200000 lines");
    std::string_view value = field.value;
    value = value.substr(0, value.find('\n'));
    BookedLine line;
    line.line = field.line;
    line.asset = asset_;
    const auto valued = statement::parse_short_day(value.substr(0, 6));
    if (!valued) return broken("statement_date_malformed", "line", field.line, "the value day is YYMMDD");
    line.booked_at = *valued;
    line.by_value_day = true;
    value.remove_prefix(6);
    if (!value.empty() && value[0] >= '0' && value[0] <= '9') {
      TRY(take_booking_day(value.substr(0, 4), field.line, line.booked_at));
      line.by_value_day = false;
      value.remove_prefix(4);
    }
    const bool reversal = value.starts_with('R');
    if (reversal) value.remove_prefix(1);
    if (value.empty() || (value[0] != 'C' && value[0] != 'D')) return broken("statement_direction_malformed", "line", field.line, "C, D, RC or RD");
    line.credit = (value[0] == 'C') != reversal;
    value.remove_prefix(1);
    if (!value.empty() && value[0] >= 'A' && value[0] <= 'Z') value.remove_prefix(1);
    const std::size_t amount_end = value.find_first_not_of("0123456789,");
    TRY_ASSIGN(line.amount, amount_of(value.substr(0, amount_end), field.line));
    value = amount_end == std::string_view::npos ? std::string_view() : value.substr(amount_end);
    if (value.size() < 4) return broken("statement_field_malformed", "line", field.line, "after the amount stands a type of four characters");
    take_references(value.substr(4), line);
    result_.lines.push_back(std::move(line));
    return base::ok();
  }

  // Month and day; of the year in which it is nearest to the value day.
  static base::Status take_booking_day(std::string_view text, std::uint32_t number, base::Instant& booked) {
    const std::string year = base::to_rfc3339(booked).substr(0, 4);
    const int value_year = std::stoi(year);
    std::optional<base::Instant> best;
    for (const int candidate : {value_year - 1, value_year, value_year + 1}) {
      if (text.size() != 4) break;
      const auto at = statement::day(std::to_string(candidate), text.substr(0, 2), text.substr(2, 2));
      const auto distance = [&](base::Instant one) { return one > booked ? one.ns - booked.ns : booked.ns - one.ns; };
      if (at && (!best || distance(*at) < distance(*best))) best = at;
    }
    if (!best) return broken("statement_date_malformed", "line", number, "the booking day is MMDD");
    booked = *best;
    return base::ok();
  }

  static void take_references(std::string_view text, BookedLine& line) {
    const std::size_t slashes = text.find("//");
    const std::string_view ours = statement::trimmed(text.substr(0, slashes)).substr(0, statement_reference_bytes_max);
    line.our_reference = std::string(ours);
    if (slashes == std::string_view::npos) return;
    line.rail_reference = std::string(statement::trimmed(text.substr(slashes + 2)).substr(0, statement_reference_bytes_max));
  }

  // Free text is not kept, but banks put the reference of the order there.
  void take_description(const Field& field) {
    if (result_.lines.empty()) return;
    BookedLine& line = result_.lines.back();
    if (!statement::our_reference_in(line.our_reference).empty()) return;
    std::string joined;
    for (const char c : field.value) {
      if (c != '\n' && c != '\r') joined += c;
    }
    if (const std::string_view found = statement::our_reference_in(joined); !found.empty()) line.our_reference = std::string(found);
  }

  Statement result_;
  std::optional<base::Instant> opened_, closed_;
  model::Asset asset_;
  bool has_asset_ = false;
};

}  // namespace

base::Result<Statement> read_statement_mt940(std::string_view text) { return Mt940Reader().read(text); }

}  // namespace intake
