#include "store/views/sqlite_projector.h"

#include <utility>

#include "base/check.h"
#include "model/event_subject.h"

namespace store {

namespace {

// Row of a table by one integer, verified. False if there is none.
template <typename Row>
base::Result<bool> read_one(Statement& select, std::uint64_t number, Row& row) {
  select.reset();
  select.bind(static_cast<std::int64_t>(number));
  TRY_ASSIGN(const bool found, select.step());
  if (found) TRY(read_row(select, row));
  select.reset();
  return found;
}

base::Error missing(const char* table, std::uint64_t number) {
  return {"view_row_damaged", std::string(table) + ": row " + std::to_string(number) + " is missing"};
}

std::optional<std::string> owned(const std::optional<std::string_view>& text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

}  // namespace

SqliteProjector::SqliteProjector(Connection connection, AboutRow about)
    : connection_(std::move(connection)), about_(about), opened_at_(about.positions) {
  committed_rows_ = about.positions.rows;
  committed_balances_ = about.positions.balances;
}

base::Result<std::unique_ptr<Projector>> SqliteProjector::open(const std::string& path, const ViewOptions& options) {
  TRY_ASSIGN(Connection connection, Connection::open(path, Connection::Mode::read_write));
  // The tables can be rebuilt: a commit need not reach the disk, it must only never leave a half one behind.
  TRY(connection.execute("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768;"
                         "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;"));
  AboutRow about;
  {
    TRY_ASSIGN(Statement select, connection.prepare("SELECT * FROM about"));
    TRY_ASSIGN(const bool found, select.step());
    if (!found) return missing("about", 1);
    TRY(read_row(select, about));
  }
  CHECK(about.identity == options.identity && about.every_transfer == options.every_transfer);
  std::unique_ptr<SqliteProjector> projector(new SqliteProjector(std::move(connection), about));
  TRY(projector->prepare());
  return std::unique_ptr<Projector>(std::move(projector));
}

base::Status SqliteProjector::prepare() {
  const auto into = [this](Statement& statement, std::string_view sql) -> base::Status {
    TRY_ASSIGN(statement, connection_.prepare(sql));
    return base::ok();
  };
  TRY(into(statements_.about, replace_about));
  TRY(into(statements_.tenant, replace_tenant));
  TRY(into(statements_.asset, replace_asset));
  TRY(into(statements_.account, replace_account));
  TRY(into(statements_.balance, replace_balance));
  TRY(into(statements_.transfer, replace_transfer));
  TRY(into(statements_.saga, replace_saga));
  TRY(into(statements_.saga_step, replace_saga_step));
  TRY(into(statements_.import_step, replace_import_step));
  TRY(into(statements_.key_version, replace_key_version));
  TRY(into(statements_.client, replace_client));
  TRY(into(statements_.read_account, "SELECT * FROM accounts WHERE number = ?"));
  TRY(into(statements_.read_transfer, "SELECT * FROM transfers WHERE number = ?"));
  TRY(into(statements_.read_saga, "SELECT * FROM sagas WHERE number = ?"));
  TRY(into(statements_.read_key_version, "SELECT * FROM key_versions WHERE key = ? AND version = ?"));
  TRY(into(statements_.read_client, "SELECT * FROM clients WHERE number = ?"));
  // Erasing is rare: these look at every row.
  TRY(into(statements_.find_tenant, "SELECT * FROM tenants WHERE opened_event = ?"));
  TRY(into(statements_.find_account, "SELECT * FROM accounts WHERE opened_event = ?"));
  return into(statements_.find_client, "SELECT * FROM clients WHERE created_event = ?");
}

template <typename Row>
base::Status SqliteProjector::written(Statement& replace, const Row& row) {
  replace.reset();
  rows_written_.fetch_add(1, std::memory_order_relaxed);
  return write_row(replace, row);
}

base::Status SqliteProjector::commit(Transaction transaction) {
  TRY(written(statements_.about, about_));
  TRY(transaction.commit());
  committed_rows_.store(about_.positions.rows, std::memory_order_relaxed);
  committed_balances_.store(about_.positions.balances, std::memory_order_relaxed);
  return base::ok();
}

base::Status SqliteProjector::apply(std::span<const ProjectedEvent> events, model::EventNumber through) {
  if (through <= about_.positions.rows) return base::ok();
  if (events.empty()) {
    about_.positions.rows = through;
    return base::ok();
  }
  TRY_ASSIGN(Transaction transaction, Transaction::begin(connection_));
  for (const ProjectedEvent& event : events) {
    if (event.number > about_.positions.rows) TRY(project(event));
  }
  const model::EventNumber before = std::exchange(about_.positions.rows, through);
  const base::Status committed = commit(std::move(transaction));
  if (!committed.ok()) about_.positions.rows = before;
  return committed;
}

base::Status SqliteProjector::commit_positions() {
  const bool moved = committed_rows_.load(std::memory_order_relaxed) != about_.positions.rows ||
                     committed_balances_.load(std::memory_order_relaxed) != about_.positions.balances;
  if (!moved) return base::ok();
  TRY_ASSIGN(Transaction transaction, Transaction::begin(connection_));
  return commit(std::move(transaction));
}

base::Status SqliteProjector::project(const ProjectedEvent& projected) {
  const model::EventBody& body = projected.event->body;
  if (const auto* opened = std::get_if<model::TenantOpened>(&body)) {
    return written(statements_.tenant,
                   TenantRow{opened->tenant, std::string(projected.name), projected.number, projected.event->at});
  }
  if (const auto* registered = std::get_if<model::AssetRegistered>(&body)) {
    return written(statements_.asset, AssetRow{registered->number, registered->asset});
  }
  TRY(project_account(projected));
  TRY(project_transfer(projected));
  TRY(project_saga(projected));
  TRY(project_import(projected));
  return project_client(projected);
}

base::Status SqliteProjector::project_account(const ProjectedEvent& projected) {
  const model::EventBody& body = projected.event->body;
  AccountRow row;
  if (const auto* opened = std::get_if<model::AccountOpened>(&body)) {
    row.number = opened->number;
    row.tenant = opened->tenant;
    row.name = projected.name;
    row.asset = opened->asset;
    row.flags = opened->flags;
    row.limits = opened->limits;
    row.metadata = owned(projected.metadata);
    row.opened_event = projected.number;
    row.opened_at = projected.event->at;
    return written(statements_.account, row);
  }
  const auto* flags = std::get_if<model::AccountFlagsChanged>(&body);
  const auto* limits = std::get_if<model::AccountLimitsSet>(&body);
  if (flags == nullptr && limits == nullptr) return base::ok();
  const model::AccountNumber number = flags != nullptr ? flags->account : limits->account;
  TRY_ASSIGN(const bool found, read_one(statements_.read_account, number, row));
  if (!found) return missing("accounts", number);
  if (flags != nullptr) {
    if ((flags->flags & model::closed) != 0 && !row.closed_at) row.closed_at = projected.event->at;
    row.flags = flags->flags;
  } else {
    row.limits = limits->limits;
  }
  return written(statements_.account, row);
}

base::Status SqliteProjector::project_transfer(const ProjectedEvent& projected) {
  const model::EventBody& body = projected.event->body;
  TransferRow row;
  const auto begin = [&](const auto& placed, TransferState state) {
    row.number = projected.number;
    row.tenant = projected.tenant;
    row.state = state;
    row.debit = placed.debit.account;
    row.credit = placed.credit.account;
    row.asset = placed.asset;
    row.amount = placed.amount;
    row.created_at = projected.event->at;
    row.reference = owned(projected.reference);
    row.metadata = owned(projected.metadata);
  };
  if (const auto* posted = std::get_if<model::TransferPosted>(&body)) {
    if (!about_.every_transfer) return base::ok();
    begin(*posted, TransferState::settled);
    row.resolved_event = projected.number;
    row.resolved_at = projected.event->at;
    return written(statements_.transfer, row);
  }
  if (const auto* placed = std::get_if<model::HoldPlaced>(&body)) {
    begin(*placed, TransferState::held);
    row.expires_at = placed->expires_at;
    return written(statements_.transfer, row);
  }
  if (const auto* redirected = std::get_if<model::HoldRedirected>(&body)) {
    TRY_ASSIGN(const bool found, read_one(statements_.read_transfer, redirected->hold, row));
    if (!found) return missing("transfers", redirected->hold);
    row.credit = redirected->credit.account;
    return written(statements_.transfer, row);
  }
  if (const auto* resolved = std::get_if<model::HoldResolved>(&body)) {
    TRY_ASSIGN(const bool found, read_one(statements_.read_transfer, resolved->hold, row));
    if (!found) return missing("transfers", resolved->hold);
    switch (resolved->resolution) {
      case model::HoldResolution::captured: row.state = TransferState::captured; break;
      case model::HoldResolution::voided: row.state = TransferState::voided; break;
      case model::HoldResolution::expired: row.state = TransferState::expired; break;
    }
    row.captured = resolved->captured;
    row.resolved_event = projected.number;
    row.resolved_at = projected.event->at;
    return written(statements_.transfer, row);
  }
  return base::ok();
}

base::Status SqliteProjector::project_saga(const ProjectedEvent& projected) {
  const model::EventBody& body = projected.event->body;
  const model::EventNumber saga = model::transfer_of(body, projected.number);
  if (saga == 0) return base::ok();
  SagaRow row;
  if (const auto* requested = std::get_if<model::TransferRequested>(&body)) {
    row.number = projected.number;
    row.tenant = projected.tenant;
    row.kind = requested->kind;
    row.account = requested->account;
    row.since = projected.event->at;
    TRY(written(statements_.saga, row));
  } else {
    TRY_ASSIGN(const bool found, read_one(statements_.read_saga, saga, row));
    // What was moved between accounts has no saga, and its refunds are counted all the same.
    if (!found && std::holds_alternative<model::RefundCounted>(body)) return base::ok();
    if (!found) return missing("sagas", saga);
    if (const auto* moved = std::get_if<model::TransferMoved>(&body)) {
      row.state = moved->to;
      row.since = projected.event->at;
      TRY(written(statements_.saga, row));
    }
  }
  return written(statements_.saga_step, SagaStepRow{saga, projected.number});
}

// What happens to a version of a key names the version; the row of its first event says where it came from.
base::Status SqliteProjector::project_import(const ProjectedEvent& projected) {
  const model::EventBody& body = projected.event->body;
  const auto version = model::version_of(body);
  model::EventNumber import = model::import_of(body, projected.number);
  if (import == 0 && !version) return base::ok();
  if (std::holds_alternative<model::KeyVersionAdded>(body)) {
    TRY(written(statements_.key_version, KeyVersionRow{version->key, version->version, import}));
  }
  if (import == 0) {
    Statement& select = statements_.read_key_version;
    select.reset();
    select.bind(version->key).bind(version->version);
    TRY_ASSIGN(const bool found, select.step());
    if (!found) return missing("key_versions", version->key);
    KeyVersionRow row;
    TRY(read_row(select, row));
    select.reset();
    import = row.import;
  }
  return written(statements_.import_step, ImportStepRow{import, projected.number});
}

base::Status SqliteProjector::project_client(const ProjectedEvent& projected) {
  const model::EventBody& body = projected.event->body;
  if (const auto* created = std::get_if<model::ClientCreated>(&body)) {
    return written(statements_.client,
                   ClientRow{created->number, created->tenant, created->kind, created->scopes, std::string(projected.name),
                             projected.number, projected.event->at, {}});
  }
  if (const auto* revoked = std::get_if<model::ClientRevoked>(&body)) {
    ClientRow row;
    TRY_ASSIGN(const bool found, read_one(statements_.read_client, revoked->number, row));
    if (!found) return missing("clients", revoked->number);
    row.revoked_at = projected.event->at;
    return written(statements_.client, row);
  }
  return base::ok();
}

base::Result<bool> SqliteProjector::write_balances(std::uint32_t rows_max) {
  CHECK(rows_max > 0);
  if (!in_pass_) {
    if (dirty_.count() == 0) {
      // Nothing waits: every row is as new as what was noted.
      about_.positions.balances = std::max(about_.positions.balances, about_.positions.rows);
      return false;
    }
    dirty_.begin_pass();
    pass_target_ = about_.positions.rows;
    in_pass_ = true;
  }
  batch_.clear();
  dirty_.take(rows_max, batch_);
  const bool ended = batch_.size() < rows_max;
  const ViewPositions before = about_.positions;
  const base::Status status = [&]() -> base::Status {
    TRY_ASSIGN(Transaction transaction, Transaction::begin(connection_));
    for (const BalanceUpdate& update : batch_) TRY(written(statements_.balance, update));
    if (ended) about_.positions.balances = std::max(about_.positions.balances, pass_target_);
    return commit(std::move(transaction));
  }();
  if (!status.ok()) {
    about_.positions = before;
    dirty_.give_back(batch_);
    in_pass_ = false;
    return status.error();
  }
  in_pass_ = !ended;
  return in_pass_;
}

base::Status SqliteProjector::erase(model::PrivateField field, model::EventNumber event) {
  TRY_ASSIGN(Transaction transaction, Transaction::begin(connection_));
  TRY(erase_row(field, event));
  TRY(commit(std::move(transaction)));
  // What was overwritten must not live on in the log or in free pages.
  return connection_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

base::Status SqliteProjector::erase_row(model::PrivateField field, model::EventNumber event) {
  switch (field) {
    case model::PrivateField::transfer_beneficiary:
    case model::PrivateField::vote_reason:
    case model::PrivateField::rail_reference:
    case model::PrivateField::rail_report:
    case model::PrivateField::webhook_url:
    case model::PrivateField::statement_name:
    case model::PrivateField::import_findings:
    case model::PrivateField::key_responsible:
    case model::PrivateField::key_certificate:
      return base::ok();   // no view has them
    case model::PrivateField::tenant_name: {
      TenantRow row;
      TRY_ASSIGN(const bool found, read_one(statements_.find_tenant, event, row));
      row.name.clear();
      return found ? written(statements_.tenant, row) : base::ok();
    }
    case model::PrivateField::account_name:
    case model::PrivateField::world_account_name:
    case model::PrivateField::account_metadata: {
      AccountRow row;
      TRY_ASSIGN(const bool found, read_one(statements_.find_account, event, row));
      if (field == model::PrivateField::account_metadata) {
        row.metadata.reset();
      } else {
        row.name.clear();
      }
      return found ? written(statements_.account, row) : base::ok();
    }
    case model::PrivateField::transfer_reference:
    case model::PrivateField::transfer_metadata: {
      TransferRow row;
      TRY_ASSIGN(const bool found, read_one(statements_.read_transfer, event, row));
      (field == model::PrivateField::transfer_reference ? row.reference : row.metadata).reset();
      return found ? written(statements_.transfer, row) : base::ok();
    }
    case model::PrivateField::client_name: {
      ClientRow row;
      TRY_ASSIGN(const bool found, read_one(statements_.find_client, event, row));
      row.name.clear();
      return found ? written(statements_.client, row) : base::ok();
    }
  }
  return base::ok();
}

ProjectorStats SqliteProjector::stats() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  return {{committed_rows_.load(relaxed), committed_balances_.load(relaxed)},
          dirty_.count(),
          rows_written_.load(relaxed),
          dirty_.memory_bytes()};
}

}  // namespace store
