#pragma once
// Keys from keys (HKDF) and keys from passphrases (Argon2id).

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace crypto {

/// HKDF-SHA-256 (RFC 5869), extract and expand. `info` names the purpose. `out` is 1 to 8160 bytes.
void hkdf_sha256(base::ByteView input_key, base::ByteView salt, base::ByteView info, std::span<std::uint8_t> out);

/// Cost of a passphrase derivation: Argon2id version 0x13 with one lane.
struct PassphraseCost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 256 * 1024;
};

/// Largest cost that is accepted, so that a record read from disk cannot exhaust the machine.
constexpr PassphraseCost passphrase_cost_max{10, 1024 * 1024};

/// Argon2id (RFC 9106) of a passphrase. Takes seconds and memory_kib of memory.
/// Errors: `passphrase_cost_out_of_range` (passes 1..10, memory 8 KiB..1 GiB), `passphrase_memory_unavailable`.
base::Status key_from_passphrase(base::ByteView passphrase, std::span<const std::uint8_t, 16> salt, PassphraseCost cost,
                                 std::span<std::uint8_t, 32> out);

}  // namespace crypto
