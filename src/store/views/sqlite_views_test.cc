#include "store/views/sqlite_views.h"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "io/temporary_directory.h"
#include "store/views/dirty_balances.h"
#include "store/views/view_cursor.h"

namespace {

using namespace store;

base::Instant at(model::EventNumber event) { return {1'700'000'000'000'000'000 + static_cast<std::int64_t>(event)}; }

template <typename T>
T must(base::Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), result.error().code << ": " << result.error().message);
  return std::move(result).value();
}

template <typename T>
std::string code_of(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

/// A database in a directory of its own and a hand that projects events into it.
struct World {
  explicit World(ViewOptions wanted = {}) : options(wanted) { open(); }

  void open() {
    queries.reset();
    projector.reset();
    views = must(open_sqlite_views(path, options));
    projector = must(views->projector());
    queries = must(views->queries());
  }
  void close() {
    queries.reset();
    projector.reset();
    views.reset();
  }

  model::EventNumber project(model::EventBody body, std::string_view name = "", model::TenantNumber tenant = 1,
                             std::optional<std::string_view> reference = {},
                             std::optional<std::string_view> metadata = {}) {
    const model::EventNumber number = next++;
    const model::Event event{at(number), std::move(body)};
    const ProjectedEvent projected{number, tenant, &event, name, reference, metadata};
    const auto status = projector->apply({&projected, 1}, number);
    REQUIRE_MESSAGE(status.ok(), status.error().code);
    return number;
  }
  model::EventNumber account(model::AccountNumber number, std::string_view name, model::AssetNumber asset = 1,
                             model::TenantNumber tenant = 1) {
    model::AccountOpened opened;
    opened.number = number;
    opened.tenant = tenant;
    opened.asset = asset;
    opened.flags = model::debits_must_not_exceed_credits;
    return project(opened, name, tenant);
  }
  model::EventNumber hold(model::AccountNumber debit, model::AccountNumber credit, base::U128 amount,
                          std::optional<std::string_view> reference = {}, model::TenantNumber tenant = 1) {
    model::HoldPlaced placed;
    placed.amount = amount;
    placed.asset = 1;
    placed.debit.account = debit;
    placed.credit.account = credit;
    placed.expires_at = {77};
    return project(placed, "", tenant, reference);
  }
  void flags(model::AccountNumber number, model::AccountFlags value) {
    model::AccountFlagsChanged changed;
    changed.account = number;
    changed.flags = value;
    project(changed);
  }
  void resolve(model::EventNumber number, model::HoldResolution resolution, base::U128 captured = 0) {
    model::HoldResolved resolved;
    resolved.hold = number;
    resolved.resolution = resolution;
    resolved.captured = captured;
    project(resolved);
  }
  void sql(const std::string& text) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    char* error = nullptr;
    const int code = sqlite3_exec(database, text.c_str(), nullptr, nullptr, &error);
    CHECK_MESSAGE(code == SQLITE_OK, (error == nullptr ? "" : error));
    sqlite3_free(error);
    sqlite3_close(database);
  }

  io::TemporaryDirectory directory;
  std::string path = directory / "views.sqlite";
  ViewOptions options;
  std::unique_ptr<Views> views;
  std::unique_ptr<Projector> projector;
  std::unique_ptr<Queries> queries;
  model::EventNumber next = 1;
};

std::vector<model::AccountNumber> numbers_of(const Page<AccountRow>& page) {
  std::vector<model::AccountNumber> numbers;
  for (const AccountRow& row : page.rows) numbers.push_back(row.number);
  return numbers;
}
std::vector<model::EventNumber> numbers_of(const Page<TransferRow>& page) {
  std::vector<model::EventNumber> numbers;
  for (const TransferRow& row : page.rows) numbers.push_back(row.number);
  return numbers;
}

using Accounts = std::vector<model::AccountNumber>;
using Transfers = std::vector<model::EventNumber>;

}  // namespace

