#include "node/backup.h"

#include <algorithm>

#include "node/audit_log.h"
#include "node/engine.h"
#include "node/recovery.h"
#include "store/journal/journal.h"
#include "store/journal/reader.h"

namespace node {

namespace {

constexpr std::uint64_t small_file_bytes_max = 1 << 20;
constexpr model::PartitionNumber only_partition = 0;

base::Status copy_small(io::FileSystem& files, const std::string& from, const std::string& to, std::uint32_t permissions) {
  TRY_ASSIGN(base::Bytes bytes, io::read_whole_file(files, from, small_file_bytes_max));
  return io::replace_file(files, to, bytes, permissions);
}

base::Status copy_sealed_keys(io::FileSystem& files, const std::string& from, const std::string& to) {
  TRY(files.make_dir(keys_directory(to), 0700));
  TRY_ASSIGN(const std::vector<std::string> names, files.list(keys_directory(from)));
  for (const std::string& name : names) {
    if (!name.ends_with(".sealed")) continue;
    TRY(copy_small(files, io::join_path(keys_directory(from), name), io::join_path(keys_directory(to), name), 0600));
  }
  return base::ok();
}

// What was published may be less than the journal that is copied after it, never more.
base::Status copy_published(io::FileSystem& files, const std::string& from, const std::string& to) {
  TRY_ASSIGN(const bool there, files.exists(io::join_path(audit_directory(from), "checkpoint")));
  if (!there) return base::ok();
  TRY(files.make_dir(audit_directory(to), 0700));
  return copy_small(files, io::join_path(audit_directory(from), "checkpoint"), io::join_path(audit_directory(to), "checkpoint"), 0600);
}

// Everything but the journal. Keys first: a copy without them opens nothing.
base::Status copy_frame(io::FileSystem& files, const std::string& from, const std::string& to) {
  TRY_ASSIGN(const store::DataMode mode, DataDirectory::mode_of(files, from));
  TRY_ASSIGN(const bool served, files.exists(journal_directory(from)));
  if (!served) {
    return base::Error{"data_directory_has_no_journal", "nothing was ever served from \"" + from + "\": there is nothing to copy"};
  }
  TRY(files.make_dir(to, 0700));
  TRY(copy_sealed_keys(files, from, to));
  TRY(copy_published(files, from, to));
  if (mode == store::DataMode::dev) {
    TRY(files.make_dir(dev_directory(to), 0700));
    TRY(copy_small(files, io::join_path(dev_directory(from), "master-key"), io::join_path(dev_directory(to), "master-key"), 0400));
  }
  return base::ok();
}

// Last of all: what has no format file is no data directory, so that half a copy never opens.
base::Status finish_copy(io::FileSystem& files, const std::string& from, const std::string& to) {
  TRY(copy_small(files, io::join_path(from, "format"), io::join_path(to, "format"), 0600));
  TRY(files.sync_dir(to));
  return files.sync_dir(io::directory_of(to));
}

base::Status copy_journal(io::FileSystem& files, const std::string& from, const std::string& to) {
  TRY_ASSIGN(const auto reader, store::JournalReader::open(files, journal_directory(from), only_partition));
  return reader->copy_to(files, journal_directory(to));
}

class DurableEntries final : public EntrySource {
 public:
  explicit DurableEntries(const store::JournalReader& reader) : reader_(reader) {}
  base::Result<model::Entry> read_entry(model::EventNumber event) override {
    TRY_ASSIGN(const store::StoredEntry stored, reader_.read_entry(event));
    return model::decode_entry(stored.bytes, stored.first_event);
  }

 private:
  const store::JournalReader& reader_;
};

base::Result<RestoreReport> begin_epoch(io::FileSystem& files, io::Clock& clock, const DataDirectory& data) {
  RecoveryOptions options;
  options.directory = data.path();
  RecoveryReport report;
  TRY_ASSIGN(Partition partition, recover(files, clock, data.blinding(), options, report));
  const store::JournalEnd end = partition.journal->end_at_open();
  const base::Instant at = std::max({clock.wall(), partition.state.head().last_instant, end.at});
  DurableEntries entries(*partition.reader);
  Engine engine(std::move(partition.state), *partition.directory, *partition.tenants, *partition.keys, entries,
                partition.journal->buffers(), {});
  const RestoreReport done{.epoch = end.epoch + 1, .event = engine.position() + 1};
  CHECK(engine.take_own({.tenant = 1, .idempotency = {}, .body = model::BumpEpoch{done.epoch}}, at));
  partition.journal->bump_epoch(done.epoch);
  OutgoingGroup group = engine.seal_group(false);
  TRY_ASSIGN(const auto sealed, partition.journal->append(std::move(*group.draft)));
  TRY(partition.journal->seal(at));
  return done;
}

}  // namespace

base::Result<BackupReport> back_up(io::FileSystem& files, const std::string& from, const std::string& to) {
  TRY(copy_frame(files, from, to));
  TRY(copy_journal(files, from, to));
  BackupReport report;
  TRY_ASSIGN(report.journal, store::verify_journal(files, journal_directory(to), {.partition = only_partition}));
  if (!report.journal.sound()) {
    return base::Error{"backup_not_sound", "the copy in \"" + to + "\" is not sound: " + report.journal.findings[0].sentence};
  }
  TRY(finish_copy(files, from, to));
  return report;
}

base::Result<RestoreReport> restore(io::FileSystem& files, io::Clock& clock, const std::string& backup, const DataPlace& place) {
  TRY(copy_frame(files, backup, place.directory));
  TRY(copy_journal(files, backup, place.directory));
  TRY(finish_copy(files, backup, place.directory));
  TRY_ASSIGN(const auto data, DataDirectory::open(files, place));
  return begin_epoch(files, clock, *data);
}

}  // namespace node
