#include "node/service.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "core/invariant/frozen_laws.h"
#include "core/transfer/effects.h"
#include "crypto/hash.h"
#include "io/thread.h"

namespace node {

namespace {

constexpr std::string_view default_tenant = "default";
constexpr std::uint64_t snapshot_step_bytes = 4u << 20;
constexpr std::uint32_t balance_rows_per_step = 4'000;
constexpr auto views_retry = std::chrono::seconds(1);   // after a failure; whatever it was, it is not over at once

bool is_disk_full(const base::Error& error) { return std::string_view(error.code) == "disk_full"; }

}  // namespace

// The engine's view of what is durable.
class Service::JournalEntries final : public EntrySource {
 public:
  explicit JournalEntries(std::shared_ptr<store::JournalReader> reader) : reader_(std::move(reader)) {}

  base::Result<model::Entry> read_entry(model::EventNumber event) override {
    TRY_ASSIGN(const store::StoredEntry stored, reader_->read_entry(event));
    return model::decode_entry(stored.bytes, stored.first_event);
  }

 private:
  std::shared_ptr<store::JournalReader> reader_;
};

Service::Service(io::FileSystem& files, ServiceOptions options, std::function<void(const base::Error&)> on_fatal)
    : files_(files), options_(std::move(options)), on_fatal_(std::move(on_fatal)) {}

Service::~Service() { stop(); }

base::Result<std::unique_ptr<Service>> Service::open(io::FileSystem& files, io::Clock& clock, io::Random& random,
                                                     const audit::Blinding& blinding, ServiceOptions options,
                                                     std::function<void(const base::Error&)> on_fatal,
                                                     const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  random.fill(options.recovery.id_if_new);
  std::unique_ptr<Service> service(new Service(files, std::move(options), std::move(on_fatal)));
  TRY_ASSIGN(service->partition_,
             recover(files, clock, blinding, service->options_.recovery, service->recovery_, progress));
  Partition& partition = service->partition_;
  service->timekeeper_ = std::make_unique<Timekeeper>(clock, partition.last_anchor(), service->options_.time);
  service->entries_ = std::make_unique<JournalEntries>(partition.reader);
  service->learn_tenants_and_assets(partition.state.freeze());
  service->log_key_version_ = partition.state.head().log_key;
  service->epochs_ = partition.state.epochs();
  service->stats_.snapshot = service->recovery_.snapshot_event;
  service->engine_ = std::make_unique<Engine>(std::move(partition.state), *partition.directory, *partition.tenants,
                                              *partition.keys, *service->entries_, partition.journal->buffers(),
                                              service->options_.engine);
  if (service->engine_->position() == 0) TRY(service->bootstrap(random));
  service->announced_ = service->engine_->position();
  service->pipeline_ = std::make_unique<Pipeline>(
      *service->engine_, *partition.journal, *service->timekeeper_, *service,
      [raw = service.get()](const base::Error& error) { raw->fatal(error); }, service->options_.pipeline);
  return service;
}

// The first event of every journal opens the default tenant, before any thread runs.
base::Status Service::bootstrap(io::Random& random) {
  model::PrivateDraft name{.field = model::PrivateField::tenant_name, .salt = {}, .value = base::to_bytes(base::as_bytes(default_tenant))};
  random.fill(name.salt);
  crypto::Sha256 hash;
  hash.update(name.salt);
  hash.update(name.value);
  model::OpenTenant open{.name = hash.finish()};
  CHECK(engine_->take_own({.tenant = 1, .idempotency = {}, .body = open}, timekeeper_->now(), {std::move(name)}));
  OutgoingGroup group = engine_->seal_group(false);
  group.draft->set_clock(timekeeper_->anchor());
  TRY_ASSIGN(const auto sealed, partition_.journal->append(std::move(*group.draft)));
  engine_->durable_through(sealed->header().next_event() - 1);
  return base::ok();
}

void Service::start() {
  CHECK(!started_);
  started_ = true;
  segments_ = std::thread([this] { run_segments(); });
  keys_ = std::thread([this] { run_keys(); });
  derived_ = std::thread([this] { run_derived(); });
  if (effects_ != nullptr) {
    const TimeAnchor anchor = timekeeper_->anchor();
    std::vector<EffectOrder> open;
    append_orders(engine_->state(), core::open_effects(engine_->state()), open);
    append_orders(engine_->state(), voids_to_repeat(engine_->state(), anchor.instant), open);
    effects_->take(std::move(open), anchor.instant.ns - anchor.boot_ns);
  }
  pipeline_->start();
}

void Service::effects(std::vector<EffectOrder>&& orders, std::int64_t core_minus_boot_ns) {
  if (effects_ != nullptr) effects_->take(std::move(orders), core_minus_boot_ns);
}

void Service::stop() {
  if (!started_) return;
  pipeline_->stop();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    // The pipeline's threads are gone: the state is as the last group left it.
    if (options_.snapshot_on_stop && last_group_ && last_group_->header().next_event() == engine_->position() + 1) {
      frozen_ = std::make_shared<core::FrozenState>(engine_->state().freeze());
      frozen_group_ = last_group_;
    }
    stopping_ = true;
    changed_.notify_all();
    derived_wanted_.notify_all();
  }
  segments_.join();
  keys_.join();
  derived_.join();
  started_ = false;
}

