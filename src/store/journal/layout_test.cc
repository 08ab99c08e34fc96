// The bytes of headers and maps, fixed for ever (docs/format/journal.md).

#include "store/journal/layout.h"

#include "base/text.h"
#include "store/journal/group.h"

// After our own headers: both have a CHECK, and tests mean this one.
#include <doctest/doctest.h>

namespace store {
namespace {

template <std::size_t n>
std::array<std::uint8_t, n> counting(std::uint8_t from) {
  std::array<std::uint8_t, n> bytes;
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(from + i);
  return bytes;
}

/// Hex of a sector without the zeros between the last field and the crc.
template <typename Header>
std::string golden(const Header& header, std::size_t fields) {
  std::uint8_t sector[sector_bytes];
  encode_header(header, sector);
  REQUIRE(all_zeros(base::ByteView(sector).subspan(fields, sector_bytes - 4 - fields)));
  Header back;
  REQUIRE(decode_header(sector, back) == SectorState::good);
  CHECK(back == header);
  for (std::size_t at = 0; at < sector_bytes; ++at) {
    sector[at] ^= 0x40;
    CHECK(decode_header(sector, back) != SectorState::good);
    sector[at] ^= 0x40;
  }
  return base::to_hex(base::ByteView(sector).first(fields)) + " " + base::to_hex(base::ByteView(sector).last(4));
}

TEST_CASE("group header") {
  GroupHeader header;
  header.partition = 1;
  header.epoch = 2;
  header.group = 3;
  header.first_event = 4;
  header.event_count = 5;
  header.entry_count = 6;
  header.at = {1'800'000'000'000'000'000};
  header.body_bytes = 7'000;
  header.table_offset = 6'988;
  header.private_bytes = 900;
  header.private_count = 10;
  header.flags = group_bumps_epoch;
  header.known_durable_group = 2;
  header.tree_size = 8;
  header.journal = counting<16>(0x10);
  header.previous_hash = counting<32>(0x20);
  header.body_hash = counting<32>(0x40);
  header.tree_root = counting<32>(0x60);
  header.clock = {.instant = {1'800'000'000'000'000'010}, .boot_ns = 11, .boot_id = counting<16>(0x80), .confirmed_lag = {-12}};
  CHECK(golden(header, 236) ==
        "484647524f555031"
        "0100"
        "0100"
        "02000000"
        "0300000000000000"
        "0400000000000000"
        "05000000"
        "06000000"
        "0000b49376e2fa18"
        "581b0000"
        "4c1b0000"
        "84030000"
        "0a000000"
        "02000000"
        "0200000000000000"
        "0800000000000000"
        "101112131415161718191a1b1c1d1e1f"
        "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
        "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
        "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
        "0a00b49376e2fa18"
        "0b00000000000000"
        "808182838485868788898a8b8c8d8e8f"
        "f4ffffffffffffff 49da824f");
  CHECK(header.header_bytes() == 4096);
  CHECK(header.private_begin() == 4096 + 8192);
  CHECK(header.group_bytes() == 4096 + 8192 + 4096);
}

TEST_CASE("segment header and footer") {
  SegmentHeader header;
  header.partition = 1;
  header.epoch = 2;
  header.segment = 3;
  header.segment_bytes = 67'108'864;
  header.first_group = 4;
  header.first_event = 5;
  header.journal = counting<16>(0x10);
  header.previous_hash = counting<32>(0x20);
  header.boot_id = counting<16>(0x50);
  header.wall = {1'800'000'000'000'000'000};
  header.boot_ns = 6;
  CHECK(golden(header, 124) ==
        "48465345474d5431"
        "0100"
        "0100"
        "02000000"
        "03000000"
        "0000000400000000"
        "0400000000000000"
        "0500000000000000"
        "101112131415161718191a1b1c1d1e1f"
        "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
        "505152535455565758595a5b5c5d5e5f"
        "0000b49376e2fa18"
        "0600000000000000 53f8204d");
  SegmentFooter footer;
  footer.partition = 1;
  footer.segment = 2;
  footer.group_count = 3;
  footer.last_group = 4;
  footer.next_event = 5;
  footer.last_epoch = 6;
  footer.journal = counting<16>(0x10);
  footer.last_hash = counting<32>(0x20);
  footer.groups_end = 7 * 4096;
  footer.index_crc = 8;
  CHECK(golden(footer, 100) ==
        "484653464f4f5431"
        "0100"
        "0100"
        "02000000"
        "03000000"
        "0400000000000000"
        "0500000000000000"
        "06000000"
        "101112131415161718191a1b1c1d1e1f"
        "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
        "0070000000000000"
        "08000000 540a7012");
}

TEST_CASE("a header whose sizes contradict each other is damage though its crc is right") {
  GroupHeader header;
  header.table_offset = 2;
  header.body_bytes = 1;
  std::uint8_t sector[sector_bytes];
  encode_header(header, sector);
  GroupHeader back;
  CHECK(decode_header(sector, back) == SectorState::damaged);
  header.table_offset = 0;
  header.first_event = model::event_number_max + 1;
  encode_header(header, sector);
  CHECK(decode_header(sector, back) == SectorState::damaged);
  header.first_event = 1;
  encode_header(header, sector);
  CHECK(decode_header(sector, back) == SectorState::good);
  // Something in the space that is zeros today: a later version would say so.
  sector[400] = 1;
  base::store_le(sector + sector_bytes - 4, base::crc32c(base::ByteView(sector).first(sector_bytes - 4)));
  CHECK(decode_header(sector, back) == SectorState::damaged);
  std::fill(std::begin(sector), std::end(sector), std::uint8_t{0});
  CHECK(decode_header(sector, back) == SectorState::zeros);
}

TEST_CASE("frame, tables and private record") {
  base::Bytes frame(frame_head_bytes + 3, 0xAB);
  store_frame_head(frame, 2);
  CHECK(base::to_hex(frame) ==
        "03000000"
        "02000000"
        "7c9fcc68"
        "ababab");
  CHECK(frame_intact(frame));
  base::Bytes table;
  append_body_table(table, std::vector<Slot>{{10, 0}, {75, 640}}, 10);
  CHECK(base::to_hex(table) ==
        "0000000000000000"
        "4100000080020000"
        "cdb7830c");
  base::Bytes privates;
  append_private_table(privates, std::vector<Slot>{{10, 0}}, 1);
  append_private_record(privates, {10, model::PrivateField::account_name, counting<16>(1), {'a', 'b', 'c'}});
  CHECK(base::to_hex(privates) ==
        "01000000"
        "a9e397e3"
        "0a00000000000000"
        "0000000000000000"
        "0a00000000000000"
        "02"
        "000000"
        "03000000"
        "2b4c4956"
        "b7ab3bda"
        "d9b6a5ab"
        "00000000"
        "0102030405060708090a0b0c0d0e0f10"
        "6162630000000000");
  const base::ByteView record = base::ByteView(privates).subspan(private_table_bytes(1));
  CHECK(check_private_record(record) == PrivateRecordState::present);
  for (std::size_t at = 0; at < record.size(); ++at) {
    privates[private_table_bytes(1) + at] ^= 0x02;
    CHECK(check_private_record(record) == PrivateRecordState::damaged);
    privates[private_table_bytes(1) + at] ^= 0x02;
  }
}

TEST_CASE("footer area: the index lies right before the last sector") {
  SegmentFooter footer;
  footer.segment = 1;
  std::vector<IndexEntry> index{{1, 1, 0xAABBCCDD}, {500, 9, 0x11223344}};
  const base::Bytes area = encode_footer(footer, index);
  REQUIRE(area.size() == block_bytes);
  CHECK(base::to_hex(base::ByteView(area).subspan(area.size() - sector_bytes - 32, 32)) ==
        "0100000000000000"
        "01000000"
        "ddccbbaa"
        "f401000000000000"
        "09000000"
        "44332211");
  SegmentFooter back;
  REQUIRE(decode_header(base::ByteView(area).last(sector_bytes), back) == SectorState::good);
  CHECK(back.group_count == 2);
  CHECK(decode_index(area, back) == index);
  CHECK_FALSE(decode_index(base::ByteView(area).last(sector_bytes), back).has_value());
  CHECK(footer_bytes(224) == block_bytes);
  CHECK(footer_bytes(225) == 2 * block_bytes);
}

TEST_CASE("the map tells a lost sector from one that was meant to be zeros") {
  base::Bytes payload(5000 * sector_bytes, 0);
  for (std::size_t sector = 0; sector < 5000; sector += 3) payload[sector * sector_bytes + sector % sector_bytes] = 1;
  base::Bytes map(map_sectors(payload.size()) * sector_bytes);
  REQUIRE(map.size() == 2 * sector_bytes);
  encode_map(payload, map);
  CHECK(base::to_hex(base::ByteView(map).first(8)) ==
        "600b80d6"
        "49922449");
  for (std::size_t sector = 0; sector < 5000; ++sector) CHECK_FALSE(sector_lost(map, payload, sector));
  std::fill(payload.begin(), payload.end(), std::uint8_t{0});
  for (std::size_t sector = 0; sector < 5000; ++sector) CHECK(sector_lost(map, payload, sector) == (sector % 3 == 0));
  // Of a lost map sector nothing is known.
  std::fill(map.begin() + sector_bytes, map.end(), std::uint8_t{0});
  CHECK(sector_lost(map, payload, sectors_per_map_sector + 1));
  CHECK(group_header_bytes(0) == block_bytes);
  CHECK(group_header_bytes(sectors_per_map_sector * 7 * sector_bytes) == block_bytes);
  CHECK(group_header_bytes(sectors_per_map_sector * 7 * sector_bytes + block_bytes) == 2 * block_bytes);
}

TEST_CASE("zeros are found at every length") {
  for (std::size_t size = 0; size < 300; ++size) {
    base::Bytes bytes(size, 0);
    CHECK(all_zeros(bytes));
    for (std::size_t at = 0; at < size; at += 5) {
      bytes[at] = 1;
      CHECK(first_nonzero(bytes) == at);
      bytes[at] = 0;
    }
  }
}

}  // namespace
}  // namespace store
