#pragma once
// Keys behind HTTP message signatures (RFC 9421): requests that we sign, requests that others signed for us, and the memory of
// the nonces that were used.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "crypto/sign.h"
#include "custody/signer.h"
#include "io/random.h"
#include "io/secret_memory.h"
#include "wire/http_message.h"
#include "wire/message_signature.h"

namespace effects {

/// What a sender and a verifier have agreed on.
struct MessageSigning {
  std::string key_id;
  std::string tag;                 ///< names the protocol, so that a signature for one is none for another
};

/// Digests the body of a request (if it has one) and signs it: adds Content-Digest, Signature-Input and Signature. Covered:
/// @method, @authority, @path, @query if there is one, and with a body content-type and content-digest. Errors are those of
/// the signer.
base::Status sign_request(wire::Request& request, std::string_view scheme, custody::Signer& signer, const MessageSigning& signing,
                          base::Instant now, io::Random& random);

/// Somebody else's key.
struct VerificationKey {
  enum class Algorithm : std::uint8_t { ed25519, hmac_sha256 };
  std::string key_id;
  Algorithm algorithm = Algorithm::ed25519;
  base::Bytes material;            ///< public key of 32 bytes; or a shared secret, of at least 32
};

/// The Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 section 4), under this name; nothing for keys of other kinds.
std::optional<VerificationKey> verification_key_of(std::string_view key_id, base::ByteView spki);

/// Keys that somebody else keeps, such as a partner's key set.
class VerificationKeySource {
 public:
  virtual ~VerificationKeySource() = default;
  virtual std::optional<VerificationKey> find(std::string_view key_id) = 0;
  /// A message that names this key has a signature that is not its own: perhaps the key has changed.
  virtual void refused(std::string_view key_id) = 0;
};

/// Remembers nonces as long as a signature with them could still be taken. Bounded: when it is full of nonces that are still of
/// use, further messages are refused, never forgotten ones taken again. One thread at a time.
class NonceWindow {
 public:
  NonceWindow(base::Duration lifetime, std::size_t entries_max) : lifetime_(lifetime), entries_max_(entries_max) {}
  enum class Seen { fresh, replayed, full };
  Seen remember(std::string_view key_id, std::string_view nonce, base::Instant now);
  std::size_t size() const { return order_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const base::Digest& digest) const { return base::load_le<std::size_t>(digest.data()); }
  };
  const base::Duration lifetime_;
  const std::size_t entries_max_;
  std::unordered_set<base::Digest, Hash> known_;
  std::deque<std::pair<base::Instant, base::Digest>> order_;
};

/// A message whose sender is known.
struct VerifiedMessage {
  std::string key_id;
  std::string nonce;
  base::Instant created;
};

/// Verifies requests to us. The keys may be replaced while it runs (same thread).
class RequestVerifier {
 public:
  /// A proxy may stand before us: @authority is asked for only where `authority_required`.
  RequestVerifier(std::vector<VerificationKey> keys, std::string tag, bool authority_required, base::Duration age_max = base::seconds(300),
                  base::Duration skew_max = base::seconds(60), std::size_t nonces_max = 1'000'000);

  void replace_keys(std::vector<VerificationKey> keys) { keys_ = std::move(keys); }
  /// Asks `source`, which outlives the verifier, for keys that are not among its own.
  void ask_too(VerificationKeySource& source) { source_ = &source; }

  /// Method, path, query if there is one, and with a body content-type and content-digest have to be covered, created to be
  /// fresh, the nonce to be new. Errors: those of wire::verify_message and wire::check_content_digest;
  /// `content_digest_missing`, `signature_nonce_replayed`, `signature_nonces_exhausted`.
  base::Result<VerifiedMessage> verify(const wire::Request& request, std::string_view scheme, base::Instant now);

 private:
  std::optional<VerificationKey> key_of(std::string_view key_id) const;
  wire::KeyVerdict judge(const wire::SignatureClaim& claim) const;

  std::vector<VerificationKey> keys_;
  VerificationKeySource* source_ = nullptr;
  const std::string tag_;
  const bool authority_required_;
  const base::Duration age_max_, skew_max_;
  NonceWindow nonces_;
};

/// A signing key in this process, for programs that keep their own (the sandbox rail). The service signs through custody.
class OwnEd25519Signer final : public custody::Signer {
 public:
  /// `seed`: 32 bytes.
  explicit OwnEd25519Signer(io::SecretMemory seed) : seed_(std::move(seed)), pair_(crypto::Ed25519SeedView(seed_.view().data(), 32)) {}
  custody::SigningAlgorithm algorithm() const override { return custody::SigningAlgorithm::ed25519; }
  base::Bytes public_key() const override;
  base::Result<base::Bytes> sign(base::ByteView message) override;

 private:
  io::SecretMemory seed_;
  crypto::Ed25519KeyPair pair_;   ///< of seed_
};

}  // namespace effects
