#pragma once
// The trial on this machine's clock.

#include "trial/trial.h"

namespace holdfast {

/// Tries a case: at most trial::variants_max checks, and 200 ms.
trial::Answer try_in_time(const trial::Case& one);

}  // namespace holdfast
