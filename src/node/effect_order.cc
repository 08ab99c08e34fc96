#include "node/effect_order.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace node {

std::vector<model::Effect> voids_to_repeat(const core::State& state, base::Instant now) {
  std::vector<model::Effect> effects;
  const core::SagaTables& tables = state.sagas();
  for (std::uint32_t slot = 0; slot < tables.slot_count(); ++slot) {
    const core::TransferRecord& transfer = tables.slot(slot);
    // A void that an inquiry led to was asked before the transfer failed, by another command.
    const bool by_people = transfer.requested != 0 && transfer.status() == model::TransferState::failed && transfer.void_asked != 0 &&
                           transfer.inquired_at_ns == transfer.since_ns;
    if (!by_people || now.ns - transfer.since_ns > void_repeated_within.ns) continue;
    effects.push_back(model::VoidAtRail{.key = {.transfer = transfer.requested, .attempt = transfer.attempt, .reference = transfer.attempt_event, .rail = transfer.rail},
                                        .inquiry = transfer.inquiries});
  }
  return effects;
}

void append_orders(const core::State& state, const std::vector<model::Effect>& effects, std::vector<EffectOrder>& orders) {
  for (const model::Effect& effect : effects) {
    EffectOrder order{.effect = effect, .rail = {}, .promised = 0, .tenant = 1, .kind = {}, .asset = {}, .amount = 0};
    const auto [transfer, rail] = std::visit(
        [](const auto& one) {
          if constexpr (requires { one.key; }) return std::pair(one.key.transfer, one.key.rail);
          else return std::pair(one.transfer, model::RailNumber{0});
        },
        effect);
    if (const core::RailRecord* known = state.sagas().rail(rail)) {
      std::copy_n(known->name, order.rail.size(), order.rail.begin());
      order.promised = known->capabilities;
    }
    if (const core::TransferRecord* record = state.sagas().transfer(transfer)) {
      order.kind = record->what();
      order.amount = record->amount;
      if (const core::AssetRecord* asset = state.asset(record->asset)) {
        order.asset = asset->asset();
        order.tenant = asset->tenant;
      }
    }
    orders.push_back(std::move(order));
  }
}

}  // namespace node
