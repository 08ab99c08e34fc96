#pragma once
// The import doctor: bytes of unknown origin -> what they are, what is wrong with them, and the canonical material. Pure:
// no clock, file, socket, thread or random source; the same input gives the same report. Any thread, no shared state.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "intake/finding.h"
#include "intake/wiped.h"

namespace intake {

/// What a piece of material is, whatever its container.
enum class Kind : std::uint8_t {
  unknown,
  public_key,
  private_key,
  encrypted_private_key,   ///< not opened: the password is missing or wrong
  certificate,
  certificate_request,
  revocation_list,
  keystore,                ///< PKCS#12, JKS, JCEKS, BKS: recognised, not opened
  symmetric_secret,        ///< HMAC secret, API key, `oct` JWK
  parameters,              ///< EC or DH parameters without a key
  extended_public_key,     ///< BIP-32
  extended_private_key,
  mnemonic,                ///< BIP-39
  wallet_private_key,      ///< WIF, raw secp256k1 number, Solana / TRON / EOS key
  wallet_keystore,         ///< Ethereum keystore v3, not opened
  address,
  pgp_key,
  key_block,               ///< TR-31
};
std::string_view name_of(Kind kind);
std::optional<Kind> kind_of_name(std::string_view name);
/// True for kinds whose bytes must not be shown, logged or kept outside of custody.
bool is_secret(Kind kind);

/// One piece of material found in the input.
struct Item {
  Kind kind = Kind::unknown;
  std::string format;     ///< how it arrived: `spki`, `pkcs1`, `pkcs8`, `sec1`, `jwk`, `openssh`, `ppk`, `pkcs12`, ...
  std::string algorithm;  ///< `RSA`, `EC`, `SM2`, `Ed25519`, ...; empty where it has none
  unsigned bits = 0;
  std::string curve;
  std::string label;      ///< PEM label of `canonical`; empty where there is no PEM form
  /// SPKI, PKCS#8 (version 1, unencrypted), certificate, request or list in DER; raw bytes of a secret; text of an extended
  /// key or an address. Empty when it could not be made or must not be given out.
  Secret canonical;
  /// SPKI of keys, of the public half of private keys, and of certificates. Empty otherwise.
  Secret spki;
  std::string fingerprint_sha256;  ///< hex, of the certificate or else of `spki`
  std::string thumbprint;          ///< RFC 7638, base64url
  std::string pin_sha256;          ///< base64 of SHA-256 of `spki` (RFC 7469)
  std::string name;                ///< subject, kid, comment, address: public names only
  std::string script;              ///< of an extended key: what its SLIP-132 prefix promises; of WIF: `p2pkh_uncompressed`, or empty
  std::string network;             ///< of WIF: `bitcoin`, `bitcoin_test`, `litecoin`, `dogecoin`
  Place place;
};

/// Limits and preferences of the slot or partner the import is for.
struct Policy {
  unsigned rsa_bits_min = 2048;
  unsigned rsa_bits_max = 16384;
  bool allow_rsa_exponent_3 = false;       ///< otherwise 3 is an error, other small odd exponents a warning
  /// Names as in Item::algorithm, with `EC` also as `EC:P-256`; empty allows all.
  std::vector<std::string> algorithms_allowed;
  std::size_t input_bytes_max = 1 << 20;
  int nesting_max = 16;
  std::size_t blocks_max = 200;
  std::uint64_t derivation_memory_max = 256ull << 20;   ///< bytes
  std::uint64_t derivation_rounds_max = 10'000'000;     ///< PBKDF2 iterations; scrypt is counted in the same unit
};

/// What the caller expects, and what it can offer.
struct Expectations {
  /// The kind the slot takes. Without one everything that is sound is usable.
  std::optional<Kind> kind;
  /// Password of an encrypted container, in UTF-8; views are not kept.
  std::optional<std::string_view> password;
  /// A second password, for PKCS#12 files whose MAC and ciphers differ.
  std::optional<std::string_view> inner_password;
  /// For validity of certificates; not judged without.
  std::optional<base::Instant> now;
  /// Thumbprints (RFC 7638) already bound elsewhere.
  std::vector<std::string> known_thumbprints;
  Policy policy;
};

/// The answer. Wiped when it goes away, as far as it may hold secrets.
struct Report {
  /// At least one item of the expected kind, and no finding of severity error or incident.
  bool usable = false;
  /// The item the caller asked for; null when not usable. Points into `items`.
  std::optional<std::size_t> chosen;
  std::vector<Item> items;
  /// Gravest first; equal ones in the order in which the layers of the input were opened.
  std::vector<Finding> findings;
  /// The input as a whole was treated as secret (no evidence or diff shows its bytes).
  bool is_private = false;

  /// Gravest finding, or null for a clean input.
  const Finding* top() const { return findings.empty() ? nullptr : &findings.front(); }
  const Item* item() const { return chosen ? &items[*chosen] : nullptr; }
};

/// Examines one input. Never fails: an input nobody can read gives a report that says so. The caller wipes `input`
/// itself when the report says `is_private`; every copy made here is wiped before returning, except canonical private
/// material that was asked for.
Report examine(base::ByteView input, const Expectations& expectations);

/// PEM text (RFC 7468) of canonical material.
Text to_pem(std::string_view label, base::ByteView der);

}  // namespace intake
