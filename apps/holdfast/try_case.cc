#include "apps/holdfast/try_case.h"

#include <chrono>

namespace holdfast {

namespace {

constexpr std::chrono::milliseconds search_max{200};

}  // namespace

trial::Answer try_in_time(const trial::Case& one) {
  const auto deadline = std::chrono::steady_clock::now() + search_max;
  trial::Steps steps(trial::variants_max, [&] { return std::chrono::steady_clock::now() < deadline; });
  return trial::try_case(one, steps);
}

}  // namespace holdfast
