#pragma once
// That a transaction is in a block of an EVM chain: from the bytes of the block's header, the transaction's place in it and the
// nodes of the trie between them, without a node and without the rest of the block. Whether the block is in a chain is not
// shown: its hash is what has to be known from elsewhere.
//
// A token is one RLP list [header, index, [node, ...]]: the header as the chain hashes it (a list), the index from 0, and the
// nodes (lists) from the root to the leaf that holds the transaction.

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/int128.h"
#include "base/result.h"

namespace crypto {

constexpr std::size_t evm_header_bytes_max = 8 * 1024;
constexpr std::size_t evm_token_bytes_max = 128 * 1024;   ///< transactions that a chain's nodes pass on are no larger

/// Of a block's header: what a reader wants to know.
struct EvmHeader {
  base::Digest hash{};                ///< Keccak-256 of the header's RLP: the block's name
  base::Digest transactions_root{};
  std::uint64_t number = 0;
  std::uint64_t seconds = 0;          ///< since 1970, as the block's maker says
};
/// Reads a header of 15 fields or more: what later forks appended is covered by the hash and not looked at. Error
/// `evm_header_malformed`.
base::Result<EvmHeader> read_evm_header(base::ByteView rlp);

/// Of a signed transaction.
struct EvmCall {
  std::optional<base::U128> chain_id;   ///< none for a legacy transaction without EIP-155: it may be in any chain
  base::Bytes data;
};
/// Reads a legacy transaction or one of the types 1 to 4. Its signature is not checked: blocks have no others. Error
/// `evm_transaction_malformed` (also for other types).
base::Result<EvmCall> read_evm_call(base::ByteView raw);

/// A token that holds.
struct EvmInclusion {
  EvmHeader block;
  std::uint64_t index = 0;              ///< of the transaction in the block
  base::Bytes transaction;              ///< raw
  EvmCall call;
};
/// Errors, in this order:
///   evm_token_malformed         not the one form, or larger than its bounds
///   evm_header_malformed
///   evm_inclusion_wrong         the nodes do not lead from the header's root to a transaction at the index
///   evm_transaction_malformed
base::Result<EvmInclusion> verify_evm_inclusion(base::ByteView token);

/// The token for one of a block's transactions, all of which are given in order, raw. It holds for verify_evm_inclusion.
/// Errors: those of that, and
///   evm_transactions_root_differs   the header is of a block with other transactions
base::Result<base::Bytes> prove_evm_inclusion(base::ByteView header, std::span<const base::Bytes> transactions, std::uint64_t index);

}  // namespace crypto
