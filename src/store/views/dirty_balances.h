#pragma once
// The latest counters of accounts whose balance row waits to be written. Many updates of one account coalesce into one.

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "store/views/views.h"

namespace store {

/// One thread, except the counts.
class DirtyBalances {
 public:
  void note(std::span<const BalanceUpdate> updates);

  /// Begins a pass over what is dirty now.
  void begin_pass() { cursor_ = 0; }
  /// Moves up to `max` accounts from the pass into `out`, lowest number first; they are clean then. Fewer than `max` end
  /// the pass.
  void take(std::size_t max, std::vector<BalanceUpdate>& out);
  /// Makes accounts dirty again that could not be written, where nothing newer was noted.
  void give_back(std::span<const BalanceUpdate> updates);

  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint64_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  void note_one(const BalanceUpdate& update, bool overwrite);

  // Accounts are numbered densely: a slot number for each (0: clean), the counters only of dirty ones.
  std::vector<std::uint32_t> slot_of_;
  std::vector<BalanceUpdate> slots_;       ///< slot n is slots_[n - 1]
  std::vector<std::uint32_t> free_;
  std::vector<std::uint64_t> dirty_bits_;  ///< for finding the next dirty account
  std::uint64_t cursor_ = 0;               ///< next account the pass looks at
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> memory_bytes_{0};
};

}  // namespace store
