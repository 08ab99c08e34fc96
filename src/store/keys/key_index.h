#pragma once
// The key index: which event first used a key. Keys are 128-bit keyed hashes (already uniform), kept for ever, because an
// idempotency key gates money (design section 3). Everything here is derived from the journal and can be rebuilt from it.
//
// Where a key lives: first in the active generation (a hash table in memory); a full generation is frozen, and the
// background thread writes it as an immutable sorted run; runs of like size are merged. A key leaves memory only after a
// synced run covers it. Byte formats: docs/format/keys-index.md.
//
// Threads: one core thread calls insert, complete_through, freeze, prefetch, find and find_all. One background thread calls
// flush_step. They never wait for each other beyond a mutex held for a few pointer moves. stats() may be called by any.
//
// Errors (besides those of io/file.h):
//   key_run_damaged             a checksum or the order of a run is wrong; named with file and offset. Stop and rebuild.
//   key_manifest_damaged        the list of runs is unreadable: rebuild
//   key_index_of_another_log    the runs belong to another journal or epoch: rebuild
//   key_index_ahead_of_journal  the runs cover events the journal does not have: rebuild
//   key_index_version_unknown   written by a newer Holdfast

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"
#include "model/ids.h"

namespace store {

/// What a key stands for; kept with every record, so that equal hashes of different kinds never meet. Numbers are part of
/// the format.
enum class KeyKind : std::uint8_t {
  idempotency = 1,      ///< IdempotencyTag::key -> event that answered it
  reference = 2,        ///< TransferItem::reference_key -> transfers that carry it; many per key
  hold_resolution = 3,  ///< hold_resolution_key(hold) -> event that resolved it
};

/// The key under which the resolution of a hold is found: a fixed bijective mix of its event number.
base::Tag128 hold_resolution_key(model::EventNumber hold);

struct KeyIndexOptions {
  /// Names the journal and its epoch; runs of another identity are refused.
  base::Tag128 identity{};
  /// Last event the journal holds; runs that cover more are refused.
  model::EventNumber journal_end = 0;
  /// Keys in memory before a generation is frozen. About 36 bytes each; up to three generations exist at a time. Keys in
  /// runs take 2.5 to 3.5 bytes each (filters).
  std::uint32_t generation_keys = 1u << 20;
  /// Runs of like size that are merged into one.
  std::uint32_t fan_out = 8;
  /// Work of one flush_step, about.
  std::uint32_t step_bytes = 1u << 20;
  /// A run being written is synced every so often, so that its final sync never holds up the journal's.
  std::uint32_t sync_bytes = 8u << 20;
};

/// Numbers for metrics and back pressure. Each is right on its own, not all at one instant.
struct KeyIndexStats {
  std::uint64_t keys_in_memory = 0;      ///< active and frozen generations
  std::uint64_t keys_in_runs = 0;
  std::uint32_t frozen_generations = 0;  ///< waiting for a run; the pipeline should slow down above 2
  std::uint32_t runs = 0;
  std::uint64_t memory_bytes = 0;        ///< tables, filters and page indexes
  model::EventNumber covered = 0;        ///< all keys of events up to here are in synced runs
  std::uint64_t pages_read = 0;          ///< by find and find_all
};

class KeyIndex {
 public:
  /// Opens the index in `directory` (made if missing), removing what a crash left over. The caller then feeds the keys of
  /// all events after covered(), in order. `files` must outlive the index.
  static base::Result<std::unique_ptr<KeyIndex>> open(io::FileSystem& files, const std::string& directory,
                                                      const KeyIndexOptions& options);

  /// Removes the whole index; opening afterwards finds nothing covered. For a rebuild.
  static base::Status erase(io::FileSystem& files, const std::string& directory);

  ~KeyIndex();
  KeyIndex(const KeyIndex&) = delete;
  KeyIndex& operator=(const KeyIndex&) = delete;

  /// Where the runs ended when the index was opened: feed events from covered() + 1.
  model::EventNumber covered() const;

  // --- core thread ---

  /// Starts fetching what a find or insert of `key` will touch. Worth calling 8 to 32 keys ahead.
  void prefetch(const base::Tag128& key) const;

  /// Adds a pair. Event numbers never decrease, and exceed every number passed to complete_through. A key may have many
  /// events. Never fails and never waits.
  void insert(KeyKind kind, const base::Tag128& key, model::EventNumber event);

  /// All keys of events up to `event` are inserted (call once an entry or a group). Freezes a full generation.
  void complete_through(model::EventNumber event);

  /// Freezes the active generation now, full or not, so that the background thread writes it (before a snapshot).
  void freeze();

  /// The smallest event of `key`, or nothing. Reads a page from disk where the filters say so (for fewer than one unknown key
  /// in 500, and for every key that is no longer in memory). Errors: key_run_damaged, file_read_failed.
  base::Result<std::optional<model::EventNumber>> find(KeyKind kind, const base::Tag128& key);

  /// Events of `key` greater than `after`, ascending, at most `limit`. Errors: as find.
  base::Result<std::vector<model::EventNumber>> find_all(KeyKind kind, const base::Tag128& key, model::EventNumber after,
                                                         std::size_t limit);

  // --- background thread ---

  /// One bounded piece of writing or merging; true if there is more to do now. Only generations whose events are all
  /// durable in the journal (`durable`) are written, because a run must never know an event that a crash can take back.
  /// An error leaves the index as it was: whatever was half written is written anew by the next call.
  base::Result<bool> flush_step(model::EventNumber durable);

  // --- any thread ---

  KeyIndexStats stats() const;

  /// Reads and checks every page of every run on disk: checksums, order, counts. Uses no state of the open index.
  /// Errors: as open and find.
  static base::Status verify(io::FileSystem& files, const std::string& directory, const KeyIndexOptions& options);

 private:
  struct Shared;
  class Core;
  class Background;
  KeyIndex(std::unique_ptr<Shared> shared, std::unique_ptr<Core> core, std::unique_ptr<Background> background);

  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<Background> background_;
};

}  // namespace store
