#pragma once
// One filter over the keys of all runs, so that a key that was never seen costs one cache line instead of one for every run.
// Only in memory, built and extended by the background thread while the core thread reads: a help, never needed for an answer.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "store/keys/key_filter.h"
#include "store/keys/key_run.h"

namespace store {

/// A KeyFilter that one thread may extend while others read. Who sees a key's run is certain to see the key here.
class KeySieve {
 public:
  /// For up to `capacity` keys: above it answers get vague (3 in 100 wrong at it, 1 in 1,000 at half of it).
  explicit KeySieve(std::uint64_t capacity) : capacity_(capacity), blocks_(capacity * 8 / 512 + 1) {}

  void add(const KeyRecord& record) {
    FilterBlock& block = blocks_[scale_to(record.high, blocks_.size())];
    for (int i = 0; i < 8; ++i) {
      const std::atomic_ref<std::uint64_t> word(block.words[i]);
      const std::uint64_t bits = std::uint64_t{1} << (record.low >> (6 * i) & 63);
      word.store(word.load(std::memory_order_relaxed) | bits, std::memory_order_relaxed);   // one writer: no lost bits
    }
    ++keys_;
  }
  bool may_hold(const KeyRecord& record) const {
    FilterBlock& block = const_cast<FilterBlock&>(blocks_[scale_to(record.high, blocks_.size())]);
    std::uint64_t all = 1;
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t word = std::atomic_ref<std::uint64_t>(block.words[i]).load(std::memory_order_relaxed);
      all &= word >> (record.low >> (6 * i) & 63);
    }
    return all != 0;
  }
  void prefetch(std::uint64_t high) const { __builtin_prefetch(&blocks_[scale_to(high, blocks_.size())]); }

  /// For the writing thread.
  bool is_full() const { return keys_ > capacity_; }
  std::uint64_t bytes() const { return blocks_.bytes(); }

 private:
  std::uint64_t capacity_;
  std::uint64_t keys_ = 0;   ///< added, some perhaps twice
  ZeroedArray<FilterBlock> blocks_;
};

/// Reads runs into a new sieve, a bounded piece at a time.
class KeySieveBuild {
 public:
  explicit KeySieveBuild(std::uint64_t capacity) : sieve_(std::make_shared<KeySieve>(capacity)) {}

  /// Reads about `bytes_max` of those of `runs` (oldest first) that were not read yet; true while there are such.
  base::Result<bool> step(const std::vector<std::shared_ptr<const KeyRun>>& runs, std::uint64_t bytes_max);
  std::shared_ptr<KeySieve> take() { return std::move(sieve_); }

 private:
  std::shared_ptr<KeySieve> sieve_;
  std::unique_ptr<KeyRunScan> scan_;
  model::EventNumber scanning_through_ = 0;
  model::EventNumber through_ = 0;   ///< keys of the events up to here are in
};

}  // namespace store
