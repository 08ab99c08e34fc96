#pragma once
// The byte layout of the journal (docs/format/journal.md): sizes, headers, footers, the map of written sectors. Pure
// bytes in, bytes out; no files here. All integers are little-endian.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "model/ids.h"

namespace store {

/// What a disk writes in one piece or not at all.
constexpr std::uint64_t sector_bytes = 512;
/// Alignment of everything in a segment.
constexpr std::uint64_t block_bytes = 4096;
constexpr std::uint16_t journal_version = 1;
/// Every this many entries (or private records) a slot of the offset table tells where the next one begins.
constexpr std::uint32_t entries_per_slot = 64;

constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

using GroupNumber = std::uint64_t;    ///< from 1, without gaps, over all segments of a partition
using SegmentNumber = std::uint32_t;  ///< from 1, without gaps

/// Names one journal for its whole life. It stands in every header, so that files of two journals cannot be mixed up
/// and that no client can forge a header inside a value of its own.
using JournalId = base::Tag128;

enum GroupFlag : std::uint32_t {
  group_is_seal = 1,      ///< an empty group: only says that everything before it is durable
  group_bumps_epoch = 2,  ///< first group of a new epoch (after a restore)
};

/// Where time stood when a group was made: what lets a restart within the same boot go on by the boot clock. All zeros
/// where nobody kept time (a seal of a restored copy).
struct ClockAnchor {
  base::Instant instant{};         ///< the core's time,
  std::int64_t boot_ns = 0;        ///< when the boot clock stood here,
  base::Tag128 boot_id{};          ///< in this boot
  base::Duration confirmed_lag{};  ///< how far the wall clock was confirmed to lie behind; zero or negative
  bool operator==(const ClockAnchor&) const = default;
};

/// The first sector of a group.
struct GroupHeader {
  model::PartitionNumber partition = 0;
  model::Epoch epoch = 0;
  GroupNumber group = 0;
  model::EventNumber first_event = 0;  ///< of the next event, if the group has none
  std::uint32_t event_count = 0;
  std::uint32_t entry_count = 0;
  base::Instant at{};
  std::uint32_t body_bytes = 0;         ///< entry frames and offset table, without padding
  std::uint32_t table_offset = 0;       ///< of the offset table, from the start of the body
  std::uint32_t private_bytes = 0;      ///< table and records, without padding
  std::uint32_t private_count = 0;      ///< records
  std::uint32_t flags = 0;              ///< GroupFlag
  GroupNumber known_durable_group = 0;  ///< every group up to this one was synced when this header was made
  std::uint64_t tree_size = 0;          ///< leaves of the audit log after this group
  JournalId journal{};
  base::Digest previous_hash{};  ///< SHA-256 of the header sector of the group before; zero for the first
  base::Digest body_hash{};      ///< SHA-256 of the body
  base::Digest tree_root{};      ///< of the audit log after this group
  ClockAnchor clock{};
  bool operator==(const GroupHeader&) const = default;

