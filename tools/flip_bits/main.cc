// flip_bits [--stride N] [--file PART]: a data directory of 64 KiB segments in memory, in which every N-th byte of every file
// has one bit flipped, one at a time. What opens, reads or verifies such a file has to notice and to name the file.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string_view>

#include "custody/soft/keyring.h"
#include "node/audit_log.h"
#include "node/world_test.h"
#include "store/journal/verify.h"
#include "store/tiles/tile_store.h"

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
  std::optional<std::string> keys(const std::string&) { return said_by(custody::Keyring::load(world_.files, *master_, "/data/keys")); }

  io::FileSystem& files() { return world_.files; }

 private:
  static custody::MasterKeyPlace place() { return {.path = "/key", .data_directory = "/data"}; }
  node::World world_;
  std::optional<custody::MasterKey> master_;
  std::optional<custody::Keyring> ring_;
};

struct Part {
  std::string directory;
  Look look;
};

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
  const Part parts[] = {{"/data/journal", with(&Directory::journal)},     {"/data/snapshots", with(&Directory::snapshot)},
                        {"/data/keys-index", with(&Directory::key_run)},  {"/data/tiles", with(&Directory::tiles)},
                        {"/data/audit", with(&Directory::published)},     {"/data/keys", with(&Directory::keys)}};
  std::uint64_t flips = 0, missed = 0, unnamed = 0;
  for (const Part& part : parts) {
    const auto names = directory.files().list(part.directory);
    CHECK(names.ok() && !names->empty());
    for (const std::string& name : *names) {
      const std::string path = part.directory + "/" + name;
      if (path.find(only) == std::string::npos) continue;
      if (const auto said = part.look(path)) {
        std::printf("%s is not sound to begin with: %s\n", path.c_str(), said->c_str());
        return 1;
      }
      const auto started = std::chrono::steady_clock::now();
      const auto file = directory.files().open(path, io::OpenMode::read_write);
      CHECK(file.ok());
      const std::uint64_t size = *(*file)->size();
      std::uint64_t here = 0;
      for (std::uint64_t at = 0; at < size; at += stride, ++here) {
        std::array<std::uint8_t, 1> byte{};
        CHECK((*file)->read_at(at, byte).ok());
        byte[0] ^= static_cast<std::uint8_t>(1u << (at % 8));
        CHECK((*file)->write_at(at, byte).ok());
        const auto said = part.look(path);
        byte[0] ^= static_cast<std::uint8_t>(1u << (at % 8));
        CHECK((*file)->write_at(at, byte).ok());
        if (!said) {
          ++missed;
          std::printf("%s: byte %llu changed, and nobody noticed\n", path.c_str(), static_cast<unsigned long long>(at));
        } else if (said->find(name) == std::string::npos) {
          ++unnamed;
          std::printf("%s: byte %llu: the place is not named: %s\n", path.c_str(), static_cast<unsigned long long>(at), said->c_str());
        }
        if (missed + unnamed > 20) return 1;
      }
      flips += here;
      std::printf("%s: %llu bytes, %llu flips, %lld ms\n", path.c_str(), static_cast<unsigned long long>(size), static_cast<unsigned long long>(here),
                  static_cast<long long>((std::chrono::steady_clock::now() - started).count() / 1'000'000));
      std::fflush(stdout);
    }
  }
  std::printf("%llu flips, %llu not noticed, %llu without their place\n", static_cast<unsigned long long>(flips), static_cast<unsigned long long>(missed),
              static_cast<unsigned long long>(unnamed));
  return missed + unnamed == 0 ? 0 : 1;
}
