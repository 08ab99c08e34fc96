#include "store/journal/layout.h"

#include <cstring>

#include "base/check.h"

namespace store {
namespace {

constexpr std::uint64_t group_magic = 0x31'50'55'4F'52'47'46'48;    // "HFGROUP1"
constexpr std::uint64_t segment_magic = 0x31'54'4D'47'45'53'46'48;  // "HFSEGMT1"
constexpr std::uint64_t footer_magic = 0x31'54'4F'4F'46'53'46'48;   // "HFSFOOT1"
constexpr std::size_t crc_at = sector_bytes - 4;

/// Puts fields one after the other into a sector that starts as zeros and ends with its crc.
class SectorWriter {
 public:
  SectorWriter(std::span<std::uint8_t> out, std::uint64_t magic) : out_(out) {
    CHECK(out.size() == sector_bytes);
    std::memset(out.data(), 0, out.size());
    put(magic);
    put(journal_version);
  }
  template <typename T>
  void put(T value) {
    base::store_le(out_.data() + at_, value);
    at_ += sizeof value;
  }
  template <std::size_t n>
  void put(const std::array<std::uint8_t, n>& bytes) {
    std::memcpy(out_.data() + at_, bytes.data(), n);
    at_ += n;
  }
  void finish() { base::store_le(out_.data() + crc_at, base::crc32c(base::ByteView(out_).first(crc_at))); }

 private:
  std::span<std::uint8_t> out_;
  std::size_t at_ = 0;
};

class SectorReader {
 public:
  explicit SectorReader(base::ByteView in) : in_(in) {}
  /// Looks at magic, crc and version, in this order; only a good sector is read further.
  SectorState begin(std::uint64_t magic) {
    CHECK(in_.size() == sector_bytes);
    if (all_zeros(in_)) return SectorState::zeros;
    if (take<std::uint64_t>() != magic) return SectorState::damaged;
    if (base::crc32c(in_.first(crc_at)) != stored_crc(in_)) return SectorState::damaged;
    if (take<std::uint16_t>() != journal_version) return SectorState::version_unknown;
    return SectorState::good;
  }
  template <typename T>
  T take() {
    T value = base::load_le<T>(in_.data() + at_);
    at_ += sizeof value;
    return value;
  }
  template <std::size_t n>
  void take(std::array<std::uint8_t, n>& bytes) {
    std::memcpy(bytes.data(), in_.data() + at_, n);
    at_ += n;
  }
  /// Everything up to the crc must be zeros.
  bool rest_is_zeros() const { return all_zeros(in_.subspan(at_, crc_at - at_)); }

