#pragma once
// Authenticated encryption: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). Its nonce is long enough to be drawn at
// random for every seal without counting.

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace crypto {

using SealKeyView = std::span<const std::uint8_t, 32>;
/// Drawn at random by the caller, once per seal; never reused under one key.
using SealNonce = std::array<std::uint8_t, 24>;

/// Bytes a sealed message has on top of the plain one (the Poly1305 tag, at its end).
constexpr std::size_t seal_overhead_bytes = 16;

/// Ciphertext and tag. `associated` is authenticated and not stored; open() needs the same bytes again.
base::Bytes seal(SealKeyView key, const SealNonce& nonce, base::ByteView associated, base::ByteView plain);

/// Writes the plain bytes to `out`, whose size must be sealed.size() - seal_overhead_bytes exactly.
/// Error `sealed_bytes_not_authentic`: wrong key, nonce, associated data or size, or a changed byte; `out` is then
/// zeros.
base::Status open(SealKeyView key, const SealNonce& nonce, base::ByteView associated, base::ByteView sealed,
                  std::span<std::uint8_t> out);

}  // namespace crypto
