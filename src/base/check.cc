#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace base {

void check_failed(const char* condition, const char* file, int line, const char* why) noexcept {
  std::fprintf(stderr, "holdfast: broken: %s:%d: CHECK(%s) failed%s%s\n", file, line, condition, *why ? ": " : "", why);
  std::abort();
}

}  // namespace base
