#pragma once
// For tests: keys from one repeated byte, and notes signed by them.

#include <array>
#include <string>

#include "audit/note.h"

namespace audit {

struct TestSigner {
  std::array<std::uint8_t, 32> seed{};
  NoteKey key;

  TestSigner(std::string name, NoteKeyKind kind, std::uint8_t byte) {
    seed.fill(byte);
    key = {std::move(name), kind, crypto::ed25519_public_key(seed)};
  }
  /// The signature line for a text; `seconds` is for cosignatures.
  std::string line(std::string_view text, std::uint64_t seconds = 0) const {
    if (key.kind == NoteKeyKind::ed25519) {
      return signature_line(key.name, key.id(), crypto::ed25519_sign(seed, base::as_bytes(text)));
    }
    const std::string message = cosigned_message(text, seconds);
    return signature_line(key.name, key.id(),
                          cosignature_bytes(seconds, crypto::ed25519_sign(seed, base::as_bytes(message))));
  }
};

}  // namespace audit
