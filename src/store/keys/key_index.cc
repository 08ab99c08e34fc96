#include "store/keys/key_index.h"

#include <atomic>
#include <deque>
#include <mutex>

#include "base/check.h"
#include "base/planted_bug.h"
#include "store/keys/key_flush.h"
#include "store/keys/key_manifest.h"
#include "store/keys/key_run.h"
#include "store/keys/key_sieve.h"
#include "store/keys/key_table.h"

namespace store {

namespace {

// Below this many runs their own filters are as quick as one over all.
constexpr std::size_t sieve_from_runs = 3;

/// The runs in force: immutable (but for the sieve's growing), replaced as a whole.
struct RunSet {
  std::vector<std::shared_ptr<const KeyRun>> runs;   ///< oldest first
  model::EventNumber covered = 0;
  std::shared_ptr<const KeySieve> sieve;             ///< over all these runs, if there is one
};

std::uint64_t records_of(const RunSet& set) {
  std::uint64_t sum = 0;
  for (const auto& run : set.runs) sum += run->info().records;
  return sum;
}

std::uint64_t memory_of(const RunSet& set) {
  std::uint64_t sum = 0;
  for (const auto& run : set.runs) sum += run->memory_bytes();
  return sum + (set.sieve == nullptr ? 0 : set.sieve->bytes());
}

bool is_run_name(const std::string& name) { return name.starts_with("run-") && name.ends_with(".keys"); }

// Removes what the manifest does not name: runs half written, merged away, or never listed because of a crash.
base::Status remove_unlisted(io::FileSystem& files, const std::string& directory, const KeyManifest& manifest) {
  TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  for (const std::string& name : names) {
    bool listed = false;
    for (const KeyRunInfo& run : manifest.runs) listed = listed || key_run_name(run.number) == name;
    const bool leftover = (is_run_name(name) && !listed) || name == std::string(key_manifest_name) + ".new";
    if (leftover) TRY(files.remove(io::join_path(directory, name)));
  }
  return base::ok();
}

std::uint64_t mixed(std::uint64_t value) {   // finalizer of SplitMix64: bijective, every bit depends on every bit
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

base::Result<KeyManifest> read_fitting_manifest(io::FileSystem& files, const std::string& directory,
                                                const KeyIndexOptions& options) {
  TRY_ASSIGN(KeyManifest manifest, read_key_manifest(files, directory));
  if (manifest.covered == 0 && manifest.runs.empty()) {
    manifest.identity = options.identity;   // nothing in it yet: it becomes this journal's
    return manifest;
  }
  if (manifest.identity != options.identity) {
    return base::Error{"key_index_of_another_log", directory + " belongs to another journal or epoch"};
  }
  if (manifest.covered > options.journal_end) {
    return base::Error{"key_index_ahead_of_journal",
                       directory + " covers event " + std::to_string(manifest.covered) + ", the journal ends at event " +
                           std::to_string(options.journal_end)};
  }
  return manifest;
}

}  // namespace

base::Tag128 hold_resolution_key(model::EventNumber hold) {
  base::Tag128 key;
  base::store_le(key.data(), mixed(hold + 0x9e3779b97f4a7c15u));
  base::store_le(key.data() + 8, mixed(hold + 0x3c6ef372fe94f82au));
  return key;
}

/// What the two threads exchange; everything but the atomics under the mutex.
struct KeyIndex::Shared {
  std::mutex mutex;
  std::shared_ptr<const RunSet> runs;                       ///< newest, from the background thread
  std::deque<std::shared_ptr<const FrozenKeys>> to_flush;   ///< oldest first, from the core thread
  std::vector<std::shared_ptr<const RunSet>> retired_runs;  ///< let go by the core thread; freed by the background thread
  std::vector<std::shared_ptr<const FrozenKeys>> retired_keys;
  std::unique_ptr<KeyTable> spare;                          ///< empty, for the next generation
  std::atomic<bool> spare_needed{false};                    ///< the active generation is well on its way

  std::atomic<std::uint64_t> runs_version{0};   ///< tells the core thread to look, without a lock
  std::atomic<std::uint64_t> keys_in_memory{0};
  std::atomic<std::uint64_t> table_bytes{0};
  std::atomic<std::uint64_t> keys_in_runs{0};
  std::atomic<std::uint64_t> run_bytes{0};
  std::atomic<std::uint32_t> run_count{0};
  std::atomic<std::uint32_t> frozen{0};
  std::atomic<std::uint64_t> covered{0};
  std::atomic<std::uint64_t> pages_read{0};

