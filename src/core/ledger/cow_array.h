#pragma once
// CowArray: a growing array of trivially copyable records in chunks that can be frozen. Freezing copies only the chunk
// pointers; whoever writes to a chunk that a frozen copy still holds gets a private copy first. So a snapshot of a
// million accounts costs the one thread that owns the array a few thousand pointers, and is read elsewhere at leisure.
//
// Threads: the array belongs to one thread. A Frozen may be moved to, read on and destroyed by any other thread.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"

namespace core {

template <typename Record>
class CowArray {
  static_assert(std::is_trivially_copyable_v<Record>);
  static_assert((sizeof(Record) & (sizeof(Record) - 1)) == 0, "a power of two keeps indexing to shifts");

 public:
  static constexpr std::size_t chunk_bytes = 16 * 1024;   ///< small, so that a burst after a freeze copies little at a time
  static constexpr std::size_t chunk_records = chunk_bytes / sizeof(Record);

 private:
  struct Chunk {
    std::atomic<std::uint32_t> owners{1};
    alignas(64) std::byte bytes[chunk_bytes];

    Record* records() { return reinterpret_cast<Record*>(bytes); }
    const Record* records() const { return reinterpret_cast<const Record*>(bytes); }
  };

  static void release(Chunk* chunk) {
    // acq_rel: what this owner read must be over before the last owner frees or writes in place.
    if (chunk->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete chunk;
  }

 public:
  /// An unchanging copy of the array as it was when frozen.
  class Frozen {
   public:
    Frozen() = default;
    Frozen(Frozen&& other) noexcept : chunks_(std::move(other.chunks_)), size_(other.size_) {
      other.chunks_.clear();
      other.size_ = 0;
    }
    Frozen& operator=(Frozen&& other) noexcept {
      std::swap(chunks_, other.chunks_);
      std::swap(size_, other.size_);
      return *this;
    }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;
    ~Frozen() {
      for (Chunk* chunk : chunks_) release(chunk);
    }

    std::size_t size() const { return size_; }
    const Record& operator[](std::size_t index) const {
      CHECK(index < size_);
      return chunks_[index / chunk_records]->records()[index % chunk_records];
    }
    std::size_t chunk_count() const { return chunks_.size(); }
    /// The records of one chunk that are in use.
    std::span<const Record> chunk(std::size_t index) const {
      const std::size_t first = index * chunk_records;
      return {chunks_[index]->records(), std::min(chunk_records, size_ - first)};
    }

   private:
    friend class CowArray;
    std::vector<Chunk*> chunks_;
    std::size_t size_ = 0;
  };

  CowArray() = default;
  CowArray(const CowArray&) = delete;
  CowArray& operator=(const CowArray&) = delete;
  CowArray(CowArray&& other) noexcept : chunks_(std::move(other.chunks_)), size_(other.size_) {
    other.chunks_.clear();
    other.size_ = 0;
  }
  CowArray& operator=(CowArray&& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~CowArray() {
    for (Chunk* chunk : chunks_) release(chunk);
  }

  std::size_t size() const { return size_; }
  const Record& operator[](std::size_t index) const {
    CHECK(index < size_);
    return chunks_[index / chunk_records]->records()[index % chunk_records];
  }
  /// The record for writing. The reference holds until the next freeze() or push_back().
  Record& writable(std::size_t index) {
    CHECK(index < size_);
    return own(index / chunk_records)->records()[index % chunk_records];
  }
  void push_back(const Record& record) {
    if (size_ % chunk_records == 0) {
      chunks_.push_back(new Chunk);
      std::memset(chunks_.back()->bytes, 0, chunk_bytes);
    }
    ++size_;
    writable(size_ - 1) = record;
  }
  /// Hints the CPU to load a record that is about to be used.
  void prefetch(std::size_t index) const {
    if (index < size_) {
      const Record* record = chunks_[index / chunk_records]->records() + index % chunk_records;
      __builtin_prefetch(record, 1);
      if constexpr (sizeof(Record) > 64) __builtin_prefetch(reinterpret_cast<const std::byte*>(record) + 64, 1);
    }
  }

  Frozen freeze() const {
    Frozen frozen;
    frozen.size_ = size_;
    frozen.chunks_ = chunks_;
    for (Chunk* chunk : chunks_) chunk->owners.fetch_add(1, std::memory_order_relaxed);
    return frozen;
  }

 private:
  Chunk* own(std::size_t chunk_index) {
    Chunk*& chunk = chunks_[chunk_index];
    if (chunk->owners.load(std::memory_order_acquire) != 1) [[unlikely]] {
      auto* copy = new Chunk;
      std::memcpy(copy->bytes, chunk->bytes, chunk_bytes);
      release(chunk);
      chunk = copy;
    }
    return chunk;
  }

  std::vector<Chunk*> chunks_;
  std::size_t size_ = 0;
};

}  // namespace core