 private:
  base::ByteView in_;
  std::size_t at_ = 0;
};

}  // namespace

std::uint64_t GroupHeader::header_bytes() const {
  return group_header_bytes(round_up(body_bytes, block_bytes) + round_up(private_bytes, block_bytes));
}

std::uint32_t stored_crc(base::ByteView sector) { return base::load_le<std::uint32_t>(sector.data() + crc_at); }

void encode_header(const GroupHeader& header, std::span<std::uint8_t> out) {
  SectorWriter to(out, group_magic);
  to.put(header.partition);
  to.put(header.epoch);
  to.put(header.group);
  to.put(header.first_event);
  to.put(header.event_count);
  to.put(header.entry_count);
  to.put(header.at.ns);
  to.put(header.body_bytes);
  to.put(header.table_offset);
  to.put(header.private_bytes);
  to.put(header.private_count);
  to.put(header.flags);
  to.put(header.known_durable_group);
  to.put(header.tree_size);
  to.put(header.journal);
  to.put(header.previous_hash);
  to.put(header.body_hash);
  to.put(header.tree_root);
  to.put(header.clock.instant.ns);
  to.put(header.clock.boot_ns);
  to.put(header.clock.boot_id);
  to.put(header.clock.confirmed_lag.ns);
  to.finish();
}

SectorState decode_header(base::ByteView sector, GroupHeader& into) {
  SectorReader from(sector);
  if (auto state = from.begin(group_magic); state != SectorState::good) return state;
  GroupHeader header;
  header.partition = from.take<std::uint16_t>();
  header.epoch = from.take<std::uint32_t>();
  header.group = from.take<std::uint64_t>();
  header.first_event = from.take<std::uint64_t>();
  header.event_count = from.take<std::uint32_t>();
  header.entry_count = from.take<std::uint32_t>();
  header.at.ns = from.take<std::int64_t>();
  header.body_bytes = from.take<std::uint32_t>();
  header.table_offset = from.take<std::uint32_t>();
  header.private_bytes = from.take<std::uint32_t>();
  header.private_count = from.take<std::uint32_t>();
  header.flags = from.take<std::uint32_t>();
  header.known_durable_group = from.take<std::uint64_t>();
  header.tree_size = from.take<std::uint64_t>();
  from.take(header.journal);
  from.take(header.previous_hash);
  from.take(header.body_hash);
  from.take(header.tree_root);
  header.clock.instant.ns = from.take<std::int64_t>();
  header.clock.boot_ns = from.take<std::int64_t>();
  from.take(header.clock.boot_id);
  header.clock.confirmed_lag.ns = from.take<std::int64_t>();
  if (!from.rest_is_zeros()) return SectorState::damaged;
  if (header.table_offset > header.body_bytes) return SectorState::damaged;
  if (header.first_event > model::event_number_max) return SectorState::damaged;
  into = header;
  return SectorState::good;
}

void encode_header(const SegmentHeader& header, std::span<std::uint8_t> out) {
  SectorWriter to(out, segment_magic);
  to.put(header.partition);
  to.put(header.epoch);
  to.put(header.segment);
  to.put(header.segment_bytes);
  to.put(header.first_group);
  to.put(header.first_event);
  to.put(header.journal);
  to.put(header.previous_hash);
  to.put(header.boot_id);
  to.put(header.wall.ns);
  to.put(header.boot_ns);
  to.finish();
}

SectorState decode_header(base::ByteView sector, SegmentHeader& into) {
  SectorReader from(sector);
  if (auto state = from.begin(segment_magic); state != SectorState::good) return state;
  SegmentHeader header;
  header.partition = from.take<std::uint16_t>();
  header.epoch = from.take<std::uint32_t>();
  header.segment = from.take<std::uint32_t>();
  header.segment_bytes = from.take<std::uint64_t>();
  header.first_group = from.take<std::uint64_t>();
  header.first_event = from.take<std::uint64_t>();
  from.take(header.journal);
  from.take(header.previous_hash);
  from.take(header.boot_id);
  header.wall.ns = from.take<std::int64_t>();
  header.boot_ns = from.take<std::int64_t>();
  if (!from.rest_is_zeros()) return SectorState::damaged;
  into = header;
  return SectorState::good;
}

void encode_header(const SegmentFooter& footer, std::span<std::uint8_t> out) {
  SectorWriter to(out, footer_magic);
  to.put(footer.partition);
  to.put(footer.segment);
  to.put(footer.group_count);
  to.put(footer.last_group);
  to.put(footer.next_event);
  to.put(footer.last_epoch);
  to.put(footer.journal);
  to.put(footer.last_hash);
  to.put(footer.groups_end);
  to.put(footer.index_crc);
  to.finish();
}

SectorState decode_header(base::ByteView sector, SegmentFooter& into) {
  SectorReader from(sector);
  if (auto state = from.begin(footer_magic); state != SectorState::good) return state;
  SegmentFooter footer;
  footer.partition = from.take<std::uint16_t>();
  footer.segment = from.take<std::uint32_t>();
  footer.group_count = from.take<std::uint32_t>();
  footer.last_group = from.take<std::uint64_t>();
  footer.next_event = from.take<std::uint64_t>();
  footer.last_epoch = from.take<std::uint32_t>();
  from.take(footer.journal);
  from.take(footer.last_hash);
  footer.groups_end = from.take<std::uint64_t>();
  footer.index_crc = from.take<std::uint32_t>();
  if (!from.rest_is_zeros() || footer.group_count == 0) return SectorState::damaged;
  into = footer;
  return SectorState::good;
}

std::uint64_t footer_bytes(std::uint64_t groups) {
  return round_up(groups * index_entry_bytes + sector_bytes, block_bytes);
}

base::Bytes encode_footer(SegmentFooter footer, std::span<const IndexEntry> index) {
  base::Bytes area(footer_bytes(index.size()));
  const std::size_t index_at = area.size() - sector_bytes - index.size() * index_entry_bytes;
  std::uint8_t* to = area.data() + index_at;
  for (const IndexEntry& entry : index) {
    base::store_le(to, entry.first_event);
    base::store_le(to + 8, entry.block);
    base::store_le(to + 12, entry.header_crc);
    to += index_entry_bytes;
  }
  footer.group_count = static_cast<std::uint32_t>(index.size());
  footer.index_crc = base::crc32c(base::ByteView(area).subspan(index_at, index.size() * index_entry_bytes));
  encode_header(footer, std::span(area).last(sector_bytes));
  return area;
}

std::optional<std::vector<IndexEntry>> decode_index(base::ByteView area, const SegmentFooter& footer) {
  const std::uint64_t index_bytes = footer.group_count * index_entry_bytes;
  if (area.size() < index_bytes + sector_bytes) return std::nullopt;
  const base::ByteView bytes = area.subspan(area.size() - sector_bytes - index_bytes, index_bytes);
  if (base::crc32c(bytes) != footer.index_crc) return std::nullopt;
  std::vector<IndexEntry> index(footer.group_count);
  const std::uint8_t* from = bytes.data();
  for (IndexEntry& entry : index) {
    entry.first_event = base::load_le<std::uint64_t>(from);
    entry.block = base::load_le<std::uint32_t>(from + 8);
    entry.header_crc = base::load_le<std::uint32_t>(from + 12);
    from += index_entry_bytes;
  }
  return index;
}

std::optional<std::uint64_t> nonzero_before_index(base::ByteView area, const SegmentFooter& footer) {
  const std::uint64_t used = footer.group_count * index_entry_bytes + sector_bytes;
  if (area.size() < used) return std::nullopt;
  const base::ByteView before = area.first(area.size() - used);
  const std::size_t at = first_nonzero(before);
  if (at == before.size()) return std::nullopt;
  return at;
}

std::size_t first_nonzero(base::ByteView bytes) {
  std::size_t at = 0;
  // Eight words a step: a segment of zeros is passed at the speed of memory.
  for (; at + 64 <= bytes.size(); at += 64) {
    std::uint64_t words[8];
    std::memcpy(words, bytes.data() + at, sizeof words);
    if ((words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7]) != 0) break;
  }
  while (at < bytes.size() && bytes[at] == 0) ++at;
  return at;
}

