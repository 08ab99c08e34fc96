#include "latency.h"

#include <algorithm>
#include <bit>

namespace bench {

namespace {

std::size_t bucket_of(std::uint64_t ns) {
  if (ns < 32) return static_cast<std::size_t>(ns);
  const int octave = 63 - std::countl_zero(ns);
  return static_cast<std::size_t>((octave - 4) * 32) + static_cast<std::size_t>((ns >> (octave - 5)) & 31);
}

std::uint64_t upper_edge(std::size_t bucket) {
  if (bucket < 32) return bucket + 1;
  const std::size_t octave = bucket / 32 + 4;
  return ((std::uint64_t{32} + bucket % 32 + 1) << (octave - 5));
}

}  // namespace

void Latency::add(std::uint64_t ns) {
  buckets_[bucket_of(ns)] += 1;
  count_ += 1;
  max_ = std::max(max_, ns);
}

void Latency::merge(const Latency& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

double Latency::quantile_us(double q) const {
  if (count_ == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(count_ - 1));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen > rank) return std::min(static_cast<double>(upper_edge(i)), static_cast<double>(max_)) / 1e3;
  }
  return max_us();
}

}  // namespace bench
