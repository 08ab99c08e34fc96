#pragma once
// Inclusion and consistency proofs: made from whoever holds the hashes (RFC 6962 sections 2.1.1 and 2.1.2), checked
// with nothing but the roots (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

#include <cstdint>
#include <span>
#include <vector>

#include "audit/merkle.h"

namespace audit {

/// From the leaf's side to the root's side. At most 64 hashes in an inclusion proof, 65 in a consistency proof.
using Proof = std::vector<Digest>;

/// Who knows the hashes of a tree: tiles (audit/tile.h), memory, ...
class HashReader {
 public:
  virtual ~HashReader() = default;
  /// Root of the perfect subtree over the leaves [index << level, (index + 1) << level), which the tree has in full.
  /// Errors are those of the storage behind it.
  virtual base::Result<Digest> node(unsigned level, std::uint64_t index) = 0;
};

/// MTH of the first `size` leaves.
base::Result<Digest> root_at(HashReader& reader, std::uint64_t size);

/// Proof that leaf `index` is in the tree of the first `size` leaves.
/// Error `leaf_index_outside_tree`, and those of the reader.
base::Result<Proof> inclusion_proof(HashReader& reader, std::uint64_t index, std::uint64_t size);

/// Proof that the tree of `new_size` leaves begins with the tree of `old_size` leaves; empty for equal sizes.
/// Errors `consistency_sizes_out_of_order` (old above new), `consistency_from_empty_tree` (an empty tree is the
/// beginning of every tree: there is nothing to prove), and those of the reader.
base::Result<Proof> consistency_proof(HashReader& reader, std::uint64_t old_size, std::uint64_t new_size);

/// Ok if `proof` shows that `leaf` (a leaf hash) is number `index` in the tree of `size` leaves with `root`.
/// Errors `leaf_index_outside_tree`, `inclusion_proof_length_wrong`, `inclusion_proof_root_differs`.
base::Status verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                              std::span<const Digest> proof, const Digest& root);

/// Ok if `proof` shows that the new tree begins with the old one. Equal sizes need equal roots and an empty proof.
/// Errors `consistency_sizes_out_of_order`, `consistency_from_empty_tree`, `consistency_proof_length_wrong`,
/// `consistency_old_root_differs`, `consistency_new_root_differs`.
base::Status verify_consistency(std::uint64_t old_size, const Digest& old_root, std::uint64_t new_size,
                                const Digest& new_root, std::span<const Digest> proof);

}  // namespace audit
