#pragma once
// Reading the journal: single entries and values by event number, and long runs of groups. Everything is checked
// against its checksum before it is served; damage is an error that names file and offset (journal_segment_damaged).

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "audit/blinding.h"
#include "audit/merkle.h"
#include "base/result.h"
#include "io/file.h"
#include "store/journal/chain.h"
#include "store/journal/group.h"
#include "store/journal/layout.h"

namespace store {

class SegmentSet;

/// A group in place: views into a buffer that lives as long as the callback runs.
struct GroupView {
  const GroupHeader& header;
  base::ByteView bytes;
  const base::Digest& header_hash;
  const std::string& file;
  std::uint64_t offset = 0;

  /// Visits its entries: base::Status visit(const EntryView&).
  template <typename Visit>
  base::Status for_each_entry(Visit&& visit) const {
    return for_each_entry_in(bytes, header, visit);
  }
  /// Visits its personal values: base::Status visit(const StoredPrivate&).
  template <typename Visit>
  base::Status for_each_private(Visit&& visit) const {
    return for_each_private_in(bytes, header, visit);
  }
};

/// How much a long read proves. Frames, padding, private records and the chain of headers are always checked.
struct ReadChecks {
  bool body_hash = true;                      ///< SHA-256 of every body
  const audit::Blinding* blinding = nullptr;  ///< with `frontier`: hash every leaf and compare roots
  audit::Frontier* frontier = nullptr;        ///< at the first group that is read; afterwards at the last
};

/// Thread-safe; reads with pread and shares nothing that is slow to share.
class JournalReader {
 public:
  /// Opens a journal that nobody writes, without repairing anything: a torn tail is simply not there. Errors: as
  /// Journal::open.
  static base::Result<std::shared_ptr<JournalReader>> open(io::FileSystem& files, const std::string& directory,
                                                           model::PartitionNumber partition);
  ~JournalReader();

  /// Where the durable part ends now.
  JournalEnd end() const;

  /// The entry that holds this event; reads header, a part of the table and a few frames, not the group.
  /// Errors: event_not_in_journal, journal_segment_damaged, file_read_failed.
  base::Result<StoredEntry> read_entry(model::EventNumber event) const;
  /// The header of the group that holds this event.
  base::Result<GroupHeader> read_group_header(model::EventNumber event) const;
  /// The whole group that holds this event, checked.
  base::Result<base::Bytes> read_group(model::EventNumber event) const;
  /// The same, in place: `visit` is called once, before this returns.
  base::Status visit_group(model::EventNumber event, const std::function<base::Status(const GroupView&)>& visit) const;
  /// A personal value; nothing if the event has none such. An erased one says so.
  base::Result<std::optional<StoredPrivate>> read_private(model::EventNumber event, model::PrivateField field) const;

  /// See Journal::erase_private, which is the way to call it; needs a reader that came from a Journal.
  base::Status erase_private(model::EventNumber event, model::PrivateField field) const;

  /// All groups from the one that holds `from` (events from 1; seals included) to the durable end at the time of the
  /// call, in order. The first error of `visit` ends it and is returned.
  base::Status for_each_group(model::EventNumber from, const ReadChecks& checks,
                              const std::function<base::Status(const GroupView&)>& visit) const;
  /// All entries that begin at or after `from`.
  base::Status for_each_entry(model::EventNumber from, const ReadChecks& checks,
                              const std::function<base::Status(const EntryView&)>& visit) const;

  /// Copies a consistent durable prefix into the new directory `to` of `target` while the journal goes on: closed
  /// segments and the durable part of the last one, synced. The copy opens like any journal; whoever goes on from it
  /// bumps the epoch. Errors: those of io/file.h; file_exists if `to` exists.
  base::Status copy_to(io::FileSystem& target, const std::string& to) const;

  /// For Journal::open and JournalReader::open.
  explicit JournalReader(std::shared_ptr<SegmentSet> segments);

 private:
  std::shared_ptr<SegmentSet> segments_;
};

}  // namespace store
