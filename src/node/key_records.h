#pragma once
// Keys of partners as the core decided last, for whoever verifies with them.

#include "gate/key_book.h"
#include "node/pipeline.h"

namespace node {

/// The gate's book of keys. Any thread. The pipeline outlives it.
class KeyRecords final : public gate::KeyBook {
 public:
  explicit KeyRecords(const Pipeline& pipeline) : pipeline_(pipeline) {}

  std::optional<gate::ChallengedImport> find(model::TenantNumber tenant, model::EventNumber number) const override {
    const auto registry = pipeline_.registry();
    const core::ImportRecord* import = registry->import(number);
    if (import == nullptr || import->challenge_ends_ns == 0) return std::nullopt;
    const core::KeyRecord& key = *registry->key(import->key);
    if (key.tenant != tenant) return std::nullopt;
    return gate::ChallengedImport{.spki = registry->spki(*import),
                                  .partner = std::string(model::to_text(registry->partners[key.partner - 1].name)),
                                  .key = std::string(model::to_text(key.name)),
                                  .thumbprint = import->thumbprint,
                                  .nonce = import->nonce,
                                  .ends_at = {import->challenge_ends_ns}};
  }

 private:
  const Pipeline& pipeline_;
};

}  // namespace node
