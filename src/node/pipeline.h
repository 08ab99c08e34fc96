#pragma once
// The pipeline, on one page. Requests in, group commit, replies out:
//
//   submit() -> bounded queue -> core thread: Engine decides, groups fill
//                             -> hash thread: Journal::prepare (leaves, tree, chain)      [large groups only]
//                             -> sync thread: Journal::commit (one write, one sync), then answers are delivered
//
// While one group is synced the core decides the next. A group stays open as long as the sync thread is busy, so that load
// makes groups larger instead of queues longer. Small groups are hashed by the core thread itself: a hand-over costs more.
//
// A failed write or sync ends everything: `on_fatal` is called and no answer leaves any more.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "node/engine.h"
#include "node/timekeeper.h"
#include "store/journal/journal.h"

namespace node {

struct PipelineOptions {
  std::size_t queue_max = 16'384;                ///< submissions waiting for the core; more are refused as overloaded
  std::size_t queue_items_max = 65'536;          ///< commands in them
  std::uint32_t tick_interval_ms = 100;          ///< how often expiries are looked at
  std::uint32_t inline_hash_entries_max = 64;    ///< groups up to this size are hashed by the core thread
  std::uint32_t groups_in_flight_max = 3;        ///< full groups ahead of the sync thread
  std::uint64_t space_reserve_bytes = 40u << 20; ///< room the journal must have before anything is decided
  std::uint64_t freeze_every_events = 2'000'000; ///< a snapshot is asked for after so many events
  std::uint32_t idle_seal_ms = 1'000;            ///< after so long without work a seal says that all is durable
};

/// Learns of every durable group, in order, on the sync thread, before its answers are delivered. Must be quick.
class DurableListener {
 public:
  virtual ~DurableListener() = default;
  /// May take `notable`, `assets` and `frozen` out of `outgoing`.
  virtual void durable(const std::shared_ptr<const store::SealedGroup>& group, OutgoingGroup& outgoing) = 0;
  /// What that group asks of the world, after durable() and before the answers. Instants in it minus `core_minus_boot_ns` are
  /// readings of the boot clock.
  virtual void effects(std::vector<EffectOrder>&& orders, std::int64_t core_minus_boot_ns) = 0;
};

/// Numbers for metrics; each is right on its own.
struct PipelineStats {
  std::uint64_t submissions = 0;
  std::uint64_t refused_overload = 0;
  std::uint64_t refused_space = 0;
  std::uint64_t groups = 0;
  std::uint64_t events = 0;
  std::uint64_t sync_ns_sum = 0;         ///< time spent in commit
  std::uint64_t sync_ns_max = 0;
  std::size_t queue = 0;
  model::EventNumber decided = 0;
  model::EventNumber durable = 0;
};

class Pipeline {
 public:
  /// `engine` and `timekeeper` belong to the core thread from start() to stop(). All references must outlive the pipeline.
  Pipeline(Engine& engine, store::Journal& journal, Timekeeper& timekeeper, DurableListener& listener,
           std::function<void(const base::Error&)> on_fatal, PipelineOptions options);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  void start();
  /// Takes no more, finishes what was taken, seals the journal, ends the threads. Again: nothing happens.
  void stop();

  /// Any thread. `done` if it was taken (the sink will be called), else why not: overloaded, shutting_down.
  /// With `more_follow` the core thread may sleep on until all_submitted(): a burst wakes it once.
  model::Outcome submit(Submission&& submission, bool more_follow = false);
  void all_submitted();

  /// The background thread's word whether the disk has room for further segments.
  void set_disk_full(bool full) { disk_full_.store(full, std::memory_order_relaxed); }
  /// Wakes the core thread, for example when a segment was prepared.
  void wake();
  /// Attaches the state to the next group, whatever its size.
  void request_freeze() { freeze_requested_.store(true, std::memory_order_relaxed); }
  /// Lets expiries run again after a clock jump; the answer is journaled. Any thread.
  void confirm_clock() { clock_confirmed_.store(true, std::memory_order_relaxed); }
  bool clock_suspended() const { return clock_suspended_.load(std::memory_order_relaxed); }

  model::EventNumber durable() const { return durable_.load(std::memory_order_acquire); }
  /// Clients as of the newest decision. Any thread.
  std::shared_ptr<const core::CowArray<core::ClientRecord>::Frozen> clients() const;
  /// Webhook endpoints as of the last decision, which may not be durable yet; another pointer whenever one of them changed. Any thread.
  std::shared_ptr<const core::CowArray<core::WebhookRecord>::Frozen> webhooks() const;
  /// The same of partners' keys.
  std::shared_ptr<const core::RegistryTables::Frozen> registry() const;
  PipelineStats stats() const;

 private:
  struct Work {
    OutgoingGroup group;
    std::optional<store::PreparedGroup> prepared;
    std::uint64_t disk_bytes = 0;
    std::int64_t core_minus_boot_ns = 0;   ///< where there are effects
  };
  /// A bounded hand-over between two threads.
  class Belt {
   public:
    void put(Work&& work);
    /// False when closed and empty.
    bool get(Work& work);
    void close();

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Work> works_;
    bool closed_ = false;
  };

  void run_core();
  void run_hash();
  void run_sync();
  bool wait_for_work(std::vector<Submission>& batch);
  void take(Submission&& submission);
  bool room_for(const Submission& submission);
  std::uint64_t whole_segment_bytes() const;
  bool room_for_own() const;
  void wake_core();   // under mutex_
  template <typename Ready>
  void core_waits(std::unique_lock<std::mutex>& lock, std::uint32_t at_most_ms, Ready ready);
  void hand_over();
  base::Status seal();
  void seal_if_idle();
  void publish();
  void fatal(const base::Error& error);

  Engine& engine_;
  store::Journal& journal_;
  Timekeeper& timekeeper_;
  DurableListener& listener_;
  const std::function<void(const base::Error&)> on_fatal_;
  const PipelineOptions options_;

  mutable std::mutex mutex_;                     // queue_, queued_items_, stopping_, woken_, clients_
  std::condition_variable work_arrived_;
  std::vector<Submission> queue_;
  std::size_t queued_items_ = 0;
  bool stopping_ = false;
  bool woken_ = false;
  bool core_waits_ = false;
  std::shared_ptr<const core::CowArray<core::ClientRecord>::Frozen> clients_;
  std::shared_ptr<const core::CowArray<core::WebhookRecord>::Frozen> webhooks_;
  std::shared_ptr<const core::RegistryTables::Frozen> registry_;

  Belt to_hash_, to_sync_;
  std::atomic<std::uint32_t> in_flight_{0};      // groups handed over and not yet delivered
  std::atomic<std::uint32_t> in_hash_{0};        // of those, not yet prepared
  std::atomic<std::uint64_t> in_flight_bytes_{0};
  std::atomic<model::EventNumber> durable_{0};
  std::atomic<model::EventNumber> decided_{0};
  std::atomic<bool> disk_full_{false}, freeze_requested_{false}, clock_confirmed_{false}, clock_suspended_{false}, failed_{false};
  model::EventNumber last_freeze_ = 0;
  std::chrono::steady_clock::time_point last_work_ = std::chrono::steady_clock::now();
  bool sealed_ = false;

  std::atomic<std::uint64_t> submissions_{0}, refused_overload_{0}, refused_space_{0}, groups_{0}, events_{0}, sync_ns_sum_{0},
      sync_ns_max_{0};
  std::thread core_thread_, hash_thread_, sync_thread_;
  bool started_ = false;
};

}  // namespace node
