// rooms: crypto base
// Proofs from anybody that a transaction is in a block: what holds names that transaction in that block and nothing else.

#include <cstdlib>
#include <vector>

#include "crypto/evm/inclusion.h"
#include "crypto/evm/rlp.h"
#include "crypto/evm/trie.h"
#include "crypto/keccak.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes(data, size);
  (void)crypto::read_evm_call(bytes);
  if (const auto header = crypto::read_evm_header(bytes); header.ok() && header->hash != crypto::keccak256(bytes)) std::abort();
  const auto found = crypto::verify_evm_inclusion(bytes);
  if (!found.ok()) return 0;
  // Another place in the block holds something else, or nothing that this token shows.
  crypto::RlpReader in(bytes);
  const auto header = in.list();
  (void)in.integer();
  const auto path = in.list();
  crypto::RlpWriter moved;
  moved.raw(*header);
  moved.integer(found->index + 1);
  moved.raw(*path);
  const auto other = crypto::verify_evm_inclusion(moved.list());
  if (other.ok() && (other->block.hash != found->block.hash || other->index != found->index + 1)) std::abort();
  return 0;
}
