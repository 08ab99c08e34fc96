#pragma once
// The state of the ledger: everything the law depends on, in memory. Changed by apply() alone, one event at a time.
// Belongs to one thread; FrozenState may be read anywhere.

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "core/ledger/cow_array.h"
#include "core/ledger/records.h"
#include "core/tables/reconciliation_tables.h"
#include "core/tables/registry_tables.h"
#include "core/tables/saga_tables.h"
#include "core/tables/webhook_record.h"
#include "model/event.h"
#include "model/epochs.h"

namespace base {
class CborReader;
}

namespace core {

/// The scalars of the state.
struct StateHead {
  model::EventNumber next_event = 1;   ///< number the next event gets
  base::Instant last_instant{};        ///< of the newest applied event; never decreases
  model::Epoch epoch = 1;
  std::uint32_t first_free_hold = 0;   ///< slot plus one of the first free hold slot
  std::uint32_t open_holds = 0;
  std::uint32_t log_key = 1;           ///< version of the key that signs the audit log's checkpoints
  bool operator==(const StateHead&) const = default;
};

/// Named parts of a state as raw record bytes, in this fixed order in every snapshot.
enum class StateSection : std::uint8_t {
  head, tenants, assets, accounts, limits, holds, clients, rails, transfers, rail_cells, refunds, webhooks,
  attempts, statement_lines, exceptions, orphans, statements,
  partners, keys, key_versions, imports, key_material
};
std::string_view name_of(StateSection section);
constexpr std::size_t state_section_count = 22;
inline constexpr std::array all_state_sections = {
    StateSection::head,    StateSection::tenants, StateSection::assets,    StateSection::accounts,   StateSection::limits, StateSection::holds,
    StateSection::clients, StateSection::rails,   StateSection::transfers, StateSection::rail_cells, StateSection::refunds,
    StateSection::webhooks, StateSection::attempts, StateSection::statement_lines, StateSection::exceptions, StateSection::orphans,
    StateSection::statements, StateSection::partners, StateSection::keys, StateSection::key_versions, StateSection::imports,
    StateSection::key_material};
/// Sections that came later: a snapshot leaves them out while they are empty, so that a log without rails has the snapshots and
/// digests it always had.
constexpr bool is_left_out_when_empty(StateSection section) { return section >= StateSection::rails; }

class State;

/// A state that no longer changes.
class FrozenState {
 public:
  FrozenState() = default;

  StateHead head;
  CowArray<TenantRecord>::Frozen tenants;
  CowArray<AssetRecord>::Frozen assets;
  CowArray<AccountRecord>::Frozen accounts;
  CowArray<LimitsRecord>::Frozen limits;
  CowArray<HoldRecord>::Frozen holds;
  CowArray<ClientRecord>::Frozen clients;
  SagaTables::Frozen sagas;
  ReconciliationTables::Frozen reconciliation;
  RegistryTables::Frozen registry;
  CowArray<WebhookRecord>::Frozen webhooks;

  /// Canonical bytes of a section, in pieces: `take(ByteView)` is called once or more (never for an empty section).
  /// Views live as long as this object's content does, also after it was moved.
  template <typename Take>
  void for_each_piece(StateSection section, Take take) const;

 private:
  friend class State;
  base::Bytes encoded_head_;
};

class State {
 public:
  State() = default;
  State(State&&) = default;
  State& operator=(State&&) = default;

  const StateHead& head() const { return head_; }
  /// By what names the world outside knows events.
  const model::Epochs& epochs() const { return epochs_; }

  /// Records by number; numbers start at 1. Null where there is no such number.
  const AccountRecord* account(model::AccountNumber number) const { return find(accounts_, number); }
  const AssetRecord* asset(model::AssetNumber number) const { return find(assets_, number); }
  const TenantRecord* tenant(model::TenantNumber number) const { return find(tenants_, number); }
  const ClientRecord* client(model::PrincipalNumber number) const { return find(clients_, number); }
  const WebhookRecord* webhook(model::WebhookNumber number) const { return find(webhooks_, number); }
  model::TenantNumber tenant_of(const AccountRecord& account) const { return assets_[account.asset - 1].tenant; }
  /// The limits of an account, null if it has none.
  const LimitsRecord* limits_of(const AccountRecord& account) const {
    return account.limits_slot == 0 ? nullptr : &limits_[account.limits_slot - 1];
  }
  /// An open hold by the event that placed it, null if none is open under that number.
  const HoldRecord* open_hold(model::EventNumber placed) const;
  /// The registered asset of a tenant with that code, whatever its scale; 0 if none.
  model::AssetNumber asset_by_code(model::TenantNumber tenant, const model::AssetCode& code) const;

