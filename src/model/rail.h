#pragma once
// Rails: what a rail answers, why, who said so, and what a rail can do. Every number here stands in journals for ever.
//
// A rail carries one asset. A bank that takes dollars and euros is two rails that share a driver: each has its own clearing
// and suspense account, limits, costs and health.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/instant.h"
#include "base/int128.h"

namespace model {

using RailNumber = std::uint16_t;   ///< order of registration, from 1; 0 is none
constexpr std::size_t rails_max = 1024;

/// The five answers of a rail (design section 7). There is no sixth.
enum class RailResult : std::uint8_t {
  not_sent = 1,   ///< proven: nothing left for the rail, or the rail confirms that it never will act on it
  rejected = 2,   ///< the rail says no, with a reason
  accepted = 3,   ///< the rail has it and will do it
  settled = 4,    ///< money moved at the rail
  unknown = 5,    ///< it may or may not have happened
};
constexpr std::string_view name_of(RailResult result) {
  switch (result) {
    case RailResult::not_sent: return "not_sent";
    case RailResult::rejected: return "rejected";
    case RailResult::accepted: return "accepted";
    case RailResult::settled: return "settled";
    case RailResult::unknown: break;
  }
  return "unknown";
}
constexpr bool is_rail_result(std::uint64_t number) { return number >= 1 && number <= 5; }

/// Why. Numbers ascend without gaps; a retired one keeps its row.
enum class RailReason : std::uint8_t {
  none = 0,
  connection_refused = 1,
  name_not_resolved = 2,
  tls_failed = 3,
  send_deadline_passed = 4,
  rate_limited = 5,
  rail_busy = 6,
  rail_in_maintenance = 7,
  rail_internal_error = 8,
  beneficiary_account_invalid = 9,
  beneficiary_account_closed = 10,
  beneficiary_refused = 11,
  insufficient_funds_at_rail = 12,
  insufficient_funds_of_payer = 13,
  amount_below_minimum = 14,
  amount_above_maximum = 15,
  asset_not_supported = 16,
  country_not_supported = 17,
  compliance_refused = 18,
  duplicate_reference = 19,
  signature_refused = 20,
  credentials_refused = 21,
  request_not_understood = 22,
  reply_lost = 23,
  reply_timed_out = 24,
  reply_malformed = 25,
  reply_contradicts_request = 26,
  process_died = 27,
  not_found_at_rail = 28,
  tombstoned = 29,
  returned_by_beneficiary_bank = 30,
  payer_refused = 31,
  other = 32,
  rail_beyond_driver = 33,   ///< registered with more than its driver can do: nothing is sent
};

/// What is known of a reason.
struct RailReasonRow {
  RailReason reason;
  std::string_view name;
  bool rails_fault;   ///< counts against the rail in routing; nothing else does
  bool reroutable;    ///< after `rejected` with this reason another rail may be tried
};

inline constexpr std::array<RailReasonRow, 34> rail_reasons = {{
    {RailReason::none, "none", false, false},
    {RailReason::connection_refused, "connection_refused", true, true},
    {RailReason::name_not_resolved, "name_not_resolved", true, true},
    {RailReason::tls_failed, "tls_failed", true, true},
    {RailReason::send_deadline_passed, "send_deadline_passed", false, true},
    {RailReason::rate_limited, "rate_limited", true, true},
    {RailReason::rail_busy, "rail_busy", true, true},
    {RailReason::rail_in_maintenance, "rail_in_maintenance", true, true},
    {RailReason::rail_internal_error, "rail_internal_error", true, true},
    {RailReason::beneficiary_account_invalid, "beneficiary_account_invalid", false, false},
    {RailReason::beneficiary_account_closed, "beneficiary_account_closed", false, false},
    {RailReason::beneficiary_refused, "beneficiary_refused", false, false},
    {RailReason::insufficient_funds_at_rail, "insufficient_funds_at_rail", true, true},
    {RailReason::insufficient_funds_of_payer, "insufficient_funds_of_payer", false, false},
    {RailReason::amount_below_minimum, "amount_below_minimum", false, true},
    {RailReason::amount_above_maximum, "amount_above_maximum", false, true},
    {RailReason::asset_not_supported, "asset_not_supported", false, true},
    {RailReason::country_not_supported, "country_not_supported", false, true},
    {RailReason::compliance_refused, "compliance_refused", false, false},
    // The rail knows the reference: it may have acted on it. A driver says `unknown` with this; as `rejected` it ends.
    {RailReason::duplicate_reference, "duplicate_reference", false, false},
    {RailReason::signature_refused, "signature_refused", true, true},
    {RailReason::credentials_refused, "credentials_refused", true, true},
    {RailReason::request_not_understood, "request_not_understood", true, true},
    {RailReason::reply_lost, "reply_lost", true, false},
    {RailReason::reply_timed_out, "reply_timed_out", true, false},
    {RailReason::reply_malformed, "reply_malformed", true, false},
    {RailReason::reply_contradicts_request, "reply_contradicts_request", true, false},
    {RailReason::process_died, "process_died", false, false},
    {RailReason::not_found_at_rail, "not_found_at_rail", false, false},
    {RailReason::tombstoned, "tombstoned", false, true},
    {RailReason::returned_by_beneficiary_bank, "returned_by_beneficiary_bank", false, false},
    {RailReason::payer_refused, "payer_refused", false, false},
    {RailReason::other, "other", false, false},
    {RailReason::rail_beyond_driver, "rail_beyond_driver", true, true},
}};

constexpr bool is_rail_reason(std::uint64_t number) { return number < rail_reasons.size(); }
constexpr const RailReasonRow& row_of(RailReason reason) { return rail_reasons[static_cast<std::size_t>(reason)]; }

static_assert([] {
  for (std::size_t i = 0; i < rail_reasons.size(); ++i) {
    if (static_cast<std::size_t>(rail_reasons[i].reason) != i) return false;
  }
  return true;
}(), "each reason stands at its own number");

/// Who reports. One writer decides, whoever it is.
enum class ReportSource : std::uint8_t {
  reply = 1,               ///< the rail's answer on the connection that carried the request
  callback = 2,
  inquiry = 3,
  statement = 4,
  operator_decision = 5,
  recovery = 6,            ///< the process found a send open when it started
};

/// What a rail can do, a bit set.
enum RailCapability : std::uint16_t {
  idempotent_reference = 1u << 0,   ///< the same reference again is the same payment
  inquiry_supported = 1u << 1,      ///< answers questions under our reference
  void_supported = 1u << 2,         ///< a void leaves a tombstone: what arrives later under the reference is refused
  expiry_honoured = 1u << 3,        ///< never acts after `valid_until`
  callback_supported = 1u << 4,
  statement_supported = 1u << 5,
  recall_supported = 1u << 6,       ///< can be asked to give back a settled payment
};
using RailCapabilities = std::uint16_t;
constexpr RailCapabilities all_rail_capabilities = (1u << 7) - 1;

/// What a rail carries.
enum RailDirection : std::uint8_t { payouts = 1, collects = 2 };
using RailDirections = std::uint8_t;

/// A country as two letters of ISO 3166-1, `DE` = 'D' << 8 | 'E'; 0 is not given.
using Country = std::uint16_t;
constexpr std::optional<Country> parse_country(std::string_view text) {
  if (text.size() != 2 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z') return std::nullopt;
  return static_cast<Country>(static_cast<unsigned>(text[0]) << 8 | static_cast<unsigned>(text[1]));
}
constexpr std::size_t rail_countries_max = 16;

/// Name of a rail: 1 to 32 characters a-z 0-9 and `-`, starting with a letter; padded with zero bytes. Not personal.
using RailName = std::array<char, 32>;
constexpr bool is_rail_name(std::string_view text) {
  if (text.empty() || text.size() > 32 || text[0] < 'a' || text[0] > 'z') return false;
  for (const char c : text) {
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') return false;
  }
  return true;
}
constexpr std::string_view to_text(const RailName& name) {
  std::size_t size = 0;
  while (size < name.size() && name[size] != 0) ++size;
  return {name.data(), size};
}
constexpr std::optional<RailName> parse_rail_name(std::string_view text) {
  if (!is_rail_name(text)) return std::nullopt;
  RailName name{};
  for (std::size_t i = 0; i < text.size(); ++i) name[i] = text[i];
  return name;
}

/// What is configured of a rail. Durations are never negative; a zero amount_max is no bound.
struct RailProfile {
  RailCapabilities capabilities = 0;
  RailDirections directions = payouts;
  base::U128 amount_min = 1;
  base::U128 amount_max = 0;
  base::U128 cost_fixed = 0;                              ///< of one payment, in the asset's smallest unit
  std::uint32_t cost_basis_points = 0;                    ///< of the amount, at most 10,000
  base::Duration send_window = base::seconds(5);          ///< send_not_after = when the attempt starts + this
  base::Duration reply_timeout = base::seconds(10);       ///< after the first byte; the driver's own limit
  base::Duration visibility_horizon = base::seconds(60);  ///< after send_not_after "not found" begins to mean something
  base::Duration settle_within = base::seconds(3600);     ///< `accepted` for longer is asked about
  base::Duration inquiry_first = base::seconds(2);        ///< after the outcome became unknown; doubles from there
  base::Duration inquiry_max = base::seconds(300);        ///< longest distance of two inquiries
  std::uint32_t inquiries_max = 24;                       ///< then manual_review
  std::uint32_t in_flight_max = 256;                      ///< bulkhead: attempts in `sending`
  std::uint32_t rate_per_second = 0;                      ///< attempts started; 0 is no bound
  /// Countries of beneficiaries it reaches; all zeros: every country.
  std::array<Country, rail_countries_max> countries{};
  bool operator==(const RailProfile&) const = default;
};

constexpr std::uint32_t rail_cost_basis_points_max = 10'000;

/// Breaker of a rail. Open turns into half-open by time alone; that is no event.
enum class Breaker : std::uint8_t { closed = 0, open = 1 };

/// What routing knows of a rail after a report. Weights count attempts in units of 1/65536 and decay (core/routing/health.h).
struct RailHealth {
  std::uint64_t successes = 0;         ///< weight
  std::uint64_t attempts = 0;          ///< weight of all that count, successes included
  std::uint64_t recent_faults = 0;     ///< weight, decays within seconds; for the breaker
  std::uint64_t recent_attempts = 0;
  base::Instant observed_at{};         ///< weights are as of then
  base::Duration latency{};            ///< smoothed, of answers
  base::Instant open_until{};          ///< of an open breaker; then it is half-open
  std::uint16_t faults_in_a_row = 0;
  std::uint16_t openings_in_a_row = 0; ///< the breaker stays open longer each time
  Breaker breaker = Breaker::closed;
  bool operator==(const RailHealth&) const = default;
};

/// What else success may depend on.
enum class Dimension : std::uint8_t { country = 1, instrument = 2 };
constexpr std::size_t dimensions_max = 2;

/// The same for one value of one dimension; `attempts` 0 where there is none.
struct DimensionHealth {
  std::uint64_t successes = 0;
  std::uint64_t attempts = 0;
  std::uint16_t value = 0;
  bool operator==(const DimensionHealth&) const = default;
};

}  // namespace model