DerivedStats Service::derived() const {
  const std::lock_guard lock(mutex_);
  DerivedStats stats = stats_;
  stats.projected = projected_.load(std::memory_order_relaxed);
  return stats;
}

std::optional<model::Asset> Service::asset(model::AssetNumber number) const {
  const std::lock_guard lock(mutex_);
  if (number == 0 || number > assets_.size()) return std::nullopt;
  return assets_[number - 1].second;
}

model::AssetNumber Service::asset_number(model::TenantNumber tenant, const model::Asset& asset) const {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    if (assets_[i].first == tenant && assets_[i].second == asset) return static_cast<model::AssetNumber>(i + 1);
  }
  return 0;
}

// Whoever comes second only met what the first left behind.
void Service::fatal(const base::Error& error) {
  if (!fatal_.exchange(true)) on_fatal_(error);
}

void Service::learn_tenants_and_assets(const core::FrozenState& state) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = assets_.size(); i < state.assets.size(); ++i) {
    assets_.emplace_back(state.assets[i].tenant, state.assets[i].asset());
  }
}

// On the sync thread, before the answers of the group leave: an asset that a reply names must be known by then.
void Service::durable(const std::shared_ptr<const store::SealedGroup>& group, OutgoingGroup& outgoing) {
  if (observer_ != nullptr) observer_->durable(*group);
  const std::lock_guard lock(mutex_);
  assets_.insert(assets_.end(), outgoing.assets.begin(), outgoing.assets.end());
  announced_ = group->header().next_event() - 1;
  last_group_ = group;
  // One wake-up starts a pause, and all that comes in it is projected together.
  const bool wake = (notable_.empty() && !outgoing.notable.empty()) || outgoing.frozen;
  notable_.insert(notable_.end(), outgoing.notable.begin(), outgoing.notable.end());
  if (outgoing.frozen) {
    frozen_ = std::move(outgoing.frozen);
    frozen_group_ = group;
  }
  if (wake) derived_wanted_.notify_one();
}

void Service::hurry_projection(model::EventNumber position) {
  const std::lock_guard lock(mutex_);
  if (position <= hurried_) return;
  hurried_ = position;
  derived_wanted_.notify_one();
}

void Service::run_segments() {
  while (true) {
    const base::Status prepared = partition_.journal->prepare_next();
    if (prepared.ok()) {
      pipeline_->set_disk_full(false);
      pipeline_->wake();
    } else if (is_disk_full(prepared.error())) {
      pipeline_->set_disk_full(true);
      pipeline_->wake();
    } else {
      return fatal(prepared.error());
    }
    // A segment lasts a third of a second at the very least; a full disk is tried again at the same pace.
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::milliseconds(20), [this] { return stopping_; })) return;
  }
}

void Service::run_keys() {
  while (true) {
    const auto more = partition_.keys->flush_step(pipeline_->durable());
    // Without space keys stay in memory until there is some; nothing else about the index may fail.
    if (!more.ok() && !is_disk_full(more.error())) {
      // A damaged run would stop the next start as well; without the index it is made anew from the journal.
      if (std::string_view(more.error().code).starts_with("key_")) {
        (void)store::KeyIndex::erase(files_, options_.recovery.directory + "/keys-index");
      }
      return fatal(more.error());
    }
    if (more.ok() && *more) continue;
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::milliseconds(50), [this] { return stopping_; })) return;
  }
}

