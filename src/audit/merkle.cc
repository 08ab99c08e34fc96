#include "audit/merkle.h"

#include <bit>

#include "base/check.h"
#include "crypto/hash.h"

namespace audit {

Digest leaf_hash(base::ByteView leaf) { return crypto::sha256_leaf({leaf}); }

Digest node_hash(const Digest& left, const Digest& right) { return crypto::sha256_node(left, right); }

Digest empty_root() { return crypto::sha256(base::ByteView{}); }

Digest Frontier::root() const {
  if (size_ == 0) return empty_root();
  // The smallest subtree is the rightmost; larger ones join from the left.
  std::uint64_t left = size_;
  Digest root = subtree_[static_cast<std::size_t>(std::countr_zero(left))];
  for (left &= left - 1; left != 0; left &= left - 1) {
    root = node_hash(subtree_[static_cast<std::size_t>(std::countr_zero(left))], root);
  }
  return root;
}

void Frontier::append(const Digest& leaf, std::vector<TreeNode>* tile_roots) {
  CHECK(size_ != UINT64_MAX);
  Digest hash = leaf;
  unsigned level = 0;
  // Adding one to the size carries through the set bits: each carry joins two equal subtrees.
  for (; (size_ >> level) & 1; ++level) {
    hash = node_hash(subtree_[level], hash);
    const unsigned joined = level + 1;
    if (tile_roots != nullptr && joined % 8 == 0) tile_roots->push_back({joined, size_ >> joined, hash});
  }
  subtree_[level] = hash;
  ++size_;
}

void Frontier::append(std::span<const Digest> leaves, std::vector<TreeNode>* tile_roots) {
  for (const Digest& leaf : leaves) append(leaf, tile_roots);
}

void Frontier::serialize(base::Bytes& out) const {
  std::uint8_t size[8];
  base::store_le(size, size_);
  base::append(out, size);
  for (unsigned level = 64; level-- > 0;) {
    if ((size_ >> level) & 1) base::append(out, subtree_[level]);
  }
}

base::Result<Frontier> Frontier::restore(base::ByteView stored) {
  Frontier frontier;
  if (stored.size() >= 8) frontier.size_ = base::load_le<std::uint64_t>(stored.data());
  if (stored.size() != 8 + 32 * static_cast<std::size_t>(std::popcount(frontier.size_))) {
    return base::Error{"frontier_malformed", std::to_string(stored.size()) + " bytes for a tree of " +
                                                 std::to_string(frontier.size_) + " leaves"};
  }
  const std::uint8_t* from = stored.data() + 8;
  for (unsigned level = 64; level-- > 0;) {
    if (((frontier.size_ >> level) & 1) == 0) continue;
    std::memcpy(frontier.subtree_[level].data(), from, 32);
    from += 32;
  }
  return frontier;
}

bool Frontier::operator==(const Frontier& other) const {
  if (size_ != other.size_) return false;
  for (unsigned level = 0; level < 64; ++level) {
    if (((size_ >> level) & 1) && subtree_[level] != other.subtree_[level]) return false;
  }
  return true;
}

}  // namespace audit
