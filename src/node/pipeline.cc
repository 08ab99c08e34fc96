#include "node/pipeline.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/journal/layout.h"

namespace node {

namespace {

std::size_t items_in(const Submission& submission) {
  const auto* admitted = std::get_if<model::Admitted>(&submission.content);
  return admitted == nullptr ? 1 : admitted->commands.size();
}

// What a tick may take: it needs room of its own, because releasing money must go on when new work is refused.
constexpr std::uint64_t own_bytes_max = 1u << 20;

}  // namespace

void Pipeline::Belt::put(Work&& work) {
  const std::lock_guard lock(mutex_);
  works_.push_back(std::move(work));
  changed_.notify_one();
}

bool Pipeline::Belt::get(Work& work) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !works_.empty() || closed_; });
  if (works_.empty()) return false;
  work = std::move(works_.front());
  works_.pop_front();
  return true;
}

void Pipeline::Belt::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

Pipeline::Pipeline(Engine& engine, store::Journal& journal, Timekeeper& timekeeper, DurableListener& listener,
                   std::function<void(const base::Error&)> on_fatal, PipelineOptions options)
    : engine_(engine),
      journal_(journal),
      timekeeper_(timekeeper),
      listener_(listener),
      on_fatal_(std::move(on_fatal)),
      options_(options),
      clients_(engine.clients()),
      webhooks_(engine.webhooks()),
      registry_(engine.registry()),
      durable_(engine.position()),
      decided_(engine.position()),
      last_freeze_(engine.position()) {}

Pipeline::~Pipeline() { stop(); }

void Pipeline::start() {
  CHECK(!started_);
  started_ = true;
  sync_thread_ = std::thread([this] { run_sync(); });
  hash_thread_ = std::thread([this] { run_hash(); });
  core_thread_ = std::thread([this] { run_core(); });
}

void Pipeline::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!started_ || stopping_) return;
    stopping_ = true;
    work_arrived_.notify_all();
  }
  core_thread_.join();
  to_hash_.close();
  hash_thread_.join();
  to_sync_.close();
  sync_thread_.join();
  if (!failed_) {
    const base::Status sealed = seal();
    if (!sealed.ok()) fatal(sealed.error());
  }
}

model::Outcome Pipeline::submit(Submission&& submission, bool more_follow) {
  const std::size_t items = items_in(submission);
  const std::lock_guard lock(mutex_);
  if (stopping_ || !started_) return model::Outcome::shutting_down;
  // One large batch is always let into an empty queue, so that the bound on items can be smaller than a batch.
  if (queue_.size() >= options_.queue_max || (queued_items_ + items > options_.queue_items_max && !queue_.empty())) {
    refused_overload_.fetch_add(1, std::memory_order_relaxed);
    return model::Outcome::overloaded;
  }
  queue_.push_back(std::move(submission));
  queued_items_ += items;
  if (!more_follow) wake_core();
  return model::Outcome::done;
}

void Pipeline::all_submitted() {
  const std::lock_guard lock(mutex_);
  if (!queue_.empty()) wake_core();
}

// One call to the system for a burst: who was woken counts as awake until it waits again.
void Pipeline::wake_core() {
  if (!core_waits_) return;
  core_waits_ = false;
  work_arrived_.notify_one();
}

// The core thread sleeps until `ready` holds or the time is over. It counts as waiting whenever it goes (back) to sleep.
template <typename Ready>
void Pipeline::core_waits(std::unique_lock<std::mutex>& lock, std::uint32_t at_most_ms, Ready ready) {
  work_arrived_.wait_for(lock, std::chrono::milliseconds(at_most_ms), [&] {
    core_waits_ = !ready();
    return !core_waits_;
  });
  core_waits_ = false;
}

void Pipeline::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  wake_core();
}

std::shared_ptr<const core::CowArray<core::ClientRecord>::Frozen> Pipeline::clients() const {
  const std::lock_guard lock(mutex_);
  return clients_;
}

std::shared_ptr<const core::CowArray<core::WebhookRecord>::Frozen> Pipeline::webhooks() const {
  const std::lock_guard lock(mutex_);
  return webhooks_;
}

std::shared_ptr<const core::RegistryTables::Frozen> Pipeline::registry() const {
  const std::lock_guard lock(mutex_);
  return registry_;
}

PipelineStats Pipeline::stats() const {
  PipelineStats stats;
  stats.submissions = submissions_;
  stats.refused_overload = refused_overload_;
  stats.refused_space = refused_space_;
  stats.groups = groups_;
  stats.events = events_;
  stats.sync_ns_sum = sync_ns_sum_;
  stats.sync_ns_max = sync_ns_max_;
  stats.decided = decided_;
  stats.durable = durable_;
  const std::lock_guard lock(mutex_);
  stats.queue = queue_.size();
  return stats;
}