bool all_zeros(base::ByteView bytes) { return first_nonzero(bytes) == bytes.size(); }

void encode_map(base::ByteView payload, std::span<std::uint8_t> out) {
  const std::uint64_t sectors = payload.size() / sector_bytes;
  CHECK(out.size() == map_sectors(payload.size()) * sector_bytes);
  std::memset(out.data(), 0, out.size());
  for (std::uint64_t sector = 0; sector < sectors; ++sector) {
    if (all_zeros(payload.subspan(sector * sector_bytes, sector_bytes))) continue;
    const std::uint64_t map_sector = sector / sectors_per_map_sector;
    const std::uint64_t bit = sector % sectors_per_map_sector;
    std::uint8_t& byte = out[map_sector * sector_bytes + 4 + bit / 8];
    byte = static_cast<std::uint8_t>(byte | (1u << (bit % 8)));
  }
  for (std::uint64_t at = 0; at < out.size(); at += sector_bytes) {
    base::store_le(out.data() + at, base::crc32c(base::ByteView(out).subspan(at + 4, sector_bytes - 4)));
  }
}

bool sector_lost(base::ByteView map, base::ByteView payload, std::uint64_t sector) {
  if (!all_zeros(payload.subspan(sector * sector_bytes, sector_bytes))) return false;
  const base::ByteView bits = map.subspan(sector / sectors_per_map_sector * sector_bytes, sector_bytes);
  if (all_zeros(bits)) return true;
  const std::uint64_t bit = sector % sectors_per_map_sector;
  return (bits[4 + bit / 8] >> (bit % 8) & 1u) != 0;
}

}  // namespace store
