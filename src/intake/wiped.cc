#include "intake/wiped.h"

namespace intake {

void* allocate_wiped(std::size_t size) { return ::operator new(size); }

void release_wiped(void* at, std::size_t size) noexcept {
  wipe(at, size);
  ::operator delete(at);
}

}  // namespace intake
