#pragma once
// Byte strings and fixed-width little-endian integers.

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

using Bytes = std::vector<std::uint8_t>;
/// A view never owns; its bytes must outlive it.
using ByteView = std::span<const std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;   ///< SHA-256
using Tag128 = std::array<std::uint8_t, 16>;   ///< 128-bit MAC, key hash, trace id

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

/// Unaligned little-endian load and store; T is an unsigned integer. The caller guarantees the room.
template <typename T>
T load_le(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <typename T>
void store_le(std::uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are little-endian; a big-endian port needs swaps here");

/// Compares without leaking through time where the first difference is. False at once when sizes differ.
bool equal_constant_time(ByteView a, ByteView b);

/// CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`, continuing from `crc` (0 to start). Uses the CPU instruction if there.
std::uint32_t crc32c(ByteView bytes, std::uint32_t crc = 0);

}  // namespace base
