#include "store/deliveries/delivery_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "base/text.h"

namespace store {

namespace {

constexpr std::int64_t application_id = 0x48464456;   // HFDV
constexpr std::int64_t schema_version = 3;

constexpr const char* schema = R"sql(
CREATE TABLE about (journal TEXT NOT NULL);
CREATE TABLE progress (webhook INTEGER PRIMARY KEY, told_through INTEGER NOT NULL, failing_since_ns INTEGER NOT NULL,
                       delivered_at_ns INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE messages (webhook INTEGER NOT NULL, event INTEGER NOT NULL, type INTEGER NOT NULL, state INTEGER NOT NULL,
                       attempts INTEGER NOT NULL, at_ns INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (webhook, event)) WITHOUT ROWID;
CREATE TABLE attempts (number INTEGER PRIMARY KEY, webhook INTEGER NOT NULL, event INTEGER NOT NULL, type INTEGER NOT NULL,
                       attempt INTEGER NOT NULL, at_ns INTEGER NOT NULL, outcome INTEGER NOT NULL, status INTEGER NOT NULL,
                       failure TEXT NOT NULL, next_at_ns INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE INDEX attempts_by_webhook ON attempts (webhook, number);
)sql";

// An attempt's number is given by SQLite as the row is written; what compares the table with its index looks after it.
constexpr const char* count_damaged_rows = R"sql(
SELECT (SELECT count(*) FROM progress WHERE checksum IS NOT row_checksum('progress', webhook, told_through, failing_since_ns, delivered_at_ns))
     + (SELECT count(*) FROM messages WHERE checksum IS NOT row_checksum('messages', webhook, event, type, state, attempts, at_ns))
     + (SELECT count(*) FROM attempts WHERE checksum IS NOT row_checksum('attempts', webhook, event, type, attempt, at_ns, outcome, status,
                                                                         failure, next_at_ns))
)sql";

base::Error write_failed(std::string message) { return {"deliveries_write_failed", std::move(message)}; }

// Errors of connections are named for views; here they are about deliveries.
base::Error renamed(const base::Error& error) {
  return {std::string_view(error.code) == "views_write_failed" ? "deliveries_write_failed" : "deliveries_damaged", error.message};
}

base::Status remove_database(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string name = path + suffix;
    if (std::remove(name.c_str()) != 0 && errno != ENOENT) return write_failed(name + " cannot be removed: " + std::strerror(errno));
  }
  return base::ok();
}

base::Status create(Connection& connection, const base::Tag128& journal) {
  TRY(connection.execute("PRAGMA journal_mode = WAL"));
  TRY_ASSIGN(Transaction transaction, Transaction::begin(connection));
  TRY(connection.execute(schema));
  {
    TRY_ASSIGN(Statement about, connection.prepare("INSERT INTO about VALUES (?)"));
    TRY(about.bind_text(base::to_hex(journal)).run());
  }
  const std::string pragmas =
      "PRAGMA application_id = " + std::to_string(application_id) + "; PRAGMA user_version = " + std::to_string(schema_version);
  TRY(connection.execute(pragmas.c_str()));
  return transaction.commit();
}

base::Status check(Connection& connection, const base::Tag128& journal) {
  const std::string& path = connection.path();
  TRY_ASSIGN(const std::int64_t application, connection.integer_of("PRAGMA application_id"));
  TRY_ASSIGN(const std::int64_t version, connection.integer_of("PRAGMA user_version"));
  if (application != application_id || version != schema_version) return base::Error{"deliveries_damaged", path + " holds other tables"};
  TRY_ASSIGN(const std::string verdict, connection.text_of("PRAGMA integrity_check(1)"));
  if (verdict != "ok") return base::Error{"deliveries_damaged", path + ": SQLite finds its structure damaged"};
  TRY_ASSIGN(const bool fits, connection.has_schema(schema));
  if (!fits) return base::Error{"deliveries_damaged", path + ": its tables are not those that were made"};
  TRY_ASSIGN(const std::string about, connection.text_of("SELECT journal FROM about"));
  if (about != base::to_hex(journal)) return base::Error{"deliveries_damaged", path + " belongs to another log"};
  TRY_ASSIGN(const std::int64_t damaged, connection.integer_of(count_damaged_rows));
  if (damaged != 0) return base::Error{"deliveries_damaged", path + ": " + std::to_string(damaged) + " rows are not as they were written"};
  return base::ok();
}

// Opens what is there if it fits, makes it if nothing is.
base::Result<Connection> open_or_create(const std::string& path, const base::Tag128& journal) {
  TRY_ASSIGN(Connection connection, Connection::open(path, Connection::Mode::read_write));
  TRY(connection.provide_row_checksum());
  TRY_ASSIGN(const std::int64_t objects, connection.integer_of("SELECT count(*) FROM sqlite_schema"));
  TRY(objects == 0 ? create(connection, journal) : check(connection, journal));
  return connection;
}

DeliveryProgress read_progress(Statement& row) {
  DeliveryProgress progress;
  progress.told_through = static_cast<model::EventNumber>(row.integer());
  progress.failing_since = {row.integer()};
  progress.delivered_at = {row.integer()};
  return progress;
}

// A row of another hand than ours is never out of range, only wrong.
model::WebhookEvent type_of(std::int64_t number) {
  return static_cast<model::WebhookEvent>(static_cast<std::uint64_t>(number) % model::webhook_events.size());
}

constexpr const char* select_progress = "SELECT told_through, failing_since_ns, delivered_at_ns FROM progress WHERE webhook = ?";

base::Result<DeliveryProgress> progress_of(Statement& select, model::WebhookNumber webhook) {
  select.reset();
  TRY_ASSIGN(const bool found, select.bind(webhook).step());
  DeliveryProgress progress;
  if (found) progress = read_progress(select);
  select.reset();
  return progress;
}

}  // namespace

