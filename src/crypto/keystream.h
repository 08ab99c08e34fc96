#pragma once
// ChaCha20 as a source of bytes that only the holder of a key can compute, at any position at once.

#include <cstdint>
#include <span>

namespace crypto {

constexpr std::size_t keystream_block_bytes = 64;

/// Fills `out` with the ChaCha20 keystream that begins at block `block` (64 bytes each): the block function of RFC 8439
/// section 2.3 where the counter word and the first nonce word together are the 64-bit little-endian block number and
/// the other two nonce words are `nonce`. For block numbers below 2^32 this is RFC 8439 with the nonce 00000000 ||
/// nonce. Any thread.
void chacha20_keystream(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 8> nonce,
                        std::uint64_t block, std::span<std::uint8_t> out);

}  // namespace crypto
