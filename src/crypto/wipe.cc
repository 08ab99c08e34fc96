#include "crypto/wipe.h"

#include <sodium.h>

namespace crypto {

void wipe(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

}  // namespace crypto
