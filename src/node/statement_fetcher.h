#pragma once
// Statements of rails, fetched as the file of rails says: asked of the driver, read, and recorded as if somebody had brought them in
// (docs/reconciliation.md). A thread of its own: reading a large file must not hold up payments.
//
// Nothing of it is kept: lines are known again by what they say, so a start asks for some days once more.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "effects/rails/rail.h"
#include "gate/gate.h"
#include "io/clock.h"
#include "io/random.h"
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

/// Asks a rail for what it booked from `from` (included) to `until` (excluded); `done` comes once, on any thread, or never if whoever
/// asks has stopped. EffectRunner::fetch_statement.
using AskStatement =
    std::function<void(model::TenantNumber tenant, const model::RailName& rail, base::Instant from, base::Instant until, effects::StatementFetched done)>;

class StatementFetcher {
 public:
  /// References outlive it; rails without `statement_every_seconds` are left alone. The first statement of each is asked for after
  /// `first_after`.
  StatementFetcher(io::Clock& clock, Service& service, AskStatement ask, const gate::GateKeys& keys, const gate::ClientBook& clients,
                   const std::vector<RailSettings>& rails, base::Duration first_after = statement_first_after);
  ~StatementFetcher();

  void start();
  /// Ends the thread. Before the service stops; the object goes when nothing that it asked can be answered any more.
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
  std::optional<base::Result<base::Bytes>> answer_to(const Schedule& schedule, base::Instant until);
  base::Status record(model::Admitted&& part);

  io::Clock& clock_;
  Service& service_;
  const AskStatement ask_;
  const base::Duration first_after_;
  io::RealRandom random_;   // this thread's own
  gate::Gate gate_;
  std::vector<Schedule> schedules_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                               // this and the next under mutex_
  std::optional<base::Result<base::Bytes>> fetched_;   // what was brought
  std::atomic<std::uint64_t> recorded_{0}, failed_{0};
  std::thread thread_;
};

}  // namespace node
