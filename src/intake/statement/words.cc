#include "intake/statement/words.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace intake::statement {

namespace {

// ISO 4217 currencies that do not have two decimals.
constexpr std::array<std::string_view, 17> without_decimals = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                                               "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::array<std::string_view, 7> with_three = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
constexpr std::array<std::string_view, 2> with_four = {"CLF", "UYW"};

template <std::size_t size>
bool has(const std::array<std::string_view, size>& list, std::string_view code) {
  return std::find(list.begin(), list.end(), code) != list.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

base::Error broken(const char* code, std::string_view where, std::uint64_t number, std::string_view what) {
  std::string message(where);
  message.append(" ").append(std::to_string(number)).append(": ").append(what);
  return {code, std::move(message)};
}

std::optional<model::Asset> parse_currency(std::string_view text) {
  if (text.find('/') != std::string_view::npos) return model::parse_asset(text);
  if (text.size() != 3) return std::nullopt;
  const char* const scale = has(without_decimals, text) ? "/0" : has(with_three, text) ? "/3" : has(with_four, text) ? "/4" : "/2";
  return model::parse_asset(std::string(text) + scale);
}

Amount parse_decimal_amount(std::string_view text, std::uint8_t scale, bool all_decimals) {
  const std::size_t mark = text.find_first_of(",.");
  const std::string_view whole = text.substr(0, mark);
  const std::string_view decimals = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  if (whole.empty() || !std::all_of(whole.begin(), whole.end(), is_digit) || !std::all_of(decimals.begin(), decimals.end(), is_digit)) {
    return {0, "statement_amount_malformed"};
  }
  if (all_decimals && decimals.size() != scale) return {0, "statement_amount_malformed"};
  if (decimals.size() > scale) return {0, "statement_amount_too_precise"};
  std::string digits(whole);
  digits.append(decimals);
  digits.append(scale - decimals.size(), '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const auto value = base::parse_decimal(digits);
  if (!value || *value > base::amount_max) return {0, "statement_amount_malformed"};
  return {*value, nullptr};
}

std::optional<base::Instant> day(std::string_view year, std::string_view month, std::string_view of_month) {
  std::string text(year);
  text.append("-").append(month).append("-").append(of_month).append("T00:00:00Z");
  const auto at = base::parse_rfc3339(text);
  return at && at->ns >= 0 ? at : std::nullopt;
}

std::optional<base::Instant> parse_day_or_time(std::string_view text) {
  std::string full(text);
  if (full.size() == 10) full += "T00:00:00Z";
  // An offset, `+01:00`: the clock there is ahead by it.
  std::int64_t ahead_ns = 0;
  if (full.size() > 16 && (full[full.size() - 6] == '+' || full[full.size() - 6] == '-') && full[full.size() - 3] == ':') {
    const auto two_digits = [&](std::size_t from_end) {
      const char tens = full[full.size() - from_end], ones = full[full.size() - from_end + 1];
      return is_digit(tens) && is_digit(ones) ? (tens - '0') * 10 + (ones - '0') : 100;
    };
    const int hours = two_digits(5), minutes = two_digits(2);
    if (hours > 14 || minutes > 59) return std::nullopt;
    ahead_ns = base::seconds(hours * 3600LL + minutes * 60LL).ns;
    if (full[full.size() - 6] == '-') ahead_ns = -ahead_ns;
    full.resize(full.size() - 6);
  }
  if (!full.ends_with('Z')) full += 'Z';
  const auto at = base::parse_rfc3339(full);
  if (!at || at->ns - ahead_ns < 0) return std::nullopt;
  return base::Instant{at->ns - ahead_ns};
}

std::optional<base::Instant> parse_short_day(std::string_view text) {
  if (text.size() != 6 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  return day("20" + std::string(text.substr(0, 2)), text.substr(2, 2), text.substr(4, 2));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view our_reference_in(std::string_view text) {
  constexpr std::size_t size = 16;   // tr_ and 13 digits
  for (std::size_t at = text.find("tr_"); at != std::string_view::npos && at + size <= text.size(); at = text.find("tr_", at + 1)) {
    if (!base::parse_base32(text.substr(at + 3, 13))) continue;
    // From the second epoch on: a hyphen and the epoch.
    std::size_t end = at + size;
    while (end < text.size() && (end == at + size ? text[end] == '-' : is_digit(text[end]))) ++end;
    return text.substr(at, end - at == size + 1 ? size : end - at);
  }
  return {};
}

bool balances_agree(const Statement& statement) {
  if (!statement.opening || !statement.closing) return true;
  // Debits and credits apart, balances on the side that they are on: nothing is ever negative.
  base::U128 in = 0, out = 0;
  const auto add = [](base::U128& sum, base::U128 amount) {
    const auto more = base::checked_add(sum, amount);
    if (more) sum = *more;
    return more.has_value();
  };
  bool fits = add(statement.opening->negative ? out : in, statement.opening->amount) &&
              add(statement.closing->negative ? in : out, statement.closing->amount);
  for (const BookedLine& line : statement.lines) fits = fits && add(line.credit ? in : out, line.amount);
  return fits && in == out;
}

void set_period(Statement& statement, std::optional<base::Instant> opened, std::optional<base::Instant> closed) {
  for (const BookedLine& line : statement.lines) {
    // Value days lie before and after the days that a statement is about.
    if (line.by_value_day) continue;
    const base::Instant booked = day_of(line.booked_at);
    if (statement.from.ns == 0 || booked < statement.from) statement.from = booked;
    if (booked + one_day > statement.until) statement.until = booked + one_day;
  }
  if (closed && *closed + one_day > statement.until) statement.until = *closed + one_day;
  if (!opened) return;
  const base::Instant first = closed && *opened == *closed ? *opened : *opened + one_day;
  if (statement.from.ns == 0 || first < statement.from) statement.from = first;
}

}  // namespace intake::statement