  void publish(std::shared_ptr<const RunSet> set) {
    keys_in_runs.store(records_of(*set), std::memory_order_relaxed);
    run_bytes.store(memory_of(*set), std::memory_order_relaxed);
    run_count.store(static_cast<std::uint32_t>(set->runs.size()), std::memory_order_relaxed);
    covered.store(set->covered, std::memory_order_relaxed);
    const std::lock_guard lock(mutex);
    runs = std::move(set);
    runs_version.fetch_add(1, std::memory_order_release);
  }
};

/// The half of the core thread.
class KeyIndex::Core {
 public:
  Core(Shared& shared, const KeyIndexOptions& options, std::shared_ptr<const RunSet> runs)
      : shared_(shared),
        generation_keys_(options.generation_keys),
        runs_(std::move(runs)),
        active_(std::make_unique<KeyTable>(generation_keys_)),
        frozen_through_(runs_->covered),
        complete_(runs_->covered),
        version_(shared.runs_version.load(std::memory_order_acquire)) {
    active_->provide_memory();
  }

  void prefetch(std::uint64_t high) const {
    active_->prefetch(high);
    for (const auto& keys : frozen_) keys->table->prefetch(high);
    if (runs_->sieve != nullptr) {
      runs_->sieve->prefetch(high);
    } else {
      for (const auto& run : runs_->runs) run->prefetch(high);
    }
  }

  void insert(const KeyRecord& record) {
    CHECK_THAT(record.event() > complete_, "keys of complete events cannot come later");
    active_->insert(record);
  }

  void complete_through(model::EventNumber event) {
    CHECK(event >= complete_ && event <= model::event_number_max);
    complete_ = event;
    refresh();
    shared_.keys_in_memory.store(active_->size() + frozen_keys_, std::memory_order_relaxed);
    if (active_->size() >= generation_keys_) freeze();
    else if (active_->size() >= generation_keys_ / 4) shared_.spare_needed.store(true, std::memory_order_relaxed);
  }

  void freeze() {
    if (complete_ == frozen_through_) return;
    auto keys = std::make_shared<FrozenKeys>();
    keys->table = std::move(active_);
    keys->from = frozen_through_;
    keys->through = complete_;
    frozen_through_ = complete_;
    frozen_keys_ += keys->table->size();
    frozen_.push_back(keys);
    {
      const std::lock_guard lock(shared_.mutex);
      shared_.to_flush.push_back(std::move(keys));
      active_ = std::move(shared_.spare);
    }
    shared_.spare_needed.store(false, std::memory_order_relaxed);
    if (active_ == nullptr) active_ = std::make_unique<KeyTable>(generation_keys_);
    count_frozen();
  }

  base::Result<std::optional<model::EventNumber>> find(const KeyRecord& key) {
    refresh();
    if (runs_may_hold(key)) {
      for (const auto& run : runs_->runs) {
        if (!run->may_hold(key)) continue;
        found_.clear();
        TRY(find_in(*run, key, 0, 1));
        if (!found_.empty()) return std::optional(found_.front());
      }
    }
    for (const auto& keys : frozen_) {
      if (base::planted_bug(14)) continue;
      if (const auto event = keys->table->find(key); event != 0) return std::optional(event);
    }
    if (const auto event = active_->find(key); event != 0) return std::optional(event);
    return std::optional<model::EventNumber>();
  }

  base::Result<std::vector<model::EventNumber>> find_all(const KeyRecord& key, model::EventNumber after,
                                                         std::size_t limit) {
    refresh();
    found_.clear();
    if (runs_may_hold(key)) {
      for (const auto& run : runs_->runs) {
        if (found_.size() < limit && run->may_hold(key)) TRY(find_in(*run, key, after, limit));
      }
    }
    for (const auto& keys : frozen_) keys->table->find_all(key, after, limit, found_);
    active_->find_all(key, after, limit, found_);
    return found_;
  }

 private:
  bool runs_may_hold(const KeyRecord& key) const { return runs_->sieve == nullptr || runs_->sieve->may_hold(key); }

  base::Status find_in(const KeyRun& run, const KeyRecord& key, model::EventNumber after, std::size_t limit) {
    std::uint64_t pages = 0;
    const base::Status status = run.find_all(key, after, limit, found_, pages);
    shared_.pages_read.fetch_add(pages, std::memory_order_relaxed);
    return status;
  }

