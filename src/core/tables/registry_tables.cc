#include "core/tables/registry_tables.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace core {

namespace {

base::Error malformed(const char* what) { return {"snapshot_state_malformed", what}; }

// The slot of an import in a table whose numbers ascend; its size if there is none. Of tables and frozen ones alike.
template <typename Imports>
std::size_t slot_of(const Imports& imports, model::EventNumber received) {
  std::size_t low = 0, high = imports.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (imports[middle].received < received) low = middle + 1;
    else high = middle;
  }
  return low < imports.size() && imports[low].received == received ? low : imports.size();
}

// The place of a version, from 1; 0 if there is none.
template <typename Keys, typename Versions>
std::uint32_t find_version(const Keys& keys, const Versions& versions, model::KeyNumber key, model::KeyVersion version) {
  if (key == 0 || key > keys.size()) return 0;
  std::uint32_t place = keys[key - 1].newest;
  while (place != 0 && versions[place - 1].version > version) place = versions[place - 1].previous;
  return place != 0 && versions[place - 1].version == version ? place : 0;
}

template <typename Record, typename Table>
const Record* find(const Table& table, std::uint32_t number) {
  return number == 0 || number > table.size() ? nullptr : &table[number - 1];
}

}  // namespace

const PartnerRecord* RegistryTables::partner(model::PartnerNumber number) const { return find<PartnerRecord>(partners_, number); }
const KeyRecord* RegistryTables::key(model::KeyNumber number) const { return find<KeyRecord>(keys_, number); }
const KeyVersionRecord* RegistryTables::version(model::KeyNumber key, model::KeyVersion version) const {
  return find<KeyVersionRecord>(versions_, place_of(key, version));
}
const ImportRecord* RegistryTables::import(model::EventNumber received) const {
  const std::size_t slot = slot_of(imports_, received);
  return slot == imports_.size() ? nullptr : &imports_[slot];
}

model::PartnerNumber RegistryTables::partner_by_name(model::TenantNumber tenant, const model::PartnerName& name) const {
  const auto found = partners_by_name_.find({tenant, name});
  return found == partners_by_name_.end() ? 0 : found->second;
}
model::KeyNumber RegistryTables::key_by_name(model::PartnerNumber partner, const model::KeyName& name) const {
  const auto found = keys_by_name_.find({partner, name});
  return found == keys_by_name_.end() ? 0 : found->second;
}

bool RegistryTables::is_blank(const ImportRecord& import) const {
  for (std::size_t i = 0; i < material_blocks(import.spki_bytes); ++i) {
    if (std::ranges::any_of(material_[import.material + i].bytes, [](std::uint8_t byte) { return byte != 0; })) return false;
  }
  return true;
}

std::uint32_t RegistryTables::place_of(model::KeyNumber key, model::KeyVersion version) const { return find_version(keys_, versions_, key, version); }

KeyRecord& RegistryTables::touch_key(model::KeyNumber number) {
  CHECK_THAT(key(number) != nullptr, "an event names a key that is there");
  return keys_.writable(number - 1);
}

KeyVersionRecord& RegistryTables::touch_version(model::KeyNumber key, model::KeyVersion version) {
  const std::uint32_t place = place_of(key, version);
  CHECK_THAT(place != 0, "an event names a version that is there");
  return versions_.writable(place - 1);
}

ImportRecord& RegistryTables::touch_import(model::EventNumber received) {
  const std::size_t slot = slot_of(imports_, received);
  CHECK_THAT(slot < imports_.size(), "an event names an import that is there");
  return imports_.writable(slot);
}

void RegistryTables::index_version(std::uint32_t place, bool present) {
  const std::int64_t wakes = versions_[place - 1].wakes_at_ns();
  if (wakes == 0) return;
  if (present) version_deadlines_.emplace(wakes, place);
  else version_deadlines_.erase({wakes, place});
}

