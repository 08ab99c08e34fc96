#pragma once
// The tables of the key registry. Part of core::State; changed by its apply() alone. Belongs to one thread; Frozen may be read
// anywhere.

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/result.h"
#include "core/ledger/cow_array.h"
#include "core/tables/registry_records.h"
#include "model/event.h"

namespace core {

class RegistryTables {
 public:
  /// Null where there is none.
  const PartnerRecord* partner(model::PartnerNumber number) const;
  const KeyRecord* key(model::KeyNumber number) const;
  const KeyVersionRecord* version(model::KeyNumber key, model::KeyVersion version) const;
  const ImportRecord* import(model::EventNumber received) const;

  model::PartnerNumber partner_by_name(model::TenantNumber tenant, const model::PartnerName& name) const;   ///< 0: none
  model::KeyNumber key_by_name(model::PartnerNumber partner, const model::KeyName& name) const;             ///< 0: none

  std::uint32_t partner_count() const { return static_cast<std::uint32_t>(partners_.size()); }
  std::uint32_t key_count() const { return static_cast<std::uint32_t>(keys_.size()); }
  std::size_t version_count() const { return versions_.size(); }
  const KeyVersionRecord& version_at(std::size_t slot) const { return versions_[slot]; }
  std::size_t import_count() const { return imports_.size(); }
  const ImportRecord& import_at(std::size_t slot) const { return imports_[slot]; }
  /// True if nothing is left of an import's material.
  bool is_blank(const ImportRecord& import) const;

  /// Imports by the digest of their material, then by number.
  const std::set<std::pair<base::Digest, model::EventNumber>>& by_pin() const { return by_pin_; }
  /// What time has to do: (when, place in its table), earliest first. Of imports: those that wait.
  const std::set<std::pair<std::int64_t, std::uint32_t>>& version_deadlines() const { return version_deadlines_; }
  const std::set<std::pair<std::int64_t, model::EventNumber>>& import_deadlines() const { return import_deadlines_; }

  template <typename Body>
  static constexpr bool is_own =
      std::is_same_v<Body, model::PartnerOpened> || std::is_same_v<Body, model::KeyOpened> || std::is_same_v<Body, model::ImportReceived> ||
      std::is_same_v<Body, model::ImportMoved> || std::is_same_v<Body, model::ImportChallenged> || std::is_same_v<Body, model::ImportVoted> ||
      std::is_same_v<Body, model::KeyVersionAdded> || std::is_same_v<Body, model::KeyVersionMoved> || std::is_same_v<Body, model::KeyExpiryWarned>;

  void apply(const model::PartnerOpened& body, model::EventNumber number, base::Instant at);
  void apply(const model::KeyOpened& body, model::EventNumber number, base::Instant at);
  void apply(const model::ImportReceived& body, model::EventNumber number, base::Instant at);
  void apply(const model::ImportMoved& body, model::EventNumber number, base::Instant at);
  void apply(const model::ImportChallenged& body, model::EventNumber number, base::Instant at);
  void apply(const model::ImportVoted& body, model::EventNumber number, base::Instant at);
  void apply(const model::KeyVersionAdded& body, model::EventNumber number, base::Instant at);
  void apply(const model::KeyVersionMoved& body, model::EventNumber number, base::Instant at);
  void apply(const model::KeyExpiryWarned& body, model::EventNumber number, base::Instant at);

  /// The registry as it was when frozen. Looks up by walking links and halving: nothing is derived.
  struct Frozen {
    CowArray<PartnerRecord>::Frozen partners;
    CowArray<KeyRecord>::Frozen keys;
    CowArray<KeyVersionRecord>::Frozen versions;
    CowArray<ImportRecord>::Frozen imports;
    CowArray<MaterialBlock>::Frozen material;

    const ImportRecord* import(model::EventNumber received) const;
    const KeyRecord* key(model::KeyNumber number) const;
    const KeyVersionRecord* version(model::KeyNumber key, model::KeyVersion version) const;
    /// SubjectPublicKeyInfo in DER; zeros once it is destroyed.
    base::Bytes spki(const ImportRecord& import) const;
  };
  Frozen freeze() const;

 private:
  friend class StateLoader;
  friend class State;
  KeyRecord& touch_key(model::KeyNumber number);
  KeyVersionRecord& touch_version(model::KeyNumber key, model::KeyVersion version);
  ImportRecord& touch_import(model::EventNumber received);
  void index_version(std::uint32_t place, bool present);
  void index_import(const ImportRecord& record, bool present);
  void blank(const ImportRecord& import);
  std::uint32_t place_of(model::KeyNumber key, model::KeyVersion version) const;
  /// Errors: `snapshot_state_malformed`.
  base::Status rebuild_derived(model::EventNumber next_event, std::uint32_t tenants);
  base::Status check_versions(model::EventNumber next_event) const;

  CowArray<PartnerRecord> partners_;
  CowArray<KeyRecord> keys_;
  CowArray<KeyVersionRecord> versions_;
  CowArray<ImportRecord> imports_;
  CowArray<MaterialBlock> material_;
  // Derived from the tables, rebuilt on load.
  std::map<std::pair<model::TenantNumber, model::PartnerName>, model::PartnerNumber> partners_by_name_;
  std::map<std::pair<model::PartnerNumber, model::KeyName>, model::KeyNumber> keys_by_name_;
  std::set<std::pair<base::Digest, model::EventNumber>> by_pin_;
  std::set<std::pair<std::int64_t, std::uint32_t>> version_deadlines_;
  std::set<std::pair<std::int64_t, model::EventNumber>> import_deadlines_;
};

}  // namespace core
