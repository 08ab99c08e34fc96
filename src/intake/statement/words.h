#pragma once
// What the readers of statements have in common: amounts, days, currencies, references. Private to them.

#include <optional>
#include <string>
#include <string_view>

#include "intake/statement/statement.h"

namespace intake::statement {

/// An error at a line or entry.
base::Error broken(const char* code, std::string_view where, std::uint64_t number, std::string_view what);

/// `CODE/SCALE`, or a currency of ISO 4217 with its own number of decimals.
std::optional<model::Asset> parse_currency(std::string_view text);

/// Digits with at most `scale` decimals after a comma or point. Errors: code only.
struct Amount {
  base::U128 value = 0;
  const char* error = nullptr;   ///< statement_amount_malformed or statement_amount_too_precise
};
Amount parse_decimal_amount(std::string_view text, std::uint8_t scale, bool all_decimals);

/// Beginning of a day in UTC; nothing if there is no such day.
std::optional<base::Instant> day(std::string_view year, std::string_view month, std::string_view of_month);
/// `2026-11-22`, or RFC 3339 with a time and zone (or without one: UTC).
std::optional<base::Instant> parse_day_or_time(std::string_view text);
/// `261122`.
std::optional<base::Instant> parse_short_day(std::string_view text);

constexpr base::Duration one_day = base::seconds(86'400);
/// The beginning of the day.
inline base::Instant day_of(base::Instant at) { return {at.ns - at.ns % one_day.ns}; }

std::string_view trimmed(std::string_view text);
/// The first reference in the shape of ours within a text; empty if there is none.
std::string_view our_reference_in(std::string_view text);

/// Sums of lines must lead from one balance to the other; true where one of them is not said.
bool balances_agree(const Statement& statement);
/// The period of balances by day: everything after the day of the opening one, its own day where lines or the closing one say so, and
/// the days that other lines were booked on. Lines by their value day say nothing of it.
void set_period(Statement& statement, std::optional<base::Instant> opened, std::optional<base::Instant> closed);

}  // namespace intake::statement
