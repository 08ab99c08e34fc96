#include "model/outcome.h"

#include <array>

#include "base/check.h"

namespace model {

namespace {

constexpr std::array rows{
#define OUTCOME(number, code, status, hop, party, fate, retry, action) \
  OutcomeRow{Outcome::code, #code, status, #hop, #party, #fate, #retry, action},
#include "model/outcome.def"
#undef OUTCOME
};

constexpr std::size_t numbers_max = 1024;

// Number -> place in `rows`, plus one; built at compile time, where a number used twice or out of order does not compile.
constexpr auto make_places() {
  std::array<std::uint16_t, numbers_max> places{};
  std::uint16_t last = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto number = static_cast<std::uint16_t>(rows[i].outcome);
    if (number <= last || number >= numbers_max) throw "outcome numbers must ascend and stay below numbers_max";
    last = number;
    places[number] = static_cast<std::uint16_t>(i + 1);
  }
  return places;
}
constexpr auto places = make_places();

}  // namespace

const OutcomeRow& row_of(Outcome outcome) {
  const auto number = static_cast<std::size_t>(outcome);
  CHECK(number < numbers_max && places[number] != 0);
  return rows[places[number] - 1u];
}

std::string_view code_of(Outcome outcome) { return row_of(outcome).code; }

std::optional<Outcome> outcome_of_number(std::uint64_t number) {
  if (number >= numbers_max || places[static_cast<std::size_t>(number)] == 0) return std::nullopt;
  return rows[places[static_cast<std::size_t>(number)] - 1u].outcome;
}

}  // namespace model
