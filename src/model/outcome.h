#pragma once
// Outcomes: the answers of the core and of everything in front of it, as data. The table is outcome.def.

#include <cstdint>
#include <optional>
#include <string_view>

namespace model {

enum class Outcome : std::uint16_t {
#define OUTCOME(number, code, status, hop, party, fate, retry, action) code = number,
#include "model/outcome.def"
#undef OUTCOME
};

/// One row of the table. All views are to static storage.
struct OutcomeRow {
  Outcome outcome;
  std::string_view code;          ///< the sentence, as it stands in replies
  std::uint16_t http_status;      ///< RFC 9110
  std::string_view hop;           ///< where the refusal was decided
  std::string_view responsible_party;
  std::string_view fate;          ///< problem+json `outcome`
  std::string_view safe_to_retry;
  std::string_view next_action;
};

/// The row of an outcome. Every enumerator has one.
const OutcomeRow& row_of(Outcome outcome);
std::string_view code_of(Outcome outcome);
/// The outcome with that number, if there is one (journals written by newer code may know more).
std::optional<Outcome> outcome_of_number(std::uint64_t number);

}  // namespace model
