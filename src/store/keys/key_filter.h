#pragma once
// A blocked Bloom filter over the keys of one run: one cache line decides. Blocks follow the order of the keys, so that
// building it from a sorted run writes memory front to back.

#include <cstdint>

#include "store/keys/key_record.h"
#include "store/keys/zeroed_array.h"

namespace store {

/// 512 bits: a key sets one bit in each of its eight words. Layout is part of the run format.
struct alignas(64) FilterBlock {
  std::uint64_t words[8];
};

constexpr std::uint64_t filter_bits_per_key = 12;   ///< about 1 in 250 answers is a wrong "perhaps"

constexpr std::uint64_t filter_blocks_for(std::uint64_t keys) { return keys * filter_bits_per_key / 512 + 1; }

/// Immutable once its run is published.
class KeyFilter {
 public:
  KeyFilter() = default;
  explicit KeyFilter(std::uint64_t blocks) : blocks_(blocks) {}

  void add(const KeyRecord& record) {
    FilterBlock& block = blocks_[scale_to(record.high, blocks_.size())];
    for (int i = 0; i < 8; ++i) block.words[i] |= std::uint64_t{1} << (record.low >> (6 * i) & 63);
  }
  /// False: certainly not there.
  bool may_hold(const KeyRecord& record) const {
    const FilterBlock& block = blocks_[scale_to(record.high, blocks_.size())];
    std::uint64_t all = 1;
    for (int i = 0; i < 8; ++i) all &= block.words[i] >> (record.low >> (6 * i) & 63);
    return all != 0;
  }
  void prefetch(std::uint64_t high) const { __builtin_prefetch(&blocks_[scale_to(high, blocks_.size())]); }

  std::uint64_t size() const { return blocks_.size(); }
  FilterBlock* data() { return blocks_.data(); }
  const FilterBlock* data() const { return blocks_.data(); }
  std::uint64_t bytes() const { return blocks_.bytes(); }

 private:
  ZeroedArray<FilterBlock> blocks_;
};

}  // namespace store
