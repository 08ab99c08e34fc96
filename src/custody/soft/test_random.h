#pragma once
// For tests: randomness whose bytes count 0, 1, 2, ... so that golden bytes can be computed by hand elsewhere.

#include "io/random.h"

namespace custody {

class CountingRandom final : public io::Random {
 public:
  explicit CountingRandom(std::uint8_t first = 0) : next_(first) {}
  void fill(std::span<std::uint8_t> into) override {
    for (std::uint8_t& byte : into) byte = next_++;
  }

 private:
  std::uint8_t next_;
};

}  // namespace custody
