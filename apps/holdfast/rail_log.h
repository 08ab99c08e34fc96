#pragma once
// A log of past attempts over rails, as CSV: what happened to payments at rails. docs/rail-simulate.md describes the columns.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "base/result.h"
#include "model/rail.h"

namespace holdfast {

constexpr std::size_t rail_log_bytes_max = std::size_t{256} << 20;
constexpr std::size_t rail_log_rails_max = 64;

/// What one rail made of one payment.
struct LoggedAttempt {
  std::uint32_t rail = 0;              ///< index into RailLog::rails
  base::U128 cost = 0;                 ///< what the rail charged
  bool success = false;
  bool rails_fault = false;            ///< counts against the rail in routing
  base::Duration latency{};
};

/// One payment, and what is known of it.
struct LoggedPayment {
  base::Instant at{};
  base::U128 amount = 0;
  model::Country country = 0;
  std::uint16_t instrument = 0;
  std::vector<LoggedAttempt> attempts;   ///< at most one for each rail, in the order of the file
};

struct RailLog {
  std::vector<std::string> rails;        ///< in the order in which they appear
  std::vector<LoggedPayment> payments;   ///< in order of time
  bool complete() const;                 ///< every payment has an attempt at every rail
};

/// Errors: `rail_log_malformed`, which names line and column, or the bound that was passed.
base::Result<RailLog> parse_rail_log(base::ByteView csv);

}  // namespace holdfast
