#pragma once
// A fixed array that starts as zeros, aligned to cache lines; a large one asks for huge pages, because it is read at random
// and a miss of the address cache costs as much as the miss of the data.

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace store {

/// Zeroed memory for `ZeroedArray`: at least `bytes`, 64-byte aligned. Running out of memory stops the process.
void* allocate_zeroed(std::size_t bytes);
void release_zeroed(void* memory, std::size_t bytes);

/// Owns `size` objects of a trivial T. Movable; not for growing.
template <typename T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  ZeroedArray() = default;
  explicit ZeroedArray(std::size_t size) : size_(size), data_(static_cast<T*>(allocate_zeroed(size * sizeof(T)))) {}
  ~ZeroedArray() {
    if (data_ != nullptr) release_zeroed(data_, size_ * sizeof(T));
  }
  ZeroedArray(ZeroedArray&& other) noexcept
      : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}
  ZeroedArray& operator=(ZeroedArray&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }

 private:
  std::size_t size_ = 0;
  T* data_ = nullptr;
};

}  // namespace store
