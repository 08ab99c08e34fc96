#pragma once
// CHECK: a statement that is true unless Holdfast itself is wrong. Always on. When it does not hold the process
// stops at once (design: "broken"), because state that contradicts its own rules must never reach the journal.
// Never for input, never for the outside world: those are outcomes and errors.

namespace base {

/// Writes the failed condition with its place to standard error and aborts. Async-signal-safe, takes no locks.
[[noreturn]] void check_failed(const char* condition, const char* file, int line, const char* why) noexcept;

}  // namespace base

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) [[unlikely]] {                                            \
      ::base::check_failed(#condition, __FILE__, __LINE__, "");                 \
    }                                                                           \
  } while (false)

/// The same with a sentence saying which law was broken.
#define CHECK_THAT(condition, why)                                              \
  do {                                                                          \
    if (!(condition)) [[unlikely]] {                                            \
      ::base::check_failed(#condition, __FILE__, __LINE__, why);                \
    }                                                                           \
  } while (false)
