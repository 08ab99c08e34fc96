#pragma once
// Blocks with their transactions as a node shows them in JSON, back in the bytes that the chain hashes. Pure. The node is not
// believed: what does not hash to the name it has is nothing.

#include <optional>

#include "base/bytes.h"
#include "wire/json_value.h"

namespace effects {

/// The header's RLP, from the result of eth_getBlockByHash or eth_getBlockByNumber. Nothing if it is not Keccak-256 of what comes
/// out that the member `hash` says: for chains whose headers have fields of their own, ask for debug_getRawHeader.
std::optional<base::Bytes> header_of_block(wire::JsonValue block);

/// The raw transaction, as it is in its block, from one of the block's full transactions. Nothing for types other than 0 to 4, or
/// if it does not have the hash that it says: ask for the raw one.
std::optional<base::Bytes> raw_transaction(wire::JsonValue transaction);

}  // namespace effects
