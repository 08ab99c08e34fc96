// flip_bits [--stride N] [--file PART]: a data directory of 64 KiB segments (in memory, its SQLite files in a temporary directory), in
// which every N-th byte of every file has one bit flipped, one at a time. What opens, reads or verifies such a file has to notice and to
// name the file. In a SQLite file a flip may also change nothing that anybody reads (space no row uses, a hint in its header): then
// every table must still have exactly the rows it had.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string_view>

#include "custody/soft/keyring.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "node/audit_log.h"
#include "node/view_projection.h"
#include "node/world_test.h"
#include "store/deliveries/delivery_store.h"
#include "store/journal/data_format.h"
#include "store/journal/verify.h"
#include "store/tiles/tile_store.h"
#include "store/views/sqlite_connection.h"
#include "store/views/sqlite_views.h"

namespace {

constexpr std::uint64_t segment_bytes = 64 * 1024;

/// What is said of a file: nothing if nobody noticed.
using Look = std::function<std::optional<std::string>(const std::string& path)>;

template <typename T>
std::optional<std::string> said_by(const base::Result<T>& result) {
  if (result.ok()) return std::nullopt;
  return result.error().message + " [" + result.error().code + "]";
}

class Directory {
 public:
  Directory() : world_(segment_bytes) {
    auto master = custody::MasterKey::create(world_.files, world_.random, place());
    CHECK(master.ok());
    master_.emplace(std::move(*master));
    auto ring = custody::Keyring::create(world_.files, world_.random, *master_, "/data/keys");
    CHECK(ring.ok());
    ring_.emplace(std::move(*ring));
    for (const std::string& made : {views_directory(), deliveries_directory()}) CHECK(real_files_.make_dir(made).ok());
    fill();
  }

  // Money, holds, references; then what the service would write beside the journal.
  void fill() {
    world_.open_accounts({"users/a", "users/b", "users/c"});
    for (int i = 0; i < 400; ++i) {
      gate::TransferRequest request = world_.transfer("world/USD", "users/a", 10);
      const std::string reference = "reference " + std::to_string(i);
      if (i % 3 == 0) request.reference = reference;
      request.hold = i % 5 == 0;
      world_.submit("k" + std::to_string(i), request);
      if (i % 40 == 39) world_.commit();
    }
    world_.commit();
    CHECK(world_.partition->journal->seal(world_.clock.wall()).ok());
    world_.partition->keys->freeze();
    while (*world_.partition->keys->flush_step(world_.engine->position())) {
    }
    core::FrozenState state = world_.engine->state().freeze();
    const store::JournalEnd end = world_.partition->reader->end();
    store::SnapshotPosition position{.identity = end.journal, .partition = 0, .epoch = end.epoch, .event = end.next_event - 1, .group = end.group, .at = end.at, .merkle_frontier = {}};
    base::Bytes head, names;
    auto sections = node::snapshot_sections(state, *world_.partition->directory, world_.partition->tenants->copy(), head, names);
    CHECK(store::write_snapshot(world_.files, "/data/snapshots", position, std::move(sections)).ok());
    CHECK(log().ok());
    CHECK(world_.files.make_dir("/empty").ok());
    CHECK(store::claim_data_directory(world_.files, "/empty", store::DataMode::standard).ok());
    fill_views(state, end.next_event - 1);
    fill_deliveries();
  }

  void fill_views(const core::FrozenState& state, model::EventNumber through) {
    auto projection = node::ViewProjection::open(views_path(), *world_.partition->reader, true);
    CHECK(projection.ok());
    while (*(*projection)->catch_up()) {
    }
    CHECK((*projection)->begin_refresh(state, through).ok());
    while (*(*projection)->refresh_step(1000)) {
    }
  }

  void fill_deliveries() {
    auto deliveries = store::DeliveryStore::open(deliveries_path(), journal_id());
    CHECK(deliveries.ok());
    CHECK(deliveries->begin().ok());
    for (model::WebhookNumber webhook = 1; webhook <= 3; ++webhook) {
      CHECK(deliveries->put_progress(webhook, {.told_through = 40, .failing_since = {3}, .delivered_at = {2}}).ok());
      for (model::EventNumber event = 41; event < 60; ++event) {
        CHECK(deliveries->put_message(webhook, {.event = event, .type = model::WebhookEvent::transfer_posted}).ok());
        CHECK(deliveries->count_attempt(webhook, event, 1, {40}).ok());
        CHECK(deliveries->put_attempt(webhook, {.event = event, .attempt = 1, .at = {5}, .outcome = store::AttemptOutcome::failed,
                                                .failure = "connection_refused", .next_at = {40}}).ok());
      }
    }
    CHECK(deliveries->commit().ok());
  }