// One look at everything derived: rows first, then a frozen state if there is one, then a few balances. What takes long is
// done in steps, so that rows never wait for balances. Views that fall behind (at the start, or because they could not be
// written) are caught up from the journal: nothing is kept for them in memory, and snapshots do not wait for them.
void Service::run_derived() {
  using Clock = std::chrono::steady_clock;
  (void)io::lower_thread_priority();
  const auto interval = std::chrono::milliseconds(options_.refresh_interval_ms);
  const auto pause = std::chrono::milliseconds(options_.projection_pause_ms);
  auto next_refresh = Clock::now() + interval, next_step = Clock::now(), next_projection = Clock::now();
  std::optional<Clock::time_point> give_up;   // once stopping
  bool refreshing = false, behind = projection_ != nullptr, well = true;
  auto next_law_check = Clock::now();
  model::EventNumber refreshed = 0;
  while (true) {
    std::vector<model::EventNumber> notable;
    model::EventNumber through = 0;
    std::shared_ptr<core::FrozenState> frozen;
    std::shared_ptr<const store::SealedGroup> frozen_group;
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      const auto until = !well        ? Clock::now() + views_retry
                         : behind     ? Clock::now()
                         : refreshing ? next_step
                                      : Clock::now() + std::chrono::milliseconds(100);
      derived_wanted_.wait_until(lock, until, [&] { return stopping_ || (!behind && (!notable_.empty() || frozen_ || hurried_ != 0)); });
      if (!behind && well && !refreshing) derived_wanted_.wait_until(lock, next_projection, [&] { return stopping_ || frozen_ || hurried_ != 0; });
      hurried_ = 0;
      notable.swap(notable_);   // passed over while behind: catching up ends after all that was announced by now
      through = announced_;
      frozen = std::move(frozen_);
      frozen_group = std::move(frozen_group_);
      last = stopping_;
    }
    if (last && !give_up) give_up = Clock::now() + std::chrono::milliseconds(options_.refresh_on_stop_ms);
    if (behind) {
      const auto more = projection_->catch_up();
      well = more.ok();
      views_failed_ = well ? nullptr : more.error().code;
      behind = !well || *more;
    } else {
      well = project(notable, through);
      behind = !well;
      next_projection = Clock::now() + pause;
    }
    if (frozen) {
      const model::EventNumber event = frozen->head.next_event - 1;
      const model::EventNumber newest = derived().snapshot;
      const bool snapshot_due = event - newest >= options_.pipeline.freeze_every_events || (last && event > newest);
      if (const auto now = Clock::now(); last || snapshot_due || now >= next_law_check) {
        check_laws(*frozen);
        next_law_check = now + std::chrono::milliseconds(options_.law_check_interval_ms);
      }
      // Balances of one frozen state at a time: one that comes for the sake of a snapshot meanwhile is not for them.
      if (projection_ != nullptr && !behind && (!refreshing || last)) {
        const base::Status begun = projection_->begin_refresh(*frozen, event);
        if (!begun.ok()) views_failed_ = begun.error().code;
        refreshing = begun.ok();
        refreshed = event;
      }
      if (snapshot_due) {
        const base::Status written = write_snapshot(*frozen, *frozen_group);
        // A snapshot only shortens the next start; without space for one the journal still holds everything.
        if (!written.ok() && !is_disk_full(written.error())) return fatal(written.error());
      }
    }
    const auto now = Clock::now();
    if (refreshing && (last || now >= next_step)) {
      const auto more = projection_->refresh_step(balance_rows_per_step);
      if (!more.ok()) {
        views_failed_ = more.error().code;
        refreshed = 0;
      }
      refreshing = more.ok() && *more;
      const auto took = Clock::now() - now;
      next_step = now + took * 100 / std::max(1u, options_.refresh_share_percent);
      if (!refreshing) next_refresh = std::max(next_refresh, next_step);
    }
    if (last) {
      const std::lock_guard lock(mutex_);
      const bool enough = Clock::now() >= *give_up;
      if (!frozen_ && (!well || enough || (notable_.empty() && !refreshing && !behind))) return;
      continue;
    }
    if (!refreshing && !behind && now >= next_refresh && through > refreshed) {
      pipeline_->request_freeze();
      next_refresh = now + interval;
    }
  }
}

// False if views could not be written: what they lack is then read from the journal.
bool Service::project(const std::vector<model::EventNumber>& notable, model::EventNumber through) {
  if (projection_ != nullptr && (!notable.empty() || through > projected_.load(std::memory_order_relaxed))) {
    const base::Status projected = projection_->project(notable, through);
    if (!projected.ok()) {
      // Lists say that views lag until they do not.
      views_failed_ = projected.error().code;
      return false;
    }
    views_failed_ = nullptr;
  }
  projected_.store(through, std::memory_order_release);
  return true;
}

// Every so often, and always before a snapshot: the next start must not begin with a state that is wrong.
void Service::check_laws(const core::FrozenState& state) {
  core::require_laws(state);
  const std::lock_guard lock(mutex_);
  stats_.law_checks += 1;
}

base::Status Service::write_snapshot(const core::FrozenState& state, const store::SealedGroup& group) {
  const auto started = std::chrono::steady_clock::now();
  base::Bytes head, names;
  const std::vector<std::string> tenants = partition_.tenants->copy();
  auto sections = snapshot_sections(state, *partition_.directory, tenants, head, names);
  TRY_ASSIGN(const auto writer, store::SnapshotWriter::begin(files_, options_.recovery.directory + "/snapshots",
                                                             snapshot_position(group), std::move(sections), nullptr));
  while (true) {
    TRY_ASSIGN(const bool more, writer->step(snapshot_step_bytes));
    if (!more) break;
  }
  const std::lock_guard lock(mutex_);
  stats_.snapshot = group.header().next_event() - 1;
  stats_.snapshots += 1;
  stats_.snapshot_ns_last = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - started).count());
  return base::ok();
}

}  // namespace node
