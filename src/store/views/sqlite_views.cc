#include "store/views/sqlite_views.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "store/views/sqlite_projector.h"
#include "store/views/sqlite_queries.h"
#include "store/views/view_rows.h"
#include "store/views/view_schema.h"

namespace store {

namespace {

class SqliteViews final : public Views {
 public:
  SqliteViews(std::string path, const ViewOptions& options) : path_(std::move(path)), options_(options) {}

  base::Result<std::unique_ptr<Projector>> projector() override { return SqliteProjector::open(path_, options_); }
  base::Result<std::unique_ptr<Queries>> queries() override { return SqliteQueries::open(path_); }
  base::Status verify() override;

 private:
  const std::string path_;
  const ViewOptions options_;
};

template <typename Row>
base::Status verify_table(Connection& connection, const char* sql) {
  TRY_ASSIGN(Statement select, connection.prepare(sql));
  for (;;) {
    TRY_ASSIGN(const bool any, select.step());
    if (!any) return base::ok();
    Row row;
    TRY(read_row(select, row));
  }
}

base::Status SqliteViews::verify() {
  TRY_ASSIGN(Connection connection, Connection::open(path_, Connection::Mode::read_only));
  // SQLite's own check compares tables with their indexes, which row checksums cannot.
  TRY_ASSIGN(const std::string verdict, connection.text_of("PRAGMA integrity_check(1)"));
  if (verdict != "ok") return base::Error{"view_database_damaged", path_ + ": SQLite finds its structure damaged"};
  TRY_ASSIGN(const bool fits, connection.has_schema(view_schema));
  if (!fits) return base::Error{"view_database_damaged", path_ + ": its tables are not those that were made"};
  TRY(verify_table<AboutRow>(connection, "SELECT * FROM about"));
  TRY(verify_table<TenantRow>(connection, "SELECT * FROM tenants"));
  TRY(verify_table<AssetRow>(connection, "SELECT * FROM assets"));
  TRY(verify_table<AccountRow>(connection, "SELECT * FROM accounts"));
  TRY(verify_table<BalanceUpdate>(connection, "SELECT * FROM account_balances"));
  TRY(verify_table<TransferRow>(connection, "SELECT * FROM transfers"));
  TRY(verify_table<SagaRow>(connection, "SELECT * FROM sagas"));
  TRY(verify_table<SagaStepRow>(connection, "SELECT * FROM saga_steps"));
  TRY(verify_table<ImportStepRow>(connection, "SELECT * FROM import_steps"));
  TRY(verify_table<KeyVersionRow>(connection, "SELECT * FROM key_versions"));
  return verify_table<ClientRow>(connection, "SELECT * FROM clients");
}

base::Status create(Connection& connection, const ViewOptions& options) {
  TRY(connection.execute("PRAGMA journal_mode = WAL"));
  TRY_ASSIGN(Transaction transaction, Transaction::begin(connection));
  TRY(connection.execute(view_schema));
  {
    TRY_ASSIGN(Statement insert, connection.prepare(replace_about));
    TRY(write_row(insert, AboutRow{options.identity, options.every_transfer, {}}));
  }
  const std::string pragmas = "PRAGMA application_id = " + std::to_string(view_application_id) +
                              "; PRAGMA user_version = " + std::to_string(view_schema_version);
  TRY(connection.execute(pragmas.c_str()));
  return transaction.commit();
}

base::Status check_fits(Connection& connection, const ViewOptions& options) {
  TRY_ASSIGN(const std::int64_t application, connection.integer_of("PRAGMA application_id"));
  TRY_ASSIGN(const std::int64_t version, connection.integer_of("PRAGMA user_version"));
  if (application != view_application_id || version != view_schema_version) {
    return base::Error{"views_version_unknown", connection.path() + " holds other tables or another version of them"};
  }
  TRY_ASSIGN(Statement select, connection.prepare("SELECT * FROM about"));
  TRY_ASSIGN(const bool found, select.step());
  if (!found) return base::Error{"view_row_damaged", "about: row 1 is missing"};
  AboutRow about;
  TRY(read_row(select, about));
  if (about.identity != options.identity) {
    return base::Error{"views_of_another_log", connection.path() + " belongs to another journal or epoch"};
  }
  if (about.every_transfer != options.every_transfer) {
    return base::Error{"views_option_changed", connection.path() + " was made with another setting of every_transfer"};
  }
  return base::ok();
}

}  // namespace

base::Result<std::unique_ptr<Views>> open_sqlite_views(const std::string& path, const ViewOptions& options) {
  // SQLite would make it readable by all; what it keeps beside the database follows the database's permissions.
  const int created = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (created >= 0) ::close(created);
  TRY_ASSIGN(Connection connection, Connection::open(path, Connection::Mode::read_write));
  TRY_ASSIGN(const std::int64_t objects, connection.integer_of("SELECT count(*) FROM sqlite_schema"));
  if (objects == 0) {
    TRY(create(connection, options));
  } else {
    TRY(check_fits(connection, options));
  }
  return std::unique_ptr<Views>(new SqliteViews(path, options));
}

base::Status remove_sqlite_views(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const std::string name = path + suffix;
    if (std::remove(name.c_str()) != 0 && errno != ENOENT) {
      return base::Error{"views_write_failed", name + " cannot be removed: " + std::strerror(errno)};
    }
  }
  return base::ok();
}

}  // namespace store