  base::Result<std::unique_ptr<node::AuditLog>> log() {
    node::AuditLogOptions options;
    options.directory = "/data";
    options.published_file = "/data.published";
    return node::AuditLog::open(world_.files, *world_.partition->reader, world_.blinding, *ring_, options);
  }

  std::optional<std::string> journal(const std::string&) {
    const auto report = store::verify_journal(world_.files, "/data/journal", {.partition = 0, .blinding = &world_.blinding});
    if (!report.ok()) return said_by(report);
    if (report->sound()) return std::nullopt;
    return report->findings[0].file + ": " + report->findings[0].sentence;
  }
  std::optional<std::string> snapshot(const std::string& path) {
    return said_by(store::SnapshotReader::open(world_.files, path, world_.partition->reader->end().journal, true));
  }
  std::optional<std::string> key_run(const std::string& path) {
    const store::JournalEnd end = world_.partition->reader->end();
    auto said = said_by(store::KeyIndex::verify(world_.files, "/data/keys-index",
                                                {.identity = end.journal, .journal_end = end.next_event - 1, .generation_keys = 64}));
    // Index files are named by what they hold.
    if (said && said->find(path.substr(path.rfind('/') + 1)) == std::string::npos) said = path + ": " + *said;
    return said;
  }
  std::optional<std::string> tiles(const std::string&) {
    return said_by(store::TileStore::check_files(world_.files, "/data/tiles", world_.partition->reader->end().journal));
  }
  std::optional<std::string> published(const std::string&) { return said_by(log()); }
  // A directory with that file and nothing else: it has to be understood, whatever else is there.
  std::optional<std::string> format(const std::string& path) {
    auto said = said_by(store::claim_data_directory(world_.files, "/empty", store::DataMode::standard));
    // A directory of the other mode or of a later program is refused as what it says it is; the words name the directory.
    if (said && said->find("/empty") != std::string::npos) said = path + ": " + *said;
    return said;
  }
  std::optional<std::string> views(const std::string& path) {
    const auto opened = store::open_sqlite_views(path, {.identity = journal_id(), .every_transfer = true});
    if (!opened.ok()) return path + ": " + *said_by(opened);
    const base::Status verified = (*opened)->verify();
    return verified.ok() ? std::nullopt : std::optional(path + ": " + *said_by(base::Result<base::Ok>(verified.error())));
  }
  std::optional<std::string> deliveries(const std::string& path) {
    const base::Status verified = store::DeliveryStore::verify(path, journal_id());
    return verified.ok() ? std::nullopt : std::optional(path + ": " + *said_by(base::Result<base::Ok>(verified.error())));
  }
  std::optional<std::string> keys(const std::string&) { return said_by(custody::Keyring::load(world_.files, *master_, "/data/keys")); }

  io::FileSystem& files() { return world_.files; }
  io::FileSystem& real_files() { return real_files_; }
  std::string views_directory() const { return place_ / "views"; }
  std::string deliveries_directory() const { return place_ / "deliveries"; }

 private:
  std::string views_path() const { return views_directory() + "/views.sqlite"; }
  std::string deliveries_path() const { return deliveries_directory() + "/deliveries.sqlite"; }
  store::JournalId journal_id() const { return world_.partition->reader->end().journal; }

