#include "base/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace base {

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

namespace {

constexpr std::uint32_t castagnoli_reflected = 0x82F63B78u;

constexpr auto make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? castagnoli_reflected : 0u);
    table[i] = crc;
  }
  return table;
}
constexpr auto table = make_table();

std::uint32_t crc32c_by_table(const std::uint8_t* at, std::size_t size, std::uint32_t state) {
  for (std::size_t i = 0; i < size; ++i) state = (state >> 8) ^ table[(state ^ at[i]) & 0xFFu];
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_cpu(const std::uint8_t* at, std::size_t size,
                                                              std::uint32_t state) {
  std::uint64_t wide = state;
  for (; size >= 8; at += 8, size -= 8) wide = _mm_crc32_u64(wide, load_le<std::uint64_t>(at));
  state = static_cast<std::uint32_t>(wide);
  for (; size > 0; ++at, --size) state = _mm_crc32_u8(state, *at);
  return state;
}
const bool cpu_has_crc = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t crc) {
  std::uint32_t state = ~crc;
#if defined(__x86_64__)
  if (cpu_has_crc) return ~crc32c_by_cpu(bytes.data(), bytes.size(), state);
#endif
  return ~crc32c_by_table(bytes.data(), bytes.size(), state);
}

}  // namespace base
