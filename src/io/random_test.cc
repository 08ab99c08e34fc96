#include "io/random.h"

#include <doctest/doctest.h>

#include <set>

#include "base/bytes.h"
#include "base/text.h"

TEST_CASE("real randomness fills everything and does not repeat") {
  io::RealRandom random;
  std::array<std::uint8_t, 600> a{};
  std::array<std::uint8_t, 600> b{};
  random.fill(a);
  random.fill(b);
  CHECK(a != b);
  CHECK(random.u64() != random.u64());
  random.fill({});
}

TEST_CASE("simulated randomness is the same for ever") {
  // xoshiro256** from splitmix64(1): the values of an independent implementation.
  io::SimulatedRandom random(1);
  CHECK(random.next() == 0xb3f2af6d0fc710c5);
  CHECK(random.next() == 0x853b559647364cea);
  io::SimulatedRandom bytes(1);
  std::array<std::uint8_t, 12> filled{};
  bytes.fill(filled);
  CHECK(base::to_hex(filled) == "c510c70f6daff2b3ea4c3647");
}

TEST_CASE("below is within its bound and reaches all of it") {
  io::SimulatedRandom random(9);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.below(5));
  CHECK(seen == std::set<std::uint64_t>{0, 1, 2, 3, 4});
  CHECK(random.below(1) == 0);
  CHECK(random.chance(1, 1));
  CHECK(!random.chance(0, 3));
}
