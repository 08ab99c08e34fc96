#include "crypto/secp256k1.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>

#include "base/check.h"

namespace crypto {

namespace {

// Made once, never changed afterwards: any thread may use it.
const secp256k1_context* context() {
  static const secp256k1_context* const made = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
  return made;
}

Secp256k1PublicKey coordinates_of(const secp256k1_pubkey& key) {
  std::array<std::uint8_t, 65> serialized{};
  std::size_t size = serialized.size();
  secp256k1_ec_pubkey_serialize(context(), serialized.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
  Secp256k1PublicKey out;
  std::copy(serialized.begin() + 1, serialized.end(), out.begin());
  return out;
}

}  // namespace

bool is_secp256k1_secret(base::ByteView bytes) { return bytes.size() == 32 && secp256k1_ec_seckey_verify(context(), bytes.data()) == 1; }

Secp256k1PublicKey secp256k1_public_key(Secp256k1SecretView secret) {
  secp256k1_pubkey key;
  CHECK_THAT(secp256k1_ec_pubkey_create(context(), &key, secret.data()) == 1, "a secret was checked before it is used");
  return coordinates_of(key);
}

RecoverableSignature secp256k1_sign(Secp256k1SecretView secret, const base::Digest& digest) {
  secp256k1_ecdsa_recoverable_signature made;
  CHECK_THAT(secp256k1_ecdsa_sign_recoverable(context(), &made, digest.data(), secret.data(), nullptr, nullptr) == 1,
             "a secret was checked before it is used");
  std::array<std::uint8_t, 64> compact{};
  int recovery = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), compact.data(), &recovery, &made);
  // 2 and 3 say that X of the nonce's point exceeds the order of the group: about one in 2^128.
  CHECK(recovery == 0 || recovery == 1);
  RecoverableSignature signature;
  std::copy_n(compact.begin(), 32, signature.r.begin());
  std::copy_n(compact.begin() + 32, 32, signature.s.begin());
  signature.parity = static_cast<std::uint8_t>(recovery);
  return signature;
}

std::optional<Secp256k1PublicKey> secp256k1_recover(const base::Digest& digest, const RecoverableSignature& signature) {
  if (signature.parity > 1) return std::nullopt;
  std::array<std::uint8_t, 64> compact{};
  std::copy_n(signature.r.begin(), 32, compact.begin());
  std::copy_n(signature.s.begin(), 32, compact.begin() + 32);
  secp256k1_ecdsa_recoverable_signature parsed;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &parsed, compact.data(), signature.parity) != 1) return std::nullopt;
  secp256k1_ecdsa_signature plain;
  secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, &parsed);
  if (secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) == 1) return std::nullopt;
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recover(context(), &key, &parsed, digest.data()) != 1) return std::nullopt;
  return coordinates_of(key);
}

}  // namespace crypto
