#pragma once
// The causes an import can be refused, repaired or remarked upon for; the rows of cause.def as an enumeration.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace intake {

/// How much a finding matters, in ascending order.
enum class Severity : std::uint8_t {
  info,      ///< nothing is wrong
  repaired,  ///< damage of transport; the output is what was meant, bit for bit
  warning,   ///< usable, but somebody should look
  error,     ///< refused
  incident,  ///< a secret where it must not be
};

/// One row of cause.def each; the value is the immortal number.
enum class Cause : std::uint16_t {
#define CAUSE(number, code, severity, en, zh) code = number,
#include "intake/cause.def"
#undef CAUSE
};

/// What cause.def says about a cause. All texts are literals in UTF-8.
struct CauseRow {
  Cause cause;
  std::string_view code;
  Severity severity;
  std::string_view remedy_en;
  std::string_view remedy_zh;
};

/// The row of a cause; constant time.
const CauseRow& row_of(Cause cause);
/// All rows in the order of the table.
std::span<const CauseRow> all_causes();
/// The cause of that code, if there is one.
std::optional<Cause> cause_of_code(std::string_view code);
/// `info`, `repaired`, `warning`, `error`, `incident`.
std::string_view name_of(Severity severity);

}  // namespace intake