  std::uint32_t account_count() const { return static_cast<std::uint32_t>(accounts_.size()); }
  std::uint32_t asset_count() const { return static_cast<std::uint32_t>(assets_.size()); }
  std::uint32_t tenant_count() const { return static_cast<std::uint32_t>(tenants_.size()); }
  std::uint32_t client_count() const { return static_cast<std::uint32_t>(clients_.size()); }
  std::uint32_t webhook_count() const { return static_cast<std::uint32_t>(webhooks_.size()); }
  std::uint32_t limits_count() const { return static_cast<std::uint32_t>(limits_.size()); }

  /// Slots of holds, open and free, from 0; for the laws that look at the table itself.
  std::uint32_t hold_slot_count() const { return static_cast<std::uint32_t>(holds_.size()); }
  const HoldRecord& hold_slot(std::uint32_t slot) const { return holds_[slot]; }

  /// Open holds by expiry: (expires_at ns, placing event), earliest first. Holds without expiry are not in it.
  const std::set<std::pair<std::int64_t, model::EventNumber>>& expiries() const { return expiries_; }
  /// Open holds by placing event -> slot.
  const std::unordered_map<model::EventNumber, std::uint32_t>& open_hold_slots() const { return hold_slots_; }

  /// Rails and transfers over them.
  const SagaTables& sagas() const { return sagas_; }
  /// What statements and rails said of them.
  const ReconciliationTables& reconciliation() const { return reconciliation_; }
  /// Keys of partners.
  const RegistryTables& registry() const { return registry_; }

  void prefetch_account(model::AccountNumber number) const {
    if (number != 0) accounts_.prefetch(number - 1);
  }

  /// Takes over the results that an event carries; the event gets number head().next_event. An event that contradicts
  /// the state (not possible for events of decide()) is our own mistake: CHECK.
  void apply(const model::Event& event);

  FrozenState freeze() const;
  /// The clients alone, for whoever authenticates requests.
  CowArray<ClientRecord>::Frozen freeze_clients() const { return clients_.freeze(); }
  /// The webhook endpoints alone, for whoever tells them.
  CowArray<WebhookRecord>::Frozen freeze_webhooks() const { return webhooks_.freeze(); }
  /// The key registry alone, for whoever verifies with it.
  RegistryTables::Frozen freeze_registry() const { return registry_.freeze(); }

 private:
  template <typename Record>
  static const Record* find(const CowArray<Record>& records, std::uint32_t number) {
    return number == 0 || number > records.size() ? nullptr : &records[number - 1];
  }

  void apply_body(const model::TenantOpened& body);
  void apply_body(const model::AssetRegistered& body);
  void apply_body(const model::AccountOpened& body);
  void apply_body(const model::AccountFlagsChanged& body);
  void apply_body(const model::AccountLimitsSet& body);
  void apply_body(const model::TransferPosted& body);
  void apply_body(const model::HoldPlaced& body);
  void apply_body(const model::HoldResolved& body);
  void apply_body(const model::Refused&) {}
  void apply_body(const model::KeyCancelled&) {}
  void apply_body(const model::BatchRecorded&) {}
  void apply_body(const model::ClientCreated& body);
  void apply_body(const model::ClientRotated& body);
  void apply_body(const model::ClientRevoked& body);
  void apply_body(const model::ClockConfirmed&) {}
  void apply_body(const model::EpochBumped& body);
  void apply_body(const model::LogKeyChanged& body);
  void apply_body(const model::TransferMoved& body);
  void apply_body(const model::WebhookCreated& body);
  void apply_body(const model::WebhookChanged& body);
  void apply_body(const model::WebhookRemoved& body);
  void apply_body(const model::WebhookRotated& body);
  void apply_body(const model::WebhookMarked& body);
  void apply_body(const model::HoldRedirected& body);
  /// The rest is about keys of partners, or about rails and transfers alone.
  template <typename Body>
  void apply_body(const Body& body) {
    if constexpr (RegistryTables::is_own<Body>) return registry_.apply(body, head_.next_event, head_.last_instant);
    constexpr bool is_of_attempt = std::is_same_v<Body, model::AttemptStarted> || std::is_same_v<Body, model::AttemptReported>;
    if constexpr (ReconciliationTables::is_own<Body> || is_of_attempt) reconciliation_.apply(body, head_.next_event, head_.last_instant, sagas_);
    if constexpr (!ReconciliationTables::is_own<Body> && !RegistryTables::is_own<Body>) sagas_.apply(body, head_.next_event, head_.last_instant);
  }

