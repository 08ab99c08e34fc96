#include "store/journal/verify.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "store/journal/digest.h"
#include "store/journal/file_window.h"
#include "store/journal/group.h"
#include "store/journal/leaves.h"
#include "store/journal/scan.h"

namespace store {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{4} << 20;

/// One segment file under examination.
struct Segment {
  std::unique_ptr<io::File> file;
  std::uint64_t size = 0;
  bool is_last_file = false;      ///< no file has the next number
  std::vector<IndexEntry> index;  ///< of the groups met
  std::uint64_t groups_end = block_bytes;

  const std::string& path() const { return file->path(); }
};

class Verifier {
 public:
  Verifier(io::FileSystem& files, const std::string& directory, const VerifyOptions& options)
      : files_(files), directory_(directory), options_(options) {}

  base::Result<JournalReport> run() {
    TRY_ASSIGN(const auto numbers, segment_numbers(files_, directory_));
    report_.roots_checked = options_.blinding != nullptr;
    before_ = journal_start({}, options_.partition);
    for (std::size_t i = 0; i < numbers.size() && !enough(); ++i) {
      const SegmentNumber expected = static_cast<SegmentNumber>(i) + 1;
      if (numbers[i] != expected) {
        found("journal_segment_missing", segment_path(directory_, expected), 0, "the file is missing");
        break;
      }
      TRY(verify_segment(numbers[i], i + 1 == numbers.size() || numbers[i + 1] != expected + 1));
    }
    report_.end = before_;
    report_.ends_with_seal = before_.sealed;
    return std::move(report_);
  }

 private:
  bool enough() const { return report_.findings.size() >= options_.findings_max; }

  void found(const char* code, const std::string& file, std::uint64_t offset, std::string sentence) {
    if (!enough()) report_.findings.push_back({file, offset, code, std::move(sentence)});
  }
  void found(const base::Error& error, const std::string& file, std::uint64_t offset) {
    found(error.code, file, offset, error.message);
  }
  void damaged(const Segment& segment, std::uint64_t offset, const char* what) {
    found(segment_damaged(segment.path(), offset, what), segment.path(), offset);
  }

  base::Status verify_segment(SegmentNumber number, bool is_last_file) {
    Segment segment;
    TRY_ASSIGN(segment.file, files_.open(segment_path(directory_, number), io::OpenMode::read_only));
    TRY_ASSIGN(segment.size, segment.file->size());
    segment.is_last_file = is_last_file;
    report_.bytes_read += segment.size;
    if (segment.size < 3 * block_bytes || segment.size % block_bytes != 0) {
      damaged(segment, segment.size, "the file has not the size of a segment");
      return base::ok();
    }
    FileWindow window(*segment.file, segment.size, chunk_bytes);
    TRY_ASSIGN(const base::ByteView sector, window.view(0, sector_bytes));
    SegmentHeader header;
    const SectorState state = decode_header(sector, header);
    if (state == SectorState::zeros && is_last_file) return must_be_zeros(segment, 0, segment.size, "prepared segment");
    ++report_.segments;
    const bool header_good = state == SectorState::good;
    if (!header_good) {
      found(bad_header(state, segment.path(), 0, "segment header"), segment.path(), 0);
    } else {
      if (number == 1) before_.journal = header.journal;
      if (const base::Status linked = check_link(header, before_, segment.path()); !linked.ok() && chain_known_) {
        found(linked.error(), segment.path(), 0);
      }
      if (header.segment != number || header.segment_bytes != segment.size) {
        damaged(segment, 0, "segment header (number or size)");
      }
      if (!chain_known_) take_up(header);
    }
    TRY(must_be_zeros(segment, sector_bytes, block_bytes, "padding after the segment header"));
    TRY(verify_groups(segment, window));
    return verify_footer(segment, number);
  }

  /// After damage: the chain goes on from what the next sound header says.
  void take_up(const SegmentHeader& header) {
    before_ = journal_start(before_.journal, options_.partition);
    before_.epoch = header.epoch;
    before_.group = header.first_group - 1;
    before_.next_event = header.first_event;
    before_.header_hash = header.previous_hash;
    // If the first group bumps the epoch, the header shows the epoch after it; the group itself is checked against its
    // neighbours.
    chain_known_ = true;
  }

  base::Status verify_groups(Segment& segment, FileWindow& window) {
    std::uint64_t at = block_bytes;
    while (at + block_bytes + footer_bytes(segment.index.size() + 1) <= segment.size && !enough()) {
      TRY_ASSIGN(const base::ByteView sector, window.view(at, sector_bytes));
      GroupHeader header;
      const SectorState state = decode_header(sector, header);
      if (state == SectorState::zeros) break;
      if (state != SectorState::good) {
        found(bad_header(state, segment.path(), at, "group header"), segment.path(), at);
        lose_chain();
        return base::ok();
      }
      if (const base::Status linked = check_link(header, before_, segment.path(), at); !linked.ok() && chain_known_) {
        found(linked.error(), segment.path(), at);
      }
      chain_known_ = true;
      if (at + header.group_bytes() + footer_bytes(segment.index.size() + 1) > segment.size) {
        damaged(segment, at, "group header (size)");
        lose_chain();
        return base::ok();
      }
      const base::Digest hash = sha256(sector);
      segment.index.push_back({header.first_event, static_cast<std::uint32_t>(at / block_bytes), stored_crc(sector)});
      TRY_ASSIGN(const base::ByteView group, window.view(at, header.group_bytes()));
      verify_group(segment, at, group, header);
      before_ = after_group(header, hash);
      at += header.group_bytes();
      segment.groups_end = at;
    }
    return base::ok();
  }

