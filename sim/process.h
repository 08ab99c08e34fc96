#pragma once
// One life of the program on a false machine: the real recovery, engine, journal, key index and snapshots, driven step by
// step by one thread instead of by the pipeline's threads, so that every interleaving of deciding, hashing, syncing and
// background work can be chosen, and chosen again. An error ends the life where it ends the real process.

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "audit/blinding.h"
#include "io/clock.h"
#include "io/random.h"
#include "io/simulated_file.h"
#include "node/engine.h"
#include "node/recovery.h"
#include "node/timekeeper.h"

namespace sim {

/// The sizes are a thousandth of the real ones, so that segments roll, runs merge and disks fill within one seed.
struct ProcessOptions {
  std::uint64_t segment_bytes = 128 << 10;
  std::uint32_t key_generation = 64;
  std::uint64_t space_reserve_bytes = 40 << 10;
  std::uint64_t own_bytes_max = 24 << 10;
  std::uint64_t freeze_every_events = 700;
  bool use_snapshots = true;
  node::EngineOptions engine;
};

/// Learns of every durable group with its answers and effects, in order. `core_minus_boot_ns`: the core's time minus the boot clock
/// when the group was closed.
using OnDurable = std::function<void(const store::SealedGroup* group, node::OutgoingGroup& outgoing, std::int64_t core_minus_boot_ns)>;

class Process {
 public:
  /// Recovers, or begins a new partition. Everything referred to outlives the process.
  static base::Result<std::unique_ptr<Process>> open(io::SimulatedFileSystem& files, io::SimulatedClock& clock,
                                                     io::SimulatedRandom& random, const audit::Blinding& blinding,
                                                     const ProcessOptions& options, OnDurable on_durable,
                                                     node::RecoveryReport& report);

  ~Process();

  // Each is a step that the real process may take at any moment. An error: the process must stop.

  base::Status submit(node::Submission&& submission);
  /// Closes the group in the making and hashes it.
  base::Status hand_over();
  /// Writes and syncs the oldest group handed over; its answers leave.
  base::Status commit();
  void take_parked();
  /// Resolves what is due, unless the clock is suspended.
  base::Status tick();
  base::Status confirm_clock();
  base::Status prepare_next();
  base::Status flush_keys();
  /// A piece of the snapshot that is being written, if any.
  base::Status write_snapshot(std::uint64_t bytes_max);
  base::Status seal_if_idle();
  /// Commits everything that was submitted; parked submissions too.
  base::Status drain();

  std::size_t in_flight() const { return in_flight_.size(); }
  bool idle() const { return !engine_->has_group() && in_flight_.empty() && engine_->parked_count() == 0; }
  bool has_group() const { return engine_->has_group(); }
  const core::State& state() const { return engine_->state(); }
  const node::Directory& directory() const { return *partition_.directory; }
  const store::JournalReader& reader() const { return *partition_.reader; }
  const store::Journal& journal() const { return *partition_.journal; }
  store::KeyIndex& keys() { return *partition_.keys; }
  node::Timekeeper& timekeeper() { return *timekeeper_; }
  model::EventNumber durable() const { return durable_; }
  std::uint64_t snapshots_written() const { return snapshots_written_; }

 private:
  class Entries;
  struct Work {
    node::OutgoingGroup group;
    std::optional<store::PreparedGroup> prepared;
    std::uint64_t disk_bytes = 0;
    std::int64_t core_minus_boot_ns = 0;
  };
  Process(io::SimulatedFileSystem& files, const ProcessOptions& options, OnDurable on_durable);
  base::Status bootstrap(io::SimulatedRandom& random);
  std::uint64_t bytes_in_flight() const;
  std::uint64_t whole_segment_bytes() const;
  base::Result<bool> make_room(std::uint64_t bytes);
  base::Status begin_snapshot(std::shared_ptr<core::FrozenState> frozen, const store::SealedGroup& group);

  io::SimulatedFileSystem& files_;
  const ProcessOptions options_;
  const OnDurable on_durable_;
  node::Partition partition_;
  std::unique_ptr<Entries> entries_;
  std::unique_ptr<node::Timekeeper> timekeeper_;
  std::unique_ptr<node::Engine> engine_;
  std::deque<Work> in_flight_;
  model::EventNumber durable_ = 0;
  model::EventNumber last_freeze_ = 0;
  // What the snapshot being written refers to.
  std::shared_ptr<core::FrozenState> frozen_;
  base::Bytes snapshot_head_, snapshot_names_;
  std::unique_ptr<store::SnapshotWriter> snapshot_;
  std::uint64_t snapshots_written_ = 0;
};

/// Where everything of the process lies on the simulated disk.
constexpr const char* data_directory = "data";

}  // namespace sim
