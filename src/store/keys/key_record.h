#pragma once
// One pair of the key index as tables and runs hold it: 24 bytes, ordered by key, then kind, then event.

#include <compare>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/int128.h"
#include "model/ids.h"
#include "store/keys/key_index.h"

namespace store {

/// Layout is part of the run format (docs/format/keys-index.md).
struct KeyRecord {
  std::uint64_t high = 0;   ///< key bytes 0 to 7, little-endian: decides order and place
  std::uint64_t low = 0;    ///< key bytes 8 to 15
  std::uint64_t word = 0;   ///< kind << 56 | event number

  KeyKind kind() const { return static_cast<KeyKind>(word >> 56); }
  model::EventNumber event() const { return word & ((std::uint64_t{1} << 56) - 1); }
  auto operator<=>(const KeyRecord&) const = default;
};
static_assert(sizeof(KeyRecord) == 24);

inline KeyRecord make_record(KeyKind kind, const base::Tag128& key, model::EventNumber event) {
  return {base::load_le<std::uint64_t>(key.data()), base::load_le<std::uint64_t>(key.data() + 8),
          static_cast<std::uint64_t>(kind) << 56 | event};
}

/// True if both are of one key and kind.
inline bool same_key(const KeyRecord& a, const KeyRecord& b) {
  return a.high == b.high && a.low == b.low && (a.word ^ b.word) >> 56 == 0;
}

/// Place of a uniform 64-bit value on a line of `size` places, keeping order.
inline std::uint64_t scale_to(std::uint64_t uniform, std::uint64_t size) {
  return base::high64(static_cast<base::U128>(uniform) * size);
}

}  // namespace store
