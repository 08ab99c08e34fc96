#include "intake/content.h"

#include <algorithm>

namespace intake {

Place Content::place_at(std::size_t offset, std::size_t size) const {
  Place place;
  place.content_offset = offset;
  const auto character = [&](std::size_t byte) {
    const std::size_t index = origin == Origin::hex ? byte * 2 : byte / 3 * 4 + byte % 3;
    return characters.empty() ? std::size_t{0} : std::size_t{characters[std::min(index, characters.size() - 1)]};
  };
  switch (origin) {
    case Origin::binary:
      place.begin = base + offset;
      place.end = base + offset + size;
      break;
    case Origin::base64:
    case Origin::hex:
      if (characters.empty()) break;
      place.begin = character(offset);
      place.end = character(offset + (size == 0 ? 0 : size - 1)) + 1;
      break;
    case Origin::derived: break;
  }
  return place;
}

}  // namespace intake
