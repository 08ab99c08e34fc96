#include "store/views/sqlite_queries.h"

#include <algorithm>

#include "store/views/view_cursor.h"
#include "store/views/view_rows.h"

namespace store {

namespace {

std::uint32_t limit_of(std::uint32_t wanted) { return std::clamp<std::uint32_t>(wanted, 1, view_limit_max); }

// Reads an account and, in the columns after it, its balance row if it has one.
base::Status read_with_balance(Statement& at, AccountRow& row) {
  TRY(read_row(at, row));
  if (at.is_null_next()) return base::ok();
  BalanceUpdate balance;
  TRY(read_row(at, balance));
  row.counters = balance.counters;
  row.counters_event = balance.event;
  return base::ok();
}
base::Status read_any(Statement& at, AccountRow& row) { return read_with_balance(at, row); }
base::Status read_any(Statement& at, TransferRow& row) { return read_row(at, row); }
base::Status read_any(Statement& at, SagaRow& row) { return read_row(at, row); }
base::Status read_any(Statement& at, SagaStepRow& row) { return read_row(at, row); }
base::Status read_any(Statement& at, ImportStepRow& row) { return read_row(at, row); }
base::Status read_any(Statement& at, ClientRow& row) { return read_row(at, row); }
base::Status read_any(Statement& at, AssetRow& row) { return read_row(at, row); }
base::Status read_any(Statement& at, TenantRow& row) { return read_row(at, row); }

// Up to `limit` rows, and whether there is one more.
template <typename Row>
base::Result<bool> read_rows(Statement& at, std::size_t limit, std::vector<Row>& rows) {
  for (;;) {
    TRY_ASSIGN(const bool any, at.step());
    if (!any) return false;
    if (rows.size() == limit) return true;
    TRY(read_any(at, rows.emplace_back()));
  }
}

// The least text greater than every text that begins with `prefix`; nothing if there is none.
std::optional<std::string> end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<std::uint8_t>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<std::uint8_t>(prefix.back()) + 1);
  return prefix;
}

base::Error not_indexed(const char* what) {
  return {"view_filter_not_indexed", std::string("there is no index for ") + what};
}

const char* index_of(model::AccountFlags flag) {
  switch (flag) {
    case model::frozen_for_debits: return "accounts_frozen_for_debits";
    case model::frozen_for_credits: return "accounts_frozen_for_credits";
    case model::closed: return "accounts_closed";
    default: return nullptr;
  }
}

}  // namespace

base::Result<std::unique_ptr<Queries>> SqliteQueries::open(const std::string& path) {
  TRY_ASSIGN(Connection connection, Connection::open(path, Connection::Mode::read_only));
  TRY(connection.execute("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"));
  return std::unique_ptr<Queries>(new SqliteQueries(std::move(connection)));
}

base::Result<ViewPositions> SqliteQueries::positions() {
  TRY_ASSIGN(Statement select, connection_.prepare("SELECT * FROM about"));
  TRY_ASSIGN(const bool found, select.step());
  if (!found) return base::Error{"view_row_damaged", "about: row 1 is missing"};
  AboutRow about;
  TRY(read_row(select, about));
  return about.positions;
}

