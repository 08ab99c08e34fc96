#pragma once
// Decoded bytes that still know where in the input they came from.

#include <cstdint>
#include <string>
#include <vector>

#include "intake/finding.h"
#include "intake/wiped.h"

namespace intake {

/// Bytes taken out of an input, by base64, by hex or as they stood.
struct Content {
  enum class Origin : std::uint8_t { binary, base64, hex, derived };
  Secret bytes;
  Origin origin = Origin::derived;
  std::size_t base = 0;                  ///< offset in the input of the first byte (binary)
  std::vector<std::uint32_t> characters; ///< offset in the input of each base64 or hex digit

  /// Place of `size` bytes at `offset`, in the input where that is known.
  Place place_at(std::size_t offset, std::size_t size = 1) const;
};

/// Where a reader reports to: findings about offsets of one content.
struct Desk {
  const Content& content;
  Notes& notes;
  void add(Cause cause, std::size_t offset, std::string evidence = {}) const {
    notes.add(cause, content.place_at(offset), std::move(evidence));
  }
  void add(Cause cause, std::string evidence = {}) const { notes.add(cause, {}, std::move(evidence)); }
};

}  // namespace intake
