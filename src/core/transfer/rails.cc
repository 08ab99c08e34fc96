// Registering and steering rails.

#include "base/check.h"
#include "core/transfer/saga.h"

namespace core {

using model::Outcome;

namespace {

bool contradicts(const model::RailProfile& profile) {
  constexpr base::Duration longest = base::seconds(400LL * 86'400);
  for (const base::Duration duration : {profile.send_window, profile.reply_timeout, profile.settle_within, profile.inquiry_first}) {
    if (duration.ns <= 0 || duration > longest) return true;
  }
  if (profile.visibility_horizon.ns < 0 || profile.visibility_horizon > longest) return true;
  if (profile.inquiry_max < profile.inquiry_first || profile.inquiry_max > longest) return true;
  if (profile.amount_max != 0 && profile.amount_max < profile.amount_min) return true;
  if (profile.cost_basis_points > model::rail_cost_basis_points_max) return true;
  return profile.directions == 0 || profile.in_flight_max == 0 || profile.inquiries_max == 0;
}

// An account that was there before the rail: it must be able to take whatever is posted to it.
bool is_suitable(const State& state, model::AccountNumber number, model::AssetNumber asset) {
  const AccountRecord* account = state.account(number);
  return account != nullptr && account->asset == asset && (account->flags & ~(model::frozen_for_debits | model::frozen_for_credits)) == 0 &&
         state.limits_of(*account) == nullptr && !state.sagas().is_rail_account(number);
}

}  // namespace

void decide(Draft& draft, const model::ConfigureRail& body) {
  const State& state = draft.state();
  const SagaTables& tables = state.sagas();
  const model::TenantNumber tenant = draft.command().tenant;
  const model::AssetNumber asset = state.asset_by_code(tenant, body.asset.code);
  if (asset == 0 || state.asset(asset)->scale != body.asset.scale) return draft.refuse(Outcome::asset_not_registered);
  if (contradicts(*body.profile)) return draft.refuse(Outcome::rail_profile_contradicts);
  if (const model::RailNumber known = tables.rail_by_name(tenant, body.name)) {
    const RailRecord& rail = *tables.rail(known);
    if (rail.asset != asset) return draft.refuse(Outcome::rail_exists_with_different_asset, {.subject = known});
    draft.emit(model::RailConfigured{.number = known,
                                     .tenant = tenant,
                                     .asset = asset,
                                     .clearing = rail.clearing,
                                     .suspense = rail.suspense,
                                     .name = body.name,
                                     .profile = body.profile});
    return;
  }
  if (tables.rail_count() >= model::rails_max) return draft.refuse(Outcome::too_many_rails);
  for (const model::AccountNumber existing : {body.clearing, body.suspense}) {
    if (existing != 0 && !is_suitable(state, existing, asset)) return draft.refuse(Outcome::rail_account_unsuitable, {.debit = existing});
  }
  model::AccountNumber next = state.account_count() + 1;
  if (next + 1 > draft.bounds().accounts_max) return draft.refuse(Outcome::too_many_accounts);
  const auto opened = [&](model::AccountNumber existing, const model::Commitment& name) {
    if (existing != 0) return existing;
    draft.emit(model::AccountOpened{.number = next, .tenant = tenant, .asset = asset, .name = name, .flags = 0, .limits = {}, .metadata = {}});
    return next++;
  };
  const model::AccountNumber clearing = opened(body.clearing, body.clearing_name);
  const model::AccountNumber suspense = opened(body.suspense, body.suspense_name);
  draft.emit(model::RailConfigured{.number = static_cast<model::RailNumber>(tables.rail_count() + 1),
                                   .tenant = tenant,
                                   .asset = asset,
                                   .clearing = clearing,
                                   .suspense = suspense,
                                   .name = body.name,
                                   .profile = body.profile});
}

// What was not said stays: pausing and resuming say nothing of a window, a window does not end a pause. A window that is over is none.
void decide(Draft& draft, const model::ControlRail& body) {
  const RailRecord* rail = draft.state().sagas().rail(body.rail);
  if (rail == nullptr || rail->tenant != draft.command().tenant) return draft.refuse(Outcome::rail_not_found, {.subject = body.rail});
  const bool window = body.maintenance_from.ns != 0 || body.maintenance_until.ns != 0;
  if (window && body.maintenance_from >= body.maintenance_until) return draft.refuse(Outcome::maintenance_window_contradicts, {.subject = body.rail});
  model::RailControlled controlled{.rail = body.rail,
                                   .paused = body.paused || (window && rail->paused != 0),
                                   .maintenance_from = window ? body.maintenance_from : base::Instant{rail->maintenance_from_ns},
                                   .maintenance_until = window ? body.maintenance_until : base::Instant{rail->maintenance_until_ns}};
  if (controlled.maintenance_until <= draft.at()) controlled.maintenance_from = controlled.maintenance_until = {};
  draft.emit(controlled);
}

}  // namespace core