void Pipeline::fatal(const base::Error& error) {
  failed_ = true;
  on_fatal_(error);
}

// --- core thread ------------------------------------------------------------------------------------------------------------

// Returns false when it is time to end. Waits only if there is nothing that could be done now.
bool Pipeline::wait_for_work(std::vector<Submission>& batch) {
  batch.clear();
  std::unique_lock lock(mutex_);
  const auto something = [this] {
    return !queue_.empty() || stopping_ || woken_ ||
           ((engine_.has_group() || engine_.parked_count() != 0) && in_flight_.load(std::memory_order_acquire) == 0);
  };
  core_waits(lock, options_.tick_interval_ms, something);
  woken_ = false;
  batch.swap(queue_);
  queued_items_ = 0;
  return !batch.empty() || !stopping_ || engine_.has_group() || engine_.parked_count() != 0;
}

// The most that there can be room for at any time is an empty segment: to wait for more would be to wait for ever.
std::uint64_t Pipeline::whole_segment_bytes() const {
  return journal_.group_bytes_max() - store::footer_bytes(journal_.group_bytes_max() / store::block_bytes);
}

bool Pipeline::room_for(const Submission& submission) {
  const std::uint64_t needed = std::min(whole_segment_bytes(), engine_.disk_bytes_of(submission) + options_.space_reserve_bytes);
  while (!journal_.room_for(engine_.pending_disk_bytes() + in_flight_bytes_.load(std::memory_order_relaxed) + needed)) {
    // The next segment is being made, or there is no space for one.
    if (disk_full_.load(std::memory_order_relaxed) || failed_) return false;
    // What was decided before goes first: in small segments there may be no room for both at once.
    if (in_flight_.load(std::memory_order_acquire) == 0) {
      engine_.durable_through(durable_.load(std::memory_order_acquire));
      if (engine_.parked_count() != 0) engine_.take_parked(timekeeper_.now());
      if (engine_.has_group()) {
        hand_over();
        continue;
      }
    }
    std::unique_lock lock(mutex_);
    core_waits(lock, 1, [this] { return woken_; });
    woken_ = false;
  }
  return true;
}

bool Pipeline::room_for_own() const {
  // In a segment of an ordinary size this is own_bytes_max; in a tiny one expiries must not wait for an empty one.
  return journal_.room_for(engine_.pending_disk_bytes() + in_flight_bytes_.load(std::memory_order_relaxed) +
                           std::min(own_bytes_max, whole_segment_bytes() / 4));
}

void Pipeline::take(Submission&& submission) {
  submissions_.fetch_add(1, std::memory_order_relaxed);
  if (std::holds_alternative<model::Admitted>(submission.content) && !room_for(submission)) {
    refused_space_.fetch_add(1, std::memory_order_relaxed);
    engine_.refuse(submission, model::Outcome::disk_space_short);
    return;
  }
  engine_.take(std::move(submission), timekeeper_.now());
}

void Pipeline::publish() {
  decided_.store(engine_.position(), std::memory_order_relaxed);
  auto clients = engine_.clients();
  auto webhooks = engine_.webhooks();
  auto registry = engine_.registry();
  const std::lock_guard lock(mutex_);
  clients_ = std::move(clients);
  webhooks_ = std::move(webhooks);
  registry_ = std::move(registry);
}

void Pipeline::hand_over() {
  const bool freeze = freeze_requested_.load(std::memory_order_relaxed) ||
                      engine_.position() - last_freeze_ >= options_.freeze_every_events;
  Work work{.group = engine_.seal_group(freeze), .prepared = {}, .disk_bytes = 0, .core_minus_boot_ns = 0};
  if (work.group.frozen) {
    last_freeze_ = engine_.position();
    freeze_requested_ = false;
  }
  in_flight_.fetch_add(1, std::memory_order_acq_rel);
  sealed_ = false;   // even if all of it is delivered before anybody looks
  last_work_ = std::chrono::steady_clock::now();
  bool small = !work.group.draft;
  if (work.group.draft) {
    work.disk_bytes = work.group.draft->disk_bytes();
    const TimeAnchor anchor = timekeeper_.anchor();
    work.core_minus_boot_ns = anchor.instant.ns - anchor.boot_ns;
    work.group.draft->set_clock(anchor);
    in_flight_bytes_.fetch_add(work.disk_bytes, std::memory_order_relaxed);
    small = work.group.draft->entry_count() <= options_.inline_hash_entries_max;
  }
  if (!small || in_hash_.load(std::memory_order_acquire) != 0) {
    in_hash_.fetch_add(1, std::memory_order_acq_rel);
    return to_hash_.put(std::move(work));
  }
  if (work.group.draft) {
    auto prepared = journal_.prepare(std::move(*work.group.draft));
    if (!prepared.ok()) return fatal(prepared.error());
    work.prepared = std::move(prepared).value();
  }
  to_sync_.put(std::move(work));
}

