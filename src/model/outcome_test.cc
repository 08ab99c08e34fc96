#include "model/outcome.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace model;

TEST_CASE("the table of outcomes keeps its promises") {
  constexpr std::string_view hops[] = {"client", "gate", "core", "store"};
  constexpr std::string_view parties[] = {"client", "operator", "holdfast", "nobody"};
  constexpr std::string_view fates[] = {"definite_success", "definite_failure", "unknown"};
  constexpr std::string_view retries[] = {"same_key", "new_key", "after_inquiry", "never"};
  const auto among = [](std::string_view text, const auto& list) {
    return std::find(std::begin(list), std::end(list), text) != std::end(list);
  };
  std::set<std::string_view> codes;
  std::size_t rows = 0;
  for (std::uint64_t number = 0; number < 2000; ++number) {
    const auto outcome = outcome_of_number(number);
    if (!outcome) continue;
    const OutcomeRow& row = row_of(*outcome);
    CAPTURE(std::string(row.code));
    CHECK(static_cast<std::uint64_t>(row.outcome) == number);
    CHECK(code_of(*outcome) == row.code);
    CHECK(codes.insert(row.code).second);
    CHECK(row.http_status >= 200);
    CHECK(row.http_status < 600);
    CHECK(among(row.hop, hops));
    CHECK(among(row.responsible_party, parties));
    CHECK(among(row.fate, fates));
    CHECK(among(row.safe_to_retry, retries));
    CHECK(row.next_action.ends_with("."));
    ++rows;
  }
  CHECK(rows > 70);
  CHECK(code_of(Outcome::exceeds_available_balance) == "exceeds_available_balance");
  CHECK_FALSE(outcome_of_number(0).has_value());
  CHECK_FALSE(outcome_of_number(UINT64_MAX).has_value());
}
