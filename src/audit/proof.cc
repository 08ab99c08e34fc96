#include "audit/proof.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/check.h"

namespace audit {
namespace {

// MTH(D[begin:end]), where begin is a multiple of the smallest power of two that is at least end - begin: true of every
// range that the definition of the tree splits off.
base::Result<Digest> range_hash(HashReader& reader, std::uint64_t begin, std::uint64_t end) {
  CHECK(begin < end);
  // Peel perfect subtrees off the right end, smallest first, and join them leftwards.
  std::uint64_t size = end - begin;
  Digest hash{};
  bool first = true;
  while (size != 0) {
    const unsigned level = static_cast<unsigned>(std::countr_zero(size));
    size &= size - 1;
    TRY_ASSIGN(const Digest subtree, reader.node(level, (begin + size) >> level));
    hash = first ? subtree : node_hash(subtree, hash);
    first = false;
  }
  return hash;
}

// The largest power of two below n, for n >= 2: where RFC 6962 splits n leaves.
std::uint64_t split_of(std::uint64_t n) { return std::bit_floor(n - 1); }

base::Error outside(std::uint64_t index, std::uint64_t size) {
  return {"leaf_index_outside_tree",
          "leaf " + std::to_string(index) + " of a tree of " + std::to_string(size) + " leaves"};
}

base::Status check_order(std::uint64_t old_size, std::uint64_t new_size) {
  if (old_size > new_size) {
    return base::Error{"consistency_sizes_out_of_order",
                       "old size " + std::to_string(old_size) + " is above new size " + std::to_string(new_size)};
  }
  if (old_size == 0 && new_size != 0) {
    return base::Error{"consistency_from_empty_tree", "an empty tree is the beginning of every tree"};
  }
  return base::ok();
}

base::Error wrong_length(std::uint64_t old_size, std::uint64_t new_size, std::size_t hashes) {
  return {"consistency_proof_length_wrong", std::to_string(hashes) + " hashes from size " + std::to_string(old_size) +
                                                " to size " + std::to_string(new_size)};
}

base::Error old_root_differs(std::uint64_t size) {
  return {"consistency_old_root_differs", "the proof leads to another root for size " + std::to_string(size)};
}

base::Error new_root_differs(std::uint64_t size) {
  return {"consistency_new_root_differs", "the proof leads to another root for size " + std::to_string(size)};
}

}  // namespace

base::Result<Digest> root_at(HashReader& reader, std::uint64_t size) {
  if (size == 0) return empty_root();
  return range_hash(reader, 0, size);
}

base::Result<Proof> inclusion_proof(HashReader& reader, std::uint64_t index, std::uint64_t size) {
  if (index >= size) return outside(index, size);
  Proof proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  // From the root down: the half without the leaf is the sibling.
  while (end - begin > 1) {
    const std::uint64_t middle = begin + split_of(end - begin);
    const bool leaf_is_left = index < middle;
    TRY_ASSIGN(const Digest sibling,
               leaf_is_left ? range_hash(reader, middle, end) : range_hash(reader, begin, middle));
    proof.push_back(sibling);
    (leaf_is_left ? end : begin) = middle;
  }
  std::ranges::reverse(proof);
  return proof;
}

base::Result<Proof> consistency_proof(HashReader& reader, std::uint64_t old_size, std::uint64_t new_size) {
  TRY(check_order(old_size, new_size));
  Proof proof;
  std::uint64_t begin = 0;
  std::uint64_t end = new_size;
  // From the root down towards the old tree's right edge (SUBPROOF of RFC 6962).
  while (end != old_size) {
    const std::uint64_t middle = begin + split_of(end - begin);
    const bool edge_is_left = old_size <= middle;
    TRY_ASSIGN(const Digest sibling,
               edge_is_left ? range_hash(reader, middle, end) : range_hash(reader, begin, middle));
    proof.push_back(sibling);
    (edge_is_left ? end : begin) = middle;
  }
  // Where the old tree is itself a subtree of the new one its root is known to the verifier and left out.
  if (begin != 0) {
    TRY_ASSIGN(const Digest edge, range_hash(reader, begin, end));
    proof.push_back(edge);
  }
  std::ranges::reverse(proof);
  return proof;
}

base::Status verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                              std::span<const Digest> proof, const Digest& root) {
  if (index >= size) return outside(index, size);
  const base::Error wrong{"inclusion_proof_length_wrong", std::to_string(proof.size()) + " hashes for leaf " +
                                                              std::to_string(index) + " of " + std::to_string(size)};
  // `at` is the number of the current node on its level, `last` the number of the level's last node.
  std::uint64_t at = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return wrong;
    if ((at & 1) != 0 || at == last) {
      hash = node_hash(sibling, hash);
      // A last node without a sibling rises until it is a right child.
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0) return wrong;
  if (hash != root) {
    return base::Error{"inclusion_proof_root_differs",
                       "the proof of leaf " + std::to_string(index) + " leads to another root"};
  }
  return base::ok();
}

base::Status verify_consistency(std::uint64_t old_size, const Digest& old_root, std::uint64_t new_size,
                                const Digest& new_root, std::span<const Digest> proof) {
  TRY(check_order(old_size, new_size));
  if (old_size == new_size) {
    if (!proof.empty()) return wrong_length(old_size, new_size, proof.size());
    if (old_root != new_root) return new_root_differs(new_size);
    if (old_size == 0 && old_root != empty_root()) return old_root_differs(0);
    return base::ok();
  }
  std::uint64_t at = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((at & 1) != 0) {
    at >>= 1;
    last >>= 1;
  }
  // An old tree of 2^n leaves is a subtree of the new one, and its root the start; otherwise the proof brings the
  // start.
  Digest start = old_root;
  std::span<const Digest> rest = proof;
  if (!std::has_single_bit(old_size)) {
    if (proof.empty()) return wrong_length(old_size, new_size, 0);
    start = proof.front();
    rest = proof.subspan(1);
  }
  Digest old_hash = start;
  Digest new_hash = start;
  for (const Digest& sibling : rest) {
    if (last == 0) return wrong_length(old_size, new_size, proof.size());
    if ((at & 1) != 0 || at == last) {
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0) return wrong_length(old_size, new_size, proof.size());
  if (old_hash != old_root) return old_root_differs(old_size);
  if (new_hash != new_root) return new_root_differs(new_size);
  return base::ok();
}

}  // namespace audit
