// Linked instead of the hashing of leaves into engine_bench_without_leaves: what the audit log costs the engine is the
// difference between two runs. Such a journal proves nothing, so the program that makes one exists only here.

#include <bit>

#include "base/check.h"
#include "store/journal/leaves.h"

namespace bench {

// The linker puts this in the place of store::LeafHasher::append (bench/CMakeLists.txt, --wrap); the first argument is `this`.
base::Status no_leaves(store::LeafHasher* self, base::ByteView bytes, std::span<const model::ByteRange> events, model::EventNumber first_event,
                       const audit::Blinding& blinding, audit::Frontier& frontier)
    asm("__wrap__ZN5store10LeafHasher6appendESt4spanIKhLm18446744073709551615EES1_IKN5model9ByteRangeELm18446744073709551615EEmRKN5audit8BlindingERNS8_8FrontierE");

// Groups carry the size of the tree, so the frontier still grows: by zeros.
base::Status no_leaves(store::LeafHasher*, base::ByteView, std::span<const model::ByteRange> events, model::EventNumber, const audit::Blinding&,
                       audit::Frontier& frontier) {
  const std::uint64_t size = frontier.size() + events.size();
  base::Bytes stored(8 + 32 * static_cast<std::size_t>(std::popcount(size)));
  for (std::size_t i = 0; i < 8; ++i) stored[i] = static_cast<std::uint8_t>(size >> (8 * i));
  auto restored = audit::Frontier::restore(stored);
  CHECK(restored.ok());
  frontier = *restored;
  return base::ok();
}

}  // namespace bench
