#include "audit/blinding.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "base/text.h"

namespace {

// The key of zeros: RFC 8439 appendix A.1 then says what the stream is.
const std::vector<std::uint8_t> zeros(32, 0);

audit::Blinding blinding_of(std::uint64_t partition) {
  return audit::Blinding(std::span<const std::uint8_t, 32>(zeros.data(), 32), partition);
}

}  // namespace

TEST_CASE("blinding values are the ChaCha20 keystream cut in pieces of 32 bytes") {
  const audit::Blinding blinding = blinding_of(0);
  CHECK(base::to_hex(blinding.at(0)) == "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7");
  CHECK(base::to_hex(blinding.at(1)) == "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
  CHECK(base::to_hex(blinding.at(2)) == "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed");
  CHECK(base::to_hex(blinding.at(3)) == "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
}

TEST_CASE("a run of values is the values one by one, wherever it begins and ends") {
  const audit::Blinding blinding = blinding_of(3);
  for (std::uint64_t first : {0ull, 1ull, 2ull, 7ull, 1ull << 33, (1ull << 40) + 1}) {
    for (std::size_t count = 0; count < 6; ++count) {
      std::vector<audit::BlindingValue> run(count);
      blinding.fill(first, run);
      for (std::size_t i = 0; i < count; ++i) CHECK(run[i] == blinding.at(first + i));
    }
  }
}

TEST_CASE("values differ between leaves and between partitions") {
  std::set<audit::BlindingValue> seen;
  for (std::uint64_t partition : {0u, 1u, 2u}) {
    for (std::uint64_t leaf = 0; leaf < 100; ++leaf) seen.insert(blinding_of(partition).at(leaf));
  }
  CHECK(seen.size() == 300);
}
