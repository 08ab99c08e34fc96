#pragma once
// How a signature was made, or is said to have been made.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "crypto/public_verifier.h"

namespace trial {

enum class Algorithm : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa, eddsa, ed25519ph, sm2, hmac };

/// What was signed in place of the text.
enum class Prehash : std::uint8_t { none, digest, hex_digest, upper_hex_digest };

/// The user id of GM/T 0009, for SM2.
inline constexpr std::string_view sm2_user_id = "1234567812345678";

struct Scheme {
  Algorithm algorithm = Algorithm::rsa_pkcs1;
  crypto::chain::Hash hash = crypto::chain::Hash::sha256;  ///< none for EdDSA, SM3 for SM2
  std::optional<std::uint32_t> salt_bytes = {};            ///< PSS; the size of the hash unless given
  bool any_salt = false;                                   ///< PSS, for the search: whatever length it has
  bool der = false;                                        ///< ECDSA, SM2: a DER sequence instead of r||s
  Prehash prehash = Prehash::none;
  crypto::chain::Hash prehash_hash = crypto::chain::Hash::sha256;
  std::string user_id = std::string(sm2_user_id);  ///< SM2
};

/// `RSA PKCS#1 v1.5 with SHA-256`, `ECDSA with SHA-256 (r||s)`.
std::string describe(const Scheme& scheme);

/// By a name of RFC 9421 (`rsa-pss-sha512`), RFC 7518 (`RS256`), or our own for byte strings (`rsa-pkcs1-sha256`, `ecdsa-sha256-der`,
/// `sm2-sm3`, `hmac-sha256`); docs/trial.md has the table.
std::optional<Scheme> scheme_of_name(std::string_view name);

/// The usual scheme of a kind of key when nothing names one; nothing for a kind that makes no signatures.
std::optional<Scheme> usual_scheme(crypto::chain::KeyKind kind);
/// Whether keys of the kind can make signatures of the scheme.
bool can_make(crypto::chain::KeyKind kind, const Scheme& scheme);

/// Whether the signature is that of the key over `text`. HMAC is not asked here.
bool is_good(const crypto::PublicVerifier& key, const Scheme& scheme, base::ByteView text, base::ByteView signature);
/// The same under a shared secret; compared in constant time, and the right MAC is not kept.
bool is_good_mac(base::ByteView secret, const Scheme& scheme, base::ByteView text, base::ByteView mac);

/// What the scheme signs in place of `text`.
base::Bytes prehashed(const Scheme& scheme, base::ByteView text);

}  // namespace trial
