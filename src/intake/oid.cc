#include "intake/oid.h"

namespace intake {

std::string to_dotted(base::ByteView body) {
  std::string out;
  std::uint64_t arc = 0;
  bool first = true;
  bool open = false;
  for (std::uint8_t byte : body) {
    if (arc >> 57 != 0) return "malformed";
    arc = (arc << 7) | (byte & 0x7F);
    open = (byte & 0x80) != 0;
    if (open) continue;
    if (first) {
      const std::uint64_t top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
      out = std::to_string(top) + "." + std::to_string(arc - 40 * top);
      first = false;
    } else {
      out += "." + std::to_string(arc);
    }
    arc = 0;
  }
  return open || first ? "malformed" : out;
}

}  // namespace intake