TEST_CASE("every event with a row finds its table, and reads back whole") {
  World world;
  model::TenantOpened tenant;
  tenant.tenant = 1;
  world.project(tenant, "default");
  model::AssetRegistered asset;
  asset.number = 1;
  asset.asset = *model::parse_asset("USD/2");
  world.project(asset);
  model::AccountOpened opened;
  opened.number = 1;
  opened.tenant = 1;
  opened.asset = 1;
  opened.flags = model::debits_must_not_exceed_credits;
  opened.limits.debit_amount_max = base::amount_max;
  world.project(opened, "users/a", 1, {}, R"({"k":"v"})");
  model::ClientCreated client;
  client.number = 1;
  client.tenant = 1;
  client.kind = model::PrincipalKind::person;
  client.scopes = model::all_scopes;
  world.project(client, "ann");

  CHECK(must(world.queries->tenants()) == std::vector<TenantRow>{{1, "default", 1, at(1)}});
  CHECK(must(world.queries->assets()) == std::vector<AssetRow>{{1, *model::parse_asset("USD/2")}});
  const AccountRow account = *must(world.queries->account(1));
  CHECK(account.name == "users/a");
  CHECK(account.limits == opened.limits);
  CHECK(account.metadata == R"({"k":"v"})");
  CHECK(account.opened_event == 3);
  CHECK(account.opened_at == at(3));
  CHECK(account.counters_event == 0);
  CHECK(!must(world.queries->account(2)).has_value());
  const auto clients = must(world.queries->clients({}));
  CHECK(clients.rows == std::vector<ClientRow>{{1, 1, model::PrincipalKind::person, model::all_scopes, "ann", 4, at(4), {}}});
  model::ClientRevoked revoked;
  revoked.number = 1;
  world.project(revoked);
  CHECK(must(world.queries->clients({})).rows[0].revoked_at == at(5));

  model::AccountLimitsSet limits;
  limits.account = 1;
  limits.limits.balance_max = 5;
  world.project(limits);
  world.flags(1, model::debits_must_not_exceed_credits | model::closed);
  const AccountRow changed = *must(world.queries->account(1));
  CHECK(changed.limits == limits.limits);
  CHECK(changed.closed_at == at(7));
  CHECK(must(world.queries->positions()).rows == 7);
  CHECK(world.views->verify().ok());
}

TEST_CASE("a hold goes through its states; a settled transfer has a row only where wanted") {
  World world;
  model::TransferPosted posted;
  posted.amount = 9;
  world.project(posted);
  CHECK(must(world.queries->transfers({})).rows.empty());
  const auto captured = world.hold(1, 2, base::amount_max, "inv-1");
  const auto voided = world.hold(1, 2, 5);
  const auto expired = world.hold(2, 1, 6);
  CHECK(must(world.queries->transfer(captured))->state == TransferState::held);
  world.resolve(captured, model::HoldResolution::captured, 4);
  world.resolve(voided, model::HoldResolution::voided);
  world.resolve(expired, model::HoldResolution::expired);
  const TransferRow row = *must(world.queries->transfer(captured));
  CHECK(row.state == TransferState::captured);
  CHECK(row.amount == base::amount_max);
  CHECK(row.captured == 4);
  CHECK(row.reference == "inv-1");
  CHECK(row.expires_at.ns == 77);
  CHECK(row.resolved_event == 5);
  CHECK(row.resolved_at == at(5));
  CHECK(must(world.queries->transfer(voided))->state == TransferState::voided);
  CHECK(must(world.queries->transfer(expired))->state == TransferState::expired);
  CHECK(!must(world.queries->transfer(1)).has_value());

  World all({{}, true});
  const auto number = all.project(posted);
  CHECK(must(all.queries->transfer(number))->state == TransferState::settled);
}

TEST_CASE("accounts are listed by number, prefix, asset and flag, page by page") {
  World world;
  for (model::AccountNumber number = 1; number <= 7; ++number) {
    world.account(number, (number % 2 == 0 ? "users/" : "rails/") + std::string(1, static_cast<char>('z' - number)),
                  number % 3 + 1);
  }
  world.account(8, "users/x", 1, 2);
  world.flags(3, model::frozen_for_debits);
  world.flags(5, model::frozen_for_credits | model::closed);

  AccountQuery query;
  CHECK(numbers_of(must(world.queries->accounts(query))) == Accounts{1, 2, 3, 4, 5, 6, 7});
  query.limit = 3;
  Accounts paged;
  int pages = 0;
  do {
    const auto page = must(world.queries->accounts(query));
    for (const auto number : numbers_of(page)) paged.push_back(number);
    query.cursor = page.next_cursor;
    ++pages;
  } while (!query.cursor.empty());
  CHECK(pages == 3);
  CHECK(paged == Accounts{1, 2, 3, 4, 5, 6, 7});

  AccountQuery by_name;
  by_name.name_prefix = "users/";
  by_name.limit = 2;
  auto page = must(world.queries->accounts(by_name));
  CHECK(numbers_of(page) == Accounts{6, 4});
  by_name.cursor = page.next_cursor;
  page = must(world.queries->accounts(by_name));
  CHECK(numbers_of(page) == Accounts{2});
  CHECK(page.next_cursor.empty());
  AccountQuery strange;
  strange.name_prefix = "\xff\xff";
  CHECK(must(world.queries->accounts(strange)).rows.empty());

  AccountQuery by_asset;
  by_asset.asset = 2;
  CHECK(numbers_of(must(world.queries->accounts(by_asset))) == Accounts{1, 4, 7});
  AccountQuery by_flag;
  by_flag.flag = model::frozen_for_debits;
  CHECK(numbers_of(must(world.queries->accounts(by_flag))) == Accounts{3});
  by_flag.flag = model::frozen_for_credits;
  CHECK(numbers_of(must(world.queries->accounts(by_flag))) == Accounts{5});
  by_flag.flag = model::closed;
  CHECK(numbers_of(must(world.queries->accounts(by_flag))) == Accounts{5});
  AccountQuery other;
  other.tenant = 2;
  CHECK(numbers_of(must(world.queries->accounts(other))) == Accounts{8});
}

