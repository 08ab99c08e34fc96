#pragma once
// Plays a scenario: every block in order, until one fails.

#include <optional>
#include <string>

#include "tests/scenario/document.h"

namespace scenario {

/// What happened in a document that played through.
struct Played {
  std::size_t requests = 0;
  std::size_t balances = 0;
};

/// `path:line: what was expected and what came`, or nothing if every block held. Debits must equal credits at the end.
std::optional<std::string> play(const Document& document, Played& played);

}  // namespace scenario