void RegistryTables::index_import(const ImportRecord& record, bool present) {
  if (record.due_ns == 0) return;
  if (present) import_deadlines_.emplace(record.due_ns, record.received);
  else import_deadlines_.erase({record.due_ns, record.received});
}

void RegistryTables::blank(const ImportRecord& import) {
  for (std::size_t i = 0; i < material_blocks(import.spki_bytes); ++i) material_.writable(import.material + i) = {};
}

// --- events -------------------------------------------------------------------------------------------------------------------

void RegistryTables::apply(const model::PartnerOpened& body, model::EventNumber number, base::Instant) {
  CHECK(body.number == partners_.size() + 1);
  PartnerRecord record;
  record.name = body.name;
  record.opened = number;
  record.tenant = body.tenant;
  partners_.push_back(record);
  partners_by_name_.emplace(std::pair(body.tenant, body.name), body.number);
}

void RegistryTables::apply(const model::KeyOpened& body, model::EventNumber number, base::Instant) {
  CHECK(body.number == keys_.size() + 1 && partner(body.partner) != nullptr);
  KeyRecord record;
  record.name = body.name;
  record.opened = number;
  record.partner = body.partner;
  record.tenant = partner(body.partner)->tenant;
  record.purpose = static_cast<std::uint8_t>(body.purpose);
  keys_.push_back(record);
  keys_by_name_.emplace(std::pair(body.partner, body.name), body.number);
}

// What the doctor refused is history, and no state.
void RegistryTables::apply(const model::ImportReceived& body, model::EventNumber number, base::Instant at) {
  if (body.key == 0) return;
  CHECK_THAT(body.facts.has_value(), "what the doctor took has material");
  const model::KeyFacts& facts = **body.facts;
  ImportRecord record;
  record.pin = facts.pin;
  record.fingerprint = facts.fingerprint;
  record.thumbprint = facts.thumbprint.value_or(facts.pin);
  record.has_thumbprint = facts.thumbprint.has_value();
  record.received = number;
  record.received_at_ns = at.ns;
  record.not_before_ns = facts.not_before.ns;
  record.not_after_ns = facts.not_after.ns;
  record.activate_at_ns = body.activate_at.ns;
  record.material = static_cast<std::uint32_t>(material_.size());
  record.key = body.key;
  record.importer = body.importer;
  record.spki_bytes = static_cast<std::uint16_t>(facts.spki.size());
  record.bits = facts.bits;
  record.form = static_cast<std::uint8_t>(facts.form);
  record.algorithm = static_cast<std::uint8_t>(facts.algorithm);
  record.state = static_cast<std::uint8_t>(model::ImportState::received);
  record.staged = body.staged;
  for (std::size_t offset = 0; offset < facts.spki.size(); offset += sizeof(MaterialBlock)) {
    MaterialBlock block;
    std::memcpy(block.bytes, facts.spki.data() + offset, std::min(sizeof block.bytes, facts.spki.size() - offset));
    material_.push_back(block);
  }
  imports_.push_back(record);
  by_pin_.emplace(record.pin, number);
  KeyRecord& key = touch_key(body.key);
  key.overlap_ns = body.overlap.ns;
  if (body.responsible) key.responsible_event = number;
}

void RegistryTables::apply(const model::ImportMoved& body, model::EventNumber, base::Instant) {
  if (import(body.import) == nullptr) return;   // refused by the doctor
  ImportRecord& record = touch_import(body.import);
  CHECK_THAT(record.status() == body.from && model::may_move(body.from, body.to), "an import moves along the table of moves");
  index_import(record, false);
  record.state = static_cast<std::uint8_t>(body.to);
  record.cause = static_cast<std::uint8_t>(body.cause);
  record.due_ns = body.due.ns;
  if (!model::is_open(body.to)) {
    record.nonce = {};
    record.challenge_ends_ns = 0;
  }
  index_import(record, true);
}

