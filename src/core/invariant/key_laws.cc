#include <set>

#include "core/invariant/laws.h"

namespace core {

using model::ImportState;
using model::KeyState;

std::optional<Violation> KeyLaw::check(const State& state) {
  for (model::KeyNumber number = 1; number <= state.registry().key_count(); ++number) {
    std::string what = fault(state, number, *state.registry().key(number));
    if (!what.empty()) return Violation{name(), model::key_id(number) + " " + what, 0};
  }
  return std::nullopt;
}

std::optional<Violation> KeyLaw::check_touched(const State& state, std::span<const model::Event> events) {
  std::set<model::KeyNumber> touched;
  for (const model::Event& event : events) {
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { body.version; body.key; } && RegistryTables::is_own<std::decay_t<decltype(body)>>) touched.insert(body.key);
        },
        event.body);
    if (const auto* moved = std::get_if<model::ImportMoved>(&event.body)) {
      if (const ImportRecord* import = state.registry().import(moved->import)) touched.insert(import->key);
    }
  }
  for (const model::KeyNumber number : touched) {
    std::string what = fault(state, number, *state.registry().key(number));
    if (!what.empty()) return Violation{name(), model::key_id(number) + " " + what, 0};
  }
  return std::nullopt;
}

std::string OneActiveVersion::fault(const State& state, model::KeyNumber number, const KeyRecord& key) const {
  model::KeyVersion active = 0;
  for (model::KeyVersion version = key.versions; version > 0; --version) {
    const KeyVersionRecord* record = state.registry().version(number, version);
    if (record == nullptr) return "has lost a version";
    if (record->status() != KeyState::active) continue;
    if (active != 0) return "has two active versions";
    active = version;
  }
  if (active != key.active) return "names another active version than it has";
  if (key.former != 0 && key.former == key.active) return "would be rolled back to what is active";
  return {};
}

std::string VersionsAreExplained::fault(const State& state, model::KeyNumber number, const KeyRecord& key) const {
  const RegistryTables& registry = state.registry();
  for (model::KeyVersion version = key.versions; version > 0; --version) {
    const KeyVersionRecord* record = registry.version(number, version);
    if (record == nullptr) return "has lost a version";
    const ImportRecord* import = registry.import(record->import);
    const std::string what = "version " + std::to_string(version) + " ";
    if (import == nullptr || import->key != number || import->version != version) return what + "came of no import of this key";
    const bool let_in = import->status() == ImportState::provisional || import->status() == ImportState::manual_review || import->status() == ImportState::rejected;
    if (record->proven != 0 ? import->status() != ImportState::active && import->status() != ImportState::rejected : !let_in && model::is_usable(record->status())) {
      return what + "and its import do not agree about its proof";
    }
    const bool bounded = record->usable_until_ns != 0;
    if (model::is_usable(record->status()) && record->proven == 0 && !bounded) return what + "is used without a proof and without an end";
    if (record->status() == KeyState::retiring && record->due_ns == 0) return what + "retires and never ends";
    if (model::is_usable(record->status()) && import->status() == ImportState::rejected) return what + "is used and was rejected";
    if ((record->status() == KeyState::destroyed) != registry.is_blank(*import)) return what + "is destroyed and its material is there, or the other way round";
  }
  return {};
}

}  // namespace core
