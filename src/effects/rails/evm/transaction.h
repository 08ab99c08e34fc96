#pragma once
// Transactions with a base fee and a tip (EIP-1559, type 2), without an access list: their bytes, what is signed, and whose they
// are. Pure; signing itself is custody's.

#include <optional>

#include "base/bytes.h"
#include "base/int128.h"
#include "base/result.h"
#include "custody/signer.h"
#include "effects/rails/evm/address.h"

namespace effects {

/// Amounts in wei.
struct EvmTransaction {
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  base::U128 tip = 0;          ///< max_priority_fee_per_gas
  base::U128 fee_max = 0;      ///< max_fee_per_gas, tip included
  std::uint64_t gas_limit = 0;
  EvmAddress to{};
  base::U128 value = 0;
  base::Bytes data;
  bool operator==(const EvmTransaction&) const = default;

  /// The most that it takes from its sender; nothing if that exceeds an amount.
  std::optional<base::U128> cost_max() const;
};

/// What is hashed (Keccak-256) and signed: 0x02 and the list of fields.
base::Bytes signing_bytes(const EvmTransaction& transaction);

/// Signed bytes, as they are sent. Errors: those of the signer.
base::Result<base::Bytes> sign_transaction(const EvmTransaction& transaction, custody::Signer& signer);

/// A transaction whose bytes were read and whose signature is good.
struct SignedTransaction {
  EvmTransaction transaction;
  EvmAddress sender{};
};
/// The inverse of sign_transaction; nothing for any other bytes.
std::optional<SignedTransaction> read_transaction(base::ByteView raw);

/// Name of a transaction on its chain: Keccak-256 of its signed bytes.
base::Digest transaction_hash(base::ByteView raw);

/// `transfer(address,uint256)` of ERC-20.
base::Bytes token_transfer_data(const EvmAddress& to, base::U128 amount);
/// `balanceOf(address)` of ERC-20.
base::Bytes token_balance_data(const EvmAddress& of);
/// First topic of ERC-20's `Transfer(address,address,uint256)`.
base::Digest token_transfer_topic();
/// An address or a number as one word of the ABI.
base::Digest abi_word(const EvmAddress& address);
base::Digest abi_word(base::U128 value);

}  // namespace effects
