// Journal::open: from whatever a crash left to a journal that can go on.

#include "base/check.h"
#include "store/journal/journal.h"
#include "store/journal/scan.h"
#include "store/journal/segment_set.h"

namespace store {
namespace {

constexpr std::uint64_t segment_bytes_min = std::uint64_t{64} << 10;

/// Zeros where bytes lie that are not, block by block, from `from` to `to`.
base::Status zero_remains(io::File& file, std::uint64_t from, std::uint64_t to) {
  constexpr std::uint64_t piece_bytes = std::uint64_t{1} << 20;
  base::Bytes piece(std::min(piece_bytes, to - from));
  for (std::uint64_t at = from; at < to; at += piece.size()) {
    const std::span<std::uint8_t> into = std::span(piece).first(std::min<std::uint64_t>(piece.size(), to - at));
    TRY_ASSIGN(const std::size_t n, file.read_at(at, into));
    for (std::size_t block = 0; block < n; block += block_bytes) {
      const std::size_t length = std::min<std::size_t>(block_bytes, n - block);
      if (!all_zeros(into.subspan(block, length))) TRY(file.zero_fill(at + block, length));
    }
  }
  return base::ok();
}

/// Writes the same bytes again, so that a sync makes them durable even if an earlier sync of them failed.
base::Status rewrite(io::File& file, std::uint64_t from, std::uint64_t to) {
  base::Bytes bytes(to - from);
  TRY_ASSIGN(const std::size_t n, file.read_at(from, bytes));
  if (n != bytes.size()) return segment_damaged(file.path(), from + n, "the file ends here");
  return file.write_at(from, bytes);
}

}  // namespace

base::Result<std::unique_ptr<Journal>> Journal::open(io::FileSystem& files, const JournalOptions& options) {
  CHECK(options.clock != nullptr);
  CHECK(options.segment_bytes >= segment_bytes_min && options.segment_bytes % block_bytes == 0);
  std::unique_ptr<Journal> journal(new Journal(files, options));
  TRY(journal->recover());
  return journal;
}

base::Status Journal::recover() {
  const std::string& directory = options_.directory;
  TRY_ASSIGN(const bool there, files_.exists(directory));
  if (!there) TRY(files_.make_dir(directory));
  TRY(files_.sync_dir(io::directory_of(directory)));
  TRY_ASSIGN(JournalScan scan, scan_journal(files_, directory, options_.partition, options_.segment_bytes));
  TRY(remove_leftovers(scan));
  if (scan.segments.empty()) {
    scan.end.journal = options_.id_if_new;
  } else {
    TRY(repair_last_segment(scan));
  }
  TRY(segments_->load(scan));
  repairs_.torn_group_dropped = !scan.torn_file.empty();
  repairs_.torn_file = scan.torn_file;
  repairs_.torn_offset = scan.torn_offset;

  end_at_open_ = scan.end;
  prepared_ = scan.end;
  committed_ = scan.end;
  durable_group_.store(scan.end.group, std::memory_order_release);
  index_ = scan.last_index;
  next_number_ = static_cast<SegmentNumber>(scan.segments.size()) + 1;
  next_ready_ = scan.next_prepared;
  room_next_ = scan.next_prepared;
  if (!scan.segments.empty() && !segment_closed_) {
    room_position_ = scan.last_end;
    room_groups_ = index_.size();
    room_segment_bytes_ = segment_.segment_bytes;
  }
  return base::ok();
}

base::Status Journal::remove_leftovers(const JournalScan& scan) {
  for (const std::string& path : scan.leftovers) TRY(files_.remove(path));
  return files_.sync_dir(options_.directory);
}

base::Status Journal::repair_last_segment(const JournalScan& scan) {
  const ScannedSegment& last = scan.segments.back();
  segment_ = last.header;
  segment_closed_ = scan.last_closed;
  TRY_ASSIGN(auto file, files_.open(last.path, io::OpenMode::read_write));
  // What was found may be in memory only, left by a process that died between write and sync. A group that follows
  // another in the file proves that other durable, so it is the last group (with the segment's header, if it is the
  // only one) that is written again; behind a footer that is begun, the footer as well.
  const std::uint64_t from = scan.last_index.size() == 1 ? 0 : scan.last_index.back().offset();
  TRY(rewrite(*file, from, scan.last_end));
  if (scan.remains_at)
    TRY(zero_remains(*file, *scan.remains_at / block_bytes * block_bytes, last.header.segment_bytes));
  TRY(file->sync_data());
  repairs_.last_group_rewritten = true;
  file_ = std::move(file);
  if (!segment_closed_) return base::ok();
  index_ = scan.last_index;
  committed_ = scan.end;
  room_position_ = scan.last_end;
  TRY(close_segment());
  room_position_ = 0;
  return base::ok();
}

}  // namespace store
