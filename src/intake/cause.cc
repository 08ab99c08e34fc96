#include "intake/cause.h"

#include <array>

#include "base/check.h"

namespace intake {
namespace {

constexpr CauseRow rows[] = {
#define CAUSE(number, code, severity, en, zh) {Cause::code, #code, Severity::severity, en, zh},
#include "intake/cause.def"
#undef CAUSE
};

constexpr std::size_t numbers_end = 512;

constexpr auto index_by_number() {
  std::array<std::uint16_t, numbers_end> index{};
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    index[static_cast<std::size_t>(rows[i].cause)] = static_cast<std::uint16_t>(i + 1);
  }
  return index;
}
constexpr auto by_number = index_by_number();

}  // namespace

const CauseRow& row_of(Cause cause) {
  const auto number = static_cast<std::size_t>(cause);
  CHECK(number < numbers_end && by_number[number] != 0);
  return rows[by_number[number] - 1];
}

std::span<const CauseRow> all_causes() { return rows; }

std::optional<Cause> cause_of_code(std::string_view code) {
  for (const CauseRow& row : rows) {
    if (row.code == code) return row.cause;
  }
  return std::nullopt;
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::repaired: return "repaired";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
    case Severity::incident: return "incident";
  }
  return "";
}

}  // namespace intake
