#pragma once
// The keys of one place in the registry, for messages that partners sign to us.

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/tables/registry_tables.h"
#include "effects/signing/message_keys.h"
#include "node/rail_settings.h"

namespace node {

/// The registry as the core decided last. Any thread.
using RegistryReader = std::function<std::shared_ptr<const core::RegistryTables::Frozen>()>;

/// Versions that are active or retiring verify, others do not: what a rotation, a rollback or a compromise did holds from the next
/// message on. The id of a key is its thumbprint (RFC 7638). Of a key for callbacks those for Ed25519 are used; a place that is not
/// there yet, or is for another purpose, has none. One thread at a time.
class RegistryMessageKeys final : public effects::VerificationKeySource {
 public:
  RegistryMessageKeys(RegistryReader registry, model::TenantNumber tenant, const RegistryPlace& place)
      : registry_(std::move(registry)), tenant_(tenant), place_(place) {}

  /// Newest first; valid until the next call.
  const std::vector<effects::VerificationKey>& usable();
  std::optional<effects::VerificationKey> find(std::string_view key_id) override;
  /// The registry learns nothing from messages.
  void refused(std::string_view) override {}

 private:
  const core::KeyRecord* key_in(const core::RegistryTables::Frozen& registry) const;

  const RegistryReader registry_;
  const model::TenantNumber tenant_;
  const RegistryPlace place_;
  std::shared_ptr<const core::RegistryTables::Frozen> read_;   // what keys_ was made of: kept, so that another one is told apart
  std::vector<effects::VerificationKey> keys_;
};

}  // namespace node