TEST_CASE("transfers are listed newest first by state, account and reference") {
  World world;
  const auto a = world.hold(1, 2, 1, "r");
  const auto b = world.hold(2, 3, 1, "s");
  const auto c = world.hold(3, 1, 1, "r");
  const auto d = world.hold(1, 3, 1);
  world.hold(1, 2, 1, "r", 2);
  world.resolve(c, model::HoldResolution::voided);

  TransferQuery query;
  CHECK(numbers_of(must(world.queries->transfers(query))) == Transfers{d, c, b, a});
  query.limit = 3;
  auto page = must(world.queries->transfers(query));
  query.cursor = page.next_cursor;
  CHECK(numbers_of(must(world.queries->transfers(query))) == Transfers{a});
  TransferQuery earlier;
  earlier.before = c;
  CHECK(numbers_of(must(world.queries->transfers(earlier))) == Transfers{b, a});
  earlier.cursor = query.cursor;
  earlier.limit = 3;
  CHECK(numbers_of(must(world.queries->transfers(earlier))) == Transfers{a});
  TransferQuery by_state;
  by_state.state = TransferState::held;
  CHECK(numbers_of(must(world.queries->transfers(by_state))) == Transfers{d, b, a});
  TransferQuery by_account;
  by_account.account = 1;
  CHECK(numbers_of(must(world.queries->transfers(by_account))) == Transfers{d, c, a});
  by_account.limit = 1;
  page = must(world.queries->transfers(by_account));
  by_account.cursor = page.next_cursor;
  CHECK(numbers_of(must(world.queries->transfers(by_account))) == Transfers{c});
  TransferQuery held;
  held.account = 1;
  held.state = TransferState::held;
  CHECK(numbers_of(must(world.queries->transfers(held))) == Transfers{d, a});
  held.state = TransferState::voided;
  CHECK(numbers_of(must(world.queries->transfers(held))) == Transfers{c});
  TransferQuery by_reference;
  by_reference.reference = "r";
  CHECK(numbers_of(must(world.queries->transfers(by_reference))) == Transfers{c, a});
}

TEST_CASE("filters without an index are refused by name") {
  World world;
  AccountQuery accounts;
  accounts.asset = 1;
  accounts.flag = model::closed;
  CHECK(code_of(world.queries->accounts(accounts)) == "view_filter_not_indexed");
  accounts.asset.reset();
  accounts.flag = model::is_world;
  CHECK(code_of(world.queries->accounts(accounts)) == "view_filter_not_indexed");
  TransferQuery transfers;
  transfers.account = 1;
  transfers.reference = "r";
  CHECK(code_of(world.queries->transfers(transfers)) == "view_filter_not_indexed");
  transfers.account.reset();
  transfers.state = TransferState::voided;
  CHECK(code_of(world.queries->transfers(transfers)) == "view_filter_not_indexed");
}

TEST_CASE("a cursor serves only the list and filters that gave it out") {
  World world;
  for (model::AccountNumber number = 1; number <= 3; ++number) world.account(number, "users/a");
  AccountQuery query;
  query.limit = 1;
  const std::string cursor = must(world.queries->accounts(query)).next_cursor;
  query.cursor = cursor + "A";
  CHECK(code_of(world.queries->accounts(query)) == "view_cursor_malformed");
  query.cursor = "!";
  CHECK(code_of(world.queries->accounts(query)) == "view_cursor_malformed");
  query.cursor = cursor;
  query.asset = 1;
  CHECK(code_of(world.queries->accounts(query)) == "view_cursor_malformed");
  query.asset.reset();
  query.name_prefix = "u";
  CHECK(code_of(world.queries->accounts(query)) == "view_cursor_malformed");
  TransferQuery transfers;
  transfers.cursor = cursor;
  CHECK(code_of(world.queries->transfers(transfers)) == "view_cursor_malformed");
  ClientQuery clients;
  clients.cursor = cursor;
  CHECK(code_of(world.queries->clients(clients)) == "view_cursor_malformed");
  CHECK(code_of(CursorScope("x").number_in(CursorScope("x").cursor_after("name of nine"))) == "view_cursor_malformed");
}

