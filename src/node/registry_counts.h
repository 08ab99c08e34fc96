#pragma once
// What the metrics say of partners' keys.

#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "base/instant.h"
#include "core/tables/registry_tables.h"

namespace node {

struct RegistryCounts {
  std::array<std::uint64_t, static_cast<std::size_t>(model::key_state_last) + 1> versions{};        ///< by model::KeyState
  std::map<std::pair<model::ImportState, model::ImportCause>, std::uint64_t> imports;   ///< that the doctor took, by their last move
  base::Instant nearest_end{};   ///< of the certificates behind versions that verify; 0: none has an end
};

/// Of all tenants. Walks over all versions and imports. Any thread.
RegistryCounts count_registry(const core::RegistryTables::Frozen& registry);

}  // namespace node
