#pragma once
// Small things that more than one story needs: how a request passes the gate, and what makes two states or entries equal.

#include <variant>

#include "core/ledger/state.h"
#include "gate/gate.h"
#include "sim/request.h"

namespace sim {

/// Sends a request through the real gate, as a caller inside the process.
std::variant<model::Admitted, gate::Refusal> admit(gate::Gate& gate, const gate::Sender& sender, const Request& request);

/// Digest of everything in a state that is public; equal states have equal digests.
base::Digest digest_of(const core::State& state);

/// 64-bit hash of bytes (FNV-1a): whether an entry still is what it was.
std::uint64_t hash_of(base::ByteView bytes);

}  // namespace sim
