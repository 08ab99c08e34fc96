#include "base/instant.h"

#include <array>
#include <cstdio>

namespace base {

namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

// Days since 1970-01-01 of a proleptic Gregorian date; the year is shifted to start in March so that the leap day is last.
constexpr std::int64_t days_from_date(std::int64_t year, int month, int day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

struct Date {
  std::int64_t year;
  int month;
  int day;
};

constexpr Date date_from_days(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2), month, day};
}

constexpr int days_in_month(std::int64_t year, int month) {
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::string to_rfc3339(Instant instant) {
  std::int64_t whole = instant.ns / ns_per_second;
  std::int64_t fraction = instant.ns % ns_per_second;
  if (fraction < 0) {
    fraction += ns_per_second;
    whole -= 1;
  }
  std::int64_t days = whole / 86400;
  std::int64_t second_of_day = whole % 86400;
  if (second_of_day < 0) {
    second_of_day += 86400;
    days -= 1;
  }
  const Date date = date_from_days(days);
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%04lld-%02d-%02dT%02d:%02d:%02d.%09lldZ",
                                 static_cast<long long>(date.year), date.month, date.day,
                                 static_cast<int>(second_of_day / 3600), static_cast<int>(second_of_day / 60 % 60),
                                 static_cast<int>(second_of_day % 60), static_cast<long long>(fraction));
  return std::string(text, static_cast<std::size_t>(size));
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text.back() != 'Z') {
    return std::nullopt;
  }
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*year < 1970 || *year > 2261 || *month < 1 || *month > 12 || *day < 1 || *day > days_in_month(*year, *month) ||
      *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  std::int64_t fraction = 0;
  if (text.size() > 20) {
    const std::size_t count = text.size() - 21;
    if (text[19] != '.' || count == 0 || count > 9) return std::nullopt;
    const auto value = digits(text, 20, count);
    if (!value) return std::nullopt;
    fraction = *value;
    for (std::size_t i = count; i < 9; ++i) fraction *= 10;
  }
  const std::int64_t whole =
      days_from_date(*year, *month, *day) * 86400 + *hour * 3600 + *minute * 60 + *second;
  return Instant{whole * ns_per_second + fraction};
}

}  // namespace base
