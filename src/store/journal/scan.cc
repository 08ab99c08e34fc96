#include "store/journal/scan.h"

#include <algorithm>
#include <cstdio>

#include "store/journal/digest.h"
#include "store/journal/file_window.h"
#include "store/journal/group.h"

namespace store {
namespace {

constexpr std::size_t walk_chunk_bytes = std::size_t{4} << 20;
constexpr std::string_view segment_suffix = ".seg";
constexpr std::string_view unfinished_suffix = ".seg.new";
constexpr std::size_t digits = 8;

/// The number in `DDDDDDDD` + suffix; 0 if the name is anything else.
SegmentNumber number_in(std::string_view name, std::string_view suffix) {
  if (name.size() != digits + suffix.size() || !name.ends_with(suffix)) return 0;
  SegmentNumber number = 0;
  for (const char c : name.substr(0, digits)) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + static_cast<SegmentNumber>(c - '0');
  }
  return number;
}

std::string numbered(const std::string& directory, SegmentNumber number, std::string_view suffix) {
  char text[16];
  std::snprintf(text, sizeof text, "%08u", number);
  return io::join_path(directory, text + std::string(suffix));
}

/// A file that may be a segment.
struct Candidate {
  SegmentNumber number = 0;
  std::unique_ptr<io::File> file;
  std::uint64_t size = 0;
  SectorState state = SectorState::zeros;
  SegmentHeader header;
};

base::Result<Candidate> look_at(io::FileSystem& files, const std::string& directory, SegmentNumber number) {
  Candidate candidate;
  candidate.number = number;
  TRY_ASSIGN(candidate.file, files.open(segment_path(directory, number), io::OpenMode::read_only));
  TRY_ASSIGN(candidate.size, candidate.file->size());
  if (candidate.size < sector_bytes) return candidate;
  std::uint8_t sector[sector_bytes];
  TRY_ASSIGN(const std::size_t n, candidate.file->read_at(0, sector));
  if (n != sector_bytes) return segment_damaged(candidate.file->path(), n, "the file ends here");
  candidate.state = decode_header(sector, candidate.header);
  return candidate;
}

base::Status check_segment(const Candidate& candidate, model::PartitionNumber partition) {
  const std::string& path = candidate.file->path();
  if (candidate.state != SectorState::good) return bad_header(candidate.state, path, 0, "segment header");
  const SegmentHeader& header = candidate.header;
  if (header.partition != partition) {
    return base::Error{"journal_partition_wrong", "journal file \"" + path + "\" belongs to partition " +
                                                      std::to_string(header.partition) + ", not " +
                                                      std::to_string(partition)};
  }
  if (header.segment != candidate.number) return segment_damaged(path, 0, "segment header (it is of another file)");
  if (header.segment_bytes != candidate.size || header.segment_bytes % block_bytes != 0 ||
      header.segment_bytes < 3 * block_bytes) {
    return segment_damaged(path, std::min(candidate.size, header.segment_bytes),
                           "the file has not the size its header says");
  }
  std::uint8_t rest[block_bytes - sector_bytes];
  TRY_ASSIGN(const std::size_t n, candidate.file->read_at(sector_bytes, rest));
  const std::size_t nonzero = first_nonzero({rest, n});
  if (nonzero != n) return segment_damaged(path, sector_bytes + nonzero, "padding after the segment header");
  return base::ok();
}

base::Result<SectorState> read_footer(const Candidate& candidate, SegmentFooter& footer) {
  std::uint8_t sector[sector_bytes];
  TRY_ASSIGN(const std::size_t n, candidate.file->read_at(candidate.size - sector_bytes, sector));
  if (n != sector_bytes)
    return segment_damaged(candidate.file->path(), candidate.size - sector_bytes + n, "the file ends here");
  return decode_header(sector, footer);
}

/// First block from `from` on that begins with an intact header of this journal (of any journal, if `journal` is null).
base::Result<std::optional<std::uint64_t>> find_header(io::File& file, std::uint64_t from, std::uint64_t size,
                                                       const JournalId* journal) {
  FileWindow window(file, size, walk_chunk_bytes);
  for (std::uint64_t at = from; at + sector_bytes <= size; at += block_bytes) {
    TRY_ASSIGN(const base::ByteView sector, window.view(at, sector_bytes));
    if (base::load_le<std::uint64_t>(sector.data()) == 0) continue;
    GroupHeader group;
    if (decode_header(sector, group) == SectorState::good && (journal == nullptr || group.journal == *journal))
      return {at};
  }
  return {std::nullopt};
}

/// First byte that is not zero in [from, to).
base::Result<std::optional<std::uint64_t>> find_nonzero(io::File& file, std::uint64_t from, std::uint64_t to) {
  FileWindow window(file, to, walk_chunk_bytes);
  while (from < to) {
    const std::uint64_t length = std::min<std::uint64_t>(to - from, walk_chunk_bytes);
    TRY_ASSIGN(const base::ByteView bytes, window.view(from, length));
    const std::size_t at = first_nonzero(bytes);
    if (at != length) return {from + at};
    from += length;
  }
  return {std::nullopt};
}

/// What a walk through the last segment found.
struct Walk {
  JournalEnd end;
  std::vector<IndexEntry> index;
  std::uint64_t offset = block_bytes;  ///< behind the last group
  std::optional<GroupFault> torn;      ///< the group at `offset` was torn
};

/// Passes the groups of a segment until zeros, a torn group, or the end.
base::Result<Walk> walk_groups(const Candidate& segment, const JournalEnd& before) {
  Walk walk;
  walk.end = before;
  const std::string& path = segment.file->path();
  FileWindow window(*segment.file, segment.size, walk_chunk_bytes);
  const auto fits = [&](std::uint64_t bytes) {
    return walk.offset + bytes + footer_bytes(walk.index.size() + 1) <= segment.size;
  };
  while (fits(block_bytes)) {
    TRY_ASSIGN(base::ByteView sector, window.view(walk.offset, sector_bytes));
    GroupHeader header;
    const SectorState state = decode_header(sector, header);
    if (state == SectorState::zeros) break;
    if (state != SectorState::good) return bad_header(state, path, walk.offset, "group header");
    TRY(check_link(header, walk.end, path, walk.offset));
    if (!fits(header.group_bytes())) return segment_damaged(path, walk.offset, "group header (size)");
    const base::Digest hash = sha256(sector);
    const std::uint32_t crc = stored_crc(sector);
    TRY_ASSIGN(const base::ByteView group, window.view(walk.offset, header.group_bytes()));
    if (const auto fault = check_group(group, header, {})) {
      if (!fault->lost) return segment_damaged(path, walk.offset + fault->offset, fault->what);
      walk.torn = fault;
      break;
    }
    walk.index.push_back({header.first_event, static_cast<std::uint32_t>(walk.offset / block_bytes), crc});
    walk.end = after_group(header, hash);
    walk.offset += header.group_bytes();
  }
  return walk;
}

/// The end that a closed segment's footer names. Time and tree are not in it and stay as they are.
JournalEnd after_segment(JournalEnd before, const SegmentFooter& footer) {
  before.group = footer.last_group;
  before.next_event = footer.next_event;
  before.epoch = footer.last_epoch;
  before.header_hash = footer.last_hash;
  return before;
}

class Scanner {
 public:
  Scanner(io::FileSystem& files, const std::string& directory, model::PartitionNumber partition,
          std::uint64_t segment_bytes)
      : files_(files), directory_(directory), partition_(partition), segment_bytes_(segment_bytes) {}

