#include "apps/holdfast/rail_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <unordered_map>

namespace holdfast {

namespace {

constexpr std::size_t line_bytes_max = 1024;
constexpr std::int64_t latency_ms_max = 86'400'000;
constexpr int amount_bits_max = 80;

enum class Column : std::uint8_t { time, payment, amount, rail, cost, outcome, latency_ms, country, instrument };
constexpr std::array<std::string_view, 9> column_names = {"time", "payment", "amount", "rail", "cost", "outcome", "latency_ms", "country", "instrument"};
constexpr std::size_t columns_needed = 7;   // the first ones

base::Error malformed(std::size_t line, std::string_view column, std::string_view what) {
  std::string message = "line " + std::to_string(line);
  if (!column.empty()) message.append(", column ").append(column);
  return {"rail_log_malformed", message.append(": ").append(what)};
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

class Reader {
 public:
  base::Status header(std::string_view line) {
    place_.fill(absent);
    const auto fields = split(line);
    width_ = fields.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto known = std::ranges::find(column_names, fields[i]);
      if (known == column_names.end()) return malformed(1, fields[i], "there is no such column");
      std::size_t& place = place_[static_cast<std::size_t>(known - column_names.begin())];
      if (place != absent) return malformed(1, fields[i], "it stands there twice");
      place = i;
    }
    for (std::size_t i = 0; i < columns_needed; ++i) {
      if (place_[i] == absent) return malformed(1, column_names[i], "it is missing");
    }
    return base::ok();
  }

  base::Status row(std::string_view line, std::size_t number) {
    line_ = number;
    const auto fields = split(line);
    if (fields.size() != width_) {
      return malformed(number, "", std::to_string(fields.size()) + " fields where the first line has " + std::to_string(width_));
    }
    fields_ = fields;
    TRY_ASSIGN(LoggedPayment * const payment, payment_of());
    TRY_ASSIGN(const LoggedAttempt attempt, attempt_of());
    for (const LoggedAttempt& other : payment->attempts) {
      if (other.rail == attempt.rail) return wrong(Column::rail, "this payment has a line of this rail already");
    }
    payment->attempts.push_back(attempt);
    return base::ok();
  }

  RailLog take() { return std::move(log_); }

 private:
  static constexpr std::size_t absent = SIZE_MAX;

  std::string_view text(Column column) const {
    const std::size_t place = place_[static_cast<std::size_t>(column)];
    return place == absent ? std::string_view() : fields_[place];
  }
  base::Error wrong(Column column, std::string_view what) const { return malformed(line_, column_names[static_cast<std::size_t>(column)], what); }

  base::Result<base::U128> money(Column column) const {
    const auto number = base::parse_decimal(text(column));
    if (!number || *number >> amount_bits_max != 0) return wrong(column, "a whole number of smallest units, below 2^80");
    return *number;
  }

  // The payment that this line is about; a new one at its first line, whose time, amount and dimensions the others repeat.
  base::Result<LoggedPayment*> payment_of() {
    LoggedPayment payment;
    const auto at = base::parse_rfc3339(text(Column::time));
    if (!at) return wrong(Column::time, "an RFC 3339 instant in UTC");
    payment.at = *at;
    TRY_ASSIGN(payment.amount, money(Column::amount));
    if (const std::string_view country = text(Column::country); !country.empty()) {
      const auto parsed = model::parse_country(country);
      if (!parsed) return wrong(Column::country, "two capital letters");
      payment.country = *parsed;
    }
    if (const std::string_view instrument = text(Column::instrument); !instrument.empty()) {
      const auto [end, error] = std::from_chars(instrument.data(), instrument.data() + instrument.size(), payment.instrument);
      if (error != std::errc{} || end != instrument.data() + instrument.size()) return wrong(Column::instrument, "a number up to 65535");
    }
    const std::string_view name = text(Column::payment);
    if (name.empty()) return wrong(Column::payment, "it is empty");
    const auto [found, fresh] = numbers_.try_emplace(std::string(name), log_.payments.size());
    if (fresh) {
      if (!log_.payments.empty() && payment.at < log_.payments.back().at) return wrong(Column::time, "earlier than the payment before it");
      log_.payments.push_back(std::move(payment));
      return &log_.payments.back();
    }
    LoggedPayment& known = log_.payments[found->second];
    if (known.at != payment.at) return wrong(Column::time, "another one than in the first line of this payment");
    if (known.amount != payment.amount) return wrong(Column::amount, "another one than in the first line of this payment");
    if (known.country != payment.country) return wrong(Column::country, "another one than in the first line of this payment");
    if (known.instrument != payment.instrument) return wrong(Column::instrument, "another one than in the first line of this payment");
    return &known;
  }

  base::Result<LoggedAttempt> attempt_of() {
    LoggedAttempt attempt;
    const std::string_view rail = text(Column::rail);
    if (!model::is_rail_name(rail)) return wrong(Column::rail, "1 to 32 of a-z, 0-9 and -, a letter first");
    const auto known = std::ranges::find(log_.rails, rail);
    attempt.rail = static_cast<std::uint32_t>(known - log_.rails.begin());
    if (known == log_.rails.end()) {
      if (log_.rails.size() == rail_log_rails_max) return wrong(Column::rail, "more than " + std::to_string(rail_log_rails_max) + " rails");
      log_.rails.emplace_back(rail);
    }
    TRY_ASSIGN(attempt.cost, money(Column::cost));
    const std::string_view outcome = text(Column::outcome);
    attempt.success = outcome == "settled" || outcome == "accepted";
    if (!attempt.success) {
      const auto reason = std::ranges::find(model::rail_reasons, outcome, &model::RailReasonRow::name);
      if (reason == model::rail_reasons.end() || reason->reason == model::RailReason::none) {
        return wrong(Column::outcome, "settled, accepted, or a reason from docs/transfers.md");
      }
      attempt.rails_fault = reason->rails_fault;
    }
    const std::string_view latency = text(Column::latency_ms);
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(latency.data(), latency.data() + latency.size(), ms);
    if (error != std::errc{} || end != latency.data() + latency.size() || ms < 0 || ms > latency_ms_max) {
      return wrong(Column::latency_ms, "whole milliseconds, at most a day");
    }
    attempt.latency = base::milliseconds(ms);
    return attempt;
  }

  RailLog log_;
  std::array<std::size_t, column_names.size()> place_{};
  std::size_t width_ = 0, line_ = 0;
  std::span<const std::string_view> fields_;
  std::unordered_map<std::string, std::size_t> numbers_;   ///< of payments by their names
};

}  // namespace

bool RailLog::complete() const {
  return std::ranges::all_of(payments, [&](const LoggedPayment& payment) { return payment.attempts.size() == rails.size(); });
}

base::Result<RailLog> parse_rail_log(base::ByteView csv) {
  if (csv.size() > rail_log_bytes_max) return base::Error{"rail_log_malformed", "it is longer than " + std::to_string(rail_log_bytes_max >> 20) + " MiB"};
  std::string_view text = base::as_text(csv);
  Reader reader;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    if (line.size() > line_bytes_max) return malformed(number, "", "longer than " + std::to_string(line_bytes_max) + " bytes");
    TRY(number == 1 ? reader.header(line) : reader.row(line, number));
  }
  if (number < 2) return malformed(1, "", "a line of column names, and a line for every attempt");
  return reader.take();
}

}  // namespace holdfast
