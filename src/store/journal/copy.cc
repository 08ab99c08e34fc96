// JournalReader::copy_to: a backup while the journal goes on.

#include <algorithm>

#include "store/journal/reader.h"
#include "store/journal/scan.h"
#include "store/journal/segment_set.h"

namespace store {
namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{1} << 20;

/// Bytes [from, to) of one file to the same place of another.
base::Status copy_bytes(io::File& source, io::File& target, std::uint64_t from, std::uint64_t to) {
  base::Bytes piece(std::min(piece_bytes, to - from));
  while (from < to) {
    const std::span<std::uint8_t> into = std::span(piece).first(std::min<std::uint64_t>(piece.size(), to - from));
    TRY_ASSIGN(const std::size_t n, source.read_at(from, into));
    if (n != into.size()) return segment_damaged(source.path(), from + n, "the file ends here");
    TRY(target.write_at(from, into));
    from += n;
  }
  return base::ok();
}

}  // namespace

base::Status JournalReader::copy_to(io::FileSystem& target, const std::string& to) const {
  TRY_ASSIGN(const std::vector<SegmentSet::Run> runs, segments_->all_runs());
  TRY(target.make_dir(to));
  TRY(target.sync_dir(io::directory_of(to)));
  for (const SegmentSet::Run& run : runs) {
    const std::shared_lock no_erasing(segments_->erasing());
    const bool closed = &run != &runs.back() || run.closed;
    TRY_ASSIGN(const auto copy, target.open(segment_path(to, run.header.segment), io::OpenMode::create_new));
    // Of the last segment only what is durable now; the rest is zeros, as in any prepared segment.
    const std::uint64_t end = closed ? run.header.segment_bytes : run.end;
    TRY(copy_bytes(*run.file, *copy, 0, end));
    TRY(copy->zero_fill(end, run.header.segment_bytes - end));
    TRY(copy->sync_data());
  }
  return target.sync_dir(to);
}

}  // namespace store
