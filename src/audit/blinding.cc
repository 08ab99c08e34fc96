#include "audit/blinding.h"

#include "base/bytes.h"
#include "crypto/keystream.h"

namespace audit {

static_assert(crypto::keystream_block_bytes == 2 * sizeof(BlindingValue));

BlindingValue Blinding::at(std::uint64_t leaf_index) const {
  BlindingValue value;
  fill(leaf_index, std::span(&value, 1));
  return value;
}

void Blinding::fill(std::uint64_t first_leaf_index, std::span<BlindingValue> out) const {
  if (out.empty()) return;
  std::uint8_t nonce[8];
  base::store_le(nonce, partition_);
  if (first_leaf_index % 2 != 0) {
    // The run begins in the second half of a block.
    std::uint8_t block[crypto::keystream_block_bytes];
    crypto::chacha20_keystream(secret_, nonce, first_leaf_index / 2, block);
    std::memcpy(out.front().data(), block + 32, 32);
    out = out.subspan(1);
    ++first_leaf_index;
  }
  static_assert(sizeof(BlindingValue) == 32);
  crypto::chacha20_keystream(secret_, nonce, first_leaf_index / 2,
                             std::span(reinterpret_cast<std::uint8_t*>(out.data()), out.size_bytes()));
}

}  // namespace audit
