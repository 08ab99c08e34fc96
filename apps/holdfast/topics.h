#pragma once
// What there is to know besides the commands: `holdfast help TOPIC`, and sections of the manual page.

#include <span>
#include <string_view>

namespace holdfast {

struct Topic {
  std::string_view name;    ///< `exit-codes`
  std::string_view title;   ///< `Exit codes`
  std::string_view text;    ///< lines, each with two blanks before it
};

std::span<const Topic> topics();

}  // namespace holdfast
