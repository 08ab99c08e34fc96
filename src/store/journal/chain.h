#pragma once
// What holds groups together: each names the one before it by hash, and numbers go on without gaps.

#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "model/ids.h"
#include "store/journal/layout.h"

namespace store {

/// Where a journal ends, or how far a walk through it has come.
struct JournalEnd {
  JournalId journal{};
  model::PartitionNumber partition = 0;
  model::Epoch epoch = 1;
  GroupNumber group = 0;  ///< last group, 0 if there is none
  model::EventNumber next_event = 1;
  base::Instant at{};           ///< of the last group
  ClockAnchor clock{};          ///< of the last group
  std::uint64_t tree_size = 0;  ///< leaves of the audit log
  base::Digest tree_root{};     ///< audit::empty_root() if there is no group
  base::Digest header_hash{};   ///< of the last group; zeros if there is none
  bool sealed = false;          ///< the last group is a seal
  bool operator==(const JournalEnd&) const = default;
};

/// journal_segment_damaged, naming file, offset and what is there: "entry frame".
base::Error segment_damaged(const std::string& file, std::uint64_t offset, const std::string& what);
/// The error for a header sector that is not good (zeros count as damage here). `what` names the header.
base::Error bad_header(SectorState state, const std::string& file, std::uint64_t offset, const char* what);

/// Does the group go on from `before`? Errors: journal_segment_damaged, journal_partition_wrong, journal_id_wrong,
/// journal_epoch_wrong.
base::Status check_link(const GroupHeader& header, const JournalEnd& before, const std::string& file,
                        std::uint64_t offset);
/// The same for a segment that begins after `before`.
base::Status check_link(const SegmentHeader& header, const JournalEnd& before, const std::string& file);
/// The end after this group.
JournalEnd after_group(const GroupHeader& header, const base::Digest& header_hash);

/// The end before the first group of a partition.
JournalEnd journal_start(const JournalId& journal, model::PartitionNumber partition);

}  // namespace store
