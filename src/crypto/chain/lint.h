#pragma once
// What may be wrong with one certificate on a path, by itself: the rules of the profile that a library's path validation
// lets through.

#include <vector>

#include "crypto/chain/certificate.h"
#include "crypto/chain/demands.h"
#include "crypto/chain/reason.h"

namespace crypto::chain {

/// Appends everything for which the profile refuses the certificate in this place, worst first. `role`: leaf, intermediate
/// or anchor. Time is looked at as well; names that were asked for and usages are judge_leaf's.
void lint(const Certificate& certificate, Role role, const Demands& demands, std::vector<Fault>& out);

/// Names, key usage and extended key usage of the leaf against what was asked for.
void judge_leaf(const Certificate& leaf, const Demands& demands, std::vector<Fault>& out);

/// `2026-11-22T12:00:00Z`.
std::string time_text(std::int64_t seconds);

}  // namespace crypto::chain
