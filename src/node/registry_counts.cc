#include "node/registry_counts.h"

namespace node {

RegistryCounts count_registry(const core::RegistryTables::Frozen& registry) {
  RegistryCounts counts;
  for (std::size_t i = 0; i < registry.imports.size(); ++i) {
    const core::ImportRecord& import = registry.imports[i];
    ++counts.imports[{import.status(), static_cast<model::ImportCause>(import.cause)}];
  }
  for (std::size_t i = 0; i < registry.versions.size(); ++i) {
    const core::KeyVersionRecord& version = registry.versions[i];
    ++counts.versions[version.state];
    if (!model::is_usable(version.status())) continue;
    const core::ImportRecord* import = registry.import(version.import);
    if (import == nullptr || import->not_after_ns == 0) continue;
    if (counts.nearest_end.ns == 0 || import->not_after_ns < counts.nearest_end.ns) counts.nearest_end = {import->not_after_ns};
  }
  return counts;
}

}  // namespace node
