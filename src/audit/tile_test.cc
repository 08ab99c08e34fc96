#include "audit/tile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "audit/tree_in_memory.h"

using audit::parse_tile_path;
using audit::tile_path;
using audit::tile_width_at;
using audit::TileId;

namespace {

// Tiles made the way a log makes them: leaf hashes, and what the frontier hands out.
class TilesInMemory final : public audit::TileSource {
 public:
  explicit TilesInMemory(const audit::TreeInMemory& tree) {
    levels_[0] = tree.leaves();
    audit::Frontier frontier;
    std::vector<audit::TreeNode> nodes;
    frontier.append(tree.leaves(), &nodes);
    for (const audit::TreeNode& node : nodes) {
      CHECK(levels_[node.level / 8].size() == node.index);
      levels_[node.level / 8].push_back(node.hash);
    }
  }
  base::Status read_tile(const TileId& id, std::span<std::uint8_t> out) override {
    ++reads;
    if (broken) return base::Error{"file_read_failed", ""};
    const auto& hashes = levels_[id.level];
    REQUIRE(id.index * 256 + id.width <= hashes.size());
    REQUIRE(out.size() == 32 * id.width);
    for (unsigned i = 0; i < id.width; ++i) std::ranges::copy(hashes[id.index * 256 + i], out.begin() + 32 * i);
    return base::ok();
  }
  int reads = 0;
  bool broken = false;

