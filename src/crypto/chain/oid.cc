#include "crypto/chain/oid.h"

namespace crypto::chain {

std::string to_dotted(base::ByteView body) {
  if (body.empty() || (body.back() & 0x80) != 0) return "malformed";
  std::string text;
  std::uint64_t arc = 0;
  bool starts = true;
  for (const std::uint8_t byte : body) {
    if ((starts && byte == 0x80) || arc >> 56 != 0) return "malformed";
    starts = false;
    arc = arc << 7 | (byte & 0x7F);
    if ((byte & 0x80) != 0) continue;
    if (text.empty()) {
      const std::uint64_t first = arc < 80 ? arc / 40 : 2;
      text = std::to_string(first) + "." + std::to_string(arc - first * 40);
    } else {
      text += "." + std::to_string(arc);
    }
    arc = 0;
    starts = true;
  }
  return text;
}

}  // namespace crypto::chain