  // Takes over newer runs, and hands what they replace to the background thread, which has the time to free it.
  void refresh() {
    const std::uint64_t version = shared_.runs_version.load(std::memory_order_acquire);
    if (version == version_) [[likely]] return;
    const std::lock_guard lock(shared_.mutex);
    version_ = shared_.runs_version.load(std::memory_order_relaxed);
    shared_.retired_runs.push_back(std::move(runs_));
    runs_ = shared_.runs;
    while (!frozen_.empty() && frozen_.front()->through <= runs_->covered) {
      frozen_keys_ -= frozen_.front()->table->size();
      shared_.retired_keys.push_back(std::move(frozen_.front()));
      frozen_.pop_front();
    }
    count_frozen();
  }

  void count_frozen() {
    std::uint64_t bytes = active_->memory_bytes();
    for (const auto& keys : frozen_) bytes += keys->table->memory_bytes();
    shared_.table_bytes.store(bytes, std::memory_order_relaxed);
    shared_.frozen.store(static_cast<std::uint32_t>(frozen_.size()), std::memory_order_relaxed);
    shared_.keys_in_memory.store(active_->size() + frozen_keys_, std::memory_order_relaxed);
  }

  Shared& shared_;
  const std::uint32_t generation_keys_;
  std::shared_ptr<const RunSet> runs_;
  std::deque<std::shared_ptr<const FrozenKeys>> frozen_;   ///< oldest first, not yet covered by a run
  std::unique_ptr<KeyTable> active_;
  model::EventNumber frozen_through_;
  model::EventNumber complete_;
  std::uint64_t frozen_keys_ = 0;
  std::uint64_t version_;
  std::vector<model::EventNumber> found_;
};

/// The half of the background thread.
class KeyIndex::Background {
 public:
  Background(Shared& shared, io::FileSystem& files, std::string directory, const KeyIndexOptions& options,
             KeyManifest manifest, std::shared_ptr<const RunSet> runs)
      : shared_(shared),
        files_(files),
        directory_(std::move(directory)),
        options_(options),
        manifest_(std::move(manifest)),
        runs_(std::move(runs)) {}

  base::Result<bool> step(model::EventNumber durable) {
    free_retired();
    if (flush_ == nullptr) TRY(begin_flush(durable));
    if (flush_ != nullptr) return reset_on_error(step_flush());
    if (sieve_build_ == nullptr) begin_sieve();
    if (sieve_build_ != nullptr) return reset_on_error(step_sieve());
    if (merge_ == nullptr) TRY(begin_merge());
    if (merge_ != nullptr) return reset_on_error(step_merge());
    return false;
  }

 private:
  // A half-written run is useless after an error: its file stays behind unlisted, the next attempt has a new number.
  base::Result<bool> reset_on_error(base::Result<bool> result) {
    if (!result.ok()) {
      flush_.reset();
      merge_.reset();
      sieve_build_.reset();
    }
    return result;
  }

  std::shared_ptr<const FrozenKeys> oldest_frozen() {
    const std::lock_guard lock(shared_.mutex);
    return shared_.to_flush.empty() ? nullptr : shared_.to_flush.front();
  }

  base::Status begin_flush(model::EventNumber durable) {
    while (auto keys = oldest_frozen()) {
      if (keys->through > durable) return base::ok();
      if (keys->table->size() > 0) {
        TRY_ASSIGN(flush_, KeyFlush::begin(files_, directory_, keys, sieve_, manifest_.next_run++, options_.identity,
                                           options_.sync_bytes));
        flushing_through_ = keys->through;
        return base::ok();
      }
      // Events without keys: only the position moves.
      TRY(install(runs_->runs, keys->through));
      pop_flushed();
    }
    return base::ok();
  }

  base::Result<bool> step_flush() {
    TRY_ASSIGN(const bool more, flush_->step(options_.step_bytes));
    if (more) return true;
    auto runs = runs_->runs;
    runs.push_back(flush_->take());
    TRY(install(std::move(runs), flushing_through_));
    flush_.reset();
    pop_flushed();
    return true;
  }

  void begin_sieve() {
    const std::size_t count = runs_->runs.size();
    const bool wanted = sieve_ == nullptr ? count >= sieve_from_runs : sieve_->is_full();
    if (!wanted) return;
    const std::uint64_t capacity = 2 * records_of(*runs_) + 4 * std::uint64_t{options_.generation_keys};
    sieve_build_ = std::make_unique<KeySieveBuild>(capacity);
  }

