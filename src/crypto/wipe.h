#pragma once
// Overwriting secrets so that the compiler cannot leave it out.

#include <cstdint>
#include <span>

namespace crypto {

/// Sets every byte to zero, even where nothing reads it afterwards.
void wipe(std::span<std::uint8_t> bytes);

/// A fixed-size secret on the stack that is wiped when it leaves scope. Long-lived secrets belong in locked memory
/// (io/secret_memory.h).
template <std::size_t size>
class ShortLived {
 public:
  ShortLived() = default;
  ~ShortLived() { wipe(bytes_); }
  ShortLived(const ShortLived&) = delete;
  ShortLived& operator=(const ShortLived&) = delete;
  std::span<std::uint8_t, size> bytes() { return bytes_; }

 private:
  std::uint8_t bytes_[size] = {};
};

}  // namespace crypto
