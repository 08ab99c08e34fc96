#pragma once
// Name constraints along a path (RFC 5280 sections 4.2.1.10 and 6.1.3 (b), (c)).

#include <optional>
#include <span>

#include "crypto/chain/certificate.h"

namespace crypto::chain {

/// Comparisons of a name with a constraint that one path may cost.
constexpr std::size_t comparisons_max = 250'000;

struct PlacedFault {
  Fault fault;
  std::size_t at = 0;  ///< index in the path
};

/// `path`: leaf first, anchor last. Each constraint holds for every certificate below it, self-issued intermediates
/// excepted. A name of a form that is constrained and cannot be compared is refused.
std::optional<PlacedFault> check_name_constraints(std::span<const Certificate* const> path);

}  // namespace crypto::chain
