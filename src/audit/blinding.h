#pragma once
// Blinding: 32 bytes in every leaf that only the log can compute, so that a leaf's hash, which others see as a sibling
// in their proofs, cannot be matched against guesses of what the leaf says.

#include <array>
#include <cstdint>
#include <span>

namespace audit {

using BlindingValue = std::array<std::uint8_t, 32>;

/// Blinding values of one partition's log: value i is bytes [32 i, 32 i + 32) of the ChaCha20 keystream
/// (crypto/keystream.h) under the secret, with the partition as nonce (8 bytes little-endian). Thread-safe.
class Blinding {
 public:
  /// Keeps a view: the secret lives in the caller's locked memory and must outlive this object.
  Blinding(std::span<const std::uint8_t, 32> secret, std::uint64_t partition)
      : secret_(secret), partition_(partition) {}

  /// The value of one leaf.
  BlindingValue at(std::uint64_t leaf_index) const;
  /// Values of the leaves from `first_leaf_index` on; much cheaper per value than one at a time.
  void fill(std::uint64_t first_leaf_index, std::span<BlindingValue> out) const;

 private:
  std::span<const std::uint8_t, 32> secret_;
  std::uint64_t partition_;
};

}  // namespace audit
