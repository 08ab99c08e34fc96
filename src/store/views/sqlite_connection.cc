#include "store/views/sqlite_connection.h"

#include <sqlite3.h>

#include <utility>

#include "base/check.h"

namespace store {

namespace {

// Two answers: the disk would not take what was written, or the database is not what it was (a failed read, a missing table
// and a broken page are alike: rebuild). Messages name the file and SQLite's words about the kind of failure, never values.
base::Error error_of(int code, sqlite3* database, const std::string& path) {
  const int extended = database != nullptr ? sqlite3_extended_errcode(database) : code;
  const char* name = "view_database_damaged";
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      name = "views_write_failed";
      break;
    case SQLITE_IOERR:
      if (extended != SQLITE_IOERR_READ && extended != SQLITE_IOERR_SHORT_READ) name = "views_write_failed";
      break;
    default:
      break;
  }
  return {name, path + ": " + sqlite3_errstr(extended)};
}

constexpr std::uint8_t type_null = 0, type_integer = 1, type_text = 2;

std::uint32_t summed(std::uint32_t checksum, std::uint8_t type, base::ByteView bytes) {
  std::uint8_t head[9] = {type};
  base::store_le(head + 1, static_cast<std::uint64_t>(bytes.size()));
  return base::crc32c(bytes, base::crc32c(head, checksum));
}

// A value as SQLite hands it to a function; blobs and reals are in no table of ours.
std::uint32_t summed(std::uint32_t checksum, sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL: return summed(checksum, type_null, {});
    case SQLITE_INTEGER: {
      std::uint8_t bytes[8];
      base::store_le(bytes, static_cast<std::uint64_t>(sqlite3_value_int64(value)));
      return summed(checksum, type_integer, bytes);
    }
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
      return summed(checksum, type_text, base::as_bytes(std::string_view(text == nullptr ? "" : text, text == nullptr ? 0 : size)));
    }
  }
}

void row_checksum(sqlite3_context* context, int count, sqlite3_value** values) {
  std::uint32_t checksum = 0;
  for (int i = 0; i < count; ++i) checksum = summed(checksum, values[i]);
  sqlite3_result_int64(context, std::int64_t{checksum});
}

}  // namespace

// --- Statement ----------------------------------------------------------------------------------------------------------

Statement::~Statement() { sqlite3_finalize(statement_); }
Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_),
      column_(other.column_),
      checksum_(other.checksum_) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  bound_ = other.bound_;
  column_ = other.column_;
  checksum_ = other.checksum_;
  return *this;
}

void Statement::reset() {
  sqlite3_reset(statement_);
  bound_ = 0;
  column_ = 0;
}

void Statement::sum(std::uint8_t type, base::ByteView bytes) { checksum_ = summed(checksum_, type, bytes); }

void Statement::start_checksum(std::string_view table) {
  checksum_ = 0;
  sum(type_text, base::as_bytes(table));
}

Statement& Statement::bind(std::int64_t value) {
  CHECK(sqlite3_bind_int64(statement_, ++bound_, value) == SQLITE_OK);
  std::uint8_t bytes[8];
  base::store_le(bytes, static_cast<std::uint64_t>(value));
  sum(type_integer, bytes);
  return *this;
}

Statement& Statement::bind_text(std::string_view value) {
  // SQLite copies: the view may be gone before the statement runs.
  CHECK(sqlite3_bind_text64(statement_, ++bound_, value.data() == nullptr ? "" : value.data(), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK);
  sum(type_text, base::as_bytes(value));
  return *this;
}

Statement& Statement::bind_null() {
  CHECK(sqlite3_bind_null(statement_, ++bound_) == SQLITE_OK);
  sum(type_null, {});
  return *this;
}

base::Result<bool> Statement::step() {
  column_ = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* database = sqlite3_db_handle(statement_);
  const char* path = sqlite3_db_filename(database, "main");
  base::Error error = error_of(code, database, path == nullptr ? "" : path);
  reset();
  return error;
}

base::Status Statement::run() {
  TRY_ASSIGN(const bool row, step());
  CHECK(!row);
  reset();
  return base::ok();
}

std::int64_t Statement::integer() {
  const std::int64_t value = sqlite3_column_int64(statement_, column_++);
  std::uint8_t bytes[8];
  base::store_le(bytes, static_cast<std::uint64_t>(value));
  sum(type_integer, bytes);
  return value;
}

std::string Statement::text() {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_++));
  std::string value(bytes == nullptr ? "" : bytes, bytes == nullptr ? 0 : size);
  sum(type_text, base::as_bytes(value));
  return value;
}

bool Statement::is_null_next() const { return sqlite3_column_type(statement_, column_) == SQLITE_NULL; }

std::optional<std::string> Statement::optional_text() {
  if (!is_null_next()) return text();
  ++column_;
  sum(type_null, {});
  return std::nullopt;
}

std::optional<std::int64_t> Statement::optional_integer() {
  if (!is_null_next()) return integer();
  ++column_;
  sum(type_null, {});
  return std::nullopt;
}

bool Statement::checksum_matches() { return sqlite3_column_int64(statement_, column_++) == std::int64_t{checksum_}; }

// --- Connection ---------------------------------------------------------------------------------------------------------

base::Result<Connection> Connection::open(const std::string& path, Mode mode) {
  sqlite3* database = nullptr;
  const int flags = mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(database, path);
  if (code != SQLITE_OK) return error_of(code, database, path);
  // Readers meet a writer only while the log is restarted or recovered.
  sqlite3_busy_timeout(database, 5000);
  return connection;
}

Connection::~Connection() { sqlite3_close_v2(database_); }
Connection::Connection(Connection&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), path_(std::move(other.path_)) {}

base::Status Connection::execute(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code, database_, path_);
  return base::ok();
}

base::Status Connection::provide_row_checksum() {
  const int code = sqlite3_create_function_v2(database_, "row_checksum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                              &row_checksum, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code, database_, path_);
  return base::ok();
}

base::Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return error_of(code, database_, path_);
  return Statement(statement);
}

base::Result<std::int64_t> Connection::integer_of(const char* sql) {
  TRY_ASSIGN(Statement statement, prepare(sql));
  TRY_ASSIGN(const bool row, statement.step());
  return row ? statement.integer() : 0;
}

base::Result<std::string> Connection::text_of(const char* sql) {
  TRY_ASSIGN(Statement statement, prepare(sql));
  TRY_ASSIGN(const bool row, statement.step());
  return row ? statement.text() : std::string();
}

base::Result<bool> Connection::has_schema(const char* schema) {
  TRY_ASSIGN(Connection empty, Connection::open(":memory:", Mode::read_write));
  TRY(empty.execute(schema));
  constexpr const char* all = "SELECT group_concat(quote(type) || quote(name) || quote(tbl_name) || quote(sql), ';') FROM "
                              "(SELECT * FROM sqlite_schema ORDER BY name)";
  TRY_ASSIGN(const std::string wanted, empty.text_of(all));
  TRY_ASSIGN(const std::string found, text_of(all));
  return found == wanted;
}

// --- Transaction --------------------------------------------------------------------------------------------------------

base::Result<Transaction> Transaction::begin(Connection& connection) {
  TRY(connection.execute("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Transaction::Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  // A failed statement may have rolled back already; then there is nothing to do.
  if (connection_ != nullptr) static_cast<void>(connection_->execute("ROLLBACK").ok());
}

base::Status Transaction::commit() {
  TRY(connection_->execute("COMMIT"));
  connection_ = nullptr;
  return base::ok();
}

}  // namespace store
