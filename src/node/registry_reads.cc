// Reads of imports and keys, from memory at a durable position.

#include "core/ledger/state.h"
#include "node/backend.h"
#include "node/own_key_set.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

namespace {

model::KeyFacts facts_of(const core::RegistryTables::Frozen& registry, const core::ImportRecord& import, bool with_material) {
  model::KeyFacts facts;
  if (with_material) facts.spki = registry.spki(import);
  facts.form = static_cast<model::KeyForm>(import.form);
  facts.algorithm = static_cast<model::KeyAlgorithm>(import.algorithm);
  facts.bits = import.bits;
  facts.pin = import.pin;
  facts.fingerprint = import.fingerprint;
  if (import.has_thumbprint != 0) facts.thumbprint = import.thumbprint;
  facts.not_before = {import.not_before_ns};
  facts.not_after = {import.not_after_ns};
  return facts;
}

edge::KeyVersionReading reading_of(const core::RegistryTables::Frozen& registry, const core::KeyVersionRecord& record, bool with_material) {
  edge::KeyVersionReading reading;
  reading.version = record.version;
  reading.state = record.status();
  if (record.cause != 0) reading.cause = static_cast<model::KeyCause>(record.cause);
  reading.proven = record.proven != 0;
  reading.import = record.import;
  // Nothing is shown of what was destroyed.
  reading.facts = facts_of(registry, *registry.import(record.import), with_material && record.status() != model::KeyState::destroyed);
  reading.since = {record.since_ns};
  reading.due = {record.due_ns};
  reading.usable_until = {record.usable_until_ns};
  return reading;
}

// Newest first.
std::vector<edge::KeyVersionReading> versions_of(const core::RegistryTables::Frozen& registry, const core::KeyRecord& key, bool with_material) {
  std::vector<edge::KeyVersionReading> versions;
  for (std::uint32_t place = key.newest; place != 0; place = registry.versions[place - 1].previous) {
    versions.push_back(reading_of(registry, registry.versions[place - 1], with_material));
  }
  return versions;
}

}  // namespace

bool Backend::is_about_keys(const gate::QueryBody& body) {
  return std::holds_alternative<gate::GetImport>(body) || std::holds_alternative<gate::ListKeys>(body) ||
         std::holds_alternative<gate::GetKey>(body) || std::holds_alternative<gate::ListKeyVersions>(body);
}

std::optional<edge::ImportFace> Backend::import_face(model::EventNumber import) const {
  const auto registry = service_.pipeline().registry();
  const core::ImportRecord* record = registry->import(import);
  if (record == nullptr) return std::nullopt;
  const core::KeyRecord& key = *registry->key(record->key);
  return edge::ImportFace{.partner = std::string(model::to_text(registry->partners[key.partner - 1].name)),
                          .key = std::string(model::to_text(key.name)),
                          .thumbprint = record->thumbprint};
}

void Backend::add_revocation(model::KeyNumber key, std::vector<edge::KeyVersionReading>& versions) const {
  if (revocation_ == nullptr) return;
  for (edge::KeyVersionReading& version : versions) {
    const auto report = revocation_->find(key, version.version);
    if (!report) continue;
    version.revocation = edge::RevocationReading{.result = to_text(report->finding.result),
                                                 .code = report->finding.code,
                                                 .evidence = report->finding.evidence,
                                                 .checked_at = report->checked_at,
                                                 .good_at = report->good_at};
  }
}

base::Result<edge::KeyReading> Backend::key_reading(const core::FrozenState& state, model::KeyNumber number, bool with_material) const {
  const core::RegistryTables::Frozen& registry = state.registry;
  const core::KeyRecord& record = *registry.key(number);
  edge::KeyReading reading;
  reading.number = number;
  reading.partner = model::to_text(registry.partners[record.partner - 1].name);
  reading.name = model::to_text(record.name);
  reading.purpose = static_cast<model::KeyPurpose>(record.purpose);
  reading.active = record.active;
  reading.former = record.former;
  if (record.responsible_event != 0) {
    TRY_ASSIGN(const auto responsible, service_.reader().read_private(record.responsible_event, model::PrivateField::key_responsible));
    if (responsible && !responsible->erased) reading.responsible = std::string(base::as_text(responsible->value));
  }
  reading.versions = versions_of(registry, record, with_material);
  add_revocation(number, reading.versions);
  return reading;
}

