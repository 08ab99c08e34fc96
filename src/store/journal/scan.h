#pragma once
// Looking at a journal's files without changing them: which segments there are, where the journal ends, what an
// unfinished write left behind. Opening for writing repairs what a scan found; opening for reading only leaves it out.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "store/journal/chain.h"
#include "store/journal/layout.h"

namespace store {

std::string segment_path(const std::string& directory, SegmentNumber number);
/// The name a segment has while it is being made.
std::string unfinished_path(const std::string& directory, SegmentNumber number);

/// Numbers of the files that are named like segments, ascending.
base::Result<std::vector<SegmentNumber>> segment_numbers(io::FileSystem& files, const std::string& directory);

struct ScannedSegment {
  SegmentHeader header;
  std::string path;
};

struct JournalScan {
  std::vector<ScannedSegment> segments;  ///< in order; all but the last are closed
  JournalEnd end;                        ///< after the last group; journal_start({}, partition) if there is none
  std::vector<IndexEntry> last_index;    ///< groups of the last segment
  std::uint64_t last_end = 0;            ///< offset behind its last group
  bool last_closed = false;              ///< its footer is begun: nothing is appended to it
  /// Bytes that are not zeros behind the end of the last segment: left by a write that never finished.
  std::optional<std::uint64_t> remains_at;
  bool next_prepared = false;          ///< the file after the last segment is there, whole and all zeros
  std::vector<std::string> leftovers;  ///< paths of files that hold nothing: to be removed before going on
  std::string torn_file;               ///< if a group was torn: where
  std::uint64_t torn_offset = 0;
};

/// Finds the end of the journal in `directory` (which must exist). `segment_bytes` is what a prepared segment must have
/// to be taken. Closed segments are looked at by header and footer; the last one wholly. Errors:
/// journal_segment_damaged, journal_segment_missing, journal_version_unknown, journal_partition_wrong,
/// journal_id_wrong, journal_epoch_wrong, those of io/file.h.
base::Result<JournalScan> scan_journal(io::FileSystem& files, const std::string& directory,
                                       model::PartitionNumber partition, std::uint64_t segment_bytes);

}  // namespace store
