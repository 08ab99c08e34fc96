#pragma once
// Carries effects into the world and brings back what came of them: one thread with a loop, a driver for each rail, and a gate
// of its own through which every report goes in again like any other command.
//
// Nothing here decides anything. What is lost with this process is known to the core from its state: sends that were open are
// reported interrupted at the next start, questions fall due again.

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gate/gate.h"
#include "io/clock.h"
#include "io/connecting.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/random.h"
#include "node/rail_drivers.h"
#include "node/service.h"

namespace node {

/// Numbers for metrics; each is right on its own.
struct EffectStats {
  std::uint64_t sent = 0;
  std::uint64_t asked = 0;              ///< inquiries and voids
  std::uint64_t reports = 0;            ///< taken by the pipeline; those that came again are counted again
  std::uint64_t unrecorded = 0;         ///< of them, not recorded for want of space or because the journal could not be read: they come again
  std::uint64_t without_driver = 0;     ///< sends for rails that the file does not name: `not_sent`
  std::uint64_t beyond_driver = 0;      ///< sends for rails registered with more than their driver can do: `not_sent`
};

class EffectRunner final : public EffectSink, private AnswerSink {
 public:
  /// Opens the drivers; rails without a signing_key_file are spoken to with `rail_signer`. References outlive the runner. Errors:
  /// those of RailDrivers::add.
  static base::Result<std::unique_ptr<EffectRunner>> open(io::FileSystem& files, io::Clock& clock, Service& service, const gate::GateKeys& keys,
                                                          const gate::ClientBook& clients, custody::Signer& rail_signer, const DataPlace& place,
                                                          const std::vector<RailSettings>& rails);
  ~EffectRunner() override;

  /// From here on effects are carried out, those that came before too, and checkpoints are anchored.
  void start();
  /// Ends the thread. What was sent and not answered stays open: the next start reports it interrupted.
  void stop();
  void take(std::vector<EffectOrder>&& orders, std::int64_t core_minus_boot_ns) override;
  EffectStats stats() const;
  /// Of rails that anchor the log's checkpoints. Any thread.
  std::vector<RailAnchoring> anchoring() const { return drivers_.anchoring(); }
  const RailDrivers& drivers() const { return drivers_; }
  /// Asks a rail for what it booked from `from` (included) to `until` (excluded). Any thread; `done` is called once on the runner's, or
  /// never if the runner stops. Errors: `statement_not_available`.
  void fetch_statement(model::TenantNumber tenant, const model::RailName& rail, base::Instant from, base::Instant until,
                       effects::StatementFetched done);

 private:
  EffectRunner(io::Clock& clock, Service& service, const gate::GateKeys& keys, const gate::ClientBook& clients);
  effects::Rail* driver_of(const EffectOrder& order);
  void carry(const EffectOrder& order, std::int64_t core_minus_boot_ns);
  void send(const EffectOrder& order, const model::SendToRail& wanted, std::int64_t core_minus_boot_ns);
  void ask(const EffectOrder& order, const model::AttemptKey& key, std::uint32_t inquiry, bool is_void);
  void answered(const EffectOrder& order, const model::AttemptKey& key, model::ReportSource source, std::uint32_t inquiry, effects::RailAnswer&& answer);
  void report(gate::RailReport&& report);
  void bring_in();
  model::Outcome submit(gate::RailReport&& report);
  void bring_again(gate::RailReport&& report);
  void deliver(std::uint64_t token, Answer&& answer) override;

  io::Clock& clock_;
  Service& service_;
  io::RealRandom random_;                    // this thread's own
  gate::Gate gate_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<io::Resolver> resolver_;
  RailDrivers drivers_;
  std::deque<gate::RailReport> backlog_;     // not taken yet: the pipeline is full
  std::unique_ptr<io::Timer> retry_;
  std::vector<gate::RailReport> postponed_;  // not recorded: they come again together
  std::unique_ptr<io::Timer> again_;
  std::uint64_t next_token_ = 1;
  std::mutex mutex_;
  std::map<std::uint64_t, gate::RailReport> submitted_;   // not answered yet; under mutex_
  std::atomic<std::uint64_t> sent_{0}, asked_{0}, reports_{0}, unrecorded_{0}, without_driver_{0}, beyond_driver_{0};
  bool started_ = false;
  std::thread thread_;
};

}  // namespace node