base::Result<Page<AccountRow>> SqliteQueries::accounts(const AccountQuery& query) {
  const bool by_name = !query.name_prefix.empty();
  const int filters = (by_name ? 1 : 0) + (query.asset ? 1 : 0) + (query.flag ? 1 : 0);
  if (filters > 1) return not_indexed("more than one of name prefix, asset and flag");
  if (query.flag && index_of(*query.flag) == nullptr) {
    return not_indexed("flags other than frozen_for_debits, frozen_for_credits and closed, or several of them");
  }
  CursorScope scope("accounts");
  scope.add(query.tenant).add(query.name_prefix).add(query.asset.value_or(0)).add(query.flag.value_or(0));

  // INDEXED BY: a query that could not use its index is an error here, never a slow scan.
  const char* index = by_name ? "accounts_by_name" : query.asset ? "accounts_by_asset" : "accounts_of_tenant";
  if (query.flag) index = index_of(*query.flag);
  std::string sql = std::string("SELECT a.*, b.* FROM accounts a INDEXED BY ") + index +
                    " LEFT JOIN account_balances b ON b.number = a.number WHERE a.tenant = ?";
  const bool first_page = query.cursor.empty();
  const std::optional<std::string> end = end_of_prefix(query.name_prefix);
  if (by_name) {
    sql += first_page ? " AND a.name >= ?" : " AND a.name > ?";
    if (end) sql += " AND a.name < ?";
    sql += " ORDER BY a.name LIMIT ?";
  } else {
    if (query.asset) sql += " AND a.asset = ?";
    if (query.flag) sql += " AND a.flags & " + std::to_string(*query.flag);
    sql += " AND a.number > ? ORDER BY a.number LIMIT ?";
  }
  TRY_ASSIGN(Statement select, connection_.prepare(sql));
  select.bind(query.tenant);
  const std::uint32_t limit = limit_of(query.limit);
  if (by_name) {
    std::string least = query.name_prefix;
    if (!first_page) {
      TRY_ASSIGN(least, scope.name_in(query.cursor));
    }
    select.bind_text(least);
    if (end) select.bind_text(*end);
  } else {
    std::uint64_t after = 0;
    if (!first_page) {
      TRY_ASSIGN(after, scope.number_in(query.cursor));
    }
    if (query.asset) select.bind(*query.asset);
    select.bind(static_cast<std::int64_t>(after));
  }
  select.bind(std::int64_t{limit} + 1);

  Page<AccountRow> page;
  TRY_ASSIGN(const bool more, read_rows(select, limit, page.rows));
  if (more) {
    const AccountRow& last = page.rows.back();
    page.next_cursor = by_name ? scope.cursor_after(std::string_view(last.name)) : scope.cursor_after(last.number);
  }
  return page;
}

base::Result<std::optional<AccountRow>> SqliteQueries::account(model::AccountNumber number) {
  TRY_ASSIGN(Statement select,
             connection_.prepare("SELECT a.*, b.* FROM accounts a LEFT JOIN account_balances b ON b.number = a.number "
                                 "WHERE a.number = ?"));
  select.bind(number);
  TRY_ASSIGN(const bool found, select.step());
  if (!found) return std::optional<AccountRow>();
  AccountRow row;
  TRY(read_with_balance(select, row));
  return std::optional(std::move(row));
}

base::Result<Page<TransferRow>> SqliteQueries::transfers(const TransferQuery& query) {
  if (query.reference && (query.state || query.account)) return not_indexed("reference together with state or account");
  CursorScope scope("transfers");
  scope.add(query.tenant).add(query.state ? static_cast<std::uint64_t>(*query.state) : 0).add(query.account.value_or(0));
  scope.add(query.reference.value_or("")).add(query.reference ? 1 : 0);

  // Parameters: 1 tenant, 2 greatest number (exclusive), 3 limit, 4 account or reference. The indexes hold transfers by state, so
  // a list over all states merges one short list of each, and one over an account those of both its sides (a transfer never
  // has one account on both).
  std::string sql;
  const auto merge = [&](const char* index, const char* condition) {
    for (int state = 1; state <= static_cast<int>(TransferState::expired); ++state) {
      if (query.state && state != static_cast<int>(*query.state)) continue;
      sql += sql.empty() ? "SELECT * FROM (" : " UNION ALL ";
      sql += std::string("SELECT * FROM (SELECT * FROM transfers INDEXED BY ") + index + " WHERE " + condition +
             " AND state = " + std::to_string(state) + " AND number < ?2 ORDER BY number DESC LIMIT ?3)";
    }
  };
  if (query.account) {
    merge("transfers_by_debit", "debit = ?4 AND tenant = ?1");
    merge("transfers_by_credit", "credit = ?4 AND tenant = ?1");
    sql += ")";
  } else if (query.reference) {
    sql = "SELECT * FROM transfers INDEXED BY transfers_by_reference WHERE tenant = ?1 AND reference = ?4 AND number < ?2";
  } else {
    merge("transfers_by_state", "tenant = ?1");
    sql += ")";
  }
  sql += " ORDER BY number DESC LIMIT ?3";
  std::uint64_t before = model::event_number_max + 1;
  if (!query.cursor.empty()) {
    TRY_ASSIGN(before, scope.number_in(query.cursor));
  }
  if (query.before != 0) before = std::min(before, query.before);
  const std::uint32_t limit = limit_of(query.limit);
  TRY_ASSIGN(Statement select, connection_.prepare(sql));
  select.bind(query.tenant).bind(static_cast<std::int64_t>(before)).bind(std::int64_t{limit} + 1);
  if (query.account) {
    select.bind(*query.account);
  } else if (query.reference) {
    select.bind_text(*query.reference);
  }
  Page<TransferRow> page;
  TRY_ASSIGN(const bool more, read_rows(select, limit, page.rows));
  if (more) page.next_cursor = scope.cursor_after(page.rows.back().number);
  return page;
}

