#pragma once
// Signatures of partners over byte strings: one public key, and a scheme that the caller names. Nothing is guessed and nothing is
// remembered; certificates and lists have crypto/chain/signature.h, which is faster and stricter about algorithm identifiers.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/chain/public_key.h"
#include "crypto/chain/signature.h"

namespace crypto {

/// `SHA-256`, `SM3`; empty for Hash::none.
std::string_view name_of(chain::Hash hash);
/// 0 for Hash::none.
std::size_t size_of(chain::Hash hash);
/// Digest of `bytes`; `hash` is not none.
base::Bytes digest(chain::Hash hash, base::ByteView bytes);
/// HMAC (RFC 2104) under any of the hashes. Compare with base::equal_constant_time.
base::Bytes hmac(chain::Hash hash, base::ByteView key, base::ByteView message);

/// r and s of equal length, one after the other (IEEE P1363), and the DER SEQUENCE of two INTEGERs. Nothing if `raw` is empty or
/// odd, or `der` is not exactly a SEQUENCE of two positive INTEGERs that fit into `half_bytes`.
std::optional<base::Bytes> signature_raw_to_der(base::ByteView raw);
std::optional<base::Bytes> signature_der_to_raw(base::ByteView der, std::size_t half_bytes);

/// What a PKCS#1 v1.5 signature was made over, read out of it with the public key.
struct RecoveredDigest {
  chain::Hash hash = chain::Hash::none;  ///< none: no DigestInfo around it, as `openssl pkeyutl -sign` leaves it out
  base::Bytes digest;
};

/// One public key that can check signatures. Movable; any thread, one at a time.
class PublicVerifier {
 public:
  /// `spki`: SubjectPublicKeyInfo in DER. Errors: `public_key_unreadable`, `public_key_cannot_verify` (a kind that makes no
  /// signatures, or one that is not known here).
  static base::Result<PublicVerifier> of_spki(base::ByteView spki);
  ~PublicVerifier();
  PublicVerifier(PublicVerifier&&) noexcept;
  PublicVerifier& operator=(PublicVerifier&&) noexcept;

  chain::KeyKind kind() const { return kind_; }
  /// `RSA 2048`, `EC P-256`.
  const std::string& description() const { return description_; }
  /// Bytes of an RSA or EdDSA signature, or of both halves of an ECDSA or SM2 one.
  std::size_t signature_bytes() const { return signature_bytes_; }
  const base::Bytes& spki() const { return spki_; }

  // Each is false for keys of another kind. `digest` has the size of `hash`.
  bool rsa_pkcs1(chain::Hash hash, base::ByteView digest, base::ByteView signature) const;
  /// The mask is made with the same hash. Without `salt_bytes` any length of salt is taken.
  bool rsa_pss(chain::Hash hash, std::optional<std::uint32_t> salt_bytes, base::ByteView digest,
               base::ByteView signature) const;
  /// `signature` in DER. The digest is cut to the size of the curve, as FIPS 186 wants it.
  bool ecdsa(base::ByteView digest, base::ByteView signature) const;
  /// SM2 with SM3 (GM/T 0003) over the message itself; `signature` in DER.
  bool sm2(std::string_view user_id, base::ByteView message, base::ByteView signature) const;
  /// Ed25519 (strict, crypto/sign.h) or Ed448.
  bool eddsa(base::ByteView message, base::ByteView signature) const;
  /// Ed25519ph (RFC 8032 section 5.1) without context.
  bool ed25519ph(base::ByteView message, base::ByteView signature) const;

  /// Nothing when the key is not RSA, or the opened signature has no PKCS#1 v1.5 padding: then another key made it, or it is PSS.
  std::optional<RecoveredDigest> recover(base::ByteView signature) const;
  /// s lies above half of the order of the curve (raw form). False for other kinds.
  bool has_high_s(base::ByteView raw_signature) const;

 private:
  struct Envelope;
  PublicVerifier();

  std::unique_ptr<Envelope> key_;
  chain::KeyKind kind_ = chain::KeyKind::other;
  std::string description_;
  std::size_t signature_bytes_ = 0;
  base::Bytes spki_;
};

}  // namespace crypto
