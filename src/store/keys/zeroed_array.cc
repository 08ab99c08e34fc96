#include "store/keys/zeroed_array.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace store {

namespace {
constexpr std::size_t line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t mapped_from = std::size_t{1} << 20;   // below this the heap serves

std::size_t mapped_bytes(std::size_t bytes) { return (bytes + huge_page - 1) / huge_page * huge_page; }
}  // namespace

void* allocate_zeroed(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes >= mapped_from) {
    // Only whole aligned huge pages can be huge: map one more than needed and give back what sticks out.
    const std::size_t needed = mapped_bytes(bytes);
    void* memory = ::mmap(nullptr, needed + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_THAT(memory != MAP_FAILED, "out of memory for the key index");
    auto* begin = static_cast<std::uint8_t*>(memory);
    const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(begin) % huge_page) % huge_page;
    if (before > 0) CHECK(::munmap(begin, before) == 0);
    if (before < huge_page) CHECK(::munmap(begin + before + needed, huge_page - before) == 0);
    static_cast<void>(::madvise(begin + before, needed, MADV_HUGEPAGE));   // a wish; small pages are only slower
    return begin + before;
  }
  const std::size_t rounded = (bytes + line - 1) / line * line;
  void* memory = std::aligned_alloc(line, rounded);
  CHECK_THAT(memory != nullptr, "out of memory for the key index");
  std::memset(memory, 0, rounded);
  return memory;
}

void release_zeroed(void* memory, std::size_t bytes) {
  if (bytes >= mapped_from) {
    CHECK(::munmap(memory, mapped_bytes(bytes)) == 0);
  } else {
    std::free(memory);
  }
}

}  // namespace store