std::string_view to_text(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::delivered: return "delivered";
    case AttemptOutcome::failed: return "failed";
    case AttemptOutcome::given_up: return "given_up";
    case AttemptOutcome::endpoint_gone: return "endpoint_gone";
  }
  CHECK_THAT(false, "an outcome outside the enumeration");
}

base::Result<DeliveryStore> DeliveryStore::open(const std::string& path, const base::Tag128& journal) {
  // What failed at whom is nobody else's business.
  const int created = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (created >= 0) ::close(created);
  const auto attempt = [&](bool made_anew) -> base::Result<DeliveryStore> {
    auto connection = open_or_create(path, journal);
    if (!connection.ok()) return renamed(connection.error());
    DeliveryStore store(std::move(connection).value());
    store.made_anew_ = made_anew;
    const base::Status prepared = store.prepare();
    if (!prepared.ok()) return renamed(prepared.error());
    return store;
  };
  auto opened = attempt(created >= 0);
  if (opened.ok() || std::string_view(opened.error().code) != "deliveries_damaged") return opened;
  TRY(remove_database(path));
  return attempt(true);
}

base::Status DeliveryStore::verify(const std::string& path, const base::Tag128& journal) {
  auto connection = Connection::open(path, Connection::Mode::read_only);
  if (!connection.ok()) return renamed(connection.error());
  const base::Status sound = [&]() -> base::Status {
    TRY(connection->provide_row_checksum());
    return check(*connection, journal);
  }();
  return sound.ok() ? sound : base::Status(renamed(sound.error()));
}

