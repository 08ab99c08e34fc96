#include "crypto/keccak.h"

#include <bit>

#include "crypto/wipe.h"

namespace crypto {
namespace {

using State = std::array<std::uint64_t, 25>;

// Round constants by the linear feedback register of FIPS 202, algorithm 5.
constexpr auto make_round_constants() {
  std::array<std::uint64_t, 24> out{};
  std::uint8_t lfsr = 1;
  for (auto& constant : out) {
    for (unsigned j = 0; j < 7; ++j) {
      if ((lfsr & 1) != 0) constant |= std::uint64_t{1} << ((1u << j) - 1);
      lfsr = static_cast<std::uint8_t>((lfsr << 1) ^ ((lfsr >> 7) * 0x71));
    }
  }
  return out;
}
constexpr auto round_constants = make_round_constants();

// Keccak-f[1600], FIPS 202 section 3.3.
void permute(State& a) {
  for (std::uint64_t constant : round_constants) {
    std::uint64_t c[5];
    for (std::size_t x = 0; x < 5; ++x) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (std::size_t x = 0; x < 5; ++x) {
      const std::uint64_t d = c[(x + 4) % 5] ^ std::rotl(c[(x + 1) % 5], 1);
      for (std::size_t y = 0; y < 25; y += 5) a[x + y] ^= d;
    }
    std::uint64_t moved = a[1];
    std::size_t x = 1;
    std::size_t y = 0;
    for (int t = 0; t < 24; ++t) {
      const std::size_t next_y = (2 * x + 3 * y) % 5;
      x = y;
      y = next_y;
      const std::uint64_t held = a[x + 5 * y];
      a[x + 5 * y] = std::rotl(moved, (t + 1) * (t + 2) / 2 % 64);
      moved = held;
    }
    for (std::size_t row = 0; row < 25; row += 5) {
      std::uint64_t b[5];
      for (std::size_t i = 0; i < 5; ++i) b[i] = a[row + i];
      for (std::size_t i = 0; i < 5; ++i) a[row + i] = b[i] ^ (~b[(i + 1) % 5] & b[(i + 2) % 5]);
    }
    a[0] ^= constant;
  }
}

}  // namespace

base::Digest keccak256(base::ByteView bytes) {
  constexpr std::size_t rate = 136;
  State state{};
  auto* raw = reinterpret_cast<std::uint8_t*>(state.data());
  std::size_t at = 0;
  for (std::uint8_t byte : bytes) {
    raw[at++] ^= byte;
    if (at == rate) {
      permute(state);
      at = 0;
    }
  }
  raw[at] ^= 0x01;
  raw[rate - 1] ^= 0x80;
  permute(state);
  base::Digest out;
  std::memcpy(out.data(), raw, out.size());
  wipe({raw, sizeof state});
  return out;
}

}  // namespace crypto
