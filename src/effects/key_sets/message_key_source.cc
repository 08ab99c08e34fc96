#include "effects/key_sets/message_key_source.h"

namespace effects {

std::optional<VerificationKey> KeySetMessageKeys::find(std::string_view key_id) {
  const intake::KeyAnswer answer = keeper_.look_up(issuer_, key_id);
  return answer.key == nullptr ? std::nullopt : verification_key_of(key_id, answer.key->canonical);
}

}  // namespace effects
