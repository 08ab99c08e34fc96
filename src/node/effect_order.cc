#include "node/effect_order.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace node {

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
