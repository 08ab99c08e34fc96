#include "crypto/sign.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"
#include "crypto/sodium.h"
#include "crypto/wipe.h"

namespace crypto {

static_assert(crypto_sign_ed25519_SEEDBYTES == 32 && crypto_sign_ed25519_PUBLICKEYBYTES == 32 &&
              crypto_sign_ed25519_SECRETKEYBYTES == 64 && crypto_sign_ed25519_BYTES == 64);

Ed25519PublicKey ed25519_public_key(Ed25519SeedView seed) {
  require_sodium();
  Ed25519PublicKey public_key;
  ShortLived<64> secret;
  CHECK(crypto_sign_ed25519_seed_keypair(public_key.data(), secret.bytes().data(), seed.data()) == 0);
  return public_key;
}

Ed25519Signature Ed25519KeyPair::sign(base::ByteView message) const {
  ShortLived<64> secret;   // as libsodium wants it: the seed and the public key behind it
  const auto public_half = std::ranges::copy(seed_, secret.bytes().begin()).out;
  std::ranges::copy(public_key_, public_half);
  Ed25519Signature signature;
  CHECK(crypto_sign_ed25519_detached(signature.data(), nullptr, message.data(), message.size(), secret.bytes().data()) == 0);
  return signature;
}

Ed25519Signature ed25519_sign(Ed25519SeedView seed, base::ByteView message) { return Ed25519KeyPair(seed).sign(message); }

bool ed25519_verify(const Ed25519PublicKey& public_key, base::ByteView message, base::ByteView signature) {
  require_sodium();
  if (signature.size() != crypto_sign_ed25519_BYTES) return false;
  return crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(), public_key.data()) == 0;
}

}  // namespace crypto