TEST_CASE("balances coalesce and are written in bounded passes with a position of their own") {
  World world;
  for (model::AccountNumber number = 1; number <= 10; ++number) world.account(number, "a");
  std::vector<BalanceUpdate> updates;
  for (model::EventNumber event = 11; event <= 1010; ++event) {
    BalanceUpdate update;
    update.account = static_cast<model::AccountNumber>(event % 10 + 1);
    update.event = event;
    update.counters.credits_posted = event;
    update.counters.debits_pending = base::amount_max;
    updates.push_back(update);
  }
  world.projector->note_balances(updates);
  REQUIRE(world.projector->apply({}, 1010).ok());
  CHECK(world.projector->stats().dirty_balances == 10);
  CHECK(must(world.projector->write_balances(4)));
  CHECK(must(world.queries->positions()).balances == 0);
  // Noted during the pass: account 2 was written already and waits for the next pass.
  const BalanceUpdate late{2, 2000, {}};
  world.projector->note_balances({&late, 1});
  REQUIRE(world.projector->apply({}, 2000).ok());
  CHECK(must(world.projector->write_balances(4)));
  CHECK(!must(world.projector->write_balances(4)));
  CHECK(must(world.queries->positions()).balances == 1010);
  CHECK(must(world.queries->positions()).rows == 2000);
  const AccountRow row = *must(world.queries->account(1));
  CHECK(row.counters.credits_posted == 1010);
  CHECK(row.counters.debits_pending == base::amount_max);
  CHECK(row.counters_event == 1010);
  CHECK(must(world.queries->account(2))->counters_event == 1001);
  CHECK(!must(world.projector->write_balances(4)));
  CHECK(must(world.queries->account(2))->counters_event == 2000);
  CHECK(must(world.queries->positions()).balances == 2000);
  CHECK(must(world.queries->accounts({})).rows.at(1).counters_event == 2000);

  REQUIRE(world.projector->apply({}, 3000).ok());
  CHECK(!must(world.projector->write_balances(4)));   // nothing waits: only the position moves
  CHECK(must(world.queries->positions()).balances == 2000);
  REQUIRE(world.projector->commit_positions().ok());
  CHECK(must(world.queries->positions()).balances == 3000);
  CHECK(world.views->verify().ok());
}

TEST_CASE("positions survive reopening, and events at or below them are passed over") {
  World world;
  world.account(1, "a");
  REQUIRE(world.projector->apply({}, 50).ok());
  REQUIRE(world.projector->commit_positions().ok());
  world.open();
  CHECK(world.projector->positions().rows == 50);
  world.next = 20;
  world.account(2, "b");
  CHECK(!must(world.queries->account(2)).has_value());
  world.next = 51;
  world.account(2, "b");
  CHECK(must(world.queries->account(2)).has_value());
  world.close();
  REQUIRE(remove_sqlite_views(world.path).ok());
  world.open();
  CHECK(world.projector->positions().rows == 0);
  CHECK(must(world.queries->accounts({})).rows.empty());
}

TEST_CASE("only the owner may read the database") {
  World world;
  world.account(1, "a");
  for (const auto& entry : std::filesystem::directory_iterator(world.directory.path())) {
    CHECK_MESSAGE((entry.status().permissions() & std::filesystem::perms::mask) ==
                      (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write),
                  entry.path());
  }
}

TEST_CASE("a database of another journal, version or option is refused by name") {
  World world;
  world.close();
  CHECK(code_of(open_sqlite_views(world.path, {{9}, false})) == "views_of_another_log");
  CHECK(code_of(open_sqlite_views(world.path, {{}, true})) == "views_option_changed");
  world.sql("PRAGMA user_version = 1");
  CHECK(code_of(open_sqlite_views(world.path, {})) == "views_version_unknown");
  world.sql("PRAGMA user_version = 3; DELETE FROM about");
  CHECK(code_of(open_sqlite_views(world.path, {})) == "view_row_damaged");
}

TEST_CASE("tables that are not as they were made are found") {
  for (const char* change : {"ALTER TABLE clients RENAME COLUMN scopes TO scope", "CREATE TABLE more (value)", "DROP INDEX sagas_by_state"}) {
    CAPTURE(change);
    World world;
    REQUIRE(world.views->verify().ok());
    world.sql(change);
    const auto verdict = world.views->verify();
    CHECK(code_of(verdict) == "view_database_damaged");
    CHECK(verdict.error().message.find(world.path) == 0);
  }
}

