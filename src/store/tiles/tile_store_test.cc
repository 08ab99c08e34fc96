#include "store/tiles/tile_store.h"

#include "audit/tree_in_memory.h"
#include "io/simulated_file.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

constexpr store::JournalId journal{7};

audit::Digest leaf(std::uint64_t number) {
  audit::Digest hash{};
  base::store_le(hash.data(), number * 0x9E3779B97F4A7C15u + 1);
  return hash;
}

std::vector<audit::Digest> leaves(std::uint64_t from, std::uint64_t to) {
  std::vector<audit::Digest> all;
  for (std::uint64_t i = from; i < to; ++i) all.push_back(leaf(i));
  return all;
}

audit::Digest root_of(std::uint64_t size) {
  audit::Frontier frontier;
  frontier.append(leaves(0, size));
  return frontier.root();
}

std::unique_ptr<store::TileStore> open(io::FileSystem& files, std::uint64_t trusted, const store::JournalId& id = journal) {
  auto opened = store::TileStore::open(files, "tiles", id, trusted);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? std::string() : opened.error().message));
  return std::move(*opened);
}

void fill(store::TileStore& tiles, std::uint64_t to, std::uint64_t step) {
  while (tiles.size() < to) {
    const std::uint64_t next = std::min(to, tiles.size() + step);
    REQUIRE(tiles.append(leaves(tiles.size(), next)).ok());
  }
}

}  // namespace

TEST_CASE("tiles give the roots and proofs of every size they hold") {
  io::SimulatedFileSystem files(3);
  const auto tiles = open(files, 0);
  constexpr std::uint64_t size = 70'000;   // three levels: 273 tiles, 1 full tile above them
  fill(*tiles, size, 777);
  CHECK(tiles->frontier().root() == root_of(size));
  audit::TileHashReader reader(*tiles, size);
  for (const std::uint64_t part : {std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256}, std::uint64_t{257}, std::uint64_t{65'536}, size}) {
    CHECK(audit::root_at(reader, part).value() == root_of(part));
  }
  for (std::uint64_t index = 0; index < size; index += 9'973) {
    const auto proof = audit::inclusion_proof(reader, index, size);
    REQUIRE(proof.ok());
    CHECK(audit::verify_inclusion(leaf(index), index, size, *proof, root_of(size)).ok());
  }
  CHECK(tiles->verify().ok());
}

TEST_CASE("an opened store goes on where the trusted part ends") {
  io::SimulatedFileSystem files(3);
  {
    const auto tiles = open(files, 0);
    fill(*tiles, 70'000, 5'000);
    REQUIRE(tiles->sync().ok());
  }
  for (const std::uint64_t trusted : {std::uint64_t{70'000}, std::uint64_t{66'000}, std::uint64_t{300}, std::uint64_t{255}, std::uint64_t{0}}) {
    const auto tiles = open(files, trusted);
    CHECK_EQ(tiles->size(), trusted / 256 * 256);
    CHECK(tiles->frontier().root() == root_of(tiles->size()));
    fill(*tiles, 70'000, 10'000);
    CHECK(tiles->frontier().root() == root_of(70'000));
    CHECK(tiles->verify().ok());
  }
}

TEST_CASE("tiles of another journal, and what cannot be read, are thrown away") {
  io::SimulatedFileSystem files(3);
  {
    const auto tiles = open(files, 0);
    fill(*tiles, 70'000, 5'000);
    REQUIRE(tiles->sync().ok());
  }
  CHECK_EQ(open(files, 70'000, store::JournalId{8})->size(), 0);
  CHECK(files.list("tiles")->empty());
}

TEST_CASE("a changed byte of a tile is found, and named, and never served") {
  io::SimulatedFileSystem files(3);
  const auto tiles = open(files, 0);
  fill(*tiles, 2'000, 500);
  const auto file = files.open("tiles/level-0.tiles", io::OpenMode::read_write);
  REQUIRE(file.ok());
  for (const std::uint64_t offset : {std::uint64_t{64 + 8200 * 3}, std::uint64_t{64 + 8200 * 3 + 8191}, std::uint64_t{64 + 8200 * 3 + 8192}, std::uint64_t{64 + 8200 * 3 + 8199}}) {
    std::array<std::uint8_t, 1> byte{};
    REQUIRE((*file)->read_at(offset, byte).ok());
    byte[0] ^= 0x10;
    REQUIRE((*file)->write_at(offset, byte).ok());
    std::array<std::uint8_t, 32> out{};
    const base::Status read = tiles->read_tile({false, 0, 3, 1}, out);
    REQUIRE(!read.ok());
    CHECK_EQ(std::string(read.error().code), "tile_damaged");
    CHECK(read.error().message.find("level-0.tiles: the tile at offset 24664") != std::string::npos);
    CHECK(!tiles->verify().ok());
    byte[0] ^= 0x10;
    REQUIRE((*file)->write_at(offset, byte).ok());
    CHECK(tiles->verify().ok());
  }
}

TEST_CASE("a write that fails is made up for by the next call, and nothing is missing meanwhile") {
  io::SimulatedFileSystem files(3);
  const auto tiles = open(files, 0);
  for (std::uint64_t k = 1; k < 40; ++k) {
    const std::uint64_t size = tiles->size();
    files.faults().fail_call(k % 7 + 1, k % 2 == 0 ? io::Fault::io_error : io::Fault::disk_full);
    (void)tiles->append(leaves(size, size + 300));
    files.faults().clear();
    CHECK_EQ(tiles->size(), size + 300);
    std::array<std::uint8_t, 32 * 256> out{};
    for (std::uint64_t n = 0; n < tiles->size() / 256; ++n) CHECK(tiles->read_tile({false, 0, n, 256}, out).ok());
    REQUIRE(tiles->sync().ok());
    CHECK(tiles->verify().ok());
  }
  CHECK(tiles->frontier().root() == root_of(tiles->size()));
}

TEST_CASE("what is not there yet is said to be so") {
  io::SimulatedFileSystem files(3);
  const auto tiles = open(files, 0);
  fill(*tiles, 300, 300);
  std::array<std::uint8_t, 32 * 45> out{};
  CHECK(tiles->read_tile({false, 0, 1, 44}, std::span(out).first(32 * 44)).ok());
  CHECK_EQ(std::string(tiles->read_tile({false, 0, 1, 45}, out).error().code), "tile_not_there");
  CHECK_EQ(std::string(tiles->read_tile({false, 1, 1, 1}, std::span(out).first(32)).error().code), "tile_not_there");
  CHECK_EQ(std::string(tiles->read_tile({false, 9, 0, 1}, std::span(out).first(32)).error().code), "tile_not_there");
}
