#pragma once
// One generation of keys in memory: an open-addressing table whose places follow the order of the keys. Keys are uniform,
// so the table is sorted but for short stretches, and writing it out as a sorted run is one pass without a sort of its own.

#include <cstdint>
#include <vector>

#include "store/keys/key_record.h"
#include "store/keys/zeroed_array.h"

namespace store {

/// Not thread-safe; immutable (and then readable by any thread) once frozen. Keys must be uniform: others are stored
/// rightly but slowly.
class KeyTable {
 public:
  /// Room for about `keys` pairs before it has to grow.
  explicit KeyTable(std::uint32_t keys);

  void insert(const KeyRecord& record);
  /// Smallest event of the key and kind of `key`; 0 if there is none.
  model::EventNumber find(const KeyRecord& key) const;
  /// Appends events greater than `after` in ascending order until `out` has `limit`.
  void find_all(const KeyRecord& key, model::EventNumber after, std::size_t limit,
                std::vector<model::EventNumber>& out) const;
  void prefetch(std::uint64_t high) const {
    const std::uint64_t home = scale_to(high, homes_);
    __builtin_prefetch(&tags_[home]);
    __builtin_prefetch(&slots_[home], 1);
  }

  std::uint64_t size() const { return size_; }
  std::uint64_t memory_bytes() const;
  /// Empties it for another generation, keeping the memory.
  void reset();
  /// Has the system provide all memory of an empty table now: the first touch of a huge page takes a millisecond or more.
  void provide_memory();

 private:
  friend class KeyTableScan;
  static constexpr std::uint64_t many_bit = std::uint64_t{1} << 63;   ///< in a slot's word: the rest is an index into many_
  static constexpr std::uint64_t tail = 256;   ///< places past the last home, so that a cluster need not wrap

  static std::uint8_t tag_of(const KeyRecord& record) { return static_cast<std::uint8_t>(record.low >> 56 | 0x80); }
  /// The place of `key`, or the free place where it would go, or places_ if a cluster ran off the end.
  std::uint64_t place_of(const KeyRecord& key) const;
  void append_event(KeyRecord& slot, model::EventNumber event);
  void put(const KeyRecord& slot);
  void grow();

  std::uint64_t homes_;
  std::uint64_t places_;
  std::uint64_t used_ = 0;   ///< slots
  std::uint64_t size_ = 0;   ///< pairs
  ZeroedArray<std::uint8_t> tags_;   ///< 0 free, else 0x80 | seven bits of the key: most misses end here
  ZeroedArray<KeyRecord> slots_;
  std::vector<std::vector<model::EventNumber>> many_;   ///< events of keys that have more than one, ascending
};

/// Walks the pairs of a frozen table in order.
class KeyTableScan {
 public:
  explicit KeyTableScan(const KeyTable& table) : table_(table) {}
  /// False at the end.
  bool next(KeyRecord& record);

 private:
  bool load_cluster();

  const KeyTable& table_;
  std::uint64_t place_ = 0;
  std::vector<KeyRecord> cluster_;   ///< slots of the current cluster, sorted
  std::size_t at_ = 0;
  std::size_t in_many_ = 0;          ///< next event of the current slot's list
};

}  // namespace store
