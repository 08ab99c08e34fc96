#pragma once
// A running partition: recovered state, pipeline, and the threads that keep derived data in step. Composition only; the
// flow itself is pipeline.h.
//
// Threads of its own besides the pipeline's three: `segments` (makes the next segment ready), `keys` (writes key runs),
// `derived` (snapshots and views).

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "model/epochs.h"
#include "io/random.h"
#include "node/effect_order.h"
#include "node/pipeline.h"
#include "node/recovery.h"
#include "node/timekeeper.h"

namespace node {

/// Keeps something derived from durable groups, in order. Called on the `derived` thread only.
class Projection {
 public:
  virtual ~Projection() = default;
  /// Events worth a look, all durable, ascending; everything up to `through` has been announced.
  virtual base::Status project(const std::vector<model::EventNumber>& notable, model::EventNumber through) = 0;
  /// What the journal holds and the views lack, before this run or after a failure; a bounded step, true while there is
  /// more. Nothing is projected before it is done.
  virtual base::Result<bool> catch_up() = 0;
  /// A frozen state as of `through`: balances that changed since the last one wait to be written from here on.
  virtual base::Status begin_refresh(const core::FrozenState& state, model::EventNumber through) = 0;
  /// Writes some of them, `rows_max` at most; true while there are more.
  virtual base::Result<bool> refresh_step(std::uint32_t rows_max) = 0;
};

/// Learns of every durable group, in order, on the sync thread. Must be quick.
class GroupObserver {
 public:
  virtual ~GroupObserver() = default;
  virtual void durable(const store::SealedGroup& group) = 0;
};

/// Carries effects into the world. Must take them quickly and must not call back into the service.
class EffectSink {
 public:
  virtual ~EffectSink() = default;
  /// Durable, in order; on the sync thread, or at start() with those that were open when the process before this one ended.
  /// Instants in them minus `core_minus_boot_ns` are readings of the boot clock.
  virtual void take(std::vector<EffectOrder>&& orders, std::int64_t core_minus_boot_ns) = 0;
};

struct ServiceOptions {
  RecoveryOptions recovery;
  EngineOptions engine;
  PipelineOptions pipeline;
  TimekeeperOptions time;
  std::uint32_t projection_pause_ms = 20;      ///< rows of views are written together, this long apart, unless a reader waits
  std::uint32_t refresh_interval_ms = 5'000;   ///< how often balances in views are brought up to date, at most
  std::uint32_t refresh_share_percent = 10;    ///< of one processor, at most, for writing balances into views while in service
  std::uint32_t refresh_on_stop_ms = 3'000;    ///< how long stop() goes on writing balances; the rest waits for the next start
  bool snapshot_on_stop = true;
  std::uint32_t law_check_interval_ms = 60'000; ///< how often a frozen state is asked whether the ledger's laws hold, at most
};

/// Numbers of the derived data, for metrics.
struct DerivedStats {
  model::EventNumber projected = 0;        ///< views include every notable event up to here
  model::EventNumber snapshot = 0;         ///< newest written snapshot
  std::uint64_t snapshots = 0;
  std::uint64_t snapshot_ns_last = 0;
  std::uint64_t law_checks = 0;            ///< frozen states that were asked for the ledger's laws, and kept them
};

class Service final : public DurableListener {
 public:
  /// Recovers (or creates, with the default tenant) and starts. All references outlive the service. `on_fatal` is called
  /// once, from any thread, when the process must stop.
  static base::Result<std::unique_ptr<Service>> open(io::FileSystem& files, io::Clock& clock, io::Random& random,
                                                     const audit::Blinding& blinding, ServiceOptions options,
                                                     std::function<void(const base::Error&)> on_fatal,
                                                     const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});
  ~Service() override;

  /// Attaches views; before start().
  void project_to(Projection& projection) { projection_ = &projection; }
  /// Shows durable groups to somebody else too; before start().
  void show_groups_to(GroupObserver& observer) { observer_ = &observer; }
  /// Has effects carried out; before start(). Without it none are, and what waits for answers waits for its deadlines.
  void carry_effects_to(EffectSink& sink) { effects_ = &sink; }
  void start();
  /// Finishes what was taken, writes a last snapshot, ends all threads.
  void stop();