  static custody::MasterKeyPlace place() { return {.path = "/key", .data_directory = "/data"}; }
  io::TemporaryDirectory place_;
  io::RealFileSystem real_files_;
  node::World world_;
  std::optional<custody::MasterKey> master_;
  std::optional<custody::Keyring> ring_;
};

struct Part {
  io::FileSystem& files;
  std::string directory;
  Look look;
  /// Everything that can be read of a file, where a flip may also change nothing.
  std::function<std::string(const std::string& path)> content = {};
};

// Every value of every row of every table.
base::Result<std::string> rows_of(const std::string& path) {
  TRY_ASSIGN(store::Connection connection, store::Connection::open(path, store::Connection::Mode::read_only));
  std::vector<std::string> selects;
  {
    TRY_ASSIGN(store::Statement tables,
               connection.prepare("SELECT name, (SELECT group_concat('quote(' || c.name || ')', '||'',''||') FROM pragma_table_info(t.name) c) "
                                  "FROM sqlite_schema t WHERE type = 'table' ORDER BY name"));
    for (;;) {
      TRY_ASSIGN(const bool more, tables.step());
      if (!more) break;
      const std::string name = tables.text();
      selects.push_back("SELECT group_concat(" + tables.text() + ", char(10)) FROM " + name);
    }
  }
  std::string rows;
  for (const std::string& select : selects) {
    TRY_ASSIGN(const std::string table, connection.text_of(select.c_str()));
    rows += select + "\n" + table + "\n";
  }
  return rows;
}

std::string rows_or_error(const std::string& path) {
  const auto rows = rows_of(path);
  return rows.ok() ? *rows : std::string(rows.error().code);
}

struct Count {
  std::uint64_t flips = 0, unused = 0, missed = 0, unnamed = 0;
  bool enough() const { return missed + unnamed > 20; }
};

void flip_at(io::File& file, std::uint64_t at) {
  std::array<std::uint8_t, 1> byte{};
  CHECK(file.read_at(at, byte).ok());
  byte[0] ^= static_cast<std::uint8_t>(1u << (at % 8));
  CHECK(file.write_at(at, byte).ok());
}

void flip_file(const Part& part, const std::string& name, std::uint64_t stride, Count& count) {
  const std::string path = part.directory + "/" + name;
  const std::string content = part.content ? part.content(path) : std::string();
  const auto started = std::chrono::steady_clock::now();
  const auto file = part.files.open(path, io::OpenMode::read_write);
  CHECK(file.ok());
  const std::uint64_t size = *(*file)->size(), flips_before = count.flips, unused_before = count.unused;
  for (std::uint64_t at = 0; at < size && !count.enough(); at += stride, ++count.flips) {
    flip_at(**file, at);
    const auto said = part.look(path);
    if (said && said->find(name) == std::string::npos) {
      ++count.unnamed;
      std::printf("%s: byte %llu: the place is not named: %s\n", path.c_str(), static_cast<unsigned long long>(at), said->c_str());
    } else if (!said && part.content && part.content(path) == content) {
      ++count.unused;
    } else if (!said) {
      ++count.missed;
      std::printf("%s: byte %llu changed, and nobody noticed\n", path.c_str(), static_cast<unsigned long long>(at));
    }
    flip_at(**file, at);
  }
  std::printf("%s: %llu bytes, %llu flips, %llu of them in space that no row uses, %lld ms\n", path.c_str(), static_cast<unsigned long long>(size),
              static_cast<unsigned long long>(count.flips - flips_before), static_cast<unsigned long long>(count.unused - unused_before),
              static_cast<long long>((std::chrono::steady_clock::now() - started).count() / 1'000'000));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t stride = 1;
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--stride") stride = std::max<std::uint64_t>(1, std::strtoull(argv[i + 1], nullptr, 10));
    else if (std::string_view(argv[i]) == "--file") only = argv[i + 1];
  }
  Directory directory;
  const auto with = [&directory](auto member) { return [&directory, member](const std::string& path) { return (directory.*member)(path); }; };
  const Part parts[] = {{directory.files(), "/empty", with(&Directory::format)},
                        {directory.files(), "/data/journal", with(&Directory::journal)},
                        {directory.files(), "/data/snapshots", with(&Directory::snapshot)},
                        {directory.files(), "/data/keys-index", with(&Directory::key_run)},
                        {directory.files(), "/data/tiles", with(&Directory::tiles)},
                        {directory.files(), "/data/audit", with(&Directory::published)},
                        {directory.files(), "/data/keys", with(&Directory::keys)},
                        {directory.real_files(), directory.views_directory(), with(&Directory::views), rows_or_error},
                        {directory.real_files(), directory.deliveries_directory(), with(&Directory::deliveries), rows_or_error}};
  Count count;
  for (const Part& part : parts) {
    const auto names = part.files.list(part.directory);
    CHECK(names.ok() && !names->empty());
    for (const std::string& name : *names) {
      const std::string path = part.directory + "/" + name;
      if (path.find(only) == std::string::npos) continue;
      if (const auto said = part.look(path)) {
        std::printf("%s is not sound to begin with: %s\n", path.c_str(), said->c_str());
        return 1;
      }
      flip_file(part, name, stride, count);
      if (count.enough()) return 1;
    }
  }
  std::printf("%llu flips, %llu not noticed, %llu without their place\n", static_cast<unsigned long long>(count.flips),
              static_cast<unsigned long long>(count.missed), static_cast<unsigned long long>(count.unnamed));
  return count.missed + count.unnamed == 0 ? 0 : 1;
}
