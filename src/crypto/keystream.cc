#include "crypto/keystream.h"

#include <sodium.h>

#include <cstring>

#include "crypto/sodium.h"

namespace crypto {

void chacha20_keystream(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 8> nonce,
                        std::uint64_t block, std::span<std::uint8_t> out) {
  if (out.empty()) return;
  require_sodium();
  std::memset(out.data(), 0, out.size());
  crypto_stream_chacha20_xor_ic(out.data(), out.data(), out.size(), nonce.data(), block, key.data());
}

}  // namespace crypto
