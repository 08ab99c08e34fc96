#include "crypto/evm/trie.h"

#include "base/text.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace crypto {
namespace {

/// Item N is the bytes N, N + 1, ...
std::vector<base::Bytes> list_of(std::size_t count, std::size_t length) {
  std::vector<base::Bytes> items(count, base::Bytes(length));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < length; ++j) items[i][j] = static_cast<std::uint8_t>(i + j);
  }
  return items;
}

std::string walked(const TriePath& path, std::uint64_t index) {
  const auto item = item_on_trie_path(path.root, index, std::vector<base::ByteView>(path.nodes.begin(), path.nodes.end()));
  return item.ok() ? base::to_hex(*item) : item.error().code;
}

// The first is the root of every empty trie, as headers of empty blocks have it; the others were computed with @ethereumjs/mpt.
// Items of two bytes make nodes that stand in their parents.
TEST_CASE("roots are those of another implementation") {
  CHECK_EQ(base::to_hex(trie_root({})), "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
  const struct {
    std::size_t count, length;
    const char* root;
  } known[] = {
      {1, 2, "5f7cf405d6c6add4522746233f05974384724f047acaa7f6a06ffc386ed3a390"},
      {2, 2, "d72fb39ec45ca790b26a193f7a77453414e2429f8af4d79875e31a6679e5b43b"},
      {17, 2, "34a48535147c00e707c2cf3ca8c34081a0c5c590a1174a7971a7e71c1292d6a6"},
      {128, 2, "eece5f2bacea1b3a631572f363306567ae67c9f43c22f59b4df93bdee860e788"},
      {129, 2, "e6fdb54ae22c8a3698828249db35c71a771629c57b99292e1b923b1679642368"},
      {257, 2, "9e6617be040c9a4787b90f65b5b37efb3089dbb00b46368c32a11982b2113ba7"},
      {700, 2, "f1109c8cc0f602077b5be647f1b337f387707a71336670087f8e6e21754af1f3"},
      {1, 40, "0d7fa730a10dcba56926aa94ca14287c91de2cfb4415a3f2d935d1c7fa8cb481"},
      {2, 40, "eb679e8f28971fcb5415f4ac8768739026b182b076054314b8c6ddf168254e00"},
      {17, 40, "5f183e14e9be53f61e5056d771e5fe97cea14f1287896261a84cacc6308c3c3e"},
      {128, 40, "b4cfdf3b4a08978650d87899800f6d025474bf810500e9844db3af8eaa3e197c"},
      {129, 40, "fd8b19ed6f2a04c07e2cf71b9cf22b4bf2138f30ba859d941893a8c507607dc4"},
      {257, 40, "a3327cb93ceae6a65af550be104dd29ce541896e355698012727b92609522d06"},
      {700, 40, "6cb284129a3fc004395bbd0b3bf182aefe1f2ec523d1a1bedb7a8723c239a4e1"},
  };
  for (const auto& one : known) CHECK_MESSAGE(base::to_hex(trie_root(list_of(one.count, one.length))) == one.root, one.count, " of ", one.length);
}

TEST_CASE("every item is found on its path, and on no other") {
  for (const std::size_t length : {2, 40}) {
    for (const std::size_t count : {1, 2, 17, 129, 700}) {
      const std::vector<base::Bytes> items = list_of(count, length);
      const base::Digest root = trie_root(items);
      for (std::size_t index = 0; index < count; index += count > 200 ? 7 : 1) {
        const TriePath path = trie_path(items, index);
        REQUIRE_EQ(path.root, root);
        REQUIRE_EQ(walked(path, index), base::to_hex(items[index]));
        CHECK_LE(path.nodes.size(), trie_path_max);
        for (const std::uint64_t other : {index + 1, index ^ 1, index ^ 128, count, count + 65'536}) {
          // Of short items one node may hold several.
          const std::string found = walked(path, other);
          const bool held = other < count && found == base::to_hex(items[other]);
          REQUIRE_MESSAGE((found == "trie_path_wrong" || (length == 2 && held)), index, " ", other);
        }
      }
    }
  }
  CHECK_EQ(trie_path(list_of(1, 2), 0).nodes.size(), 1);       // one leaf
  CHECK_EQ(trie_path(list_of(700, 40), 600).nodes.size(), 7);  // branches, an extension and a leaf
  CHECK_EQ(trie_path(list_of(700, 2), 600).nodes.size(), 6);   // the leaf stands in its branch
}

TEST_CASE("no changed byte, no node more or less leads anywhere") {
  for (const std::size_t length : {2, 40}) {
    const std::vector<base::Bytes> items = list_of(300, length);
    const TriePath path = trie_path(items, 290);
    for (std::size_t node = 0; node < path.nodes.size(); ++node) {
      for (std::size_t at = 0; at < path.nodes[node].size(); ++at) {
        TriePath changed = path;
        changed.nodes[node][at] ^= static_cast<std::uint8_t>(1 << (at % 8));
        REQUIRE_EQ(walked(changed, 290), "trie_path_wrong");
      }
      TriePath without = path, twice = path;
      without.nodes.erase(without.nodes.begin() + static_cast<std::ptrdiff_t>(node));
      CHECK_EQ(walked(without, 290), "trie_path_wrong");
      twice.nodes.insert(twice.nodes.begin() + static_cast<std::ptrdiff_t>(node), path.nodes[node]);
      CHECK_EQ(walked(twice, 290), "trie_path_wrong");
    }
    TriePath other = path;
    other.root[31] ^= 1;
    CHECK_EQ(walked(other, 290), "trie_path_wrong");
    TriePath longer = path;
    longer.nodes.push_back(path.nodes.back());
    CHECK_EQ(walked(longer, 290), "trie_path_wrong");
  }
}

}  // namespace
}  // namespace crypto
