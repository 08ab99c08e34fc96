#pragma once
// Latencies of a run, kept as counts in buckets of 1/32 octave: percentiles to 3 percent at no cost per sample.

#include <array>
#include <cstdint>

namespace bench {

class Latency {
 public:
  void add(std::uint64_t ns);
  void merge(const Latency& other);
  std::uint64_t count() const { return count_; }
  /// Upper edge of the bucket that holds the quantile, in microseconds. 0 if empty.
  double quantile_us(double q) const;
  double max_us() const { return static_cast<double>(max_) / 1e3; }

 private:
  std::array<std::uint64_t, 64 * 32> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace bench
