#pragma once
// Snapshots: the whole state of a partition at one event, so that opening need not replay the journal from its start.
// Files DIR/NNN.snap, written beside the hot path from frozen views of the state, the two newest kept. Derived from the
// journal; never the only copy of anything. Byte format: docs/format/snapshot.md.
//
// Threads: any one at a time (the background thread writes, opening reads before it exists).
//
// Errors (besides those of io/file.h):
//   snapshot_damaged          a checksum, size or digest is wrong; named with file and offset
//   snapshot_version_unknown  written by a newer Holdfast
//   snapshot_of_another_log   belongs to another journal or epoch
//   snapshot_ahead_of_journal contains events the journal does not have

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "io/file.h"
#include "model/ids.h"

namespace store {

/// Where in the log a snapshot stands.
struct SnapshotPosition {
  base::Tag128 identity{};            ///< names the journal; of a foreign one nothing is read
  model::PartitionNumber partition = 0;
  model::Epoch epoch = 0;
  model::EventNumber event = 0;       ///< last event the state contains
  std::uint64_t group = 0;            ///< journal group that holds it
  base::Instant at{};                 ///< its instant in the journal
  base::Bytes merkle_frontier;        ///< audit's own encoding, at most 4 KiB
  bool operator==(const SnapshotPosition&) const = default;
};

constexpr std::size_t snapshot_chunk_bytes_max = std::size_t{16} << 20;

/// One part of the state by name, as a sequence of byte chunks of at most snapshot_chunk_bytes_max. The chunks must stay unchanged and alive while they are
/// written: the core hands out frozen copy-on-write chunks.
struct SnapshotSection {
  std::string name;                      ///< 1 to 64 characters, unique
  bool is_private = false;               ///< personal values: outside the state digest, may be rewritten for erasure
  std::vector<base::ByteView> chunks;
};

struct SnapshotOptions {
  std::uint32_t kept = 2;                ///< files that stay: the one written and the newest before it
  std::uint32_t sync_bytes = 8u << 20;   ///< synced every so often while writing, to stay out of the journal's way
};

/// Writes one snapshot in bounded steps.
class SnapshotWriter {
 public:
  /// Begins a file in `directory` (made if missing). `position` and the memory behind `sections` must stay unchanged until
  /// finished or destroyed; `keep_alive` (any owner of that memory) is held until then.
  static base::Result<std::unique_ptr<SnapshotWriter>> begin(io::FileSystem& files, const std::string& directory,
                                                             SnapshotPosition position,
                                                             std::vector<SnapshotSection> sections,
                                                             std::shared_ptr<const void> keep_alive,
                                                             SnapshotOptions options = {});
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  /// Writes about `bytes_max` more bytes; true while there is more. The last step syncs, renames, syncs the directory and
  /// removes old snapshots. After an error the writer is dead: destroy it (the next begin removes the half file).
  base::Result<bool> step(std::uint64_t bytes_max);

  /// SHA-256 over position and public sections, once step() has returned false.
  const base::Digest& state_digest() const;

 private:
  struct State;
  explicit SnapshotWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// begin and all steps at once. Returns the state digest.
base::Result<base::Digest> write_snapshot(io::FileSystem& files, const std::string& directory,
                                          const SnapshotPosition& position, std::vector<SnapshotSection> sections,
                                          SnapshotOptions options = {});

/// The same digest without writing anything: for comparing a replayed state with a snapshot.
base::Digest digest_of_state(const SnapshotPosition& position, const std::vector<SnapshotSection>& sections);

/// A snapshot found good on opening: header and section table are checked, chunks as they are read.
class SnapshotReader {
 public:
  struct Section {
    std::string name;
    bool is_private = false;
    std::uint64_t bytes = 0;   ///< of all its chunks
    std::uint32_t chunks = 0;
  };

  /// Opens one file. With `check_all`, every byte is read and the digests are compared before it returns.
  static base::Result<std::unique_ptr<SnapshotReader>> open(io::FileSystem& files, const std::string& path,
                                                            const base::Tag128& identity, bool check_all);
  ~SnapshotReader();

  const SnapshotPosition& position() const;
  const base::Digest& state_digest() const;
  const std::vector<Section>& sections() const;
  const std::string& path() const;

  /// Reads one section front to back and hands each chunk to `take` as it was written (the view lives for the call). An
  /// error of `take` ends the reading and is returned. Errors: snapshot_damaged; snapshot_section_not_found.
  base::Status read(std::string_view section, const std::function<base::Status(base::ByteView chunk)>& take);

 private:
  struct State;
  explicit SnapshotReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What choosing a snapshot led to.
struct SnapshotChoice {
  std::unique_ptr<SnapshotReader> reader;     ///< nothing if no snapshot exists: replay from the start
  std::vector<base::Error> passed_over;       ///< why newer ones were not taken
};

/// The newest good snapshot of the journal `identity` with at most `event_max` as its event, every byte of it checked, and
/// the reasons for passing over newer ones. Changes nothing on disk. If there are snapshots but none is good, that is no
/// error: the journal is complete and the caller replays it from its start. Errors: those of io about the directory.
base::Result<SnapshotChoice> choose_snapshot(io::FileSystem& files, const std::string& directory,
                                             const base::Tag128& identity, model::EventNumber event_max);

/// Rewrites the private sections of every snapshot of `identity` in `directory` through `edit` (one call for each chunk, a
/// chunk back), leaving position, public sections and state digest as they are. Each file is replaced whole, then its
/// former private bytes are overwritten with zeros. For erasing personal values. A damaged snapshot is removed: it cannot be
/// used, and what it holds must not stay.
base::Status rewrite_private_sections(
    io::FileSystem& files, const std::string& directory, const base::Tag128& identity,
    const std::function<base::Result<base::Bytes>(std::string_view section, base::ByteView chunk)>& edit);

}  // namespace store
