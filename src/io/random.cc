#include "io/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/int128.h"

namespace io {

std::uint64_t Random::u64() {
  std::array<std::uint8_t, 8> bytes{};
  fill(bytes);
  return base::load_le<std::uint64_t>(bytes.data());
}

namespace {

// Small requests (salts, trace ids) come from a piece that the kernel filled before; what was handed out is wiped.
struct Drawn {
  std::array<std::uint8_t, 1024> bytes{};
  std::size_t left = 0;
};
constexpr std::size_t small_request_bytes = 32;

}  // namespace

void RealRandom::fill(std::span<std::uint8_t> into) {
  if (into.empty()) return;
  if (into.size() > small_request_bytes) return fill_from_kernel(into);
  thread_local Drawn drawn;
  if (drawn.left < into.size()) {
    fill_from_kernel(drawn.bytes);
    drawn.left = drawn.bytes.size();
  }
  std::uint8_t* const from = drawn.bytes.data() + (drawn.left - into.size());
  std::memcpy(into.data(), from, into.size());
  explicit_bzero(from, into.size());
  drawn.left -= into.size();
}

void RealRandom::fill_from_kernel(std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t n = ::getrandom(into.data(), into.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    CHECK_THAT(n > 0, "the kernel gives random bytes");
    into = into.subspan(static_cast<std::size_t>(n));
  }
}

namespace {

constexpr std::uint64_t rotate_left(std::uint64_t value, int by) { return (value << by) | (value >> (64 - by)); }

}  // namespace

SimulatedRandom::SimulatedRandom(std::uint64_t seed) : state_{} {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    word = mixed ^ (mixed >> 31);
  }
}

std::uint64_t SimulatedRandom::step() {
  const std::uint64_t answer = rotate_left(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate_left(state_[3], 45);
  return answer;
}

void SimulatedRandom::fill(std::span<std::uint8_t> into) {
  std::lock_guard lock(mutex_);
  while (!into.empty()) {
    std::array<std::uint8_t, 8> bytes{};
    base::store_le(bytes.data(), step());
    const std::size_t n = std::min(into.size(), bytes.size());
    std::memcpy(into.data(), bytes.data(), n);
    into = into.subspan(n);
  }
}

std::uint64_t SimulatedRandom::next() {
  std::lock_guard lock(mutex_);
  return step();
}

std::uint64_t SimulatedRandom::below(std::uint64_t bound) {
  CHECK(bound > 0);
  // The high half of a 128-bit product is uniform up to one part in 2^64 / bound, which a simulation cannot notice.
  return base::high64(base::U128{next()} * bound);
}

}  // namespace io
