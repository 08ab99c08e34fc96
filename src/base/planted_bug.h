#pragma once
// Deliberate bugs, one at a time, that show whether the simulator would find such a thing (sim/planted_bugs.md). Outside of
// a test build with HOLDFAST_PLANTED_BUGS every question is answered "no" by the compiler and no bug exists in the program.

namespace base {

#ifdef HOLDFAST_PLANTED_BUGS
inline int planted_bug_number = 0;   ///< set once, by holdfast-sim --planted N
inline bool planted_bug(int number) { return planted_bug_number == number; }
#else
constexpr bool planted_bug(int) { return false; }
#endif

}  // namespace base
