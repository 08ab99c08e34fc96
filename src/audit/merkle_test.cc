#include "audit/merkle.h"

#include <doctest/doctest.h>

#include <string>

#include "audit/tree_in_memory.h"
#include "base/text.h"

using audit::Digest;
using audit::Frontier;
using base::to_hex;

namespace {

base::Bytes hex(std::string_view text) {
  auto bytes = base::parse_hex(text);
  REQUIRE(bytes);
  return *bytes;
}

}  // namespace

// The eight leaves and their roots that Certificate Transparency implementations have shared since RFC 6962.
TEST_CASE("roots agree with the Certificate Transparency reference tree") {
  const char* const leaves[8] = {
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
  };
  const char* const roots[9] = {
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  };
  Frontier frontier;
  CHECK(to_hex(frontier.root()) == roots[0]);
  for (std::size_t i = 0; i < 8; ++i) {
    frontier.append(audit::leaf_hash(hex(leaves[i])));
    CHECK(frontier.size() == i + 1);
    CHECK(to_hex(frontier.root()) == roots[i + 1]);
  }
}

TEST_CASE("a frontier has the root of the definition at every size, and comes back from its stored form") {
  const audit::TreeInMemory tree = audit::counted_tree(130);
  Frontier frontier;
  for (std::size_t size = 0; size <= 130; ++size) {
    CHECK(frontier.root() == tree.mth(0, size));
    base::Bytes stored;
    frontier.serialize(stored);
    auto restored = Frontier::restore(stored);
    REQUIRE(restored.ok());
    CHECK(*restored == frontier);
    CHECK(restored->root() == frontier.root());
    if (size < 130) frontier.append(tree.leaves()[size]);
  }
}

TEST_CASE("the stored form of a frontier is size and subtree roots, largest first") {
  const audit::TreeInMemory tree = audit::counted_tree(3);
  Frontier frontier;
  frontier.append(tree.leaves());
  base::Bytes stored;
  frontier.serialize(stored);
  CHECK(to_hex(stored) == "0300000000000000" + to_hex(tree.mth(0, 2)) + to_hex(tree.mth(2, 3)));
}

TEST_CASE("a stored frontier of the wrong length is refused") {
  Frontier frontier;
  frontier.append(audit::counted_tree(5).leaves());
  base::Bytes stored;
  frontier.serialize(stored);
  for (std::size_t size = 0; size <= stored.size() + 1; ++size) {
    if (size == stored.size()) continue;
    base::Bytes changed = stored;
    changed.resize(size);
    const auto restored = Frontier::restore(changed);
    // Cut down to eight bytes that say "five" nothing can be an empty tree either.
    REQUIRE_FALSE(restored.ok());
    CHECK(std::string(restored.error().code) == "frontier_malformed");
  }
}

TEST_CASE("frontiers of other leaves or sizes differ") {
  const audit::TreeInMemory tree = audit::counted_tree(6);
  Frontier a;
  a.append(std::span(tree.leaves()).first(5));
  Frontier b;
  b.append(std::span(tree.leaves()).subspan(1, 5));
  CHECK_FALSE(a == b);
  b = a;
  CHECK(a == b);
  b.append(tree.leaves()[5]);
  CHECK_FALSE(a == b);
}

TEST_CASE("appending hands out the hashes that tiles above level 0 consist of") {
  const audit::TreeInMemory tree = audit::counted_tree(70'000);
  Frontier frontier;
  std::vector<audit::TreeNode> nodes;
  frontier.append(tree.leaves(), &nodes);
  // 273 full tiles of 256 leaves, one of 65,536 (the C2SP document's example size).
  REQUIRE(nodes.size() == 273 + 1);
  std::uint64_t expected = 0;
  for (const audit::TreeNode& node : nodes) {
    if (node.level == 16) {
      CHECK(node.index == 0);
      CHECK(node.hash == tree.mth(0, 65'536));
      CHECK(expected == 256);
      continue;
    }
    CHECK(node.level == 8);
    CHECK(node.index == expected);
    CHECK(node.hash == tree.mth(expected * 256, (expected + 1) * 256));
    ++expected;
  }
}
