// Derivations of wallets, which go to the desk, and reads of those that are watched, from memory at a durable position.

#include <algorithm>

#include "core/ledger/state.h"
#include "node/backend.h"
#include "node/readings.h"
#include "node/wallet_desk.h"

namespace node {

using model::Outcome;

namespace {

bool is_wallet(const core::KeyRecord& key, model::TenantNumber tenant) {
  return key.tenant == tenant && key.purpose == static_cast<std::uint8_t>(model::KeyPurpose::watch);
}

}  // namespace

bool Backend::is_about_wallets(const gate::QueryBody& body) {
  return std::holds_alternative<gate::ListWallets>(body) || std::holds_alternative<gate::GetWallet>(body);
}

model::Outcome Backend::derive_wallet(model::TenantNumber tenant, gate::WalletDerivation&& request, edge::Receiver& receiver, std::uint64_t token) {
  if (wallets_ == nullptr) return Outcome::wallet_derivation_busy;
  return wallets_->take(tenant, std::move(request), [this, to = &receiver, token](edge::WalletDerivationReading&& derived) {
    post_reading({.receiver = to, .token = token, .query = nullptr}, {0, std::move(derived)});
  });
}

// What is watched stands in the second line of what its import found (docs/format/entry.md); empty once it was erased.
base::Result<edge::WalletReading> Backend::wallet_reading(const core::FrozenState& state, model::KeyNumber number) const {
  TRY_ASSIGN(edge::KeyReading key, key_reading(state, number, false));
  edge::WalletReading reading;
  for (const edge::KeyVersionReading& version : key.versions) {
    TRY_ASSIGN(const auto told, service_.reader().read_private(version.import, model::PrivateField::import_findings));
    std::string_view watched = told && !told->erased ? base::as_text(told->value) : std::string_view();
    watched.remove_prefix(std::min(watched.find('\n'), watched.size()));
    reading.watched.emplace_back(watched.empty() ? watched : watched.substr(1));
  }
  reading.key = std::move(key);
  return reading;
}

edge::Reading Backend::read_wallets(const gate::Query& query, const Answer& answer) const {
  const model::EventNumber position = answer.position;
  if (answer.refusal != Outcome::done) return refused(position, answer.refusal);
  const auto* found = std::get_if<StateFound>(&answer.finding);
  if (found == nullptr) return refused(position, Outcome::overloaded);
  const core::FrozenState& state = *found->state;
  if (const auto* wanted = std::get_if<gate::GetWallet>(&query.body)) {
    const core::KeyRecord* key = state.registry.key(wanted->wallet);
    if (key == nullptr || !is_wallet(*key, query.tenant)) return refused(position, Outcome::key_not_found);
    auto reading = wallet_reading(state, wanted->wallet);
    if (!reading.ok()) return failed(position, reading.error());
    return {position, std::move(reading).value()};
  }
  const auto& wanted = std::get<gate::ListWallets>(query.body);
  edge::WalletsPage page;
  for (model::KeyNumber number = wanted.after + 1; number <= state.registry.keys.size(); ++number) {
    const core::KeyRecord& key = state.registry.keys[number - 1];
    const bool fits = is_wallet(key, query.tenant) && (wanted.partner.empty() || model::to_text(state.registry.partners[key.partner - 1].name) == wanted.partner);
    if (!fits) continue;
    if (page.wallets.size() == wanted.limit) {
      page.next = page.wallets.back().key.number;
      break;
    }
    auto reading = wallet_reading(state, number);
    if (!reading.ok()) return failed(position, reading.error());
    page.wallets.push_back(std::move(reading).value());
  }
  return {position, std::move(page)};
}

}  // namespace node