TEST_CASE("a changed value in any column of any table is found, named, and never served") {
  World world;
  model::TenantOpened tenant;
  tenant.tenant = 1;
  world.project(tenant, "default");
  model::AssetRegistered asset;
  asset.number = 1;
  asset.asset = *model::parse_asset("USD/2");
  world.project(asset);
  world.account(1, "users/a");
  world.hold(1, 2, 5, "ref");
  model::ClientCreated client;
  client.number = 1;
  client.tenant = 1;
  world.project(client, "ann");
  model::TransferRequested request;
  request.account = 1;
  world.project(request);
  model::KeyVersionAdded added;
  added.key = 3;
  added.version = 1;
  added.import = 6;
  world.project(added);
  const BalanceUpdate balance{1, 4, {}};
  world.projector->note_balances({&balance, 1});
  must(world.projector->write_balances(10));
  REQUIRE(world.views->verify().ok());

  const std::map<std::string, std::vector<std::string>> columns{
      {"about", {"identity", "every_transfer", "rows_event", "balances_event"}},
      {"tenants", {"name", "opened_event", "opened_at_ns"}},
      {"assets", {"code", "scale"}},
      {"accounts",
       {"name", "asset", "flags", "debit_amount_max", "daily_debits_max", "balance_max", "metadata", "opened_event",
        "opened_at_ns", "closed_at_ns", "tenant"}},
      {"account_balances", {"debits_posted", "credits_posted", "debits_pending", "credits_pending", "as_of_event"}},
      {"transfers",
       {"state", "debit", "credit", "asset", "amount", "captured", "created_at_ns", "expires_at_ns", "resolved_event",
        "resolved_at_ns", "reference", "metadata"}},
      {"sagas", {"tenant", "kind", "state", "account", "since_ns"}},
      {"saga_steps", {"event"}},
      {"import_steps", {"event"}},
      {"key_versions", {"import"}},
      {"clients", {"kind", "scopes", "name", "created_event", "created_at_ns", "revoked_at_ns"}}};
  // What a column was is kept beside the views, which must have their own tables and no other.
  const std::string beside = "ATTACH '" + world.path + ".saved' AS beside; ";
  for (const auto& [table, names] : columns) {
    for (const std::string& column : names) {
      const std::string value = "coalesce(" + column + ", 6)" + (column.ends_with("_ns") ? " + 1" : " || '7'");
      world.sql(beside + "CREATE TABLE beside.saved AS SELECT " + column + " AS value FROM " + table + "; UPDATE " + table + " SET " + column +
                " = " + value);
      const auto verdict = world.views->verify();
      CHECK_MESSAGE(code_of(verdict) == "view_row_damaged", table << "." << column);
      if (!verdict.ok()) CHECK(verdict.error().message.find(table) == 0);
      const std::string reading = table == "about"      ? code_of(world.queries->positions())
                                  : table == "tenants"  ? code_of(world.queries->tenants())
                                  : table == "assets"   ? code_of(world.queries->assets())
                                  : table == "accounts" ? code_of(world.queries->account(1))
                                  : table == "account_balances" ? code_of(world.queries->account(1))
                                  : table == "transfers"        ? code_of(world.queries->transfer(4))
                                  : table == "sagas"            ? code_of(world.queries->saga(6))
                                  : table == "saga_steps"       ? code_of(world.queries->saga_steps(6))
                                  : table == "import_steps"     ? code_of(world.queries->import_steps(6))
                                                                : std::string("view_row_damaged");
      CHECK_MESSAGE(reading == "view_row_damaged", table << "." << column);
      world.sql(beside + "UPDATE " + table + " SET " + column + " = (SELECT value FROM beside.saved); DROP TABLE beside.saved");
      REQUIRE_MESSAGE(world.views->verify().ok(), table << "." << column);
    }
  }
}

TEST_CASE("an import has its own steps and those of the version that came of it") {
  World world;
  const auto receive = [&] { return world.project(model::ImportReceived{}); };
  const auto add = [&](model::EventNumber import, model::KeyVersion version) {
    model::KeyVersionAdded added;
    added.key = 3;
    added.version = version;
    added.import = import;
    return world.project(added);
  };
  const auto move = [&](model::KeyVersion version) {
    model::KeyVersionMoved moved;
    moved.key = 3;
    moved.version = version;
    return world.project(moved);
  };
  const auto first = receive(), second = receive(), third = receive();
  model::ImportMoved inspected;
  inspected.import = first;
  const auto step = world.project(inspected);
  model::ImportChallenged asked;
  asked.import = second;
  const auto challenge = world.project(asked);
  model::ImportVoted voted;
  voted.import = second;
  const auto vote = world.project(voted);
  const auto one = add(first, 1), two = add(second, 2), on = move(1), off = move(2);
  model::KeyExpiryWarned warned;
  warned.key = 3;
  warned.version = 1;
  const auto warning = world.project(warned);

  CHECK(must(world.queries->import_steps(first)) == std::vector{first, step, one, on, warning});
  CHECK(must(world.queries->import_steps(second)) == std::vector{second, challenge, vote, two, off});
  CHECK(must(world.queries->import_steps(third)) == std::vector{third});
  CHECK(must(world.queries->import_steps(999)).empty());
  CHECK(world.views->verify().ok());

  // What happens to a version of which there is no row cannot be told whose it is.
  world.sql("DELETE FROM key_versions WHERE version = 2");
  model::KeyVersionMoved lost;
  lost.key = 3;
  lost.version = 2;
  const model::Event event{at(100), lost};
  const ProjectedEvent projected{100, 1, &event, "", {}, {}};
  CHECK(code_of(world.projector->apply({&projected, 1}, 100)) == "view_row_damaged");
}

