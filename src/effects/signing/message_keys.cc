#include "effects/signing/message_keys.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/mac.h"
#include "crypto/sign.h"
#include "wire/content_digest.h"

namespace effects {

namespace {

constexpr std::size_t nonce_bytes = 16;
constexpr std::size_t shared_secret_bytes_min = 32;
// SubjectPublicKeyInfo of an Ed25519 key up to the key itself.
constexpr std::uint8_t ed25519_spki_head[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::size_t ed25519_key_bytes = 32;

std::string_view name_of(VerificationKey::Algorithm algorithm) {
  return algorithm == VerificationKey::Algorithm::ed25519 ? "ed25519" : "hmac-sha256";
}

bool is_signature_of(const VerificationKey& key, base::ByteView text, base::ByteView signature) {
  if (key.algorithm == VerificationKey::Algorithm::hmac_sha256) {
    return key.material.size() >= shared_secret_bytes_min && base::equal_constant_time(crypto::hmac_sha256(key.material, text), signature);
  }
  crypto::Ed25519PublicKey public_key{};
  if (key.material.size() != public_key.size()) return false;
  std::ranges::copy(key.material, public_key.begin());
  return crypto::ed25519_verify(public_key, text, signature);
}

/// What has to be covered of a request.
std::vector<std::string_view> components_of(const wire::Request& request, bool authority) {
  std::vector<std::string_view> components{"@method"};
  if (authority) components.push_back("@authority");
  components.push_back("@path");
  if (!request.query.empty()) components.push_back("@query");
  if (!request.body.empty()) {
    components.push_back("content-type");
    components.push_back("content-digest");
  }
  return components;
}

}  // namespace

base::Status sign_request(wire::Request& request, std::string_view scheme, custody::Signer& signer, const MessageSigning& signing,
                          base::Instant now, io::Random& random) {
  CHECK(signer.algorithm() == custody::SigningAlgorithm::ed25519);
  if (!request.body.empty()) {
    request.headers.add("content-digest", wire::to_content_digest(crypto::sha256(base::as_bytes(request.body))));
  }
  std::array<std::uint8_t, nonce_bytes> drawn{};
  random.fill(drawn);
  const std::string nonce = base::to_base64url(drawn);
  wire::SignatureTerms terms;
  terms.components = components_of(request, true);
  terms.created = now;
  terms.nonce = nonce;
  terms.key_id = signing.key_id;
  terms.algorithm = "ed25519";
  terms.tag = signing.tag;
  TRY_ASSIGN(const wire::SignatureFields fields, wire::sign_message(wire::SignableMessage::of(request, scheme), terms,
                                                                     [&](base::ByteView text) { return signer.sign(text); }));
  request.headers.add("signature-input", fields.signature_input);
  request.headers.add("signature", fields.signature);
  return base::ok();
}

std::optional<VerificationKey> verification_key_of(std::string_view key_id, base::ByteView spki) {
  const std::size_t head = std::size(ed25519_spki_head);
  if (spki.size() != head + ed25519_key_bytes || !std::equal(std::begin(ed25519_spki_head), std::end(ed25519_spki_head), spki.begin())) return std::nullopt;
  return VerificationKey{.key_id = std::string(key_id), .material = base::to_bytes(spki.subspan(head))};
}

NonceWindow::Seen NonceWindow::remember(std::string_view key_id, std::string_view nonce, base::Instant now) {
  while (!order_.empty() && order_.front().first < now) {
    known_.erase(order_.front().second);
    order_.pop_front();
  }
  const std::string_view between("\0", 1);
  const base::Digest digest = crypto::sha256({base::as_bytes(key_id), base::as_bytes(between), base::as_bytes(nonce)});
  if (known_.contains(digest)) return Seen::replayed;
  if (order_.size() >= entries_max_) return Seen::full;
  // A clock that is set back keeps later ones longer; it never lets one go early.
  const base::Instant until = now + lifetime_;
  known_.insert(digest);
  order_.emplace_back(order_.empty() ? until : std::max(until, order_.back().first), digest);
  return Seen::fresh;
}

RequestVerifier::RequestVerifier(std::vector<VerificationKey> keys, std::string tag, bool authority_required, base::Duration age_max,
                                 base::Duration skew_max, std::size_t nonces_max)
    : keys_(std::move(keys)),
      tag_(std::move(tag)),
      authority_required_(authority_required),
      age_max_(age_max),
      skew_max_(skew_max),
      nonces_({age_max.ns + skew_max.ns + base::seconds(1).ns}, nonces_max) {}

std::optional<VerificationKey> RequestVerifier::key_of(std::string_view key_id) const {
  const auto key = std::ranges::find(keys_, key_id, &VerificationKey::key_id);
  if (key != keys_.end()) return *key;
  return source_ != nullptr ? source_->find(key_id) : std::nullopt;
}

wire::KeyVerdict RequestVerifier::judge(const wire::SignatureClaim& claim) const {
  const std::optional<VerificationKey> key = key_of(claim.key_id);
  if (!key) return wire::KeyVerdict::key_unknown;
  if (!claim.algorithm.empty() && claim.algorithm != name_of(key->algorithm)) return wire::KeyVerdict::algorithm_not_allowed;
  if (is_signature_of(*key, base::as_bytes(claim.text), claim.signature)) return wire::KeyVerdict::good;
  if (source_ != nullptr) source_->refused(claim.key_id);
  return wire::KeyVerdict::wrong;
}

base::Result<VerifiedMessage> RequestVerifier::verify(const wire::Request& request, std::string_view scheme, base::Instant now) {
  wire::SignaturePolicy policy;
  policy.required = components_of(request, authority_required_);
  policy.tag = tag_;
  policy.age_max = age_max_;
  policy.skew_max = skew_max_;
  const auto digest = request.headers.find("content-digest");
  if (!digest && !request.body.empty()) return base::Error{"content_digest_missing", "a request with a body states its digest, once"};
  if (digest) {
    TRY(wire::check_content_digest(*digest, crypto::sha256(base::as_bytes(request.body))));
  }
  TRY_ASSIGN(wire::SignatureClaim claim, wire::verify_message(wire::SignableMessage::of(request, scheme), policy, now,
                                                              [this](const wire::SignatureClaim& made) { return judge(made); }));
  switch (nonces_.remember(claim.key_id, claim.nonce, now)) {
    case NonceWindow::Seen::fresh:
      break;
    case NonceWindow::Seen::replayed:
      return base::Error{"signature_nonce_replayed", "a message with this nonce was taken before"};
    case NonceWindow::Seen::full:
      return base::Error{"signature_nonces_exhausted", "more messages than can be told apart came within the window"};
  }
  return VerifiedMessage{.key_id = std::move(claim.key_id), .nonce = std::move(claim.nonce), .created = claim.created};
}

base::Bytes OwnEd25519Signer::public_key() const { return base::to_bytes(pair_.public_key()); }

base::Result<base::Bytes> OwnEd25519Signer::sign(base::ByteView message) { return base::to_bytes(pair_.sign(message)); }

}  // namespace effects
