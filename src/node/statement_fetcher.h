#pragma once
// Statements of rails, fetched as the file of rails says: asked of the driver, read, and recorded as if somebody had brought them in
// (docs/reconciliation.md). A thread of its own: reading a large file must not hold up payments.
//
// Nothing of it is kept: lines are known again by what they say, so a start asks for some days once more.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "gate/gate.h"
#include "io/clock.h"
#include "io/random.h"
#include "node/effect_runner.h"
#include "node/rail_settings.h"
#include "node/service.h"

namespace node {

/// How far back the first statement of a process goes.
constexpr base::Duration statement_lookback = base::seconds(2 * 86'400);
/// The first one is asked for soon: a service that is started every night would never ask once a day.
constexpr base::Duration statement_first_after = base::seconds(10);
/// Empty statements are put together up to this length: otherwise a quiet rail would fill the journal with them.
constexpr base::Duration statement_quiet_max = base::seconds(3'600);

/// Numbers for metrics; each is right on its own.
struct StatementStats {
  std::uint64_t recorded = 0;
  std::uint64_t failed = 0;   ///< not fetched, not read, or refused; the same time is asked for again
};

class StatementFetcher {
 public:
  /// References outlive it; rails without `statement_every` are left alone. `epochs` of the service's log.
  StatementFetcher(io::Clock& clock, Service& service, EffectRunner& effects, const gate::GateKeys& keys, const gate::ClientBook& clients,
                   const std::vector<RailSettings>& rails);
  ~StatementFetcher();

  void start();
  /// Ends the thread. Before the runner and the service stop; the object goes when the runner has stopped: answers come to it.
  void stop();
  StatementStats stats() const;

 private:
  using Steady = std::chrono::steady_clock;
  struct Schedule {
    model::TenantNumber tenant = 1;
    model::RailName rail{};
    base::Duration every{}, lag{};
    base::Instant from{};             ///< all before it is recorded; 0 not asked yet
    Steady::time_point due{};
  };

  void run();
  base::Status fetch(Schedule& schedule);
  std::optional<base::Result<base::Bytes>> ask(const Schedule& schedule, base::Instant until);
  base::Status record(model::Admitted&& admitted);

  io::Clock& clock_;
  Service& service_;
  EffectRunner& effects_;
  io::RealRandom random_;   // this thread's own
  gate::Gate gate_;
  std::vector<Schedule> schedules_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                               // this and the next under mutex_
  std::optional<base::Result<base::Bytes>> fetched_;   // what the runner's thread brought
  std::atomic<std::uint64_t> recorded_{0}, failed_{0};
  std::thread thread_;
};

}  // namespace node