void RegistryTables::apply(const model::ImportChallenged& body, model::EventNumber, base::Instant) {
  ImportRecord& record = touch_import(body.import);
  record.nonce = body.nonce;
  record.challenge_ends_ns = body.expires_at.ns;
}

void RegistryTables::apply(const model::ImportVoted& body, model::EventNumber, base::Instant) {
  if (!body.approve) return;
  ImportRecord& record = touch_import(body.import);
  record.approver = body.person;
  record.approvals = body.counted;
}

void RegistryTables::apply(const model::KeyVersionAdded& body, model::EventNumber number, base::Instant at) {
  KeyRecord& key = touch_key(body.key);
  CHECK(body.version == key.versions + 1);
  KeyVersionRecord record;
  record.added = record.moved = number;
  record.import = body.import;
  record.since_ns = at.ns;
  record.due_ns = body.due.ns;
  record.warn_ns = body.warn_at.ns;
  record.key = body.key;
  record.version = body.version;
  record.previous = key.newest;
  record.state = static_cast<std::uint8_t>(model::KeyState::next);
  record.proven = body.proven;
  versions_.push_back(record);
  key.newest = static_cast<std::uint32_t>(versions_.size());
  key.versions = body.version;
  index_version(key.newest, true);
  touch_import(body.import).version = body.version;
}

void RegistryTables::apply(const model::KeyVersionMoved& body, model::EventNumber number, base::Instant at) {
  using model::KeyState;
  const std::uint32_t place = place_of(body.key, body.version);
  KeyVersionRecord& record = touch_version(body.key, body.version);
  CHECK_THAT(record.status() == body.from && model::may_move(body.from, body.to), "a version moves along the table of moves");
  index_version(place, false);
  if (body.from != body.to) record.since_ns = at.ns;
  record.state = static_cast<std::uint8_t>(body.to);
  record.cause = static_cast<std::uint8_t>(body.cause);
  record.moved = number;
  record.due_ns = body.due.ns;
  record.usable_until_ns = body.usable_until.ns;
  if (body.cause == model::KeyCause::confirmed) record.proven = 1;
  const bool is_over = body.to == KeyState::retired || body.to == KeyState::compromised || body.to == KeyState::destroyed;
  if (is_over) record.warn_ns = 0;
  index_version(place, true);
  if (body.to == KeyState::destroyed) blank(touch_import(record.import));
  if (body.from == body.to) return;

  KeyRecord& key = touch_key(body.key);
  if (body.from == KeyState::active) key.active = 0;
  if (body.to == KeyState::active) {
    key.active = body.version;
    if (key.former == body.version) key.former = 0;
  }
  if (body.to == KeyState::retiring) key.former = body.version;
  const bool gone = body.to == KeyState::compromised || body.to == KeyState::destroyed;
  if (gone && key.former == body.version) key.former = 0;
}

void RegistryTables::apply(const model::KeyExpiryWarned& body, model::EventNumber, base::Instant) {
  const std::uint32_t place = place_of(body.key, body.version);
  KeyVersionRecord& record = touch_version(body.key, body.version);
  index_version(place, false);
  record.warn_ns = body.next_at.ns;
  index_version(place, true);
}

// --- frozen and loaded ----------------------------------------------------------------------------------------------------------

RegistryTables::Frozen RegistryTables::freeze() const {
  Frozen frozen;
  frozen.partners = partners_.freeze();
  frozen.keys = keys_.freeze();
  frozen.versions = versions_.freeze();
  frozen.imports = imports_.freeze();
  frozen.material = material_.freeze();
  return frozen;
}

const ImportRecord* RegistryTables::Frozen::import(model::EventNumber received) const {
  const std::size_t slot = slot_of(imports, received);
  return slot == imports.size() ? nullptr : &imports[slot];
}

const KeyRecord* RegistryTables::Frozen::key(model::KeyNumber number) const { return find<KeyRecord>(keys, number); }

const KeyVersionRecord* RegistryTables::Frozen::version(model::KeyNumber key, model::KeyVersion version) const {
  return find<KeyVersionRecord>(versions, find_version(keys, versions, key, version));
}