  friend class StateLoader;
  AccountRecord& touch(const model::Side& side);
  WebhookRecord& touch_webhook(model::WebhookNumber number);
  void store_limits(AccountRecord& account, const model::AccountLimits& limits);
  base::Status rebuild_derived();

  StateHead head_;
  model::Epochs epochs_;
  CowArray<TenantRecord> tenants_;
  CowArray<AssetRecord> assets_;
  CowArray<AccountRecord> accounts_;
  CowArray<LimitsRecord> limits_;
  CowArray<HoldRecord> holds_;
  CowArray<ClientRecord> clients_;
  SagaTables sagas_;
  ReconciliationTables reconciliation_;
  RegistryTables registry_;
  CowArray<WebhookRecord> webhooks_;
  // Derived from holds_, rebuilt on load; never iterated in hash order.
  std::unordered_map<model::EventNumber, std::uint32_t> hold_slots_;
  std::set<std::pair<std::int64_t, model::EventNumber>> expiries_;
};

/// Rebuilds a state from the sections of a snapshot, in any order of sections.
class StateLoader {
 public:
  /// The next bytes of a section; a piece may end in the middle of a record.
  void take(StateSection section, base::ByteView piece);
  /// Errors: `snapshot_state_malformed` (sizes, head or the links between records do not make a state).
  base::Result<State> finish();

 private:
  template <typename Record>
  void take_records(CowArray<Record>& into, StateSection section, base::ByteView piece);

  bool take_epochs(base::CborReader& reader);

  State state_;
  base::Bytes head_;
  base::Bytes partial_[state_section_count];   // a record that began in an earlier piece
};

template <typename Take>
void FrozenState::for_each_piece(StateSection section, Take take) const {
  const auto each = [&take](const auto& frozen) {
    for (std::size_t i = 0; i < frozen.chunk_count(); ++i) {
      const auto records = frozen.chunk(i);
      take(base::ByteView(reinterpret_cast<const std::uint8_t*>(records.data()), records.size_bytes()));
    }
  };
  switch (section) {
    case StateSection::head: return take(base::ByteView(encoded_head_));
    case StateSection::tenants: return each(tenants);
    case StateSection::assets: return each(assets);
    case StateSection::accounts: return each(accounts);
    case StateSection::limits: return each(limits);
    case StateSection::holds: return each(holds);
    case StateSection::clients: return each(clients);
    case StateSection::rails: return each(sagas.rails);
    case StateSection::transfers: return each(sagas.transfers);
    case StateSection::rail_cells: return each(sagas.cells);
    case StateSection::refunds: return each(sagas.refunds);
    case StateSection::webhooks: return each(webhooks);
    case StateSection::attempts: return each(reconciliation.attempts);
    case StateSection::statement_lines: return each(reconciliation.lines);
    case StateSection::exceptions: return each(reconciliation.exceptions);
    case StateSection::orphans: return each(reconciliation.orphans);
    case StateSection::statements: return each(reconciliation.statements);
    case StateSection::partners: return each(registry.partners);
    case StateSection::keys: return each(registry.keys);
    case StateSection::key_versions: return each(registry.versions);
    case StateSection::imports: return each(registry.imports);
    case StateSection::key_material: return each(registry.material);
  }
}

}  // namespace core
