#pragma once
// Views: what the journal means, as plain SQL tables that answer lists and searches (design section 3). Always rebuildable,
// never a source of decisions. This page is the narrow interface; store/views/sqlite_views.h is the embedded engine.
//
// Two halves, each with a connection of its own: the Projector (background thread) writes, Queries (any one thread each)
// read the last committed state without waiting for it.
//
// Errors (besides those of io/file.h):
//   view_row_damaged          the checksum of a row is wrong; named with table and row. Rebuild.
//   view_database_damaged     the database, or a table or index of it, cannot be read. Rebuild.
//   views_of_another_log      the database belongs to another journal or epoch. Rebuild.
//   views_version_unknown     another version of the tables. Rebuild.
//   views_option_changed      made with another every_transfer. Rebuild.
//   views_write_failed        the database could not be opened or written (disk full, I/O error, locked by another program)
//   view_filter_not_indexed   the combination of filters has no index; the message names it
//   view_cursor_malformed     a cursor that no query of this kind gave out

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "base/result.h"
#include "model/account.h"
#include "model/command.h"
#include "model/entry.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/transfer.h"

namespace store {

// --- what is projected ---------------------------------------------------------------------------------------------------

struct TenantRow {
  model::TenantNumber number = 0;
  std::string name;
  model::EventNumber opened_event = 0;
  base::Instant opened_at{};
  bool operator==(const TenantRow&) const = default;
};

struct AssetRow {
  model::AssetNumber number = 0;
  model::Asset asset;
  bool operator==(const AssetRow&) const = default;
};

struct AccountRow {
  model::AccountNumber number = 0;
  model::TenantNumber tenant = 0;
  std::string name;                       ///< empty once erased
  model::AssetNumber asset = 0;
  model::AccountFlags flags = 0;
  model::AccountLimits limits;
  std::optional<std::string> metadata;    ///< JSON text as the client sent it; nothing if none or erased
  model::EventNumber opened_event = 0;
  base::Instant opened_at{};
  std::optional<base::Instant> closed_at;
  model::Counters counters;               ///< as of `counters_event`: may be later or earlier than the rest of the row
  model::EventNumber counters_event = 0;  ///< 0: nothing was ever posted
  bool operator==(const AccountRow&) const = default;
};

/// States of a transfer in the tables. Numbers are part of the schema.
enum class TransferState : std::uint8_t { settled = 1, held = 2, captured = 3, voided = 4, expired = 5 };

struct TransferRow {
  model::EventNumber number = 0;          ///< the creating event: the transfer's id
  model::TenantNumber tenant = 0;
  TransferState state = TransferState::held;
  model::AccountNumber debit = 0;
  model::AccountNumber credit = 0;
  model::AssetNumber asset = 0;
  base::U128 amount = 0;                  ///< held or posted
  base::U128 captured = 0;
  base::Instant created_at{};
  base::Instant expires_at{};             ///< 0 never
  model::EventNumber resolved_event = 0;  ///< 0 while open
  base::Instant resolved_at{};
  std::optional<std::string> reference;
  std::optional<std::string> metadata;
  bool operator==(const TransferRow&) const = default;
};

/// A transfer over a rail.
struct SagaRow {
  model::EventNumber number = 0;          ///< its request: the transfer's id
  model::TenantNumber tenant = 0;
  model::TransferKind kind = model::TransferKind::payout;
  model::TransferState state = model::TransferState::requested;
  model::AccountNumber account = 0;
  base::Instant since{};                  ///< in this state
  bool operator==(const SagaRow&) const = default;
};

/// One event that says something of it, its request among them.
struct SagaStepRow {
  model::EventNumber saga = 0;
  model::EventNumber event = 0;
  bool operator==(const SagaStepRow&) const = default;
};

/// One event that says something of an import, or of the version of a key that came of it; the one that received it among them.
struct ImportStepRow {
  model::EventNumber import = 0;
  model::EventNumber event = 0;
  bool operator==(const ImportStepRow&) const = default;
};

/// Where a version of a key came from.
struct KeyVersionRow {
  model::KeyNumber key = 0;
  model::KeyVersion version = 0;
  model::EventNumber import = 0;
  bool operator==(const KeyVersionRow&) const = default;
};

struct ClientRow {
  model::PrincipalNumber number = 0;
  model::TenantNumber tenant = 0;
  model::PrincipalKind kind = model::PrincipalKind::service;
  model::Scopes scopes = 0;
  std::string name;                       ///< empty once erased
  model::EventNumber created_event = 0;
  base::Instant created_at{};
  base::Instant revoked_at{};             ///< 0 not revoked
  bool operator==(const ClientRow&) const = default;
};

/// One journaled event that makes or changes a row. Only these matter, the caller passes no others: TenantOpened,
/// AssetRegistered, AccountOpened, AccountFlagsChanged, AccountLimitsSet, HoldPlaced, HoldResolved, ClientCreated,
/// ClientRevoked, HoldRedirected, the steps of transfers over rails and of imports (model/event_subject.h); TransferPosted
/// if every transfer is to have a row, otherwise only its balances (BalanceUpdate).
struct ProjectedEvent {
  model::EventNumber number = 0;
  model::TenantNumber tenant = 0;
  const model::Event* event = nullptr;    ///< alive for the call
  std::string_view name;                  ///< of the tenant, account or client opened; empty if erased
  std::optional<std::string_view> reference;
  std::optional<std::string_view> metadata;
};

/// The counters of an account after an event. Made for volume: hundreds of thousands a second.
struct BalanceUpdate {
  model::AccountNumber account = 0;
  model::EventNumber event = 0;
  model::Counters counters;
};

struct ViewPositions {
  model::EventNumber rows = 0;       ///< all events up to here are in the tables, balances apart
  model::EventNumber balances = 0;   ///< every balance row is at least as new as this event
};

/// What is left to do, for metrics.
struct ProjectorStats {
  ViewPositions committed;
  std::uint64_t dirty_balances = 0;  ///< accounts whose balance row waits to be written
  std::uint64_t rows_written = 0;
  std::uint64_t memory_bytes = 0;
};

/// The writing half. One thread, except stats().
class Projector {
 public:
  virtual ~Projector() = default;

