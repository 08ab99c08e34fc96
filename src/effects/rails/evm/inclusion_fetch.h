#pragma once
// The proof that a transaction is in a block (crypto/evm/inclusion.h), made from what a node answers. The node is asked and not
// believed: what it says has to hash to the block and to the transactions that it names.

#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "effects/rails/evm/node.h"

namespace effects {

/// Puts one question to a node and waits for the answer.
using AskNode = std::function<RpcOutcome(RpcQuestion&&)>;

/// Asks for the transaction, its block, and for what the JSON of these does not hold. The proof was checked; its block is the one
/// in which the node says the transaction is. Errors: those of crypto::prove_evm_inclusion;
///   evm_node_gave_no_answer       none, an error, or none that is understood; the message says to which question
///   evm_transaction_not_known     the node has no transaction of this hash
///   evm_transaction_not_mined     it has, and it is in no block yet
///   evm_block_not_reproduced      header or transactions do not have the hashes that the node says, nor does it give them raw
base::Result<base::Bytes> fetch_evm_inclusion(const AskNode& ask, const base::Digest& transaction);

/// The same without waiting: one question after the other, and `done` once, on the loop of `node`; never if the node goes before.
void fetch_evm_inclusion(EvmNode& node, const base::Digest& transaction, std::function<void(base::Result<base::Bytes>)> done);

}  // namespace effects
