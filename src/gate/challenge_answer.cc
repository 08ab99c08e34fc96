// Is that the answer of the key that was asked?

#include "crypto/public_verifier.h"
#include "gate/key_book.h"

namespace gate {

namespace {

using crypto::chain::Hash;
using crypto::chain::KeyKind;

constexpr std::string_view sm2_default_user = "1234567812345678";

// FIPS 186: the hash whose size fits the curve.
Hash hash_of_curve(std::size_t signature_bytes) {
  if (signature_bytes <= 64) return Hash::sha256;
  return signature_bytes <= 96 ? Hash::sha384 : Hash::sha512;
}

// Of ECDSA and SM2: DER as it is, raw halves put into DER.
template <typename Check>
bool in_either_form(base::ByteView signature, std::size_t raw_bytes, Check check) {
  if (check(signature)) return true;
  if (signature.size() != raw_bytes) return false;
  const auto der = crypto::signature_raw_to_der(signature);
  return der && check(*der);
}

}  // namespace

bool is_signed_by(base::ByteView spki, std::string_view text, base::ByteView signature) {
  const auto verifier = crypto::PublicVerifier::of_spki(spki);
  if (!verifier.ok()) return false;
  const base::ByteView message = base::as_bytes(text);
  switch (verifier->kind()) {
    case KeyKind::rsa:
    case KeyKind::rsa_pss: {
      const base::Bytes digest = crypto::digest(Hash::sha256, message);
      return verifier->rsa_pkcs1(Hash::sha256, digest, signature) || verifier->rsa_pss(Hash::sha256, std::nullopt, digest, signature);
    }
    case KeyKind::ec: {
      const base::Bytes digest = crypto::digest(hash_of_curve(verifier->signature_bytes()), message);
      return in_either_form(signature, verifier->signature_bytes(), [&](base::ByteView der) { return verifier->ecdsa(digest, der); });
    }
    case KeyKind::sm2:
      return in_either_form(signature, verifier->signature_bytes(),
                            [&](base::ByteView der) { return verifier->sm2(sm2_default_user, message, der); });
    case KeyKind::ed25519:
    case KeyKind::ed448: return verifier->eddsa(message, signature);
    case KeyKind::dsa:
    case KeyKind::other: return false;
  }
  return false;
}

}  // namespace gate
