#pragma once
// The addresses that a wallet's secret gives on the common paths (BIP-44, 49, 84, 86 and what wallets of other chains do), so that
// its owner can say which of them is theirs; and the search for an address that they expect.
//
// Everything in the result is public. Bounded: at most wallet_addresses_max addresses are computed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "intake/doctor.h"

namespace intake {

constexpr std::uint32_t wallet_addresses_shown = 5;      ///< of each scheme: the first of account 0
constexpr std::uint32_t wallet_accounts_searched = 5;    ///< for an expected address: accounts of each scheme that could have it
constexpr std::uint32_t wallet_indices_searched = 20;    ///< addresses of each chain of them, receiving and change (the gap limit of BIP-44)
constexpr std::size_t wallet_addresses_max = 2'000;

struct WalletAddress {
  std::string_view scheme;     ///< `bip84`, `single_key`, ...; static storage
  std::string_view network;    ///< `bitcoin`, `ethereum`, ...; static storage
  std::string path;            ///< `m/84'/0'/0'/0/3`; of an extended key that is no master relative to it, `0/3`; empty for a single key
  std::string address;         ///< as wallets write it
  std::string account_path;    ///< of what can be watched: the account, or as `path`
  std::string account_key;     ///< its extended public key as xpub or tpub; empty for a single key
  base::Bytes spki;            ///< SubjectPublicKeyInfo of the account's key, or of the single key
  std::string thumbprint;      ///< RFC 7638, of the same key
};

struct WalletAddresses {
  std::vector<WalletAddress> addresses;   ///< those that are shown, and behind those of its scheme one that was found elsewhere
  std::optional<std::size_t> expected;    ///< which of them is the expected one
  std::size_t tried = 0;                  ///< addresses that were computed
};

/// Letter case of hexadecimal and bech32 addresses does not matter.
bool is_same_address(std::string_view a, std::string_view b);

/// Of a mnemonic (with its passphrase, UTF-8, may be empty), an extended key of either kind or a single key on secp256k1. Without
/// addresses for any other item, and for scripts of several signers. `expected` may be empty. Takes about a millisecond an address. Pure.
WalletAddresses wallet_addresses(const Item& item, std::string_view passphrase, std::string_view expected);

}  // namespace intake