  /// Sector 0, the map of written sectors, zeros: a multiple of block_bytes.
  std::uint64_t header_bytes() const;
  std::uint64_t body_begin() const { return header_bytes(); }
  std::uint64_t private_begin() const { return header_bytes() + round_up(body_bytes, block_bytes); }
  /// All of the group on disk.
  std::uint64_t group_bytes() const { return private_begin() + round_up(private_bytes, block_bytes); }
  /// First event after this group.
  model::EventNumber next_event() const { return first_event + event_count; }
};

/// The first sector of a segment.
struct SegmentHeader {
  model::PartitionNumber partition = 0;
  model::Epoch epoch = 0;  ///< of the first group in it
  SegmentNumber segment = 0;
  std::uint64_t segment_bytes = 0;  ///< size of the file
  GroupNumber first_group = 0;
  model::EventNumber first_event = 0;
  JournalId journal{};
  base::Digest previous_hash{};  ///< SHA-256 of the header sector of the last group before this segment
  base::Tag128 boot_id{};        ///< when the segment was begun: which boot,
  base::Instant wall{};          ///< the wall clock,
  std::int64_t boot_ns = 0;      ///< and the boot clock
  bool operator==(const SegmentHeader&) const = default;
};

/// The last sector of a closed segment; the index lies right before it.
struct SegmentFooter {
  model::PartitionNumber partition = 0;
  SegmentNumber segment = 0;
  std::uint32_t group_count = 0;
  GroupNumber last_group = 0;
  model::EventNumber next_event = 0;  ///< first event of the next segment
  model::Epoch last_epoch = 0;
  JournalId journal{};
  base::Digest last_hash{};      ///< SHA-256 of the header sector of its last group
  std::uint64_t groups_end = 0;  ///< offset behind its last group
  std::uint32_t index_crc = 0;
  bool operator==(const SegmentFooter&) const = default;
};

/// One line of the index of a segment: where a group begins.
struct IndexEntry {
  model::EventNumber first_event = 0;
  std::uint32_t block = 0;       ///< offset in the segment / block_bytes
  std::uint32_t header_crc = 0;  ///< as stored in the group's header
  std::uint64_t offset() const { return std::uint64_t{block} * block_bytes; }
  bool operator==(const IndexEntry&) const = default;
};
constexpr std::uint64_t index_entry_bytes = 16;

/// One slot of an offset table: the event with which an entry (or private record) begins, and its place.
struct Slot {
  model::EventNumber event = 0;
  std::uint64_t offset = 0;  ///< from the start of the body, or of the private records
};

/// What stands in the sector where a header or footer is expected.
enum class SectorState {
  good,
  zeros,  ///< never written, or lost
  damaged,
  version_unknown,  ///< intact, of another format version
};

/// Writes one sector; `out` has sector_bytes.
void encode_header(const GroupHeader& header, std::span<std::uint8_t> out);
void encode_header(const SegmentHeader& header, std::span<std::uint8_t> out);
void encode_header(const SegmentFooter& footer, std::span<std::uint8_t> out);
/// Reads one sector; `into` is filled only when it is good (group headers: and its sizes agree with each other).
SectorState decode_header(base::ByteView sector, GroupHeader& into);
SectorState decode_header(base::ByteView sector, SegmentHeader& into);
SectorState decode_header(base::ByteView sector, SegmentFooter& into);
/// The crc that encode_header put at the end of a sector.
std::uint32_t stored_crc(base::ByteView sector);

/// Bytes at the end of a segment that its footer with `groups` groups takes: index and last sector, whole blocks.
std::uint64_t footer_bytes(std::uint64_t groups);
/// Footer area of a segment: zeros, index, last sector. Sets footer.index_crc and group_count.
base::Bytes encode_footer(SegmentFooter footer, std::span<const IndexEntry> index);
/// The index out of a footer area whose last sector is `footer`; nothing if it is damaged.
std::optional<std::vector<IndexEntry>> decode_index(base::ByteView area, const SegmentFooter& footer);
/// Offset of the first byte of the area that should be zero and is not.
std::optional<std::uint64_t> nonzero_before_index(base::ByteView area, const SegmentFooter& footer);

/// Largest group that fits an empty segment of this size.
constexpr std::uint64_t group_bytes_max(std::uint64_t segment_bytes) { return segment_bytes - 2 * block_bytes; }

bool all_zeros(base::ByteView bytes);
/// Offset of the first byte that is not zero, or bytes.size().
std::size_t first_nonzero(base::ByteView bytes);

// The map of written sectors. One bit for each sector of body and private section: set where the sector held a byte
// other than zero when it was written. With it a sector that was lost (it holds zeros and should not) is told from one
// that was meant to be zeros. A map sector is a crc32c of its other 508 bytes and then the bits of 4064 sectors, so it
// is never all zeros itself.

constexpr std::uint64_t sectors_per_map_sector = (sector_bytes - 4) * 8;
/// Map sectors for body and private section of `payload_bytes` (padded) bytes.
constexpr std::uint64_t map_sectors(std::uint64_t payload_bytes) {
  return round_up(payload_bytes / sector_bytes, sectors_per_map_sector) / sectors_per_map_sector;
}
/// Header sector, map and padding for so many payload bytes.
constexpr std::uint64_t group_header_bytes(std::uint64_t payload_bytes) {
  return round_up(sector_bytes * (1 + map_sectors(payload_bytes)), block_bytes);
}
/// Writes the map of `payload`; `out` has map_sectors(payload.size()) * sector_bytes.
void encode_map(base::ByteView payload, std::span<std::uint8_t> out);
/// True if payload sector `sector` was written with something and now holds zeros only. Where its map sector is itself
/// lost, any sector of zeros counts as lost.
bool sector_lost(base::ByteView map, base::ByteView payload, std::uint64_t sector);

}  // namespace store