  base::Result<bool> step_sieve() {
    TRY_ASSIGN(const bool more, sieve_build_->step(runs_->runs, options_.step_bytes));
    if (more) return true;
    // No flush is under way here, so the new one misses no run.
    sieve_ = sieve_build_->take();
    sieve_build_.reset();
    runs_ = std::make_shared<const RunSet>(RunSet{runs_->runs, runs_->covered, sieve_});
    shared_.publish(runs_);
    return true;
  }

  void pop_flushed() {
    const std::lock_guard lock(shared_.mutex);
    shared_.to_flush.pop_front();
  }

  base::Status begin_merge() {
    const std::size_t count = newest_runs_to_merge(manifest_.runs, options_.fan_out);
    if (count == 0) return base::ok();
    std::vector<std::shared_ptr<const KeyRun>> inputs(runs_->runs.end() - static_cast<std::ptrdiff_t>(count),
                                                      runs_->runs.end());
    TRY_ASSIGN(merge_, KeyMerge::begin(files_, directory_, std::move(inputs), manifest_.next_run++, options_.identity,
                                       options_.sync_bytes));
    return base::ok();
  }

  base::Result<bool> step_merge() {
    TRY_ASSIGN(const bool more, merge_->step(options_.step_bytes));
    if (more) return true;
    // Flushes may have added newer runs behind the merged ones meanwhile.
    auto runs = runs_->runs;
    const auto& inputs = merge_->inputs();
    std::size_t first = 0;
    while (runs[first] != inputs.front()) ++first;
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(first) + 1,
               runs.begin() + static_cast<std::ptrdiff_t>(first + inputs.size()));
    runs[first] = merge_->take();
    TRY(install(std::move(runs), runs_->covered));
    std::vector<std::string> merged_away;
    for (const auto& input : inputs) merged_away.push_back(key_run_name(input->info().number));
    merge_.reset();
    for (const std::string& name : merged_away) TRY(files_.remove(io::join_path(directory_, name)));
    return true;
  }

  // The manifest first; readers see the runs only when a crash can no longer lose them.
  base::Status install(std::vector<std::shared_ptr<const KeyRun>> runs, model::EventNumber covered) {
    KeyManifest next{options_.identity, covered, manifest_.next_run, {}};
    for (const auto& run : runs) next.runs.push_back(run->info());
    TRY(write_key_manifest(files_, directory_, next));
    manifest_ = std::move(next);
    runs_ = std::make_shared<const RunSet>(RunSet{std::move(runs), covered, sieve_});
    shared_.publish(runs_);
    return base::ok();
  }

  void free_retired() {
    std::vector<std::shared_ptr<const RunSet>> runs;
    std::vector<std::shared_ptr<const FrozenKeys>> keys;
    bool spare_wanted;
    {
      const std::lock_guard lock(shared_.mutex);
      runs.swap(shared_.retired_runs);
      keys.swap(shared_.retired_keys);
      spare_wanted = shared_.spare == nullptr;
    }
    if (!spare_wanted) return;
    std::unique_ptr<KeyTable> spare;
    if (!keys.empty()) {
      // Nobody else refers to a retired generation: the core thread let go of it, the flush of it is over.
      spare = std::move(std::const_pointer_cast<FrozenKeys>(keys.back())->table);
      spare->reset();
    } else if (shared_.spare_needed.load(std::memory_order_relaxed)) {
      // The core thread must not wait for memory in the middle of its work.
      spare = std::make_unique<KeyTable>(options_.generation_keys);
      spare->provide_memory();
    } else {
      return;
    }
    const std::lock_guard lock(shared_.mutex);
    shared_.spare = std::move(spare);
  }

