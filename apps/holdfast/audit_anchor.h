#pragma once
// holdfast audit anchor: somebody else's word that the log was there, by files and by a node of an EVM chain.

#include <vector>

#include "apps/holdfast/command.h"

namespace holdfast {

std::vector<Option> anchor_options();
int run_anchor(const Arguments& arguments);

}  // namespace holdfast