TEST_CASE("transfers over rails are queues by their state, oldest first, with all their steps") {
  using State = model::TransferState;
  World world;
  const auto request = [&](model::TenantNumber tenant = 1) {
    model::TransferRequested body;
    body.kind = model::TransferKind::collect;
    body.account = 7;
    return world.project(body, "", tenant);
  };
  const auto move = [&](model::EventNumber transfer, State from, State to) {
    model::TransferMoved body;
    body.transfer = transfer;
    body.from = from;
    body.to = to;
    return world.project(body);
  };
  const auto first = request(), second = request(), third = request(), foreign = request(2);
  const auto sent = move(first, State::requested, State::sending);
  const auto lost = move(first, State::sending, State::outcome_unknown);
  move(third, State::requested, State::sending);
  move(third, State::sending, State::outcome_unknown);
  move(foreign, State::requested, State::sending);
  model::RefundCounted counted;
  counted.original = first;
  const auto refund = world.project(counted);
  counted.original = 999;   // between accounts
  world.project(counted);

  const auto numbers = [&](State state, model::EventNumber after = 0, std::uint32_t limit = 100) {
    std::vector<model::EventNumber> found;
    for (const SagaRow& row : must(world.queries->sagas({1, state, after, limit})).rows) found.push_back(row.number);
    return found;
  };
  CHECK(numbers(State::outcome_unknown) == std::vector{first, third});
  CHECK(numbers(State::outcome_unknown, first) == std::vector{third});
  CHECK(numbers(State::requested) == std::vector{second});
  CHECK(numbers(State::sending).empty());
  CHECK_FALSE(must(world.queries->sagas({1, State::outcome_unknown, 0, 1})).next_cursor.empty());
  CHECK(must(world.queries->sagas({1, State::outcome_unknown, first, 1})).next_cursor.empty());
  CHECK(must(world.queries->saga_steps(first)) == std::vector{first, sent, lost, refund});
  const auto row = must(world.queries->saga(first));
  REQUIRE(row.has_value());
  CHECK(*row == SagaRow{first, 1, model::TransferKind::collect, State::outcome_unknown, 7, at(lost)});
  CHECK_FALSE(must(world.queries->saga(999)).has_value());
  CHECK(world.views->verify().ok());
}

TEST_CASE("a hold that another rail takes over is for its account") {
  World world;
  const auto hold = world.hold(1, 2, 5);
  model::HoldRedirected redirected;
  redirected.hold = hold;
  redirected.credit.account = 3;
  world.project(redirected);
  CHECK(must(world.queries->transfer(hold))->credit == 3);
}

TEST_CASE("a change to a row that is missing or damaged is refused, and leaves no half transaction") {
  World world;
  world.account(1, "a");
  model::AccountFlagsChanged changed;
  changed.account = 9;
  model::HoldResolved resolved;
  resolved.hold = 99;
  model::HoldRedirected redirected;
  redirected.hold = 99;
  model::TransferMoved moved;
  moved.transfer = 99;
  model::ClientRevoked revoked;
  revoked.number = 9;
  for (const model::EventBody& body : std::vector<model::EventBody>{changed, resolved, redirected, moved, revoked}) {
    model::AccountOpened opened;
    opened.number = 2;
    const model::Event first{at(5), opened};
    const model::Event second{at(6), body};
    const std::vector<ProjectedEvent> both{{5, 1, &first, "b", {}, {}}, {6, 1, &second, "", {}, {}}};
    CHECK(code_of(world.projector->apply(both, 6)) == "view_row_damaged");
    CHECK(!must(world.queries->account(2)).has_value());
    CHECK(must(world.queries->positions()).rows == 1);
  }
  world.account(3, "c");
}

