#pragma once
// Memory that is overwritten when it is given back. Every buffer of the import doctor that may hold input is of one of
// these types, because whether an input is private is known only after it was read.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace intake {

/// Overwrites `size` bytes at `at`; the compiler may not leave it out.
inline void wipe(void* at, std::size_t size) {
  if (size != 0) ::explicit_bzero(at, size);
}

/// Heap memory for the allocator below, wiped before it goes back.
void* allocate_wiped(std::size_t size);
void release_wiped(void* at, std::size_t size) noexcept;

/// A standard allocator that wipes on release, also when a container grows.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT: rebinding is what allocators do
  T* allocate(std::size_t count) { return static_cast<T*>(allocate_wiped(count * sizeof(T))); }
  void deallocate(T* at, std::size_t count) { release_wiped(at, count * sizeof(T)); }
  bool operator==(const WipingAllocator&) const { return true; }
};

/// Bytes that may be secret. Converts to base::ByteView.
using Secret = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;
/// Text that may be secret. At most 15 bytes of it can stay behind on a stack (the short form of std::string).
using Text = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

inline Secret to_secret(base::ByteView bytes) { return Secret(bytes.begin(), bytes.end()); }
inline base::ByteView bytes_of(const Text& text) { return base::as_bytes(std::string_view(text)); }

}  // namespace intake
