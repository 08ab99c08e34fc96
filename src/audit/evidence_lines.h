#pragma once
// The facts that verified evidence shows, one line each, in both languages.

#include <string>
#include <vector>

#include "audit/evidence_check.h"

namespace audit {

/// One fact. `value_chinese` is the same fact, not another one.
struct EvidenceLine {
  std::string english, chinese;                ///< what it is
  std::string value_english, value_chinese;
  const char* name;                            ///< for programs; history and attempts come more than once
};

/// In the order in which a person reads them: the item, the log, the tree, who saw it, anchors.
std::vector<EvidenceLine> evidence_lines(const VerifiedEvidence& verified);

/// An amount with the asset's decimals: 2500 at scale 2 is `25.00`.
std::string decimal_amount(base::U128 amount, unsigned scale);

}  // namespace audit
