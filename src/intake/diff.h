#pragma once
// Differences between two texts, for showing a repair.

#include <string>
#include <string_view>

namespace intake {

/// The lines that differ, `-` before and `+` after, between the first and the last difference; control characters and
/// bytes outside of ASCII as \xNN. At most 40 lines.
std::string line_diff(std::string_view before, std::string_view after);

}  // namespace intake
