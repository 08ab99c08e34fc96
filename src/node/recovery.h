#pragma once
// From files to a running partition: newest good snapshot, then the journal after it, with leaves hashed and roots compared
// on the way. What comes out is the state byte for byte as it was, and everything derived from it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/blinding.h"
#include "audit/merkle.h"
#include "base/result.h"
#include "core/ledger/state.h"
#include "io/clock.h"
#include "io/file.h"
#include "node/directory.h"
#include "node/tenants.h"
#include "store/journal/journal.h"
#include "store/keys/key_index.h"
#include "store/snapshot/snapshot.h"

namespace node {

struct RecoveryOptions {
  std::string directory;                                ///< the data directory
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  store::JournalId id_if_new{};
  std::uint32_t key_generation = 1u << 20;              ///< keys in memory before a run is written
  bool use_snapshots = true;                            ///< false replays from the first event
};

/// A partition in memory, as of the end of its journal.
struct Partition {
  std::unique_ptr<store::Journal> journal;
  std::shared_ptr<store::JournalReader> reader;
  std::unique_ptr<store::KeyIndex> keys;
  std::unique_ptr<Directory> directory;
  std::unique_ptr<Tenants> tenants;
  core::State state;
  audit::Frontier frontier;

  /// Where time stood when the journal was last written; nothing if it is new. For the Timekeeper.
  std::optional<store::ClockAnchor> last_anchor() const;
};

/// What happened on the way, for the log and `doctor`.
struct RecoveryReport {
  model::EventNumber snapshot_event = 0;                ///< 0: none was used
  std::vector<base::Error> snapshots_passed_over;
  std::uint64_t events_replayed = 0;
  std::uint64_t keys_replayed = 0;
  bool keys_rebuilt = false;                            ///< the index was damaged or foreign and was made anew
  store::JournalRepairs repairs;
};

/// Opens or creates a partition. `files`, `clock` and `blinding` must outlive the result. `progress(done, total)` is called
/// now and then with event numbers. Errors: those of the journal (damage refuses to open), of the disk, and
/// `journal_contradicts_state` where an event cannot follow from what came before it.
base::Result<Partition> recover(io::FileSystem& files, io::Clock& clock, const audit::Blinding& blinding,
                                const RecoveryOptions& options, RecoveryReport& report,
                                const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});

/// Position and sections of a frozen state, ready for a snapshot or a digest. `names` is where the private section's bytes
/// are kept; it and `state` must outlive the sections.
std::vector<store::SnapshotSection> snapshot_sections(const core::FrozenState& state, const Directory& directory,
                                                      const std::vector<std::string>& tenant_names, base::Bytes& head,
                                                      base::Bytes& names);
store::SnapshotPosition snapshot_position(const store::SealedGroup& group);

}  // namespace node