base::Status DeliveryStore::prepare() {
  TRY(connection_.execute("PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY"));
  TRY_ASSIGN(read_progress_, connection_.prepare(select_progress));
  TRY_ASSIGN(write_progress_, connection_.prepare("INSERT OR REPLACE INTO progress VALUES (?1, ?2, ?3, ?4, row_checksum('progress', ?1, ?2, ?3, ?4))"));
  TRY_ASSIGN(write_message_, connection_.prepare("INSERT OR REPLACE INTO messages VALUES (?1, ?2, ?3, 1, ?4, 0, row_checksum('messages', ?1, ?2, ?3, 1, ?4, 0))"));
  TRY_ASSIGN(delete_message_, connection_.prepare("DELETE FROM messages WHERE webhook = ? AND event = ?"));
  TRY_ASSIGN(update_message_,
             connection_.prepare("UPDATE messages SET state = ?1, attempts = max(attempts, ?2), at_ns = ?3, checksum = row_checksum('messages', webhook, "
                                 "event, type, ?1, max(attempts, ?2), ?3) WHERE webhook = ?4 AND event = ?5"));
  TRY_ASSIGN(read_waiting_,
             connection_.prepare("SELECT event, type, attempts, at_ns FROM messages WHERE webhook = ? AND state = 1 ORDER BY event LIMIT ?"));
  TRY_ASSIGN(read_given_up_, connection_.prepare("SELECT event, type, attempts, 0 FROM messages WHERE webhook = ? AND state = 2 AND "
                                                 "at_ns >= ? ORDER BY event"));
  TRY_ASSIGN(write_attempt_, connection_.prepare("INSERT INTO attempts VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                                                 "row_checksum('attempts', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))"));
  TRY_ASSIGN(trim_attempts_,
             connection_.prepare("DELETE FROM attempts WHERE webhook = ?1 AND number <= (SELECT number FROM attempts WHERE webhook = ?1 "
                                 "ORDER BY number DESC LIMIT 1 OFFSET ?2)"));
  TRY_ASSIGN(trim_messages_,
             connection_.prepare("DELETE FROM messages WHERE webhook = ?1 AND state = 2 AND event <= (SELECT event FROM messages WHERE "
                                 "webhook = ?1 AND state = 2 ORDER BY event DESC LIMIT 1 OFFSET ?2)"));
  return base::ok();
}

base::Status DeliveryStore::begin() {
  CHECK(transaction_ == nullptr);
  auto transaction = Transaction::begin(connection_);
  if (!transaction.ok()) return renamed(transaction.error());
  transaction_ = std::make_unique<Transaction>(std::move(transaction).value());
  return base::ok();
}

base::Status DeliveryStore::commit() {
  if (transaction_ == nullptr) return base::ok();
  const base::Status committed = transaction_->commit();
  transaction_.reset();
  return committed.ok() ? base::ok() : base::Status(renamed(committed.error()));
}

base::Result<DeliveryProgress> DeliveryStore::progress(model::WebhookNumber webhook) { return progress_of(read_progress_, webhook); }

base::Status DeliveryStore::put_progress(model::WebhookNumber webhook, const DeliveryProgress& progress) {
  return write_progress_.bind(webhook)
      .bind(static_cast<std::int64_t>(progress.told_through))
      .bind(progress.failing_since.ns)
      .bind(progress.delivered_at.ns)
      .run();
}

base::Status DeliveryStore::put_message(model::WebhookNumber webhook, const PendingMessage& message) {
  return write_message_.bind(webhook)
      .bind(static_cast<std::int64_t>(message.event))
      .bind(static_cast<std::int64_t>(message.type))
      .bind(message.attempts)
      .run();
}

base::Status DeliveryStore::remove_message(model::WebhookNumber webhook, model::EventNumber event) {
  return delete_message_.bind(webhook).bind(static_cast<std::int64_t>(event)).run();
}

base::Status DeliveryStore::give_up(model::WebhookNumber webhook, model::EventNumber event, base::Instant at) {
  TRY(update_message_.bind(static_cast<std::int64_t>(MessageState::given_up))
          .bind(0)
          .bind(at.ns)
          .bind(webhook)
          .bind(static_cast<std::int64_t>(event))
          .run());
  return trim_messages_.bind(webhook).bind(attempts_kept).run();
}

base::Status DeliveryStore::count_attempt(model::WebhookNumber webhook, model::EventNumber event, std::uint32_t attempts,
                                          base::Instant next_at) {
  return update_message_.bind(static_cast<std::int64_t>(MessageState::waiting))
      .bind(attempts)
      .bind(next_at.ns)
      .bind(webhook)
      .bind(static_cast<std::int64_t>(event))
      .run();
}

base::Result<std::vector<PendingMessage>> DeliveryStore::messages(Statement& select) {
  std::vector<PendingMessage> found;
  for (;;) {
    TRY_ASSIGN(const bool more, select.step());
    if (!more) break;
    PendingMessage& message = found.emplace_back();
    message.event = static_cast<model::EventNumber>(select.integer());
    message.type = type_of(select.integer());
    message.attempts = static_cast<std::uint32_t>(select.integer());
    message.next_at = {select.integer()};
  }
  select.reset();
  return found;
}

base::Result<std::vector<PendingMessage>> DeliveryStore::waiting(model::WebhookNumber webhook, std::uint32_t limit) {
  read_waiting_.reset();
  read_waiting_.bind(webhook).bind(limit);
  return messages(read_waiting_);
}

base::Result<std::vector<PendingMessage>> DeliveryStore::given_up_since(model::WebhookNumber webhook, base::Instant since) {
  read_given_up_.reset();
  read_given_up_.bind(webhook).bind(since.ns);
  return messages(read_given_up_);
}

base::Status DeliveryStore::put_attempt(model::WebhookNumber webhook, const AttemptRow& row) {
  TRY(write_attempt_.bind(webhook)
          .bind(static_cast<std::int64_t>(row.event))
          .bind(static_cast<std::int64_t>(row.type))
          .bind(row.attempt)
          .bind(row.at.ns)
          .bind(static_cast<std::int64_t>(row.outcome))
          .bind(row.status)
          .bind_text(row.failure)
          .bind(row.next_at.ns)
          .run());
  return trim_attempts_.bind(webhook).bind(attempts_kept).run();
}

base::Status DeliveryStore::forget(model::WebhookNumber webhook) {
  for (const char* sql : {"DELETE FROM progress WHERE webhook = ?", "DELETE FROM messages WHERE webhook = ?", "DELETE FROM attempts WHERE webhook = ?"}) {
    TRY_ASSIGN(Statement statement, connection_.prepare(sql));
    TRY(statement.bind(webhook).run());
  }
  return base::ok();
}

base::Result<DeliveryReader> DeliveryReader::open(const std::string& path) {
  const auto failed = [](const base::Error& error) { return base::Error{"deliveries_read_failed", error.message}; };
  auto connection = Connection::open(path, Connection::Mode::read_only);
  if (!connection.ok()) return failed(connection.error());
  DeliveryReader reader(std::move(connection).value());
  const auto prepare = [&](Statement& statement, std::string_view sql) -> base::Status {
    TRY_ASSIGN(statement, reader.connection_.prepare(sql));
    return base::ok();
  };
  for (const base::Status& prepared :
       {prepare(reader.read_progress_, select_progress),
        prepare(reader.count_messages_, "SELECT count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2) FROM messages WHERE webhook = ?"),
        prepare(reader.read_attempts_, "SELECT number, event, type, attempt, at_ns, outcome, status, failure, next_at_ns FROM attempts "
                                       "WHERE webhook = ? AND number < ? ORDER BY number DESC LIMIT ?")}) {
    if (!prepared.ok()) return failed(prepared.error());
  }
  return reader;
}

base::Result<DeliveryReader::Summary> DeliveryReader::summary(model::WebhookNumber webhook) {
  Summary summary;
  TRY_ASSIGN(summary.progress, progress_of(read_progress_, webhook));
  count_messages_.reset();
  TRY_ASSIGN(const bool counted, count_messages_.bind(webhook).step());
  if (counted) {
    summary.waiting = static_cast<std::uint64_t>(count_messages_.integer());
    summary.given_up = static_cast<std::uint64_t>(count_messages_.integer());
  }
  count_messages_.reset();
  return summary;
}

base::Result<std::vector<AttemptRow>> DeliveryReader::attempts(model::WebhookNumber webhook, std::uint64_t before, std::uint32_t limit) {
  std::vector<AttemptRow> rows;
  read_attempts_.reset();
  read_attempts_.bind(webhook).bind(before == 0 ? INT64_MAX : static_cast<std::int64_t>(before)).bind(limit);
  for (;;) {
    TRY_ASSIGN(const bool more, read_attempts_.step());
    if (!more) break;
    AttemptRow& row = rows.emplace_back();
    row.number = static_cast<std::uint64_t>(read_attempts_.integer());
    row.event = static_cast<model::EventNumber>(read_attempts_.integer());
    row.type = type_of(read_attempts_.integer());
    row.attempt = static_cast<std::uint32_t>(read_attempts_.integer());
    row.at = {read_attempts_.integer()};
    const std::int64_t outcome = read_attempts_.integer();
    row.outcome = outcome >= 1 && outcome <= 4 ? static_cast<AttemptOutcome>(outcome) : AttemptOutcome::failed;
    row.status = static_cast<std::uint16_t>(read_attempts_.integer());
    row.failure = read_attempts_.text();
    row.next_at = {read_attempts_.integer()};
  }
  read_attempts_.reset();
  return rows;
}

}  // namespace store
