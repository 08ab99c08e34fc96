#pragma once
// News of key sets as sentences, for logs.

#include <string>
#include <vector>

#include "effects/key_sets/key_set_keeper.h"

namespace effects {

/// One sentence for each thing that happened. What the partner wrote (ids of keys) is shown without control characters and cut.
std::vector<std::string> sentences_of(const KeySetNews& news);

}  // namespace effects
