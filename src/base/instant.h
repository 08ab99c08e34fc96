#pragma once
// A point in time as a number. No clock here: instants come in as arguments (io/clock.h reads them).

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

/// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Never negative in the journal.
struct Instant {
  std::int64_t ns = 0;
  auto operator<=>(const Instant&) const = default;
};

/// A span of time in nanoseconds.
struct Duration {
  std::int64_t ns = 0;
  auto operator<=>(const Duration&) const = default;
};

constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000'000}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
constexpr Instant operator+(Instant a, Duration d) { return {a.ns + d.ns}; }

/// RFC 3339 in UTC with exactly nine fraction digits: `2026-11-22T06:03:00.000000000Z`.
std::string to_rfc3339(Instant instant);
/// RFC 3339, section 5.6, UTC (`Z`) only, with 0 to 9 fraction digits, years 1970 to 2261. Nothing if it is not that.
std::optional<Instant> parse_rfc3339(std::string_view text);

}  // namespace base