base::Result<std::optional<TransferRow>> SqliteQueries::transfer(model::EventNumber number) {
  TRY_ASSIGN(Statement select, connection_.prepare("SELECT * FROM transfers WHERE number = ?"));
  select.bind(static_cast<std::int64_t>(number));
  TRY_ASSIGN(const bool found, select.step());
  if (!found) return std::optional<TransferRow>();
  TransferRow row;
  TRY(read_row(select, row));
  return std::optional(std::move(row));
}

base::Result<Page<SagaRow>> SqliteQueries::sagas(const SagaQuery& query) {
  TRY_ASSIGN(Statement select, connection_.prepare("SELECT * FROM sagas INDEXED BY sagas_by_state WHERE tenant = ? AND "
                                                   "state = ? AND number > ? ORDER BY number LIMIT ?"));
  const std::uint32_t limit = limit_of(query.limit);
  select.bind(query.tenant).bind(static_cast<std::int64_t>(query.state)).bind(static_cast<std::int64_t>(query.after));
  select.bind(std::int64_t{limit} + 1);
  Page<SagaRow> page;
  TRY_ASSIGN(const bool more, read_rows(select, limit, page.rows));
  if (more) page.next_cursor = "more";
  return page;
}

base::Result<std::optional<SagaRow>> SqliteQueries::saga(model::EventNumber number) {
  TRY_ASSIGN(Statement select, connection_.prepare("SELECT * FROM sagas WHERE number = ?"));
  select.bind(static_cast<std::int64_t>(number));
  TRY_ASSIGN(const bool found, select.step());
  if (!found) return std::optional<SagaRow>();
  SagaRow row;
  TRY(read_row(select, row));
  return std::optional(row);
}

base::Result<std::vector<model::EventNumber>> SqliteQueries::saga_steps(model::EventNumber number) {
  return steps<SagaStepRow>("SELECT * FROM saga_steps WHERE saga = ? ORDER BY event", number);
}

base::Result<std::vector<model::EventNumber>> SqliteQueries::import_steps(model::EventNumber number) {
  return steps<ImportStepRow>("SELECT * FROM import_steps WHERE import = ? ORDER BY event", number);
}

template <typename Row>
base::Result<std::vector<model::EventNumber>> SqliteQueries::steps(const char* sql, model::EventNumber number) {
  TRY_ASSIGN(Statement select, connection_.prepare(sql));
  select.bind(static_cast<std::int64_t>(number));
  std::vector<Row> rows;
  TRY(read_rows(select, SIZE_MAX, rows));
  std::vector<model::EventNumber> events;
  events.reserve(rows.size());
  for (const Row& row : rows) events.push_back(row.event);
  return events;
}

base::Result<Page<ClientRow>> SqliteQueries::clients(const ClientQuery& query) {
  CursorScope scope("clients");
  scope.add(query.tenant);
  std::uint64_t after = 0;
  if (!query.cursor.empty()) {
    TRY_ASSIGN(after, scope.number_in(query.cursor));
  }
  const std::uint32_t limit = limit_of(query.limit);
  TRY_ASSIGN(Statement select,
             connection_.prepare("SELECT * FROM clients WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?"));
  select.bind(query.tenant).bind(static_cast<std::int64_t>(after)).bind(std::int64_t{limit} + 1);
  Page<ClientRow> page;
  TRY_ASSIGN(const bool more, read_rows(select, limit, page.rows));
  if (more) page.next_cursor = scope.cursor_after(page.rows.back().number);
  return page;
}

base::Result<std::vector<AssetRow>> SqliteQueries::assets() {
  TRY_ASSIGN(Statement select, connection_.prepare("SELECT * FROM assets ORDER BY number"));
  std::vector<AssetRow> rows;
  TRY(read_rows(select, SIZE_MAX, rows));
  return rows;
}

base::Result<std::vector<TenantRow>> SqliteQueries::tenants() {
  TRY_ASSIGN(Statement select, connection_.prepare("SELECT * FROM tenants ORDER BY number"));
  std::vector<TenantRow> rows;
  TRY(read_rows(select, SIZE_MAX, rows));
  return rows;
}

}  // namespace store
