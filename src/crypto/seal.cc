#include "crypto/seal.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"
#include "crypto/sodium.h"

namespace crypto {

static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == seal_overhead_bytes &&
              crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == 24 && crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

base::Bytes seal(SealKeyView key, const SealNonce& nonce, base::ByteView associated, base::ByteView plain) {
  require_sodium();
  base::Bytes sealed(plain.size() + seal_overhead_bytes);
  CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(), plain.size(),
                                                   associated.data(), associated.size(), nullptr, nonce.data(),
                                                   key.data()) == 0);
  return sealed;
}

base::Status open(SealKeyView key, const SealNonce& nonce, base::ByteView associated, base::ByteView sealed,
                  std::span<std::uint8_t> out) {
  require_sodium();
  const bool sizes_agree = sealed.size() == out.size() + seal_overhead_bytes;
  if (sizes_agree &&
      crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                 associated.data(), associated.size(), nonce.data(), key.data()) == 0) {
    return base::ok();
  }
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  return base::Error{"sealed_bytes_not_authentic", "sealed bytes do not open with this key and associated data"};
}

}  // namespace crypto
