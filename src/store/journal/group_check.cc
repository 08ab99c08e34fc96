// check_group: every byte of a group belongs to exactly one part with a checksum, or to padding that must be zeros. A
// part that fails is explained by a torn write only if it overlaps a sector that was written and now holds zeros.

#include <optional>

#include "store/journal/digest.h"
#include "store/journal/group.h"

namespace store {
namespace {

class GroupChecker {
 public:
  GroupChecker(base::ByteView group, const GroupHeader& header, const GroupCheck& how)
      : group_(group),
        header_(header),
        how_(how),
        payload_at_(header.header_bytes()),
        payload_(group.subspan(payload_at_)),
        map_(group.subspan(sector_bytes, map_sectors(payload_.size()) * sector_bytes)) {}

  std::optional<GroupFault> run() {
    if (!check_header_block() || !check_body() || !check_private()) return damaged_;
    if (lost_) return lost_;
    if (how_.body_hash && header_.body_hash != sha256(group_.subspan(payload_at_, header_.body_bytes))) {
      return GroupFault{payload_at_, "body (its hash)", false};
    }
    return std::nullopt;
  }

 private:
  bool lost(std::uint64_t at, std::uint64_t length) const {
    const std::uint64_t first = (at - payload_at_) / sector_bytes;
    const std::uint64_t last = (at - payload_at_ + length - 1) / sector_bytes;
    for (std::uint64_t sector = first; sector <= last; ++sector) {
      if (sector_lost(map_, payload_, sector)) return true;
    }
    return false;
  }

  /// False ends the check: this fault is not explained by a lost sector.
  bool damaged(std::uint64_t at, const char* what) {
    damaged_ = GroupFault{at, what, false};
    return false;
  }
  /// Notes a failing part; false if no lost sector explains it.
  bool fails(std::uint64_t at, std::uint64_t length, const char* what) {
    if (!lost(at, length)) return damaged(at, what);
    if (!lost_) lost_ = GroupFault{at, what, true};
    return true;
  }
  bool check_zeros(std::uint64_t from, std::uint64_t to, const char* what) {
    const std::size_t at = first_nonzero(group_.subspan(from, to - from));
    return at == to - from || damaged(from + at, what);
  }

  bool check_header_block() {
    for (std::uint64_t at = 0; at < map_.size(); at += sector_bytes) {
      const base::ByteView sector = map_.subspan(at, sector_bytes);
      if (base::crc32c(sector.subspan(4)) == base::load_le<std::uint32_t>(sector.data())) continue;
      if (!all_zeros(sector)) return damaged(sector_bytes + at, "map of written sectors");
      if (!lost_) lost_ = GroupFault{sector_bytes + at, "map of written sectors", true};
    }
    return check_zeros(sector_bytes + map_.size(), payload_at_, "padding after the header");
  }

  bool check_body() {
    const std::uint64_t begin = header_.body_begin();
    const std::uint64_t table_at = begin + header_.table_offset;
    const std::uint64_t end = begin + header_.body_bytes;
    if (end - table_at != body_table_bytes(header_.entry_count)) return damaged(0, "header (size of the body)");
    if (header_.entry_count > 0) {
      const auto slots = decode_body_table(group_.subspan(table_at, end - table_at), header_);
      if (!slots) {
        if (!fails(table_at, end - table_at, "offset table")) return false;
        if (!check_frames(begin, table_at)) return false;
      } else {
        for (std::size_t i = 0; i < slots->size(); ++i) {
          const std::uint64_t chunk = begin + (*slots)[i].offset;
          if (!lost_ && next_event_ != (*slots)[i].event - header_.first_event)
            return damaged(chunk, "offset table (event)");
          const std::uint64_t chunk_end = i + 1 < slots->size() ? begin + (*slots)[i + 1].offset : table_at;
          if (!check_frames(chunk, chunk_end)) return false;
        }
      }
    } else if (header_.body_bytes != 0) {
      return damaged(0, "header (body without entries)");
    }
    if (!lost_ && (next_event_ != header_.event_count || entries_ != header_.entry_count)) {
      return damaged(0, "header (number of entries)");
    }
    return check_zeros(end, header_.private_begin(), "padding after the body");
  }

