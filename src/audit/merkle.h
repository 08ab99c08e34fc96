#pragma once
// The Merkle tree of the audit log (RFC 6962 section 2.1, SHA-256): its hashes and its growing edge.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace audit {

using base::Digest;

/// SHA-256(0x00 || leaf).
Digest leaf_hash(base::ByteView leaf);
/// SHA-256(0x01 || left || right).
Digest node_hash(const Digest& left, const Digest& right);
/// The root of a tree without leaves: SHA-256 of nothing.
Digest empty_root();

/// A perfect subtree: the one over the leaves [index << level, (index + 1) << level).
struct TreeNode {
  unsigned level = 0;
  std::uint64_t index = 0;
  Digest hash{};
  bool operator==(const TreeNode&) const = default;
};

/// The right edge of a tree: the roots of the perfect subtrees it is made of, one per set bit of its size. Enough to
/// append and to know the root, never more than 2 KiB. Copying it is a snapshot of the tree. Not for two threads.
class Frontier {
 public:
  /// An empty tree.
  Frontier() = default;

  /// Number of leaves.
  std::uint64_t size() const { return size_; }
  /// MTH of all leaves; at most 64 hashes of work.
  Digest root() const;

  /// Adds one leaf by its hash. Where `tile_roots` is given it also gets every subtree completed by this leaf whose
  /// level is a positive multiple of 8: those are the hashes that tiles above level 0 consist of.
  void append(const Digest& leaf, std::vector<TreeNode>* tile_roots = nullptr);
  void append(std::span<const Digest> leaves, std::vector<TreeNode>* tile_roots = nullptr);

  /// Appends the stored form: size as 8 bytes little-endian, then the subtree roots, largest subtree first.
  void serialize(base::Bytes& out) const;
  /// The inverse. Error `frontier_malformed`: the length does not fit the size.
  static base::Result<Frontier> restore(base::ByteView stored);

  /// Same size and same subtrees.
  bool operator==(const Frontier& other) const;

 private:
  std::uint64_t size_ = 0;
  // By level; an entry counts only where the bit of that level is set in size_.
  std::array<Digest, 64> subtree_{};
};

}  // namespace audit
