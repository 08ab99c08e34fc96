#pragma once
// Rows of the tables to and from SQLite, with their checksums. Reading takes a statement that stands on a row and whose next
// columns are all columns of the table in the order of the schema; writing makes an INSERT OR REPLACE.

#include <string>

#include "store/views/sqlite_connection.h"
#include "store/views/views.h"

namespace store {

/// The one row of `about`.
struct AboutRow {
  base::Tag128 identity{};
  bool every_transfer = false;
  ViewPositions positions;
};

constexpr const char* replace_about = "INSERT OR REPLACE INTO about VALUES (?,?,?,?,?,?)";
constexpr const char* replace_tenant = "INSERT OR REPLACE INTO tenants VALUES (?,?,?,?,?)";
constexpr const char* replace_asset = "INSERT OR REPLACE INTO assets VALUES (?,?,?,?)";
constexpr const char* replace_account = "INSERT OR REPLACE INTO accounts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* replace_balance = "INSERT OR REPLACE INTO account_balances VALUES (?,?,?,?,?,?,?)";
constexpr const char* replace_transfer = "INSERT OR REPLACE INTO transfers VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* replace_saga = "INSERT OR REPLACE INTO sagas VALUES (?,?,?,?,?,?,?)";
constexpr const char* replace_saga_step = "INSERT OR REPLACE INTO saga_steps VALUES (?,?,?)";
constexpr const char* replace_import_step = "INSERT OR REPLACE INTO import_steps VALUES (?,?,?)";
constexpr const char* replace_key_version = "INSERT OR REPLACE INTO key_versions VALUES (?,?,?,?)";
constexpr const char* replace_client = "INSERT OR REPLACE INTO clients VALUES (?,?,?,?,?,?,?,?,?)";

base::Status write_row(Statement& replace, const AboutRow& row);
base::Status write_row(Statement& replace, const TenantRow& row);
base::Status write_row(Statement& replace, const AssetRow& row);
base::Status write_row(Statement& replace, const AccountRow& row);   ///< counters apart
base::Status write_row(Statement& replace, const BalanceUpdate& row);
base::Status write_row(Statement& replace, const TransferRow& row);
base::Status write_row(Statement& replace, const SagaRow& row);
base::Status write_row(Statement& replace, const SagaStepRow& row);
base::Status write_row(Statement& replace, const ImportStepRow& row);
base::Status write_row(Statement& replace, const KeyVersionRow& row);
base::Status write_row(Statement& replace, const ClientRow& row);

/// Errors of all: view_row_damaged, with table and number.
base::Status read_row(Statement& at, AboutRow& row);
base::Status read_row(Statement& at, TenantRow& row);
base::Status read_row(Statement& at, AssetRow& row);
base::Status read_row(Statement& at, AccountRow& row);               ///< counters apart
base::Status read_row(Statement& at, BalanceUpdate& row);
base::Status read_row(Statement& at, TransferRow& row);
base::Status read_row(Statement& at, SagaRow& row);
base::Status read_row(Statement& at, SagaStepRow& row);
base::Status read_row(Statement& at, ImportStepRow& row);
base::Status read_row(Statement& at, KeyVersionRow& row);
base::Status read_row(Statement& at, ClientRow& row);

}  // namespace store
