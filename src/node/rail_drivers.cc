#include "node/rail_drivers.h"

#include "effects/rails/evm/evm_rail.h"
#include "effects/rails/http_rail.h"
#include "io/tls_outgoing.h"
#include "node/chain_keys.h"

namespace node {

namespace {

constexpr std::uint64_t kept_account_bytes_max = 256;

// A rail keeps its account: what another account signed under the rail's references is not in the outbox of this one, and would
// pass for never sent.
base::Status keep_account(const RailDriverParts& parts, const RailSettings& settings, const effects::EvmAccount& account) {
  const std::string path = io::join_path(io::directory_of(evm_outbox_file(parts.place.directory, settings.evm->key)),
                                         "rail-" + std::to_string(settings.tenant) + "-" + std::string(model::to_text(settings.name)));
  const std::string ours = std::to_string(account.chain_id()) + " " + effects::to_text(account.address()) + "\n";
  TRY_ASSIGN(const bool known, parts.files.exists(path));
  if (!known) return io::replace_file(parts.files, path, base::as_bytes(ours), 0600);
  TRY_ASSIGN(const base::Bytes kept, io::read_whole_file(parts.files, path, kept_account_bytes_max));
  if (base::as_text(kept) == ours) return base::ok();
  return base::Error{"evm_rail_account_changed", "rail \"" + std::string(model::to_text(settings.name)) + "\" pays from another account; register a rail with another name for the new one"};
}

}  // namespace

base::Status RailDrivers::add(const RailDriverParts& parts, const RailSettings& settings) {
  Driver driver;
  TRY_ASSIGN(auto tls, io::TlsOutgoingContext::open(parts.files, {.ca_file = settings.ca_file,
                                                                  .certificate_file = settings.certificate_file,
                                                                  .key_file = settings.key_file}));
  driver.tls = std::move(tls);
  TRY_ASSIGN(driver.rail, settings.evm ? open_evm(parts, settings, driver) : open_http(parts, settings, driver));
  drivers_.emplace(std::pair(settings.tenant, settings.name), std::move(driver));
  return base::ok();
}

model::RailCapabilities RailDrivers::beyond(model::TenantNumber tenant, const model::RailName& name, model::RailCapabilities promised) const {
  constexpr model::RailCapabilities concluded_from = model::idempotent_reference | model::inquiry_supported | model::void_supported | model::expiry_honoured;
  const effects::Rail* const driver = find(tenant, name);
  if (driver == nullptr) return 0;
  return static_cast<model::RailCapabilities>(promised & concluded_from & ~driver->capabilities());
}

effects::Rail* RailDrivers::find(model::TenantNumber tenant, const model::RailName& name) const {
  const auto found = drivers_.find({tenant, name});
  return found == drivers_.end() ? nullptr : found->second.rail.get();
}

void RailDrivers::start_anchoring() {
  for (auto& [name, driver] : drivers_) {
    if (driver.anchoring) driver.anchoring->start();
  }
}

std::vector<RailAnchoring> RailDrivers::anchoring() const {
  std::vector<RailAnchoring> all;
  for (const auto& [name, driver] : drivers_) {
    if (driver.anchoring) all.push_back({.tenant = name.first, .rail = name.second, .stats = driver.anchoring->stats()});
  }
  return all;
}

base::Result<std::unique_ptr<effects::Rail>> RailDrivers::open_http(const RailDriverParts& parts, const RailSettings& settings, Driver& driver) {
  if (!settings.signing_key_file.empty()) {
    TRY_ASSIGN(io::SecretMemory seed, load_rail_signing_key(parts.files, settings.signing_key_file));
    driver.own_signer = std::make_unique<effects::OwnEd25519Signer>(std::move(seed));
  }
  effects::HttpRailOptions options;
  options.url = settings.url;
  options.key_id = settings.signing_key_id;
  options.in_flight_max = settings.in_flight_max;
  options.inquiry_timeout = base::milliseconds(settings.inquiry_timeout_ms);
  options.http.connections_max = settings.connections_max;
  TRY_ASSIGN(auto rail, effects::HttpRail::open(parts.loop, parts.clock, parts.random, &parts.resolver, driver.tls,
                                                driver.own_signer ? *driver.own_signer : parts.rail_signer, std::move(options)));
  return std::unique_ptr<effects::Rail>(std::move(rail));
}

base::Result<std::unique_ptr<effects::Rail>> RailDrivers::open_evm(const RailDriverParts& parts, const RailSettings& settings, Driver& driver) {
  TRY_ASSIGN(auto account, account_of(parts, settings, driver));
  TRY(keep_account(parts, settings, *account));
  TRY_ASSIGN(auto rail, effects::EvmRail::open(parts.loop, parts.clock, account, {.policy = settings.evm->policy, .in_flight_max = settings.in_flight_max}));
  if (settings.evm->anchor_every_seconds != 0) {
    driver.anchoring = std::make_unique<EvmAnchoring>(
        parts.files, parts.clock, parts.loop, *account, *rail,
        EvmAnchoringOptions{.directory = parts.place.directory, .every = base::seconds(settings.evm->anchor_every_seconds)});
  }
  return std::unique_ptr<effects::Rail>(std::move(rail));
}

base::Result<std::shared_ptr<effects::EvmAccount>> RailDrivers::account_of(const RailDriverParts& parts, const RailSettings& settings,
                                                                           const Driver& driver) {
  const EvmRailSettings& evm = *settings.evm;
  Account& shared = accounts_[evm.key];
  if (shared.account) {
    if (shared.url == settings.url && shared.account->chain_id() == evm.chain_id) return shared.account;
    return base::Error{"evm_rails_disagree", "rails of the key \"" + evm.key + "\" name different nodes or chains"};
  }
  TRY_ASSIGN(shared.key, open_chain_key(parts.files, parts.place, evm.key));
  TRY_ASSIGN(shared.account,
             effects::EvmAccount::open(parts.loop, parts.clock, &parts.resolver, driver.tls, *shared.key, parts.files,
                                       {.url = settings.url,
                                        .outbox_file = evm_outbox_file(parts.place.directory, evm.key),
                                        .chain_id = evm.chain_id,
                                        .reply_timeout = base::milliseconds(settings.inquiry_timeout_ms),
                                        .http = {.connections_max = settings.connections_max}}));
  shared.url = settings.url;
  return shared.account;
}

}  // namespace node
