#include "node/registry_message_keys.h"

#include <algorithm>

#include "base/text.h"

namespace node {

// Looked for once for every change of the registry, of which messages make none.
const core::KeyRecord* RegistryMessageKeys::key_in(const core::RegistryTables::Frozen& registry) const {
  for (std::size_t i = 0; i < registry.keys.size(); ++i) {
    const core::KeyRecord& key = registry.keys[i];
    if (key.tenant == tenant_ && key.name == place_.key && registry.partners[key.partner - 1].name == place_.partner) return &key;
  }
  return nullptr;
}

const std::vector<effects::VerificationKey>& RegistryMessageKeys::usable() {
  auto registry = registry_();
  if (registry == read_) return keys_;
  read_ = std::move(registry);
  keys_.clear();
  const core::KeyRecord* key = key_in(*read_);
  if (key == nullptr || key->purpose != static_cast<std::uint8_t>(model::KeyPurpose::verify_callbacks)) return keys_;
  for (std::uint32_t place = key->newest; place != 0; place = read_->versions[place - 1].previous) {
    const core::KeyVersionRecord& version = read_->versions[place - 1];
    const core::ImportRecord* import = model::is_usable(version.status()) ? read_->import(version.import) : nullptr;
    if (import == nullptr) continue;
    if (auto found = effects::verification_key_of(base::to_base64url(import->thumbprint), read_->spki(*import))) keys_.push_back(std::move(*found));
  }
  return keys_;
}

std::optional<effects::VerificationKey> RegistryMessageKeys::find(std::string_view key_id) {
  const auto& keys = usable();
  const auto found = std::ranges::find(keys, key_id, &effects::VerificationKey::key_id);
  return found == keys.end() ? std::nullopt : std::optional(*found);
}

}  // namespace node
