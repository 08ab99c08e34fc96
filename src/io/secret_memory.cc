#include "io/secret_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "io/descriptor.h"

namespace io {

base::Result<SecretMemory> SecretMemory::allocate(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  constexpr std::size_t bytes_max = std::size_t{1} << 30;
  SecretMemory memory;
  if (bytes == 0) return memory;
  if (bytes > bytes_max) {
    return base::Error{"secret_memory_unavailable", std::to_string(bytes) + " bytes are more than a secret can have"};
  }
  const std::size_t inner = (bytes + page - 1) / page * page;
  void* mapping = ::mmap(nullptr, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    return base::Error{"secret_memory_unavailable", "cannot map memory for secrets: " + errno_text(errno)};
  }
  memory.mapping_ = mapping;
  memory.mapping_bytes_ = inner + 2 * page;
  auto* data = static_cast<std::uint8_t*>(mapping) + page;
  if (::mprotect(data, inner, PROT_READ | PROT_WRITE) != 0) {
    return base::Error{"secret_memory_unavailable", "cannot map memory for secrets: " + errno_text(errno)};
  }
  if (::mlock(data, inner) != 0) {
    return base::Error{"secret_memory_not_lockable",
                       "cannot lock " + std::to_string(inner) + " bytes for secrets (ulimit -l): " + errno_text(errno)};
  }
  // Refused only by kernels too old to know them; the lock above is what counts.
  ::madvise(data, inner, MADV_DONTDUMP);
  ::madvise(data, inner, MADV_WIPEONFORK);
  memory.data_ = data;
  memory.size_ = bytes;
  return memory;
}

base::Result<SecretMemory> SecretMemory::copy_of(base::ByteView from) {
  TRY_ASSIGN(auto memory, allocate(from.size()));
  std::copy(from.begin(), from.end(), memory.bytes().begin());
  return memory;
}

SecretMemory::~SecretMemory() {
  wipe({data_, size_});
  // Unmapping unlocks.
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
}

void wipe(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

}  // namespace io
