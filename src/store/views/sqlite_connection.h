#pragma once
// SQLite's C interface with Result: one connection, its statements. sqlite3.h stays in the .cc.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace store {

/// A prepared statement. Values are bound and read from left to right; a checksum is kept over what passes, so that a row
/// can carry the checksum of its own content (docs/format/views.md). Must not outlive its connection.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  /// Ready for new values and another run.
  void reset();

  Statement& bind(std::int64_t value);
  Statement& bind_text(std::string_view value);
  Statement& bind_null();
  template <typename T>
  Statement& bind_optional_text(const std::optional<T>& value) {
    return value ? bind_text(*value) : bind_null();
  }
  /// Binds the checksum of the values bound since the last start_checksum.
  Statement& bind_checksum() { return bind(static_cast<std::int64_t>(checksum_)); }
  /// Restarts the checksum; rows of different tables never have the same for the same values.
  void start_checksum(std::string_view table);

  /// Moves to the next row; false at the end. Errors: view_database_damaged, views_write_failed.
  base::Result<bool> step();
  /// For statements without rows: runs to the end and resets.
  base::Status run();

  /// Next columns of the current row.
  std::int64_t integer();
  std::string text();
  std::optional<std::string> optional_text();
  std::optional<std::int64_t> optional_integer();
  bool is_null_next() const;
  /// True if the next column holds the checksum of the columns read since the last start_checksum.
  bool checksum_matches();
  void skip(int columns) { column_ += columns; }

 private:
  void sum(std::uint8_t type, base::ByteView bytes);

  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  int column_ = 0;
  std::uint32_t checksum_ = 0;
};

/// One connection; one thread at a time.
class Connection {
 public:
  enum class Mode { read_only, read_write };
  /// Errors: view_database_damaged, views_write_failed.
  static base::Result<Connection> open(const std::string& path, Mode mode);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;

  base::Status execute(const char* sql);
  /// Makes `row_checksum(table, value...)` known to this connection's SQL: what bind_checksum() binds for these values, for rows that
  /// SQL itself changes or checks. Errors: as open().
  base::Status provide_row_checksum();
  base::Result<Statement> prepare(std::string_view sql);
  /// First column of the first row of `sql` as an integer, 0 if there is none.
  base::Result<std::int64_t> integer_of(const char* sql);
  /// First column of the first row as text.
  base::Result<std::string> text_of(const char* sql);
  /// Whether the database has exactly the tables and indexes that `schema` makes in an empty one, to the letter. Errors: as open().
  base::Result<bool> has_schema(const char* schema);
  const std::string& path() const { return path_; }

 private:
  Connection(sqlite3* database, std::string path) : database_(database), path_(std::move(path)) {}

  sqlite3* database_ = nullptr;
  std::string path_;
};

/// A transaction that is rolled back unless committed.
class Transaction {
 public:
  static base::Result<Transaction> begin(Connection& connection);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  base::Status commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace store