 private:
  std::map<unsigned, std::vector<audit::Digest>> levels_;
};

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

// Paths: the examples of c2sp.org/tlog-tiles, and the edges.
TEST_CASE("tile paths are spelled as C2SP says") {
  CHECK(tile_path({false, 0, 1'234'067, 256}) == "tile/0/x001/x234/067");
  CHECK(tile_path({false, 0, 273, 112}) == "tile/0/273.p/112");
  CHECK(tile_path({false, 2, 0, 1}) == "tile/2/000.p/1");
  CHECK(tile_path({true, 0, 999, 256}) == "tile/entries/999");
  CHECK(tile_path({true, 0, 1000, 255}) == "tile/entries/x001/000.p/255");
  CHECK(tile_path({false, 63, UINT64_MAX, 256}) == "tile/63/x018/x446/x744/x073/x709/x551/615");
}

TEST_CASE("every tile has one spelling") {
  for (const TileId& id : {TileId{false, 0, 0, 256}, TileId{false, 0, 1'234'067, 1}, TileId{true, 0, 67, 255},
                           TileId{false, 63, UINT64_MAX, 256}, TileId{true, 0, 1000, 256}}) {
    CHECK(parse_tile_path(tile_path(id)) == id);
  }
  for (const char* path : {"",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/",
                           "/tile/0/000",
                           "tile/0/000/",
                           "tile/00/000",
                           "tile/64/000",
                           "tile/-1/000",
                           "tile/0/0",
                           "tile/0/0000",
                           "tile/0/x000/067",
                           "tile/0/x001",
                           "tile/0/001/067",
                           "tile/0/x001/x067",
                           "tile/0/x1/067",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/01",
                           "tile/0/000.p/",
                           "tile/0/000.p",
                           "tile/0/000.p/1/2",
                           "tile/entry/000",
                           "tile/0/0 0",
                           "tile/0/+12",
                           "tile/0/x018/x446/x744/x073/x709/x551/616",
                           "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
                           "tiles/0/000",
                           "tile/0/000?x"}) {
    CAPTURE(path);
    CHECK_FALSE(parse_tile_path(path));
  }
}

TEST_CASE("widths agree with the C2SP example of 70,000 leaves") {
  CHECK(tile_width_at(70'000, 0, 0) == 256);
  CHECK(tile_width_at(70'000, 0, 272) == 256);
  CHECK(tile_width_at(70'000, 0, 273) == 112);
  CHECK(tile_width_at(70'000, 0, 274) == 0);
  CHECK(tile_width_at(70'000, 1, 0) == 256);
  CHECK(tile_width_at(70'000, 1, 1) == 17);
  CHECK(tile_width_at(70'000, 2, 0) == 1);
  CHECK(tile_width_at(70'000, 3, 0) == 0);
  CHECK(tile_width_at(70'000, 63, 0) == 0);
  CHECK(tile_width_at(256, 0, 0) == 256);
  CHECK(tile_width_at(256, 0, 1) == 0);
  CHECK(tile_width_at(256, 1, 0) == 1);
  CHECK(tile_width_at(0, 0, 0) == 0);
  CHECK(tile_width_at(UINT64_MAX, 7, 0) == 255);
  CHECK(tile_width_at(UINT64_MAX, 0, UINT64_MAX / 256) == 255);
  CHECK(tile_width_at(UINT64_MAX, 0, UINT64_MAX) == 0);
}

TEST_CASE("a bundle holds its leaves behind 16-bit lengths") {
  base::Bytes bundle;
  REQUIRE(audit::append_bundle_entry(base::as_bytes("abc"), bundle).ok());
  REQUIRE(audit::append_bundle_entry({}, bundle).ok());
  REQUIRE(audit::append_bundle_entry(base::Bytes(0x0102, 'x'), bundle).ok());
  CHECK(base::as_text(bundle).substr(0, 9) == std::string("\0\3abc\0\0\1\2", 9));
  const auto leaves = audit::parse_entry_bundle(bundle, 3);
  REQUIRE(leaves.ok());
  CHECK(base::as_text((*leaves)[0]) == "abc");
  CHECK((*leaves)[1].empty());
  CHECK((*leaves)[2].size() == 0x0102);

  CHECK(code(audit::parse_entry_bundle(bundle, 2)) == "entry_bundle_malformed");
  CHECK(code(audit::parse_entry_bundle(bundle, 4)) == "entry_bundle_malformed");
  for (std::size_t size = 1; size < bundle.size(); ++size) {
    CHECK(code(audit::parse_entry_bundle(base::ByteView(bundle).first(size), 3)) == "entry_bundle_malformed");
  }
  CHECK(code(audit::append_bundle_entry(base::Bytes(65'536), bundle)) == "leaf_too_large_for_bundle");
}

TEST_CASE("tiles answer for every hash, root and proof of the tree") {
  audit::TreeInMemory tree = audit::counted_tree(1500);
  TilesInMemory tiles(tree);
  for (const std::uint64_t size : {1u, 2u, 255u, 256u, 257u, 700u, 1024u, 1500u}) {
    audit::TileHashReader reader(tiles, size);
    const audit::Digest root = tree.mth(0, size);
    REQUIRE(audit::root_at(reader, size).ok());
    CHECK(*audit::root_at(reader, size) == root);
    for (std::uint64_t index = 0; index < size; index += 37) {
      const auto proof = audit::inclusion_proof(reader, index, size);
      REQUIRE(proof.ok());
      CHECK(audit::verify_inclusion(tree.leaves()[index], index, size, *proof, root).ok());
    }
    for (std::uint64_t old_size = 1; old_size <= size; old_size += 113) {
      const auto proof = audit::consistency_proof(reader, old_size, size);
      REQUIRE(proof.ok());
      CHECK(audit::verify_consistency(old_size, tree.mth(0, old_size), size, root, *proof).ok());
    }
  }
}

TEST_CASE("a proof reads few tiles, each once") {
  audit::TreeInMemory tree = audit::counted_tree(70'000);
  TilesInMemory tiles(tree);
  audit::TileHashReader reader(tiles, 70'000);
  REQUIRE(audit::inclusion_proof(reader, 12'345, 70'000).ok());
  // Its own tile of each level, and the right edge of the lower two.
  CHECK(tiles.reads <= 5);
}

TEST_CASE("a kept reader follows the log as it grows and forgets what it has not used for longest") {
  audit::TreeInMemory tree = audit::counted_tree(1500);
  TilesInMemory tiles(tree);
  audit::TileHashReader reader(tiles, 1, 2);
  for (std::uint64_t size = 1; size <= 1500; size += 101) {
    reader.grow(size);
    const auto proof = audit::inclusion_proof(reader, size / 3, size);
    REQUIRE(proof.ok());
    CHECK(audit::verify_inclusion(tree.leaves()[size / 3], size / 3, size, *proof, tree.mth(0, size)).ok());
  }
  reader.grow(1500);
  const auto read_again = [&](std::uint64_t leaf) {
    const int before = tiles.reads;
    CHECK(reader.node(0, leaf).ok());
    return tiles.reads - before;
  };
  CHECK(reader.node(0, 0).ok());
  CHECK(reader.node(0, 256).ok());
  CHECK(read_again(1) == 0);
  CHECK(read_again(512) == 1);  // puts out the tile of 256
  CHECK(read_again(2) == 0);
  CHECK(read_again(257) == 1);
}

TEST_CASE("hashes a tree does not have, and storage that fails, are errors") {
  audit::TreeInMemory tree = audit::counted_tree(300);
  TilesInMemory tiles(tree);
  audit::TileHashReader reader(tiles, 300);
  CHECK(code(reader.node(0, 300)) == "node_outside_tree");
  CHECK(code(reader.node(8, 1)) == "node_outside_tree");
  CHECK(code(reader.node(9, 0)) == "node_outside_tree");
  CHECK(code(reader.node(64, 0)) == "node_outside_tree");
  CHECK(reader.node(8, 0).ok());
  CHECK(reader.node(0, 299).ok());
  tiles.broken = true;
  CHECK(code(reader.node(0, 5)) == "file_read_failed");
  tiles.broken = false;
  CHECK(reader.node(0, 5).ok());
}
