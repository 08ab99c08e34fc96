#include "effects/key_sets/message_key_source.h"

#include <algorithm>

namespace effects {
namespace {

// SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 section 4).
constexpr std::uint8_t ed25519_spki_head[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::size_t ed25519_key_bytes = 32;

}  // namespace

std::optional<VerificationKey> KeySetMessageKeys::find(std::string_view key_id) {
  const intake::KeyAnswer answer = keeper_.look_up(issuer_, key_id);
  if (answer.key == nullptr) return std::nullopt;
  const base::Bytes& spki = answer.key->canonical;
  const std::size_t head = std::size(ed25519_spki_head);
  if (spki.size() != head + ed25519_key_bytes || !std::equal(std::begin(ed25519_spki_head), std::end(ed25519_spki_head), spki.begin())) return std::nullopt;
  VerificationKey key;
  key.key_id = std::string(key_id);
  key.material.assign(spki.begin() + static_cast<std::ptrdiff_t>(head), spki.end());
  return key;
}

}  // namespace effects
