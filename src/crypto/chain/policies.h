#pragma once
// Certificate policies along a path (RFC 5280 section 6.1, in the graph form of RFC 9618, which cannot be made to grow
// exponentially).

#include <span>

#include "crypto/chain/certificate.h"
#include "crypto/chain/demands.h"

namespace crypto::chain {

/// `path`: leaf first, anchor last; the anchor's own policies do not count. Index of the certificate where the demand for a
/// policy fails, or nothing when the path is good.
std::optional<std::size_t> check_policies(std::span<const Certificate* const> path, const PolicyDemands& demands);

}  // namespace crypto::chain
