#include "store/journal/chain.h"

#include "audit/merkle.h"

namespace store {
namespace {

std::string place(const std::string& file, std::uint64_t offset) {
  return "\"" + file + "\" at offset " + std::to_string(offset);
}

}  // namespace

base::Error segment_damaged(const std::string& file, std::uint64_t offset, const std::string& what) {
  return {"journal_segment_damaged", "journal file " + place(file, offset) + " is damaged: " + what};
}

base::Error bad_header(SectorState state, const std::string& file, std::uint64_t offset, const char* what) {
  if (state == SectorState::version_unknown) {
    return {"journal_version_unknown",
            std::string(what) + " in " + place(file, offset) +
                " was written by another version of the journal's format; this one reads version " +
                std::to_string(journal_version)};
  }
  return segment_damaged(file, offset, std::string(what) + (state == SectorState::zeros ? " is missing" : ""));
}

base::Status check_link(const GroupHeader& header, const JournalEnd& before, const std::string& file,
                        std::uint64_t offset) {
  if (header.journal != before.journal) {
    return base::Error{"journal_id_wrong", "the group in " + place(file, offset) + " belongs to another journal"};
  }
  if (header.partition != before.partition) {
    return base::Error{"journal_partition_wrong", "the group in " + place(file, offset) + " belongs to partition " +
                                                      std::to_string(header.partition) + ", not " +
                                                      std::to_string(before.partition)};
  }
  const bool bumps = (header.flags & group_bumps_epoch) != 0;
  if (bumps ? header.epoch <= before.epoch : header.epoch != before.epoch) {
    return base::Error{"journal_epoch_wrong",
                       "the group in " + place(file, offset) + " has epoch " + std::to_string(header.epoch) +
                           " after epoch " + std::to_string(before.epoch) +
                           ": a writer that was deposed wrote here, or files of two copies were mixed"};
  }
  if (header.group != before.group + 1) {
    return segment_damaged(
        file, offset,
        "group " + std::to_string(header.group) + " where group " + std::to_string(before.group + 1) + " belongs");
  }
  if (header.first_event != before.next_event) return segment_damaged(file, offset, "group header (first event)");
  if (header.previous_hash != before.header_hash)
    return segment_damaged(file, offset, "group header (hash of the one before)");
  if (header.tree_size != header.next_event() - 1)
    return segment_damaged(file, offset, "group header (size of the audit log)");
  if (header.known_durable_group >= header.group)
    return segment_damaged(file, offset, "group header (known durable group)");
  return base::ok();
}

base::Status check_link(const SegmentHeader& header, const JournalEnd& before, const std::string& file) {
  if (header.journal != before.journal) {
    return base::Error{"journal_id_wrong", "journal file \"" + file + "\" belongs to another journal"};
  }
  if (header.partition != before.partition) {
    return base::Error{"journal_partition_wrong", "journal file \"" + file + "\" belongs to partition " +
                                                      std::to_string(header.partition) + ", not " +
                                                      std::to_string(before.partition)};
  }
  if (header.epoch < before.epoch) {
    return base::Error{"journal_epoch_wrong", "journal file \"" + file + "\" has epoch " +
                                                  std::to_string(header.epoch) + " after epoch " +
                                                  std::to_string(before.epoch)};
  }
  if (header.first_group != before.group + 1 || header.first_event != before.next_event ||
      header.previous_hash != before.header_hash) {
    return segment_damaged(file, 0, "segment header (it does not continue the segment before)");
  }
  return base::ok();
}

JournalEnd after_group(const GroupHeader& header, const base::Digest& header_hash) {
  JournalEnd end;
  end.journal = header.journal;
  end.partition = header.partition;
  end.epoch = header.epoch;
  end.group = header.group;
  end.next_event = header.next_event();
  end.at = header.at;
  end.clock = header.clock;
  end.tree_size = header.tree_size;
  end.tree_root = header.tree_root;
  end.header_hash = header_hash;
  end.sealed = (header.flags & group_is_seal) != 0;
  return end;
}

JournalEnd journal_start(const JournalId& journal, model::PartitionNumber partition) {
  JournalEnd end;
  end.journal = journal;
  end.partition = partition;
  end.tree_root = audit::empty_root();
  return end;
}

}  // namespace store
