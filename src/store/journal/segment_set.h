#pragma once
// The durable part of a journal, shared by its one writer and all readers: which segment and which offset hold an
// event.

#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "store/journal/chain.h"
#include "store/journal/layout.h"
#include "store/journal/scan.h"

namespace store {

/// Thread-safe. The writer publishes what it has synced; readers see nothing else.
class SegmentSet {
 public:
  /// Where a group lies. The file stays open as long as somebody holds it.
  struct Place {
    std::shared_ptr<io::File> file;
    std::uint64_t offset = 0;
    std::uint32_t header_crc = 0;
    std::uint64_t limit = 0;  ///< the group ends at or before this offset
  };
  /// A run of groups in one segment.
  struct Run {
    std::shared_ptr<io::File> file;
    SegmentHeader header;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;          ///< behind the last durable group of the segment
    bool at_segment_start = false;  ///< `begin` is the segment's first group
    bool closed = false;            ///< its footer is durable
  };

  /// `writable`: files are opened for writing too (for erasing).
  SegmentSet(io::FileSystem& files, std::string directory, bool writable);

  /// Takes over what a scan found.
  base::Status load(const JournalScan& scan);

  JournalEnd end() const;
  const std::string& directory() const { return directory_; }
  io::FileSystem& files() const { return files_; }

  /// The group with this event. Errors: event_not_in_journal, those of reading an index.
  base::Result<Place> place_of(model::EventNumber event);
  /// The segments with the durable events from `from` on, at this moment; none if `from` is the next event.
  /// Errors: event_not_in_journal if `from` is beyond that.
  base::Result<std::vector<SegmentNumber>> segments_from(model::EventNumber from);
  /// The part of a segment that holds groups from the one with `from` on.
  base::Result<Run> run_of(SegmentNumber number, model::EventNumber from);

  /// All segments at this moment, the last one up to what is durable.
  base::Result<std::vector<Run>> all_runs();

  /// For the writer. A new last segment; the one before is closed now.
  void begin_segment(const SegmentHeader& header, std::shared_ptr<io::File> file);
  /// For the writer. A group at `offset` of the last segment is durable, and the journal ends with it.
  void publish(const IndexEntry& entry, std::uint64_t end_offset, const JournalEnd& end);

  /// Held shared while personal values are read, exclusively while one is erased.
  std::shared_mutex& erasing() { return erasing_; }

 private:
  /// A segment that is open at the moment. The index of the last one grows under mutex_; others never change.
  struct Segment {
    SegmentHeader header;
    std::shared_ptr<io::File> file;
    std::vector<IndexEntry> index;
    std::uint64_t end = 0;
    bool closed = false;
  };
  static constexpr std::size_t open_segments_max = 64;

  base::Result<std::shared_ptr<io::File>> open_file(SegmentNumber number);
  /// A closed segment, from the cache or from disk.
  base::Result<std::shared_ptr<const Segment>> closed_segment(SegmentNumber number);
  base::Result<std::shared_ptr<const Segment>> load_closed(const SegmentHeader& header);
  static Place place_in(const Segment& segment, model::EventNumber event);
  static std::size_t group_with(const Segment& segment, model::EventNumber event);

  io::FileSystem& files_;
  const std::string directory_;
  const bool writable_;
  std::shared_mutex erasing_;

  mutable std::mutex mutex_;
  std::vector<SegmentHeader> headers_;                ///< of all segments; the last one is being written
  std::shared_ptr<Segment> last_;                     ///< null if there is none
  std::list<std::shared_ptr<const Segment>> recent_;  ///< closed ones, most recently used first
  JournalEnd end_;
};

}  // namespace store
