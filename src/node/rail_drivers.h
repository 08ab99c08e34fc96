#pragma once
// A driver for each rail of the file, with what it signs and speaks TLS with. All of them belong to one loop.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "custody/signer.h"
#include "effects/rails/evm/evm_account.h"
#include "effects/rails/rail.h"
#include "io/connecting.h"
#include "node/data_directory.h"
#include "node/evm_anchoring.h"
#include "node/rail_settings.h"

namespace node {

/// What drivers are made of. Everything outlives them.
struct RailDriverParts {
  io::FileSystem& files;
  io::Clock& clock;
  io::Random& random;
  io::Loop& loop;
  io::Resolver& resolver;
  custody::Signer& rail_signer;   ///< of rails without a signing_key_file
  const DataPlace& place;         ///< where keys of chains and their outboxes are
};

/// What came of a rail's anchoring.
struct RailAnchoring {
  model::TenantNumber tenant = 1;
  model::RailName rail{};
  EvmAnchoringStats stats;
};

class RailDrivers {
 public:
  /// Opens one more. Errors: those of rail_settings.h, TLS files, URLs; of open_chain_key, EvmAccount::open and EvmRail::open;
  /// `evm_rails_disagree` (two rails of one key name different nodes), `evm_rail_account_changed` (a rail keeps its account).
  base::Status add(const RailDriverParts& parts, const RailSettings& settings);
  /// Which of the promised capabilities the rail's driver does not have, of those from which the core concludes that a payment will
  /// never be made: promised by a registration and not kept by the driver, they would let it pay a second time. None for a rail
  /// without a driver. Any thread, once all are added.
  model::RailCapabilities beyond(model::TenantNumber tenant, const model::RailName& name, model::RailCapabilities promised) const;
  /// Null if there is none.
  effects::Rail* find(model::TenantNumber tenant, const model::RailName& name) const;
  /// Rails with anchor_every_seconds anchor from here on. Before the loop runs, or on it.
  void start_anchoring();
  /// Of each of them. Any thread.
  std::vector<RailAnchoring> anchoring() const;

 private:
  struct Driver {
    std::unique_ptr<custody::Signer> own_signer;   ///< of a signing_key_file
    std::shared_ptr<const io::TlsOutgoingContext> tls;
    std::unique_ptr<effects::Rail> rail;
    std::unique_ptr<EvmAnchoring> anchoring;       ///< null unless it has anchor_every_seconds
  };
  /// Rails of one key share its nonces.
  struct Account {
    std::string url;
    std::unique_ptr<custody::Signer> key;
    std::shared_ptr<effects::EvmAccount> account;
  };
  base::Result<std::unique_ptr<effects::Rail>> open_http(const RailDriverParts& parts, const RailSettings& settings, Driver& driver);
  base::Result<std::unique_ptr<effects::Rail>> open_evm(const RailDriverParts& parts, const RailSettings& settings, Driver& driver);
  base::Result<std::shared_ptr<effects::EvmAccount>> account_of(const RailDriverParts& parts, const RailSettings& settings, const Driver& driver);

  std::map<std::string, Account> accounts_;   ///< by name of the key
  std::map<std::pair<model::TenantNumber, model::RailName>, Driver> drivers_;
};

}  // namespace node
