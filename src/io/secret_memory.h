#pragma once
// Memory for keys and passwords: never swapped out, not in core dumps, empty in child processes, wiped when given back.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace io {

/// Owns whole pages between two guard pages, so a few large ones suit it better than very many small ones (the system
/// limits locked memory, RLIMIT_MEMLOCK). Movable, not copyable. One thread at a time for writing.
class SecretMemory {
 public:
  /// Holds nothing.
  SecretMemory() = default;
  /// `bytes` zero bytes. Errors: secret_memory_unavailable (no memory), secret_memory_not_lockable (the limit is
  /// reached: raise it, keys are not kept in memory that can be swapped out).
  static base::Result<SecretMemory> allocate(std::size_t bytes);
  /// A copy of `from`, which stays where it is: wipe it (io::wipe).
  static base::Result<SecretMemory> copy_of(base::ByteView from);

  SecretMemory(SecretMemory&& other) noexcept { swap(other); }
  SecretMemory& operator=(SecretMemory&& other) noexcept {
    SecretMemory(std::move(other)).swap(*this);
    return *this;
  }
  ~SecretMemory();

  std::span<std::uint8_t> bytes() { return {data_, size_}; }
  base::ByteView view() const { return {data_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  void swap(SecretMemory& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapping_, other.mapping_);
    std::swap(mapping_bytes_, other.mapping_bytes_);
  }

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapping_ = nullptr;  ///< with its guard pages
  std::size_t mapping_bytes_ = 0;
};

/// Overwrites with zeros in a way the compiler may not leave out.
void wipe(std::span<std::uint8_t> bytes);

}  // namespace io
