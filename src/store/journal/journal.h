#pragma once
// The journal: append-only segment files, the truth of a partition. One group, one write, one sync.
//
//   auto journal = Journal::open(files, options);         // recovers: see docs/format/journal.md
//   replay journal->reader() into the state, with the audit log's frontier
//   journal->start(blinding, frontier);
//   loop: builder ... draft; journal->append(std::move(draft)) -> SealedGroup; release the replies
//
// Threads: open and start before all others. prepare by one thread at a time and commit by one thread at a time, in the
// order of the groups; they may be two threads, so that one group is hashed while another is synced. prepare_next by a
// background thread. The rest from any thread.
//
// Error codes (beside those of io/file.h):
//   journal_segment_damaged   bytes are not what was written; names file and offset
//   journal_segment_missing   a file between the first and the last is not there
//   journal_version_unknown   written by another version of the format
//   journal_partition_wrong   belongs to another partition
//   journal_epoch_wrong       epochs do not grow as they must
//   journal_id_wrong          a file of another journal lies here
//   journal_failed            an earlier write or sync failed; nothing is taken any more
//   journal_tree_mismatch     the audit log that start was given is not that of the journal's end
//   journal_group_too_large   the group does not fit a segment
//   event_not_in_journal, event_not_in_group, private_value_not_found

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audit/blinding.h"
#include "audit/merkle.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/file.h"
#include "store/journal/chain.h"
#include "store/journal/group.h"
#include "store/journal/group_builder.h"
#include "store/journal/layout.h"
#include "store/journal/leaves.h"
#include "store/journal/reader.h"

namespace store {

struct JournalScan;

struct JournalOptions {
  std::string directory;  ///< `DIR/journal`; made if it is not there
  model::PartitionNumber partition = 0;
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;  ///< of new segments; a multiple of 4096, at least 64 KiB
  io::Clock* clock = nullptr;                             ///< read when a segment is begun; must outlive the journal
  JournalId id_if_new{};                                  ///< random bytes for a journal that does not exist yet
};

/// What open had to repair.
struct JournalRepairs {
  bool torn_group_dropped = false;    ///< a write that never finished was zeroed
  bool last_group_rewritten = false;  ///< the surviving tail was written and synced again
  std::string torn_file;              ///< where the torn group was
  std::uint64_t torn_offset = 0;
};

/// A group that is hashed and has its place in the chain, not yet written.
class PreparedGroup {
 public:
  const GroupHeader& header() const { return group_->header(); }

 private:
  friend class Journal;
  std::unique_ptr<SealedGroup> group_;
};

class Journal {
 public:
  /// Finds the end, repairs a torn tail, writes the surviving tail again and syncs it. The caller holds the lock of the
  /// data directory. `files` must outlive the journal.
  static base::Result<std::unique_ptr<Journal>> open(io::FileSystem& files, const JournalOptions& options);
  ~Journal();

  const JournalEnd& end_at_open() const { return end_at_open_; }
  const JournalRepairs& repairs() const { return repairs_; }
  /// Reads what is durable; may be kept beyond the journal's life, never beyond that of `files`.
  std::shared_ptr<JournalReader> reader() const { return reader_; }
  /// Where builders of its groups take their buffers.
  std::shared_ptr<GroupBufferPool> buffers() const { return pool_; }

  /// Makes it ready to append. `blinding` must outlive the journal; `frontier` is the audit log at end_at_open().
  /// Errors: journal_tree_mismatch.
  base::Status start(const audit::Blinding& blinding, audit::Frontier frontier);

  /// Hashes leaves and body, chains the group, completes its bytes. Errors: journal_failed, event_too_large_for_leaf,
  /// journal_group_too_large; all of them for ever.
  base::Result<PreparedGroup> prepare(GroupDraft draft);
  /// Writes and syncs; the group is durable when this returns. Begins a new segment where it does not fit. Errors:
  /// those of io/file.h once, journal_failed from then on: stop the process without another reply.
  base::Result<std::shared_ptr<const SealedGroup>> commit(PreparedGroup group);
  /// prepare and commit.
  base::Result<std::shared_ptr<const SealedGroup>> append(GroupDraft draft);
  /// Writes an empty group that only says that all before it is durable: when idle, and last of all. Nothing is written
  /// if the last group is a seal of the same boot already.
  base::Status seal(base::Instant at, const ClockAnchor& clock = {});

  /// The next group begins this epoch, which must be greater than the present one (CHECK). After a restore.
  void bump_epoch(model::Epoch epoch);

  /// Makes the next segment, if it is not there: zero-written and synced, so that append never waits for it. Errors:
  /// disk_full (nothing is broken; try again later) and others of io/file.h; a failed sync fails the journal.
  base::Status prepare_next();
  /// True if groups of together at most `bytes` (disk_bytes) can be appended without new space. The caller counts every
  /// group it has not seen committed; false for long although prepare_next is called means that the disk is full.
  bool room_for(std::uint64_t bytes) const;
  /// Largest group (disk_bytes) that can be appended.
  std::uint64_t group_bytes_max() const { return store::group_bytes_max(options_.segment_bytes); }
  /// Errors: journal_failed.
  base::Status check_usable() const;

  /// Overwrites salt and value with zeros, for good, and syncs. Again on an erased value: succeeds, finishing what a
  /// crash interrupted. Errors: private_value_not_found, journal_segment_damaged, those of io/file.h (a failed sync
  /// fails the journal).
  base::Status erase_private(model::EventNumber event, model::PrivateField field);

 private:
  Journal(io::FileSystem& files, const JournalOptions& options);

  base::Status recover();
  base::Status repair_last_segment(const JournalScan& scan);
  base::Status remove_leftovers(const JournalScan& scan);
  base::Error failed_error() const;
  /// Passes a status on; an error fails the journal.
  base::Status or_fail(base::Status status);

  base::Result<PreparedGroup> prepare_unchecked(GroupDraft draft);
  base::Status write_group(const SealedGroup& group);
  base::Status begin_segment(const SealedGroup& group);
  base::Status close_segment();
  base::Status make_segment(SegmentNumber number);

  io::FileSystem& files_;
  const JournalOptions options_;
  std::shared_ptr<GroupBufferPool> pool_ = std::make_shared<GroupBufferPool>();
  std::shared_ptr<SegmentSet> segments_;
  std::shared_ptr<JournalReader> reader_;
  JournalEnd end_at_open_;
  JournalRepairs repairs_;
  std::atomic<bool> failed_{false};

  // Of the thread that prepares.
  const audit::Blinding* blinding_ = nullptr;
  audit::Frontier frontier_;
  JournalEnd prepared_;                     ///< after the group prepared last
  std::optional<model::Epoch> next_epoch_;  ///< set by bump_epoch
  LeafHasher leaves_;

  // Of the thread that commits.
  std::shared_ptr<io::File> file_;  ///< the segment being written; null before the first group
  SegmentHeader segment_;
  bool segment_closed_ = false;
  std::vector<IndexEntry> index_;
  JournalEnd committed_;
  std::atomic<GroupNumber> durable_group_{0};

  // The next segment. next_mutex_ is held while one is made.
  std::mutex next_mutex_;
  bool next_ready_ = false;
  SegmentNumber next_number_ = 1;

  // What room_for answers from.
  mutable std::mutex room_mutex_;
  std::uint64_t room_position_ = 0;  ///< end of the last group; segment_bytes if nothing more goes there
  std::uint64_t room_groups_ = 0;
  std::uint64_t room_segment_bytes_ = 0;
  bool room_next_ = false;
};

}  // namespace store
