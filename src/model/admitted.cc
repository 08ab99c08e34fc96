#include "model/admitted.h"

namespace model {

std::uint64_t account_name_hash(TenantNumber tenant, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ull ^ tenant;
  for (char c : name) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3ull;
  }
  // FNV leaves the high bits weak; two rounds of xor-shift and multiply spread them.
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93ull;
  hash ^= hash >> 32;
  return hash;
}

}  // namespace model
