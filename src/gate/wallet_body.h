#pragma once
// Wallets whose addresses are to be watched: what clients send to have addresses derived, what is derived, and the word of the
// wallet's owner which address is theirs. Nothing secret outlives the derivation; what is kept of a wallet is public.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "intake/wallet_paths.h"
#include "intake/wiped.h"
#include "model/registry.h"

namespace gate {

constexpr std::size_t wallet_passphrase_bytes_max = 1024;
constexpr std::size_t wallet_address_bytes_max = 128;
constexpr std::size_t wallet_import_id_bytes = 16;   ///< random; in text `wi_` and 32 hex digits

/// POST /v1/wallets/imports: nothing is journaled, so it takes no key.
struct WalletDerivation {
  std::string partner = {};            ///< whose wallet it is
  std::string wallet = {};             ///< its name among theirs
  intake::Secret material = {};
  intake::Secret passphrase = {};      ///< UTF-8: of an encrypted file, or the one of BIP-39 beside a mnemonic; may be empty
  std::string expected_address = {};   ///< empty: none is looked for
};

/// What one derivation may cost; checked before it starts.
struct WalletBounds {
  std::uint64_t memory_bytes_max = 256ull << 20;
  std::uint64_t rounds_max = 2'000'000;   ///< of PBKDF2; scrypt is counted in the same unit (intake::Policy)
};

/// Public, all of it: of material that is private the findings name codes and places.
struct DerivedWallet {
  bool usable = false;
  std::string_view kind = {};          ///< name of what the material is; static storage
  std::array<std::uint16_t, model::import_causes_max> causes{};
  std::string findings = {};           ///< JSON: an array of objects, gravest first
  intake::WalletAddresses addresses = {};
};

/// Examines the material and derives from it. Takes up to seconds and `bounds` of memory: not for the loop or the core. Pure.
DerivedWallet derive_wallet(base::ByteView material, std::string_view passphrase, std::string_view expected_address, const WalletBounds& bounds);

/// What an address makes of a derived wallet; a command is made of it.
struct ConfirmedWallet {
  model::ImportVerdict verdict = model::ImportVerdict::wallet_unknown;
  std::string partner = {};
  std::string wallet = {};
  std::array<std::uint16_t, model::import_causes_max> causes{};
  std::string findings = {};
  std::optional<model::KeyFacts> facts = {};   ///< of the account's key or of the single key; nothing unless address_confirmed
  std::string watched = {};                    ///< JSON: an object, what is watched and where the address stands in it
};
/// The verdict is address_confirmed or address_differs.
ConfirmedWallet confirm_wallet(const DerivedWallet& derived, std::string_view partner, std::string_view wallet, std::string_view address);

/// The derived wallets that wait for their owners' word. The gate asks; node answers.
class WalletBook {
 public:
  virtual ~WalletBook() = default;
  /// Never changes what it is asked about. wallet_unknown also for one of another tenant. Called on the gate's thread; must not block.
  virtual ConfirmedWallet find(model::TenantNumber tenant, std::string_view id, std::string_view address) const = 0;
};

/// POST /v1/wallets/imports/{id}/confirm
struct WalletConfirmation {
  std::string_view id = {};
  std::string_view address = {};
  std::optional<ConfirmedWallet> found = {};   ///< nothing: nobody was asked, and it is unknown
};

bool is_wallet_import_id(std::string_view text);
/// 1 to wallet_address_bytes_max printable ASCII characters without blanks.
bool is_wallet_address(std::string_view text);

}  // namespace gate