  base::Result<JournalScan> run() {
    TRY(list());
    TRY(split_off_unwritten());
    TRY(check_closed());
    if (!candidates_.empty()) TRY(walk_last());
    TRY(check_next());
    for (const Candidate& candidate : candidates_) scan_.segments.push_back({candidate.header, candidate.file->path()});
    return std::move(scan_);
  }

 private:
  base::Status list() {
    TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory_));
    for (const std::string& name : names) {
      if (number_in(name, unfinished_suffix) != 0) scan_.leftovers.push_back(io::join_path(directory_, name));
      const SegmentNumber number = number_in(name, segment_suffix);
      if (number == 0) continue;
      const SegmentNumber expected = static_cast<SegmentNumber>(candidates_.size()) + 1;
      if (number != expected) {
        return base::Error{"journal_segment_missing", "journal file \"" + segment_path(directory_, expected) +
                                                          "\" is missing, but \"" + segment_path(directory_, number) +
                                                          "\" is there"};
      }
      TRY_ASSIGN(Candidate candidate, look_at(files_, directory_, number));
      candidates_.push_back(std::move(candidate));
    }
    return base::ok();
  }

  /// The file behind the last segment with a header is one that was prepared.
  base::Status split_off_unwritten() {
    if (candidates_.empty() || candidates_.back().state != SectorState::zeros) return base::ok();
    next_ = std::move(candidates_.back());
    candidates_.pop_back();
    return base::ok();
  }

  base::Status check_closed() {
    scan_.end = journal_start({}, partition_);
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      TRY(check_segment(candidates_[i], partition_));
      if (i == 0) scan_.end.journal = candidates_[i].header.journal;
      TRY(check_link(candidates_[i].header, scan_.end, candidates_[i].file->path()));
      if (i + 1 == candidates_.size()) break;
      before_last_ = scan_.end;
      SegmentFooter footer;
      TRY_ASSIGN(const SectorState state, read_footer(candidates_[i], footer));
      TRY(check_footer(candidates_[i], state, footer));
      scan_.end = after_segment(scan_.end, footer);
    }
    return base::ok();
  }

  base::Status check_footer(const Candidate& candidate, SectorState state, const SegmentFooter& footer) {
    const std::string& path = candidate.file->path();
    const std::uint64_t at = candidate.size - sector_bytes;
    if (state != SectorState::good) return bad_header(state, path, at, "segment footer");
    if (footer.partition != partition_ || footer.journal != candidate.header.journal ||
        footer.segment != candidate.number ||
        footer.last_group + 1 != candidate.header.first_group + footer.group_count ||
        footer.next_event < candidate.header.first_event || footer.last_epoch < candidate.header.epoch ||
        footer.groups_end > candidate.size || footer_bytes(footer.group_count) > candidate.size - footer.groups_end) {
      return segment_damaged(path, at, "segment footer");
    }
    return base::ok();
  }

  base::Status walk_last() {
    const Candidate* last = &candidates_.back();
    SegmentFooter footer;
    TRY_ASSIGN(const SectorState footer_state, read_footer(*last, footer));
    TRY_ASSIGN(Walk walk, walk_groups(*last, scan_.end));
    if (footer_state != SectorState::zeros) {
      TRY(check_footer(*last, footer_state, footer));
      if (walk.torn || walk.index.size() != footer.group_count || walk.offset != footer.groups_end ||
          walk.end.header_hash != footer.last_hash) {
        return segment_damaged(last->file->path(), walk.offset, "groups that the segment footer counts are not here");
      }
      TRY(check_footer_area(*last, walk, footer));
      scan_.last_closed = true;
    } else {
      TRY(check_behind(*last, walk));
      if (walk.index.empty()) return drop_unwritten_last(std::move(walk));
    }
    scan_.end = walk.end;
    scan_.last_index = std::move(walk.index);
    scan_.last_end = walk.offset;
    return base::ok();
  }

  /// Nothing of the footer but what belongs there: each sector of its area is right, or still zeros. Before it: zeros.
  base::Status check_footer_area(const Candidate& last, const Walk& walk, const SegmentFooter& footer) {
    const base::Bytes expected = encode_footer(footer, walk.index);
    const std::uint64_t begin = last.size - expected.size();
    FileWindow window(*last.file, last.size, expected.size());
    TRY_ASSIGN(const base::ByteView area, window.view(begin, expected.size()));
    for (std::uint64_t at = 0; at < area.size(); at += sector_bytes) {
      const base::ByteView sector = area.subspan(at, sector_bytes);
      if (!all_zeros(sector) && !std::ranges::equal(sector, base::ByteView(expected).subspan(at, sector_bytes))) {
        return segment_damaged(last.file->path(), begin + at, "index of the segment");
      }
    }
    TRY_ASSIGN(const auto nonzero, find_nonzero(*last.file, walk.offset, begin));
    if (nonzero) return segment_damaged(last.file->path(), *nonzero, "bytes behind the last group");
    return base::ok();
  }

  /// Whatever lies behind the end must be what one unfinished write left: no later group.
  base::Status check_behind(const Candidate& last, const Walk& walk) {
    const std::string& path = last.file->path();
    TRY_ASSIGN(const auto later, find_header(*last.file, walk.offset + block_bytes, last.size, &last.header.journal));
    if (later) {
      const std::string what = walk.torn ? walk.torn->what : "a group is missing";
      return segment_damaged(path, walk.offset + (walk.torn ? walk.torn->offset : 0),
                             what + ", and a later group is there");
    }
    TRY_ASSIGN(scan_.remains_at, find_nonzero(*last.file, walk.offset, last.size));
    if (walk.torn) {
      scan_.torn_file = path;
      scan_.torn_offset = walk.offset;
    } else if (scan_.remains_at) {
      scan_.torn_file = path;
      scan_.torn_offset = *scan_.remains_at;
    }
    return base::ok();
  }

  /// The first write into a segment (its header and first group) did not finish: the journal ends with the segment
  /// before.
  base::Status drop_unwritten_last(Walk walk) {
    if (next_) {
      return segment_damaged(candidates_.back().file->path(), walk.offset,
                             "the segment has no group, but the next one is there");
    }
    if (scan_.torn_file.empty()) {
      scan_.torn_file = candidates_.back().file->path();
      scan_.torn_offset = walk.offset;
    }
    scan_.remains_at.reset();
    scan_.leftovers.push_back(candidates_.back().file->path());
    candidates_.pop_back();
    if (candidates_.empty()) {
      scan_.end = journal_start({}, partition_);
      return base::ok();
    }
    const std::string torn_file = scan_.torn_file;
    const std::uint64_t torn_offset = scan_.torn_offset;
    scan_.end = before_last_;
    TRY(walk_last());
    scan_.torn_file = torn_file;
    scan_.torn_offset = torn_offset;
    return base::ok();
  }

  /// A prepared segment must be zeros; a torn write may have begun it; a later group must not be in it.
  base::Status check_next() {
    if (!next_) return base::ok();
    const std::string& path = next_->file->path();
    if (next_->size >= sector_bytes) {
      const JournalId* journal = candidates_.empty() ? nullptr : &scan_.end.journal;
      TRY_ASSIGN(const auto group, find_header(*next_->file, block_bytes * 2, next_->size, journal));
      if (group) return segment_damaged(path, 0, "segment header is missing, and a group is there");
    }
    TRY_ASSIGN(const auto nonzero, find_nonzero(*next_->file, 0, next_->size));
    if (!nonzero && next_->size == segment_bytes_) {
      scan_.next_prepared = true;
      return base::ok();
    }
    scan_.leftovers.push_back(path);
    if (nonzero && scan_.torn_file.empty()) {
      scan_.torn_file = path;
      scan_.torn_offset = *nonzero;
    }
    return base::ok();
  }

  io::FileSystem& files_;
  const std::string& directory_;
  model::PartitionNumber partition_;
  std::uint64_t segment_bytes_;
  std::vector<Candidate> candidates_;
  std::optional<Candidate> next_;
  JournalEnd before_last_;  ///< before the last closed segment
  JournalScan scan_;
};

}  // namespace

std::string segment_path(const std::string& directory, SegmentNumber number) {
  return numbered(directory, number, segment_suffix);
}

std::string unfinished_path(const std::string& directory, SegmentNumber number) {
  return numbered(directory, number, unfinished_suffix);
}

base::Result<std::vector<SegmentNumber>> segment_numbers(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  std::vector<SegmentNumber> numbers;
  for (const std::string& name : names) {
    if (const SegmentNumber number = number_in(name, segment_suffix); number != 0) numbers.push_back(number);
  }
  return numbers;
}

base::Result<JournalScan> scan_journal(io::FileSystem& files, const std::string& directory,
                                       model::PartitionNumber partition, std::uint64_t segment_bytes) {
  return Scanner(files, directory, partition, segment_bytes).run();
}

}  // namespace store