edge::Reading Backend::read_key(const gate::GetKey& wanted, model::TenantNumber tenant, const core::FrozenState& state, model::EventNumber position) const {
  const core::KeyRecord* key = state.registry.key(wanted.key);
  if (key == nullptr || key->tenant != tenant) return refused(position, Outcome::key_not_found);
  auto reading = key_reading(state, wanted.key, true);
  if (!reading.ok()) return failed(position, reading.error());
  return {position, std::move(reading).value()};
}

edge::Reading Backend::list_key_versions(const gate::ListKeyVersions& wanted, model::TenantNumber tenant, const core::FrozenState& state,
                                         model::EventNumber position) const {
  const core::RegistryTables::Frozen& registry = state.registry;
  const core::KeyRecord* key = registry.key(wanted.key);
  if (key == nullptr || key->tenant != tenant) return refused(position, Outcome::key_not_found);
  edge::KeyVersionsReading reading{versions_of(registry, *key, true)};
  add_revocation(wanted.key, reading.versions);
  return {position, std::move(reading)};
}

edge::Reading Backend::list_keys(const gate::ListKeys& wanted, model::TenantNumber tenant, const core::FrozenState& state, model::EventNumber position) const {
  edge::KeysPage page;
  for (model::KeyNumber number = wanted.after + 1; number <= state.registry.keys.size(); ++number) {
    const core::KeyRecord& key = state.registry.keys[number - 1];
    const bool fits = key.tenant == tenant && (wanted.partner.empty() || model::to_text(state.registry.partners[key.partner - 1].name) == wanted.partner);
    if (!fits) continue;
    if (page.keys.size() == wanted.limit) {
      page.next = page.keys.back().number;
      break;
    }
    auto reading = key_reading(state, number, false);
    if (!reading.ok()) return failed(position, reading.error());
    page.keys.push_back(std::move(reading).value());
  }
  return {position, std::move(page)};
}

// What the doctor refused is in the journal alone, so all imports are read from there and the state says what became of them.
edge::Reading Backend::read_import(const gate::GetImport& wanted, model::TenantNumber tenant, const core::FrozenState& state, model::EventNumber position) const {
  if (wanted.import >= state.head.next_event) return refused(position, Outcome::import_not_found);
  auto item = item_of(wanted.import, nullptr);
  if (!item.ok()) return failed(position, item.error());
  const auto* received = std::get_if<model::ImportReceived>(&event_of(*item).body);
  if (received == nullptr || received->tenant != tenant) return refused(position, Outcome::import_not_found);
  edge::ImportReading reading;
  if (const core::ImportRecord* record = state.registry.import(wanted.import)) {
    reading.state = record->status();
    reading.cause = static_cast<model::ImportCause>(record->cause);
    reading.version = record->version;
    reading.approvals = record->approvals;
    reading.due = {record->due_ns};
    reading.challenge_ends = {record->challenge_ends_ns};
  } else {
    for (const model::Event& event : item->source->entry.events) {
      if (const auto* moved = std::get_if<model::ImportMoved>(&event.body)) reading.cause = moved->cause;
    }
  }
  reading.received = *std::move(item);
  return {position, std::move(reading)};
}

// What is in it changes with the configuration, at a start.
edge::Reading Backend::read_own_keys(const Answer& answer) const {
  return {answer.position, edge::DocumentReading{.content_type = "application/json", .cache_control = own_key_set_cache_control, .body = own_key_set_}};
}

edge::Reading Backend::read_registry(const gate::Query& query, const Answer& answer) const {
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  const auto* found = std::get_if<StateFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::overloaded);
  if (const auto* import = std::get_if<gate::GetImport>(&query.body)) return read_import(*import, query.tenant, *found->state, answer.position);
  if (const auto* key = std::get_if<gate::GetKey>(&query.body)) return read_key(*key, query.tenant, *found->state, answer.position);
  if (const auto* key = std::get_if<gate::ListKeyVersions>(&query.body)) return list_key_versions(*key, query.tenant, *found->state, answer.position);
  return list_keys(std::get<gate::ListKeys>(query.body), query.tenant, *found->state, answer.position);
}

}  // namespace node