base::Bytes RegistryTables::Frozen::spki(const ImportRecord& import) const {
  base::Bytes bytes;
  for (std::size_t i = 0; i < material_blocks(import.spki_bytes); ++i) base::append(bytes, base::ByteView(material[import.material + i].bytes));
  bytes.resize(import.spki_bytes);
  return bytes;
}

base::Status RegistryTables::rebuild_derived(model::EventNumber next_event, std::uint32_t tenants) {
  for (std::uint32_t number = 1; number <= partners_.size(); ++number) {
    const PartnerRecord& record = partners_[number - 1];
    if (!model::is_rail_name(model::to_text(record.name)) || record.tenant == 0 || record.tenant > tenants) return malformed("a partner has no name or tenant");
    if (!partners_by_name_.emplace(std::pair(record.tenant, record.name), number).second) return malformed("two partners have one name");
  }
  for (std::uint32_t number = 1; number <= keys_.size(); ++number) {
    const KeyRecord& record = keys_[number - 1];
    const PartnerRecord* owner = partner(record.partner);
    const bool has_purpose = record.purpose >= 1 && record.purpose <= static_cast<std::uint8_t>(model::key_purpose_last);
    if (owner == nullptr || owner->tenant != record.tenant || !has_purpose || !model::is_rail_name(model::to_text(record.name))) {
      return malformed("a key has no partner, name or purpose");
    }
    if (!keys_by_name_.emplace(std::pair(record.partner, record.name), number).second) return malformed("two keys of a partner have one name");
  }
  std::size_t blocks = 0;
  model::EventNumber last = 0;
  for (std::size_t i = 0; i < imports_.size(); ++i) {
    const ImportRecord& record = imports_[i];
    if (record.received <= last || record.received >= next_event) return malformed("imports do not ascend");
    last = record.received;
    if (key(record.key) == nullptr || record.material != blocks) return malformed("an import has no key, or material that is not its own");
    const auto in = [](std::uint8_t value, auto most) { return value >= 1 && value <= static_cast<std::uint8_t>(most); };
    if (!in(record.form, model::key_form_last) || !in(record.algorithm, model::key_algorithm_last) || !in(record.state, model::import_state_last)) {
      return malformed("an import is in no state");
    }
    blocks += material_blocks(record.spki_bytes);
    by_pin_.emplace(record.pin, record.received);
    index_import(record, true);
  }
  if (blocks != material_.size()) return malformed("material belongs to no import");
  TRY(check_versions(next_event));
  for (std::uint32_t place = 1; place <= versions_.size(); ++place) index_version(place, true);
  return base::ok();
}

base::Status RegistryTables::check_versions(model::EventNumber next_event) const {
  for (std::uint32_t place = 1; place <= versions_.size(); ++place) {
    const KeyVersionRecord& record = versions_[place - 1];
    if (record.added == 0 || record.added > record.moved || record.moved >= next_event) return malformed("a version was made by no event of the past");
    if (record.state == 0 || record.state > static_cast<std::uint8_t>(model::key_state_last)) return malformed("a version is in no state");
    const ImportRecord* made = import(record.import);
    if (record.previous >= place || made == nullptr || made->key != record.key || made->version != record.version) return malformed("a version came of no import of its key");
  }
  for (std::uint32_t number = 1; number <= keys_.size(); ++number) {
    const KeyRecord& record = keys_[number - 1];
    if (record.newest > versions_.size()) return malformed("a key's newest version is not there");
    model::KeyVersion left = record.versions;
    for (std::uint32_t place = record.newest; place != 0; place = versions_[place - 1].previous, --left) {
      if (versions_[place - 1].key != number || versions_[place - 1].version != left) return malformed("versions of a key are mislinked");
    }
    if (left != 0 || record.active > record.versions || record.former > record.versions) return malformed("a version of a key is lost");
  }
  return base::ok();
}

}  // namespace core
