#pragma once
// Signatures over certificates, revocation lists and OCSP responses. OpenSSL computes; which algorithm it is, which key it
// takes and how its parameters have to look is decided here.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "crypto/chain/public_key.h"

namespace crypto::chain {

enum class Hash : std::uint8_t { none, md5, sha1, sha224, sha256, sha384, sha512, sm3 };
enum class Padding : std::uint8_t { none, pkcs1, pss };

/// What an AlgorithmIdentifier of a signature says.
struct Scheme {
  KeyKind key = KeyKind::other;  ///< kind of key it takes
  Hash hash = Hash::none;
  Padding padding = Padding::none;
  std::uint32_t salt_bytes = 0;  ///< PSS
  std::string_view name;         ///< `RSA_WITH_SHA256`, `ECDSA_WITH_SHA384`, `RSASSA_PSS`, `ED25519`

  /// MD5 or SHA-1: collisions can be made.
  bool weak() const { return hash == Hash::md5 || hash == Hash::sha1; }
};

/// Nothing when it is unknown or its parameters are not as the RFCs demand (RFC 4055, 5758, 8410).
std::optional<Scheme> scheme_of(base::ByteView algorithm);

enum class Answer : std::uint8_t { good, wrong, not_supported };

struct SignatureMemory {
  std::size_t keys_max = 256;          ///< decoded keys kept
  std::size_t signatures_max = 4'096;  ///< good signatures kept, 32 bytes each; 0 keeps none
};

/// Checks signatures and remembers what it found good. A remembered signature is the SHA-256 of key, algorithm, message and
/// signature, each with its length, so that a hit means that these very bytes verified before; bad ones are never kept.
/// Both memories are bounded and replace their oldest entries, so that a flood costs speed and nothing else.
/// Not for two threads at a time.
class SignatureChecker {
 public:
  explicit SignatureChecker(SignatureMemory memory = {});
  ~SignatureChecker();
  SignatureChecker(SignatureChecker&&) noexcept;
  SignatureChecker& operator=(SignatureChecker&&) noexcept;

  /// `algorithm`: the AlgorithmIdentifier beside the signature.
  Answer check(const PublicKey& key, base::ByteView algorithm, base::ByteView message, base::ByteView signature);

  /// Signatures computed and remembered ones met, since construction.
  std::uint64_t computed() const;
  std::uint64_t remembered() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-1 for CertID and key hashes (RFC 6960), where it is a name and not a promise.
std::array<std::uint8_t, 20> sha1_name(base::ByteView bytes);
/// The digest named by an AlgorithmIdentifier of a hash; nothing when it is not one of SHA-1, SHA-2.
std::optional<base::Bytes> digest_named(base::ByteView algorithm, base::ByteView bytes);

}  // namespace crypto::chain
