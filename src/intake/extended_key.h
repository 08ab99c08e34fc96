#pragma once
// Extended keys (BIP-32) with the prefixes of SLIP-132.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "intake/wiped.h"

namespace intake {

struct ExtendedKey {
  bool is_private = false;
  bool is_test = false;
  std::string_view script = "p2pkh";  ///< what the prefix promises: p2pkh, p2sh-p2wpkh, p2wpkh, p2sh-p2wsh, p2wsh
  std::uint8_t depth = 0;
  std::uint32_t parent = 0;           ///< fingerprint
  std::uint32_t child = 0;            ///< number, hardened from 2^31
  Secret chain_code;                  ///< 32 bytes
  Secret key;                         ///< 33 bytes: compressed point, or 0 and the scalar
};

/// Nothing when the checksum or a rule of BIP-32 (its invalid test vectors) fails; `why` then says which.
std::optional<ExtendedKey> read_extended_key(std::string_view text, std::string& why);
/// As xpub / xprv / tpub / tprv, whatever prefix it came with.
Text to_text(const ExtendedKey& key);
/// Master key of a seed of 16 to 64 bytes. Nothing in the 2^-127 case that the number is out of range.
std::optional<ExtendedKey> master_key(base::ByteView seed);
/// Child number `index` (hardened from 2^31). Nothing for a hardened child of a public key, at depth 255, or in the
/// 2^-127 case that the number is out of range.
std::optional<ExtendedKey> derive_child(const ExtendedKey& parent, std::uint32_t index);
/// The public half.
ExtendedKey neutered(const ExtendedKey& key);

}  // namespace intake
