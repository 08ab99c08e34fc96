#pragma once
// The Merkle-Patricia trie over an ordered list, as a block's header commits to its transactions (yellow paper, appendix D and
// section 4.4.3): item N lies under the key RLP(N), and the root is the Keccak-256 of the topmost node.

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace crypto {

/// The most items of a list. Keys then have three bytes at most, six half-bytes.
constexpr std::size_t trie_items_max = 65'536;
/// Nodes from the root to a leaf, at most: one for each half-byte, and a leaf with nothing left.
constexpr std::size_t trie_path_max = 7;

/// Root over a list; CHECK: at most trie_items_max items.
base::Digest trie_root(std::span<const base::Bytes> items);

struct TriePath {
  base::Digest root{};
  /// From the root to the leaf. Nodes of less than 32 bytes are not here but inside the node before them.
  std::vector<base::Bytes> nodes;
};
/// What proves item `index` (CHECK: there is one).
TriePath trie_path(std::span<const base::Bytes> items, std::uint64_t index);

/// The item that these nodes show under `index`; a view into the last of them. Error `trie_path_wrong`: they do not lead from
/// the root to an item there, are not nodes, or are more than it takes.
base::Result<base::ByteView> item_on_trie_path(const base::Digest& root, std::uint64_t index, std::span<const base::ByteView> nodes);

}  // namespace crypto
