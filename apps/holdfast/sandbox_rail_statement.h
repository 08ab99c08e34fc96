#pragma once
// The sandbox rail's statement: CSV, a line for every movement of money.

#include <string>
#include <vector>

#include "apps/holdfast/sandbox_rail_book.h"
#include "apps/holdfast/sandbox_rail_profile.h"
#include "base/instant.h"

namespace holdfast {

/// What was booked from `from` (included) to `until` (excluded), in the order in which it was booked, spoiled as the faults have
/// it. docs/rail-protocol.md, "Statements".
std::string sandbox_statement(const RailBook& book, base::Instant from, base::Instant until, const std::vector<const FaultRule*>& faults,
                              const FaultDecider& decider);

}  // namespace holdfast