  /// From the pipeline's sync thread.
  void durable(const std::shared_ptr<const store::SealedGroup>& group, OutgoingGroup& outgoing) override;
  void effects(std::vector<EffectOrder>&& orders, std::int64_t core_minus_boot_ns) override;

  Pipeline& pipeline() { return *pipeline_; }
  const Pipeline& pipeline() const { return *pipeline_; }
  const Directory& directory() const { return *partition_.directory; }
  const store::JournalReader& reader() const { return *partition_.reader; }
  store::Journal& journal() { return *partition_.journal; }
  /// Version of the key that signs the audit log's checkpoints, as of the opening.
  std::uint32_t log_key_version() const { return log_key_version_; }
  /// Those of the log; a restore begins one before any service opens it, so they stay as they are.
  const model::Epochs& epochs() const { return epochs_; }
  const store::KeyIndex& keys() const { return *partition_.keys; }
  const RecoveryReport& recovery() const { return recovery_; }
  DerivedStats derived() const;
  /// The asset of a number; any thread.
  std::optional<model::Asset> asset(model::AssetNumber number) const;
  /// The number under which a tenant registered an asset, 0 if it did not.
  model::AssetNumber asset_number(model::TenantNumber tenant, const model::Asset& asset) const;
  /// The state as the last group left it; only after stop().
  const core::State& state_after_stop() const { return engine_->state(); }
  /// Error code of the last failed writing of views, null while they are well. Any thread.
  const char* views_failed() const { return views_failed_.load(std::memory_order_relaxed); }
  /// Newest event that views include.
  model::EventNumber projected() const { return projected_.load(std::memory_order_acquire); }
  /// A reader waits for views to include events up to here. Any thread.
  void hurry_projection(model::EventNumber position);

 private:
  Service(io::FileSystem& files, ServiceOptions options, std::function<void(const base::Error&)> on_fatal);

  class JournalEntries;

  base::Status bootstrap(io::Random& random);
  void run_segments();
  void run_keys();
  void run_derived();
  void check_laws(const core::FrozenState& state);
  bool project(const std::vector<model::EventNumber>& notable, model::EventNumber through);
  base::Status write_snapshot(const core::FrozenState& state, const store::SealedGroup& group);
  void learn_tenants_and_assets(const core::FrozenState& state);
  void fatal(const base::Error& error);

  io::FileSystem& files_;
  const ServiceOptions options_;
  const std::function<void(const base::Error&)> on_fatal_;
  RecoveryReport recovery_;
  Partition partition_;
  std::unique_ptr<JournalEntries> entries_;
  std::unique_ptr<Timekeeper> timekeeper_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Pipeline> pipeline_;
  Projection* projection_ = nullptr;
  GroupObserver* observer_ = nullptr;
  EffectSink* effects_ = nullptr;
  std::uint32_t log_key_version_ = 1;
  model::Epochs epochs_;

  mutable std::mutex mutex_;                 // everything below
  std::condition_variable changed_;          // stopping
  std::condition_variable derived_wanted_;   // work for run_derived, or stopping
  bool stopping_ = false, started_ = false;
  model::EventNumber hurried_ = 0;
  std::vector<model::EventNumber> notable_;
  model::EventNumber announced_ = 0;
  std::shared_ptr<core::FrozenState> frozen_;
  std::shared_ptr<const store::SealedGroup> frozen_group_;
  std::shared_ptr<const store::SealedGroup> last_group_;
  std::vector<std::pair<model::TenantNumber, model::Asset>> assets_;   ///< by number
  DerivedStats stats_;
  std::atomic<model::EventNumber> projected_{0};
  std::atomic<const char*> views_failed_{nullptr};
  std::atomic<bool> fatal_{false};
  std::thread segments_, keys_, derived_;
};

}  // namespace node
