#pragma once
// Reading what is asked about wallets, and what the fingerprint of a confirmation is made of. Private to this room.

#include <string>
#include <vector>

#include "gate/fingerprint.h"
#include "gate/schema.h"

namespace gate {

/// With its rules checked: no body_check comes behind it.
WalletDerivation read_wallet_derivation(wire::JsonFields& fields);
WalletConfirmation read_wallet_confirmation(const std::vector<std::string>& parameters, wire::JsonFields& fields);

/// Fields by the numbers of docs/format/idempotency.md. What was found is no part of it: a repetition finds less.
void give_fields(FingerprintMaker& maker, const WalletConfirmation& body);

}  // namespace gate
