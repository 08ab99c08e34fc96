#pragma once
// The only door to randomness.

#include <array>
#include <cstdint>
#include <mutex>
#include <span>

namespace io {

/// Calls may come from any thread.
class Random {
 public:
  virtual ~Random() = default;
  /// Fills all of `into` with unpredictable bytes. Cannot fail.
  virtual void fill(std::span<std::uint8_t> into) = 0;

  std::uint64_t u64();
};

/// The kernel's generator (getrandom); waits for its first seeding, which is before any service starts.
class RealRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> into) override;

 private:
  static void fill_from_kernel(std::span<std::uint8_t> into);
};

/// The same bytes for the same seed, for ever and on every machine (xoshiro256**, seeded by splitmix64). For simulation
/// only: its output is predictable. From several threads the bytes stay well-formed but their division among the
/// callers is not repeatable.
class SimulatedRandom final : public Random {
 public:
  explicit SimulatedRandom(std::uint64_t seed);
  void fill(std::span<std::uint8_t> into) override;

  /// The next 64 bits.
  std::uint64_t next();
  /// Uniform in [0, bound); `bound` is at least 1.
  std::uint64_t below(std::uint64_t bound);
  /// True `numerator` times out of `denominator`.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) { return below(denominator) < numerator; }

 private:
  std::uint64_t step();
  std::mutex mutex_;
  std::array<std::uint64_t, 4> state_;
};

}  // namespace io