  /// The rest of this segment cannot be walked, and the next one's first link cannot be judged.
  void lose_chain() {
    chain_known_ = false;
    frontier_known_ = false;
    walk_broken_ = true;
  }

  void verify_group(const Segment& segment, std::uint64_t at, base::ByteView group, const GroupHeader& header) {
    ++report_.groups;
    if (const auto fault = check_group(group, header, {.body_hash = true, .allow_unfinished_erases = false})) {
      const std::string what =
          std::string(fault->what) + (fault->lost ? " (sectors that were written hold zeros)" : "");
      damaged(segment, at + fault->offset, what.c_str());
      frontier_known_ = false;
      return;
    }
    report_.entries += header.entry_count;
    report_.events += header.event_count;
    const base::Status counted = for_each_private_in(group, header, [&](const StoredPrivate& value) {
      ++(value.erased ? report_.erased_values : report_.private_values);
      return base::ok();
    });
    CHECK(counted.ok());
    if (options_.blinding == nullptr || !frontier_known_) return;
    if (const base::Status hashed = leaves_.append_group(group, header, *options_.blinding, frontier_); !hashed.ok()) {
      found(hashed.error(), segment.path(), at);
      frontier_known_ = false;
    } else if (frontier_.size() != header.tree_size || frontier_.root() != header.tree_root) {
      damaged(segment, at, "group header (root of the audit log)");
      frontier_known_ = false;
    }
  }

  base::Status verify_footer(Segment& segment, SegmentNumber number) {
    if (walk_broken_) {
      walk_broken_ = false;
      return base::ok();
    }
    const std::uint64_t footer_at = segment.size - sector_bytes;
    std::uint8_t sector[sector_bytes];
    TRY_ASSIGN(const std::size_t n, segment.file->read_at(footer_at, sector));
    if (n != sector_bytes) {
      damaged(segment, footer_at + n, "the file ends here");
      return base::ok();
    }
    SegmentFooter footer;
    const SectorState state = decode_header(sector, footer);
    if (state == SectorState::zeros) {
      TRY_ASSIGN(const bool is_last, is_last_begun(segment, number));
      if (is_last) return must_be_zeros(segment, segment.groups_end, segment.size, "space behind the last group");
    }
    if (state != SectorState::good) {
      found(bad_header(state, segment.path(), footer_at, "segment footer"), segment.path(), footer_at);
      return base::ok();
    }
    SegmentFooter expected;
    expected.partition = options_.partition;
    expected.segment = number;
    expected.group_count = static_cast<std::uint32_t>(segment.index.size());
    expected.last_group = before_.group;
    expected.next_event = before_.next_event;
    expected.last_epoch = before_.epoch;
    expected.journal = before_.journal;
    expected.last_hash = before_.header_hash;
    expected.groups_end = segment.groups_end;
    expected.index_crc = footer.index_crc;
    if (footer != expected) {
      damaged(segment, std::min(footer_at, segment.groups_end), "groups or segment footer (they do not agree)");
      return base::ok();
    }
    const base::Bytes area = encode_footer(expected, segment.index);
    const std::uint64_t area_at = segment.size - area.size();
    TRY(must_be_zeros(segment, segment.groups_end, area_at, "space behind the last group"));
    base::Bytes stored(area.size());
    TRY_ASSIGN(const std::size_t read, segment.file->read_at(area_at, stored));
    stored.resize(read);
    const auto [differs, other] = std::ranges::mismatch(stored, area);
    if (other != area.end())
      damaged(segment, area_at + static_cast<std::uint64_t>(other - area.begin()), "index of the segment");
    return base::ok();
  }

  /// True for the last segment that was begun: no file follows, or one without a header (which is looked at for
  /// itself).
  base::Result<bool> is_last_begun(const Segment& segment, SegmentNumber number) {
    if (segment.is_last_file) return true;
    TRY_ASSIGN(const auto next, files_.open(segment_path(directory_, number + 1), io::OpenMode::read_only));
    std::uint8_t sector[sector_bytes];
    TRY_ASSIGN(const std::size_t n, next->read_at(0, sector));
    SegmentHeader header;
    return n != sector_bytes || decode_header(sector, header) != SectorState::good;
  }

  base::Status must_be_zeros(const Segment& segment, std::uint64_t from, std::uint64_t to, const char* what) {
    base::Bytes piece(std::min<std::uint64_t>(chunk_bytes, to - from));
    for (std::uint64_t at = from; at < to; at += piece.size()) {
      const std::span<std::uint8_t> into = std::span(piece).first(std::min<std::uint64_t>(piece.size(), to - at));
      TRY_ASSIGN(const std::size_t n, segment.file->read_at(at, into));
      const std::size_t nonzero = first_nonzero(into.first(n));
      if (nonzero == into.size()) continue;
      const std::string sentence = std::string(what) + " (not zeros)";
      damaged(segment, at + nonzero, nonzero == n ? "the file ends here" : sentence.c_str());
      return base::ok();
    }
    return base::ok();
  }

  io::FileSystem& files_;
  const std::string& directory_;
  const VerifyOptions& options_;
  JournalReport report_;
  JournalEnd before_;
  bool chain_known_ = true;
  bool walk_broken_ = false;
  bool frontier_known_ = true;
  audit::Frontier frontier_;
  LeafHasher leaves_;
};

}  // namespace

base::Result<JournalReport> verify_journal(io::FileSystem& files, const std::string& directory,
                                           const VerifyOptions& options) {
  return Verifier(files, directory, options).run();
}

}  // namespace store
