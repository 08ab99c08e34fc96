#pragma once
// Keccak-256 as Ethereum uses it: the sponge of FIPS 202 with the padding of the original submission (0x01 instead of
// SHA-3's 0x06), which is why no library's SHA3-256 gives the same digest.

#include "base/bytes.h"

namespace crypto {

/// Keccak-256 of `bytes`. Any thread. Wipes its state.
base::Digest keccak256(base::ByteView bytes);

}  // namespace crypto
