#include "store/views/dirty_balances.h"

#include <bit>

namespace store {

namespace {
constexpr std::size_t ahead = 12;
}

void DirtyBalances::note(std::span<const BalanceUpdate> updates) {
  for (std::size_t i = 0; i < updates.size(); ++i) {
    if (i + ahead < updates.size() && updates[i + ahead].account < slot_of_.size()) {
      const std::uint32_t slot = slot_of_[updates[i + ahead].account];
      if (slot != 0) __builtin_prefetch(&slots_[slot - 1], 1);
    }
    note_one(updates[i], true);
  }
  memory_bytes_.store(slot_of_.capacity() * 4 + slots_.capacity() * sizeof(BalanceUpdate) + free_.capacity() * 4 +
                          dirty_bits_.capacity() * 8,
                      std::memory_order_relaxed);
}

void DirtyBalances::note_one(const BalanceUpdate& update, bool overwrite) {
  if (update.account >= slot_of_.size()) {
    const std::size_t size = std::max<std::size_t>(std::size_t{update.account} + 1, slot_of_.size() * 3 / 2);
    slot_of_.resize(size);
    dirty_bits_.resize(size / 64 + 1);
  }
  std::uint32_t& slot = slot_of_[update.account];
  if (slot != 0) {
    if (overwrite) slots_[slot - 1] = update;
    return;
  }
  if (free_.empty()) {
    slots_.push_back(update);
    slot = static_cast<std::uint32_t>(slots_.size());
  } else {
    slot = free_.back();
    free_.pop_back();
    slots_[slot - 1] = update;
  }
  dirty_bits_[update.account / 64] |= std::uint64_t{1} << (update.account % 64);
  count_.fetch_add(1, std::memory_order_relaxed);
}

void DirtyBalances::take(std::size_t max, std::vector<BalanceUpdate>& out) {
  std::size_t taken = 0;
  while (taken < max && cursor_ / 64 < dirty_bits_.size()) {
    std::uint64_t& word = dirty_bits_[cursor_ / 64];
    const std::uint64_t left = word & (~std::uint64_t{0} << (cursor_ % 64));
    if (left == 0) {
      cursor_ = (cursor_ / 64 + 1) * 64;
      continue;
    }
    const std::uint64_t account = cursor_ / 64 * 64 + static_cast<std::uint64_t>(std::countr_zero(left));
    word &= ~(std::uint64_t{1} << (account % 64));
    const std::uint32_t slot = std::exchange(slot_of_[account], 0);
    out.push_back(slots_[slot - 1]);
    free_.push_back(slot);
    cursor_ = account + 1;
    ++taken;
  }
  count_.fetch_sub(taken, std::memory_order_relaxed);
}

void DirtyBalances::give_back(std::span<const BalanceUpdate> updates) {
  for (const BalanceUpdate& update : updates) note_one(update, false);
}

}  // namespace store
