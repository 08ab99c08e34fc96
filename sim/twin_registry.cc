// What the twin expects where tenants, assets, accounts and clients are opened and changed.

#include <algorithm>

#include "sim/twin.h"
#include "sim/twin_words.h"

namespace sim {

using model::EventNumber;
using model::Outcome;

bool Twin::is_rail_account(model::AccountNumber account) const {
  return std::any_of(sagas_.rails.begin(), sagas_.rails.end(), [account](const SagaRail& rail) { return rail.clearing == account || rail.suspense == account; });
}

Twin::Bodies Twin::decide_account(const Request& request, const model::Entry& entry) {
  const auto refuse = [&](Outcome outcome, model::AccountNumber account = 0, EventNumber subject = 0) -> Bodies {
    model::Refused refusal = refused(request, outcome, entry);
    refusal.debit = account;
    refusal.subject = subject;
    return {refusal};
  };
  const auto contradict = [](const model::AccountLimits& limits) {
    return limits.debit_amount_max && limits.daily_debits_max && *limits.debit_amount_max > *limits.daily_debits_max;
  };
  if (request.kind == Kind::open_tenant) {
    const auto known = std::find(tenants_.begin(), tenants_.end(), request.name);
    if (known != tenants_.end()) return refuse(Outcome::tenant_exists, 0, static_cast<EventNumber>(known - tenants_.begin()) + 1);
    tenants_.push_back(request.name);
    const auto* command = std::get_if<model::OpenTenant>(&entry.command.body);
    return {model::TenantOpened{static_cast<model::TenantNumber>(tenants_.size()), command == nullptr ? model::Commitment{} : command->name}};
  }
  const bool tenant_known = request.tenant <= tenants_.size();
  const model::AssetNumber asset = find_asset(request.tenant, request.asset.code);
  if (request.kind == Kind::register_asset) {
    if (!tenant_known) return refuse(Outcome::tenant_not_found);
    if (asset != 0) {
      const bool same_scale = assets_[asset - 1].asset.scale == request.asset.scale;
      return refuse(same_scale ? Outcome::asset_exists : Outcome::asset_exists_with_different_scale, 0, asset);
    }
    if (accounts_.size() >= bounds_.accounts_max) return refuse(Outcome::too_many_accounts);
    const auto number = static_cast<model::AssetNumber>(assets_.size() + 1);
    const std::string text = model::to_text(request.asset);
    const auto world = open_account({.tenant = request.tenant, .name = "world/" + text.substr(0, text.find('/')), .asset = number,
                                     .flags = model::is_world, .limits = {}, .counters = {}, .postings = {}, .open_holds = {},
                                     .opened = entry.first_event + 1});
    assets_.push_back({request.tenant, request.asset, world});
    const auto* command = std::get_if<model::RegisterAsset>(&entry.command.body);
    return {model::AssetRegistered{number, request.tenant, request.asset},
            model::AccountOpened{world, request.tenant, number, command == nullptr ? model::Commitment{} : command->world_name, model::is_world, {}, {}}};
  }
  Account* account = find_account(request.tenant, request.name);
  const model::AccountNumber number = account_number(request.tenant, request.name);
  if (request.kind == Kind::open_account) {
    constexpr model::AccountFlags sides = model::debits_must_not_exceed_credits | model::credits_must_not_exceed_debits;
    if (asset == 0 || assets_[asset - 1].asset.scale != request.asset.scale) return refuse(Outcome::asset_not_registered);
    if (account != nullptr) {
      const bool same_fields = account->asset == asset && (account->flags & sides) == (request.flags & sides) && account->limits == request.limits;
      if (!same_fields) return refuse(Outcome::account_exists_with_different_fields, number);
      return refuse(account->flags & model::closed ? Outcome::account_closed : Outcome::account_exists, number);
    }
    if ((request.flags & sides) == sides) return refuse(Outcome::account_flags_contradict);
    if (accounts_.size() >= bounds_.accounts_max) return refuse(Outcome::too_many_accounts);
    if (contradict(request.limits)) return refuse(Outcome::limits_contradict);
    const auto opened = open_account({.tenant = request.tenant, .name = request.name, .asset = asset, .flags = request.flags,
                                      .limits = request.limits, .counters = {},
                                      .postings = {}, .open_holds = {}, .opened = entry.first_event});
    const auto* command = std::get_if<model::OpenAccount>(&entry.command.body);
    model::AccountOpened event{opened, request.tenant, asset, {}, request.flags, request.limits, {}};
    if (command != nullptr) {
      event.name = command->name;
      event.metadata = command->metadata;
    }
    return {event};
  }
  if (account == nullptr) return refuse(Outcome::account_not_found);
  if (account->flags & model::closed) return refuse(Outcome::account_closed, number);
  if (request.kind == Kind::set_limits) {
    if (contradict(request.limits)) return refuse(Outcome::limits_contradict, number);
    account->limits = request.limits;
    return {model::AccountLimitsSet{number, request.limits}};
  }
  unsigned flags = account->flags;
  const unsigned sides = (request.debits ? unsigned{model::frozen_for_debits} : 0u) | (request.credits ? unsigned{model::frozen_for_credits} : 0u);
  if ((account->flags & model::is_world) && request.action != gate::FlagAction::unfreeze) return refuse(Outcome::world_account_stays_open, number);
  if (request.action == gate::FlagAction::close) {
    if (is_rail_account(number)) return refuse(Outcome::rail_account_stays_open, number);
    if (!account->open_holds.empty()) return refuse(Outcome::account_has_pending_holds, number);
    if (account->counters.debits_posted != account->counters.credits_posted) return refuse(Outcome::account_balance_is_not_zero, number);
    flags |= model::closed;
  } else if (request.action == gate::FlagAction::freeze) {
    flags |= sides;
  } else {
    flags &= ~sides;
  }
  account->flags = static_cast<model::AccountFlags>(flags);
  return {model::AccountFlagsChanged{number, account->flags, account->counters}};
}

Twin::Bodies Twin::decide_client(const Request& request, const model::Entry& entry) {
  model::Refused refusal = refused(request, Outcome::client_not_found, entry);
  if (request.kind == Kind::create_client) {
    if (request.tenant > tenants_.size()) {
      refusal.outcome = Outcome::tenant_not_found;
      return {refusal};
    }
    clients_.push_back({.tenant = request.tenant, .person = request.person});
    const auto* command = std::get_if<model::CreateClient>(&entry.command.body);
    if (command == nullptr) return {refusal};
    return {model::ClientCreated{static_cast<model::PrincipalNumber>(clients_.size()), request.tenant,
                                 request.person ? model::PrincipalKind::person : model::PrincipalKind::service,
                                 request.scopes, command->name, command->secret_hash}};
  }
  refusal.subject = request.client;
  if (request.client == 0 || request.client > clients_.size() || clients_[request.client - 1].tenant != request.tenant) return {refusal};
  Client& client = clients_[request.client - 1];
  refusal.outcome = Outcome::client_revoked;
  if (client.revoked) return {refusal};
  ++client.generation;
  if (request.kind == Kind::revoke_client) {
    client.revoked = true;
    return {model::ClientRevoked{request.client, client.generation}};
  }
  const auto* command = std::get_if<model::RotateClient>(&entry.command.body);
  if (command == nullptr) return {refusal};
  return {model::ClientRotated{request.client, command->secret_hash, entry.at + base::seconds(request.overlap_seconds), client.generation}};
}

}  // namespace sim