  /// Frames from `at` to exactly `end`.
  bool check_frames(std::uint64_t at, std::uint64_t end) {
    while (at < end) {
      if (end - at < frame_head_bytes) return fails(at, end - at, "entry frame");
      const FrameHead head = load_frame_head(group_.data() + at);
      const std::uint64_t frame = frame_head_bytes + head.entry_bytes;
      if (frame > end - at || !frame_intact(group_.subspan(at, frame))) {
        // Where the head itself is lost nothing says where the next frame begins: the rest belongs to this fault.
        if (lost(at, frame_head_bytes)) return fails(at, end - at, "entry frame");
        if (frame > end - at) return damaged(at, "entry frame");
        if (!fails(at, frame, "entry frame")) return false;
      }
      at += frame;
      next_event_ += head.event_count;
      ++entries_;
    }
    return true;
  }

  bool check_private() {
    const std::uint64_t begin = header_.private_begin();
    const std::uint64_t end = begin + header_.private_bytes;
    if (header_.private_count == 0) {
      if (header_.private_bytes != 0) return damaged(0, "header (private section without records)");
      return true;
    }
    const std::uint64_t records = begin + private_table_bytes(header_.private_count);
    if (records > end) return damaged(0, "header (size of the private section)");
    const auto slots = decode_private_table(group_.subspan(begin, records - begin), header_.private_count);
    if (!slots) {
      if (!fails(begin, records - begin, "private table")) return false;
      if (!check_records(records, end)) return false;
    } else {
      for (std::size_t i = 0; i < slots->size(); ++i) {
        const std::uint64_t chunk_end = i + 1 < slots->size() ? records + (*slots)[i + 1].offset : end;
        if (chunk_end > end) return damaged(begin, "private table (offset)");
        if (!check_records(records + (*slots)[i].offset, chunk_end)) return false;
      }
    }
    if (!lost_ && records_ != header_.private_count) return damaged(0, "header (number of private records)");
    return check_zeros(end, group_.size(), "padding after the private section");
  }

  /// Private records from `at` to exactly `end`.
  bool check_records(std::uint64_t at, std::uint64_t end) {
    while (at < end) {
      const auto head = decode_private_record_head(group_.subspan(at, end - at));
      if (!head || head->record_bytes() > end - at) {
        if (lost(at, std::min(private_record_head_bytes, end - at))) return fails(at, end - at, "private record");
        return damaged(at, "private record");
      }
      if (head->event < header_.first_event || head->event >= header_.next_event()) {
        return damaged(at, "private record (event)");
      }
      const PrivateRecordState state = check_private_record(group_.subspan(at, head->record_bytes()));
      if (state == PrivateRecordState::damaged) {
        if (!fails(at, head->record_bytes(), "private record")) return false;
      } else if (state == PrivateRecordState::erase_unfinished && !how_.allow_unfinished_erases) {
        return damaged(at, "erased private record that is not all zeros");
      }
      at += head->record_bytes();
      ++records_;
    }
    return true;
  }

  base::ByteView group_;
  const GroupHeader& header_;
  const GroupCheck& how_;
  std::uint64_t payload_at_;
  base::ByteView payload_;
  base::ByteView map_;
  std::uint64_t next_event_ = 0;  ///< relative to the first
  std::uint64_t entries_ = 0;
  std::uint64_t records_ = 0;
  std::optional<GroupFault> lost_;
  std::optional<GroupFault> damaged_;
};

}  // namespace

std::optional<GroupFault> check_group(base::ByteView group, const GroupHeader& header, const GroupCheck& how) {
  CHECK(group.size() == header.group_bytes());
  return GroupChecker(group, header, how).run();
}

}  // namespace store
