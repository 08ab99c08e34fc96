#pragma once
// Checks again and again, on a thread of its own, whether the certificates behind partners' keys were revoked (docs/registry.md), and
// suspends the versions whose certificate was: a journaled command of the process itself, with its reason.
//
// Nothing of it is kept: a start checks everything once more. What was suspended stays so until people say otherwise.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/tables/registry_tables.h"
#include "crypto/chain/demands.h"
#include "effects/key_sets/name_service.h"
#include "gate/gate.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/random.h"
#include "node/client_records.h"
#include "node/revocation_check.h"
#include "node/service.h"

namespace node {

struct RevocationOptions {
  /// off: nothing is checked. soft: what is unknown is told and goes on. hard: what is unknown for `unknown_max` is suspended.
  crypto::chain::Revocation policy = crypto::chain::Revocation::soft;
  std::string hosts = {};              ///< that may be asked, separated by commas (effects::read_revocation_rules)
  std::string networks = {};           ///< private ones among their addresses, the same
  std::string authorities_file = {};   ///< PEM: issuers that do not come with the certificates; empty: none
  base::Duration every = base::seconds(4 * 3'600);
  base::Duration retry = base::seconds(300);           ///< after a check that ended unknown; never longer than `every`
  base::Duration unknown_max = base::seconds(86'400);  ///< with `hard`, since the last check that said something
  base::Duration connect_max = base::milliseconds(3'000);
  base::Duration total_max = base::milliseconds(15'000);
};

/// What the newest check of a version said.
struct RevocationReport {
  RevocationFinding finding;
  base::Instant checked_at{};
  base::Instant good_at{};     ///< of the newest check since the start that found it good; 0: none
};

/// Numbers for metrics; each is right on its own.
struct RevocationStats {
  std::array<std::uint64_t, revocation_results> checks{};     ///< by what they came to
  std::array<std::uint64_t, revocation_results> versions{};   ///< versions that verify, by what their newest check came to
  std::uint64_t unchecked = 0;                                ///< those that wait for their first check
  std::uint64_t suspended = 0;
  std::uint64_t failures = 0;                                 ///< a certificate could not be read back, or a suspension not recorded; tried again
};

class RevocationWatch {
 public:
  /// References outlive it. `say` is told in sentences when a result is another than before, from the watch's thread. Errors:
  /// `revocation_host_malformed`, `revocation_network_malformed`, `pem_is_malformed`, `certificate_is_malformed`, those of reading
  /// the file of authorities.
  static base::Result<std::unique_ptr<RevocationWatch>> open(io::FileSystem& files, io::Clock& clock, Service& service, const gate::GateKeys& keys,
                                                             RevocationOptions options, std::function<void(const std::string&)> say);
  ~RevocationWatch();

  void start();
  /// Ends the thread, as soon as a name that is being looked up lets it (connect_max at most). Before the service stops.
  void stop();

  /// Nothing for versions that do not verify, came without a certificate or were not checked yet. Any thread.
  std::optional<RevocationReport> find(model::KeyNumber key, model::KeyVersion version) const;
  RevocationStats stats() const;

 private:
  using Steady = std::chrono::steady_clock;
  using Place = std::pair<model::KeyNumber, model::KeyVersion>;
  struct Watched {
    model::TenantNumber tenant = 1;
    model::EventNumber import = 0;
    Steady::time_point due{};
    Steady::time_point known_at{};             ///< the newest check that said something, or when we first saw it
    std::optional<RevocationReport> report;    ///< none before the first check
  };

  RevocationWatch(io::Clock& clock, Service& service, const gate::GateKeys& keys, RevocationOptions options, effects::RevocationFetchOptions fetch,
                  std::vector<crypto::chain::Certificate> authorities, std::function<void(const std::string&)> say);
  void run();
  void follow_registry();
  std::optional<Place> next_due();
  bool wait_until(Steady::time_point time);
  void check(Place place);
  base::Result<RevocationFinding> finding_of(model::EventNumber import);
  std::optional<model::KeyVerb> consequence(const RevocationFinding& finding, Steady::duration unknown_for) const;
  void suspend(Place place, model::TenantNumber tenant, model::KeyVerb verb, const RevocationFinding& finding);
  Steady::duration spread(base::Duration span);
  Steady::duration drawn_below(base::Duration most);

  io::Clock& clock_;
  Service& service_;
  const RevocationOptions options_;
  const std::function<void(const std::string&)> say_;
  io::RealRandom random_;   // this thread's own
  NoClients nobody_;
  gate::Gate gate_;
  effects::SystemNames names_;
  effects::RevocationFetch fetch_;
  RevocationCheck check_;
  std::shared_ptr<const core::RegistryTables::Frozen> followed_;   // as it was last looked at
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;               // this and the next under mutex_; the thread alone changes what is watched
  std::map<Place, Watched> watched_;
  std::array<std::atomic<std::uint64_t>, revocation_results> checks_{};
  std::atomic<std::uint64_t> suspended_{0}, failures_{0};
  std::thread thread_;
};

}  // namespace node
