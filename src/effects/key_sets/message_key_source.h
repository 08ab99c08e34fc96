#pragma once
// The keys of a partner's key set, for messages signed by RFC 9421.

#include <string>

#include "effects/key_sets/key_set_keeper.h"
#include "effects/signing/message_keys.h"

namespace effects {

/// Any thread. Of the keys in the set those for Ed25519 are used.
class KeySetMessageKeys final : public VerificationKeySource {
 public:
  /// `keeper` outlives it.
  KeySetMessageKeys(KeySetKeeper& keeper, std::string issuer) : keeper_(keeper), issuer_(std::move(issuer)) {}
  std::optional<VerificationKey> find(std::string_view key_id) override;
  void refused(std::string_view) override { keeper_.signature_failed(issuer_); }

 private:
  KeySetKeeper& keeper_;
  const std::string issuer_;
};

}  // namespace effects