  Shared& shared_;
  io::FileSystem& files_;
  const std::string directory_;
  const KeyIndexOptions options_;
  KeyManifest manifest_;
  std::shared_ptr<const RunSet> runs_;
  std::unique_ptr<KeyFlush> flush_;
  model::EventNumber flushing_through_ = 0;
  std::shared_ptr<KeySieve> sieve_;                   ///< over all of runs_, or nothing
  std::unique_ptr<KeySieveBuild> sieve_build_;
  std::unique_ptr<KeyMerge> merge_;
};

base::Result<std::unique_ptr<KeyIndex>> KeyIndex::open(io::FileSystem& files, const std::string& directory,
                                                       const KeyIndexOptions& options) {
  TRY_ASSIGN(const bool exists, files.exists(directory));
  if (!exists) {
    TRY(files.make_dir(directory));
    TRY(files.sync_dir(io::directory_of(directory)));
  }
  TRY_ASSIGN(KeyManifest manifest, read_fitting_manifest(files, directory, options));
  TRY(remove_unlisted(files, directory, manifest));
  RunSet set{{}, manifest.covered, nullptr};
  for (const KeyRunInfo& info : manifest.runs) {
    auto run = KeyRun::open(files, directory, info, options.identity);
    if (!run.ok()) {
      if (std::string_view(run.error().code) != "file_not_found") return run.error();
      return base::Error{"key_run_damaged", io::join_path(directory, key_run_name(info.number)) + " is missing"};
    }
    set.runs.push_back(std::move(run).value());
  }
  auto runs = std::make_shared<const RunSet>(std::move(set));
  auto shared = std::make_unique<Shared>();
  shared->publish(runs);
  auto core = std::make_unique<Core>(*shared, options, runs);
  auto background = std::make_unique<Background>(*shared, files, directory, options, std::move(manifest), runs);
  return std::unique_ptr<KeyIndex>(new KeyIndex(std::move(shared), std::move(core), std::move(background)));
}

base::Status KeyIndex::erase(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const bool exists, files.exists(directory));
  if (!exists) return base::ok();
  // Without a manifest nothing is covered, whatever runs are left.
  const std::string manifest = io::join_path(directory, key_manifest_name);
  TRY_ASSIGN(const bool listed, files.exists(manifest));
  if (listed) TRY(files.remove(manifest));
  TRY(files.sync_dir(directory));
  TRY(remove_unlisted(files, directory, KeyManifest{}));
  return files.sync_dir(directory);
}

base::Status KeyIndex::verify(io::FileSystem& files, const std::string& directory, const KeyIndexOptions& options) {
  TRY_ASSIGN(const KeyManifest manifest, read_fitting_manifest(files, directory, options));
  for (const KeyRunInfo& info : manifest.runs) {
    TRY_ASSIGN(auto run, KeyRun::open(files, directory, info, options.identity));
    KeyRunScan scan(run);
    KeyRecord last;
    KeyRecord record;
    std::uint64_t count = 0;
    for (;;) {
      TRY_ASSIGN(const bool any, scan.next(record));
      if (!any) break;
      const bool fits = (count == 0 || !(record < last)) && record.event() > info.from &&
                        record.event() <= info.through && run->may_hold(record);
      if (!fits) {
        return base::Error{"key_run_damaged", io::join_path(directory, key_run_name(info.number)) + ": record " +
                                                  std::to_string(count) + " does not belong there"};
      }
      last = record;
      ++count;
    }
  }
  return base::ok();
}

KeyIndex::KeyIndex(std::unique_ptr<Shared> shared, std::unique_ptr<Core> core, std::unique_ptr<Background> background)
    : shared_(std::move(shared)), core_(std::move(core)), background_(std::move(background)) {}
KeyIndex::~KeyIndex() = default;

model::EventNumber KeyIndex::covered() const { return shared_->covered.load(std::memory_order_relaxed); }

void KeyIndex::prefetch(const base::Tag128& key) const { core_->prefetch(base::load_le<std::uint64_t>(key.data())); }

void KeyIndex::insert(KeyKind kind, const base::Tag128& key, model::EventNumber event) {
  core_->insert(make_record(kind, key, event));
}

void KeyIndex::complete_through(model::EventNumber event) { core_->complete_through(event); }
void KeyIndex::freeze() { core_->freeze(); }

base::Result<std::optional<model::EventNumber>> KeyIndex::find(KeyKind kind, const base::Tag128& key) {
  return core_->find(make_record(kind, key, 0));
}

base::Result<std::vector<model::EventNumber>> KeyIndex::find_all(KeyKind kind, const base::Tag128& key,
                                                                 model::EventNumber after, std::size_t limit) {
  return core_->find_all(make_record(kind, key, 0), after, limit);
}

base::Result<bool> KeyIndex::flush_step(model::EventNumber durable) { return background_->step(durable); }

KeyIndexStats KeyIndex::stats() const {
  const Shared& s = *shared_;
  constexpr auto relaxed = std::memory_order_relaxed;
  return {s.keys_in_memory.load(relaxed), s.keys_in_runs.load(relaxed), s.frozen.load(relaxed), s.run_count.load(relaxed),
          s.table_bytes.load(relaxed) + s.run_bytes.load(relaxed), s.covered.load(relaxed), s.pages_read.load(relaxed)};
}

}  // namespace store