void Pipeline::run_core() {
  std::vector<Submission> batch;
  while (wait_for_work(batch)) {
    if (failed_) return;
    engine_.durable_through(durable_.load(std::memory_order_acquire));
    (void)timekeeper_.now();   // looks at the clocks
    clock_suspended_.store(timekeeper_.suspended(), std::memory_order_relaxed);
    if (clock_confirmed_.exchange(false) && timekeeper_.suspended()) {
      const base::Duration jump = timekeeper_.confirm();
      engine_.take_own({.tenant = 1, .idempotency = {}, .body = model::ConfirmClock{jump}}, timekeeper_.now());
    }
    if (engine_.parked_count() != 0) engine_.take_parked(timekeeper_.now());
    std::size_t taken = 0;
    for (Submission& submission : batch) {
      take(std::move(submission));
      // A long queue must not leave the disk idle until all of it is decided.
      if (++taken % options_.inline_hash_entries_max == 0 && in_flight_.load(std::memory_order_acquire) == 0) hand_over();
      while (engine_.group_full()) {
        if (in_flight_.load(std::memory_order_acquire) < options_.groups_in_flight_max) {
          hand_over();
          continue;
        }
        std::unique_lock lock(mutex_);
        core_waits(lock, 100, [this] { return in_flight_.load(std::memory_order_acquire) < options_.groups_in_flight_max || failed_; });
        if (failed_) return;
      }
    }
    // Read anew for every decision: an instant from before the batch would lie behind what the batch decided.
    const base::Instant now = timekeeper_.now();
    if (!timekeeper_.suspended() && room_for_own()) engine_.tick(now);
    publish();
    if (engine_.has_group() && in_flight_.load(std::memory_order_acquire) == 0) hand_over();
    seal_if_idle();
  }
}

base::Status Pipeline::seal() {
  const TimeAnchor anchor = timekeeper_.anchor();
  return journal_.seal(anchor.instant, anchor);
}

// With nothing in flight the journal is touched by nobody else.
void Pipeline::seal_if_idle() {
  const auto now = std::chrono::steady_clock::now();
  if (engine_.has_group() || in_flight_.load(std::memory_order_acquire) != 0) {
    last_work_ = now;
    sealed_ = false;
  } else if (!sealed_ && now - last_work_ >= std::chrono::milliseconds(options_.idle_seal_ms)) {
    const base::Status sealed = seal();
    if (!sealed.ok()) return fatal(sealed.error());
    sealed_ = true;
  }
}

// --- hash thread, sync thread -----------------------------------------------------------------------------------------------

void Pipeline::run_hash() {
  Work work;
  while (to_hash_.get(work)) {
    if (work.group.draft) {
      auto prepared = journal_.prepare(std::move(*work.group.draft));
      if (!prepared.ok()) return fatal(prepared.error());
      work.prepared = std::move(prepared).value();
    }
    to_sync_.put(std::move(work));
    in_hash_.fetch_sub(1, std::memory_order_acq_rel);
  }
}

void Pipeline::run_sync() {
  Work work;
  while (to_sync_.get(work)) {
    if (failed_) return;
    if (work.prepared) {
      const auto started = std::chrono::steady_clock::now();
      auto sealed = journal_.commit(std::move(*work.prepared));
      if (!sealed.ok()) return fatal(sealed.error());
      const auto took = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - started).count());
      sync_ns_sum_.fetch_add(took, std::memory_order_relaxed);
      if (took > sync_ns_max_.load(std::memory_order_relaxed)) sync_ns_max_.store(took, std::memory_order_relaxed);
      groups_.fetch_add(1, std::memory_order_relaxed);
      const store::GroupHeader& header = (*sealed)->header();
      events_.fetch_add(header.event_count, std::memory_order_relaxed);
      durable_.store(header.next_event() - 1, std::memory_order_release);
      listener_.durable(*sealed, work.group);
      if (!work.group.effects.empty()) listener_.effects(std::move(work.group.effects), work.core_minus_boot_ns);
      for (PendingAnswer& pending : work.group.answers) pending.answer.group = *sealed;
      in_flight_bytes_.fetch_sub(work.disk_bytes, std::memory_order_relaxed);
    }
    in_flight_.fetch_sub(1, std::memory_order_acq_rel);
    {
      // The core goes on deciding while the answers of this group are delivered.
      const std::lock_guard lock(mutex_);
      wake_core();
    }
    for (PendingAnswer& pending : work.group.answers) pending.sink->deliver(pending.token, std::move(pending.answer));
    work = {};
  }
}

}  // namespace node
