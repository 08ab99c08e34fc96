#pragma once
// Strict PEM (RFC 7468) for the objects of a chain. What came damaged is the import doctor's business, not this one's.

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace crypto::chain {

struct PemBlock {
  std::string_view label;  ///< points into the text
  base::Bytes der;
};

/// Every block of the text; text around blocks is ignored. Error `pem_is_malformed`: a block without end, with another
/// label at its end, or with what is not base64.
base::Result<std::vector<PemBlock>> pem_blocks(std::string_view text);

}  // namespace crypto::chain
