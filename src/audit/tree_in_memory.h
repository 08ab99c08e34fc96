#pragma once
// For tests: a tree with all its leaf hashes, its hashes computed straight from the definition of RFC 6962.

#include <vector>

#include "audit/proof.h"

namespace audit {

class TreeInMemory final : public HashReader {
 public:
  void append(const Digest& leaf) { leaves_.push_back(leaf); }
  const std::vector<Digest>& leaves() const { return leaves_; }

  /// MTH(D[begin:end]) by recursion.
  Digest mth(std::size_t begin, std::size_t end) const {
    if (begin == end) return empty_root();
    if (end - begin == 1) return leaves_[begin];
    std::size_t split = 1;
    while (split * 2 < end - begin) split *= 2;
    return node_hash(mth(begin, begin + split), mth(begin + split, end));
  }

  base::Result<Digest> node(unsigned level, std::uint64_t index) override {
    const std::uint64_t begin = index << level;
    const std::uint64_t end = (index + 1) << level;
    if (end > leaves_.size()) return base::Error{"node_not_in_tree", ""};
    return mth(begin, end);
  }

 private:
  std::vector<Digest> leaves_;
};

/// Leaf hashes that differ: of the numbers from 0.
inline TreeInMemory counted_tree(std::size_t size) {
  TreeInMemory tree;
  for (std::size_t i = 0; i < size; ++i) {
    const std::string text = "leaf " + std::to_string(i);
    tree.append(leaf_hash(base::as_bytes(text)));
  }
  return tree;
}

}  // namespace audit