  /// Where the tables stood when opened: the caller passes the events after `rows`, and balance updates of the events
  /// after `balances`.
  virtual ViewPositions positions() const = 0;

  /// Takes balance updates into memory: for each account the latest counts. Never touches the disk. Those of all events up
  /// to `through` come before apply(..., through).
  virtual void note_balances(std::span<const BalanceUpdate> updates) = 0;

  /// Applies events to the tables in one transaction with the new position `through` (the last event of what was looked
  /// at, rows or not). With no events only the position moves, in memory, to be committed with the next transaction.
  /// An event at or below the position is passed over. Errors: views_write_failed, view_row_damaged.
  virtual base::Status apply(std::span<const ProjectedEvent> events, model::EventNumber through) = 0;

  /// Writes up to `rows_max` waiting balance rows in one transaction, lowest account first; true while the current pass
  /// has more. A pass takes what was dirty when it began; when it ends `balances` moves up to there. Call it at a rate the
  /// disk can spare. Errors: views_write_failed.
  virtual base::Result<bool> write_balances(std::uint32_t rows_max) = 0;

  /// Commits positions that moved without rows. Errors: views_write_failed.
  virtual base::Status commit_positions() = 0;

  /// Removes a personal value from the tables: the name or metadata of an account, the reference or metadata of a
  /// transfer, the name of a client. Nothing happens if there is no such row. Errors: views_write_failed.
  virtual base::Status erase(model::PrivateField field, model::EventNumber event) = 0;

  virtual ProjectorStats stats() const = 0;
};

// --- what is asked -------------------------------------------------------------------------------------------------------

constexpr std::uint32_t view_limit_max = 100;

template <typename Row>
struct Page {
  std::vector<Row> rows;
  std::string next_cursor;   ///< empty: no more
};

/// Accounts of a tenant. Filters with an index: none; name_prefix; asset; flag.
struct AccountQuery {
  model::TenantNumber tenant = 1;
  std::string name_prefix;                        ///< rows then come by name, else by number
  std::optional<model::AssetNumber> asset;
  std::optional<model::AccountFlags> flag;        ///< exactly one of frozen_for_debits, frozen_for_credits, closed
  std::string cursor;                             ///< of a query with the same filters; empty for the first page
  std::uint32_t limit = view_limit_max;           ///< taken into 1 to view_limit_max
};

/// Transfers of a tenant, newest first. Filters with an index: none; state; account; account and state; reference.
struct TransferQuery {
  model::TenantNumber tenant = 1;
  std::optional<TransferState> state;
  std::optional<model::AccountNumber> account;    ///< on either side
  std::optional<std::string> reference;
  std::string cursor;
  model::EventNumber before = 0;                  ///< only smaller numbers; 0 is no bound. Beside a cursor the smaller counts
  std::uint32_t limit = view_limit_max;
};

/// Transfers over rails of a tenant in one state, oldest first. Index: sagas_by_state.
struct SagaQuery {
  model::TenantNumber tenant = 1;
  model::TransferState state = model::TransferState::requested;
  model::EventNumber after = 0;                   ///< only greater numbers
  std::uint32_t limit = view_limit_max;
};

struct ClientQuery {
  model::TenantNumber tenant = 1;
  std::string cursor;
  std::uint32_t limit = view_limit_max;
};

/// The reading half. One thread at a time; several may exist.
class Queries {
 public:
  virtual ~Queries() = default;

  /// What is committed now. For waiting until a reader's own write is there.
  virtual base::Result<ViewPositions> positions() = 0;

  virtual base::Result<Page<AccountRow>> accounts(const AccountQuery& query) = 0;
  virtual base::Result<std::optional<AccountRow>> account(model::AccountNumber number) = 0;
  virtual base::Result<Page<TransferRow>> transfers(const TransferQuery& query) = 0;
  virtual base::Result<std::optional<TransferRow>> transfer(model::EventNumber number) = 0;
  /// `next_cursor` is "more" where there is more; go on behind the last row.
  virtual base::Result<Page<SagaRow>> sagas(const SagaQuery& query) = 0;
  virtual base::Result<std::optional<SagaRow>> saga(model::EventNumber number) = 0;
  /// All steps, ascending.
  virtual base::Result<std::vector<model::EventNumber>> saga_steps(model::EventNumber number) = 0;
  virtual base::Result<std::vector<model::EventNumber>> import_steps(model::EventNumber number) = 0;
  virtual base::Result<Page<ClientRow>> clients(const ClientQuery& query) = 0;
  virtual base::Result<std::vector<AssetRow>> assets() = 0;
  virtual base::Result<std::vector<TenantRow>> tenants() = 0;
};

struct ViewOptions {
  base::Tag128 identity{};       ///< names the journal and its epoch
  bool every_transfer = false;   ///< single-commit transfers get a row too
};

/// One engine with its data.
class Views {
 public:
  virtual ~Views() = default;
  /// At most one at a time. Must not outlive the Views.
  virtual base::Result<std::unique_ptr<Projector>> projector() = 0;
  virtual base::Result<std::unique_ptr<Queries>> queries() = 0;
  /// Reads every row and its checksum. Errors: view_row_damaged, view_database_damaged.
  virtual base::Status verify() = 0;
};

}  // namespace store