TEST_CASE("a file that is no database, or a broken one, is damage") {
  World world;
  for (model::AccountNumber number = 1; number <= 300; ++number) world.account(number, "users/" + std::to_string(number));
  world.close();
  {
    std::fstream file(world.path, std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 3; page < 12; ++page) {
      file.seekp(page * 4096);
      file.write("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    }
  }
  auto views = open_sqlite_views(world.path, world.options);
  REQUIRE(views.ok());
  const auto verdict = (*views)->verify();
  CHECK(code_of(verdict) == "view_database_damaged");
  std::ofstream(world.path, std::ios::trunc) << "this is a diary, not a database, and long enough to have a header";
  CHECK(code_of(open_sqlite_views(world.path, world.options)) == "view_database_damaged");
  CHECK(code_of(open_sqlite_views(world.directory / "none/views.sqlite", world.options)) == "views_write_failed");
}

TEST_CASE("a table or index that is gone is damage") {
  World world;
  world.account(1, "a");
  world.sql("DROP INDEX accounts_by_name; DROP TABLE assets");
  AccountQuery by_name;
  by_name.name_prefix = "a";
  CHECK(code_of(world.queries->accounts(by_name)) == "view_database_damaged");
  CHECK(code_of(world.queries->assets()) == "view_database_damaged");
}

TEST_CASE("a database that cannot grow fails the write, keeps what waits, and goes on when it can") {
  World world;
  world.account(1, "a");
  std::vector<BalanceUpdate> updates;
  for (model::AccountNumber number = 1; number <= 5000; ++number) updates.push_back({number, 2, {}});
  world.projector->note_balances(updates);
  REQUIRE(world.projector->apply({}, 2).ok());

  rlimit former{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &former) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{30'000, former.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const auto written = world.projector->write_balances(10'000);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &former) == 0);
  std::signal(SIGXFSZ, handler);

  CHECK(code_of(written) == "views_write_failed");
  CHECK(world.projector->stats().dirty_balances == 5000);
  CHECK(must(world.queries->positions()).balances == 0);
  CHECK(must(world.queries->account(1))->counters_event == 0);
  CHECK(!must(world.projector->write_balances(10'000)));
  CHECK(must(world.queries->positions()).balances == 2);
  CHECK(must(world.queries->account(1))->counters_event == 2);
}

TEST_CASE("personal values are erased from rows and from the file") {
  World world;
  const auto account = world.account(1, "erase-this-name");
  const auto hold = world.hold(1, 2, 5, "erase-this-reference");
  model::ClientCreated client;
  client.number = 1;
  client.tenant = 1;
  const auto created = world.project(client, "erase-this-client");
  model::TenantOpened tenant;
  tenant.tenant = 7;
  const auto opened = world.project(tenant, "erase-this-tenant");
  REQUIRE(world.projector->erase(model::PrivateField::account_name, account).ok());
  REQUIRE(world.projector->erase(model::PrivateField::account_metadata, account).ok());
  REQUIRE(world.projector->erase(model::PrivateField::transfer_reference, hold).ok());
  REQUIRE(world.projector->erase(model::PrivateField::transfer_metadata, hold).ok());
  REQUIRE(world.projector->erase(model::PrivateField::client_name, created).ok());
  REQUIRE(world.projector->erase(model::PrivateField::tenant_name, opened).ok());
  REQUIRE(world.projector->erase(model::PrivateField::account_name, 999).ok());
  CHECK(must(world.queries->account(1))->name.empty());
  CHECK(!must(world.queries->transfer(hold))->reference.has_value());
  CHECK(must(world.queries->clients({})).rows.at(0).name.empty());
  CHECK(must(world.queries->tenants()).at(0).name.empty());
  CHECK(world.views->verify().ok());
  world.close();
  for (const auto& entry : std::filesystem::directory_iterator(world.directory.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    CHECK_MESSAGE(bytes.find("erase-this") == std::string::npos, entry.path());
  }
}

TEST_CASE("readers are not held up by an open transaction and see whole ones only") {
  World world;
  world.account(1, "a");
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(world.path.c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE; UPDATE accounts SET name = 'half'", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(must(world.queries->account(1))->name == "a");
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other);
}

TEST_CASE("dirty balances: latest wins, order by number, nothing lost on a failed write") {
  DirtyBalances dirty;
  std::vector<BalanceUpdate> updates{{700, 1, {}}, {3, 2, {}}, {700, 3, {}}, {64, 4, {}}};
  dirty.note(updates);
  CHECK(dirty.count() == 3);
  dirty.begin_pass();
  std::vector<BalanceUpdate> taken;
  dirty.take(2, taken);
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].account == 3);
  CHECK(taken[1].account == 64);
  const BalanceUpdate newer{64, 9, {}};
  dirty.note({&newer, 1});
  dirty.give_back(taken);
  CHECK(dirty.count() == 3);
  dirty.begin_pass();
  taken.clear();
  dirty.take(10, taken);
  REQUIRE(taken.size() == 3);
  CHECK(taken[1].event == 9);
  CHECK(taken[2].event == 3);
  CHECK(dirty.count() == 0);
  CHECK(dirty.memory_bytes() > 0);
}

namespace {

// Accounts, freezes, holds and captures, one event after the other, and what they amount to after each of them.
struct Life {
  struct Event {
    char kind;                    // account, freeze, hold, capture
    model::EventNumber subject;   // number of the account, event of the hold
  };
  explicit Life(World& world, int rounds) {
    for (int round = 0; round < rounds; ++round) {
      const auto number = static_cast<model::AccountNumber>(round + 1);
      world.account(number, "users/" + std::to_string(100 + round));
      events.push_back({'a', number});
      const model::EventNumber placed = world.hold(number, 1, 5 + static_cast<unsigned>(round), "ref-" + std::to_string(round));
      events.push_back({'h', placed});
      world.flags(number, model::frozen_for_debits);
      events.push_back({'f', number});
      if (round % 2 == 0) {
        world.resolve(placed, model::HoldResolution::captured, 1);
        events.push_back({'c', placed});
      }
    }
  }
  // Empty if the views are exactly what the first `position` events make, else what is wrong.
  std::string wrong_in(Queries& queries, model::EventNumber position) const {
    std::map<model::EventNumber, bool> accounts, holds;   // frozen, captured
    for (std::size_t i = 0; i < events.size() && i < position; ++i) {
      const Event& event = events[i];
      if (event.kind == 'a') accounts[event.subject] = false;
      if (event.kind == 'f') accounts[event.subject] = true;
      if (event.kind == 'h') holds[event.subject] = false;
      if (event.kind == 'c') holds[event.subject] = true;
    }
    std::map<model::EventNumber, bool> found;
    AccountQuery list;
    do {
      const auto page = queries.accounts(list);
      if (!page.ok()) return std::string("list of accounts: ") + page.error().code;
      for (const auto& row : page->rows) found[row.number] = (row.flags & model::frozen_for_debits) != 0;
      list.cursor = page->next_cursor;
    } while (!list.cursor.empty());
    if (found != accounts) return "accounts";
    found.clear();
    TransferQuery transfers;
    do {
      const auto page = queries.transfers(transfers);
      if (!page.ok()) return std::string("list of transfers: ") + page.error().code;
      for (const auto& row : page->rows) found[row.number] = row.state == TransferState::captured;
      transfers.cursor = page->next_cursor;
    } while (!transfers.cursor.empty());
    return found == holds ? "" : "transfers";
  }
  std::vector<Event> events;
};

// What a machine that lost power would find: the files as they lay there, changed as the disk may have left them.
struct Wreck {
  explicit Wreck(const std::string& database, const std::string& log) {
    write_bytes(path, database);
    write_bytes(path + "-wal", log);
  }
  // Empty if the views are a whole prefix of the life or say that they are damaged; `opened` counts the former.
  std::string judge(const Life& life, model::EventNumber at_least, int& opened) const {
    auto views = open_sqlite_views(path, {});
    if (!views.ok()) return std::string_view(views.error().code) == "views_write_failed" ? "not called damaged" : "";
    auto projector = (*views)->projector();
    if (!projector.ok()) return "";
    auto queries = (*views)->queries();
    if (!queries.ok()) return "";
    ++opened;
    const model::EventNumber position = (*projector)->positions().rows;
    if (position < at_least || position > life.events.size()) return "position " + std::to_string(position);
    const std::string wrong = life.wrong_in(**queries, position);
    return wrong.empty() ? "" : wrong + " at position " + std::to_string(position);
  }
  io::TemporaryDirectory directory;
  std::string path = directory / "views.sqlite";
};

}  // namespace

// Places of damage, every one in the release build: a database is opened for each.
#ifdef HOLDFAST_SANITIZED
constexpr std::size_t places_passed_over = 8;
#else
constexpr std::size_t places_passed_over = 1;
#endif

TEST_CASE("power lost while views were written: a whole prefix is found, however the log was cut, torn or flipped") {
  World world;
  const Life life(world, 12);
  const std::string database = bytes_of(world.path), log = bytes_of(world.path + "-wal");
  REQUIRE(log.size() > 100'000);
  int opened = 0, prefixes = 0;
  for (std::size_t cut = 0; cut <= log.size(); cut += 3'001 * places_passed_over) {
    CAPTURE(cut);
    CHECK_EQ(Wreck(database, log.substr(0, cut)).judge(life, 0, opened), "");
    ++prefixes;
  }
  CHECK(opened > prefixes / 2);
  for (std::size_t at = 700; at < log.size(); at += 9'011 * places_passed_over) {
    CAPTURE(at);
    std::string flipped = log, torn = log;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    CHECK_EQ(Wreck(database, flipped).judge(life, 0, opened), "");
    const std::size_t sector = at / 512 * 512;
    torn.replace(sector, std::min<std::size_t>(512, torn.size() - sector), std::min<std::size_t>(512, torn.size() - sector), '\0');
    CHECK_EQ(Wreck(database, torn).judge(life, 0, opened), "");
  }
  int whole = 0;
  CHECK_EQ(Wreck(database, log).judge(life, life.events.size(), whole), "");
  CHECK(whole == 1);
}

TEST_CASE("power lost while the log was copied into the database: whichever sectors were written, all is there") {
  World world;
  const Life life(world, 12);
  const std::string before = bytes_of(world.path), log = bytes_of(world.path + "-wal");
  REQUIRE(must(world.views->projector())->positions().rows == life.events.size());
  world.sql("PRAGMA wal_checkpoint(FULL)");
  const std::string after = bytes_of(world.path);
  REQUIRE(after != before);
  std::uint64_t state = 7;
  int opened = 0;
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    std::string mixed = before;
    mixed.resize(round % 2 == 0 ? after.size() : before.size());
    for (std::size_t at = 0; at < mixed.size(); at += 512) {
      state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
      if ((state >> 33) % 2 == 0) mixed.replace(at, 512, after.substr(at, 512));
    }
    CHECK_EQ(Wreck(mixed, log).judge(life, life.events.size(), opened), "");
  }
  CHECK(opened == 40);
}
