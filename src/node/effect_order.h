#pragma once
// An effect with what its carrier needs to know of the transfer and has no state to look it up in.

#include <vector>

#include "core/ledger/state.h"
#include "model/effect.h"

namespace node {

struct EffectOrder {
  model::Effect effect;
  model::RailName rail{};                                  ///< all zeros: none is concerned
  model::RailCapabilities promised = 0;                    ///< by the rail's registration: what the core concludes from
  model::TenantNumber tenant = 1;
  model::TransferKind kind = model::TransferKind::payout;  ///< this and the next two: of the transfer
  model::Asset asset;
  base::U128 amount = 0;
};

/// Of payments that people resolved as failed their rails are asked to void what they may still have, in the same breath. Whether that
/// was still asked and answered when a process died is not in the state: each start asks once more, for so long. A void may be repeated.
constexpr base::Duration void_repeated_within = base::seconds(86'400);
std::vector<model::Effect> voids_to_repeat(const core::State& state, base::Instant now);

/// Appends the orders of some effects. `state` is the one they were derived from.
void append_orders(const core::State& state, const std::vector<model::Effect>& effects, std::vector<EffectOrder>& orders);

}  // namespace node
