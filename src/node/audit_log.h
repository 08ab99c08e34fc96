#pragma once
// The audit log as others see it: tiles of everything durable, and checkpoints that are signed, written down and then
// served. A thread of its own; nothing here is on the way of a request.
//
//   durable groups (their leaf hashes) -> tiles (store/tiles) -> checkpoint, signed -> DIR/audit/checkpoint -> served
//
// What was published is remembered twice, in the data directory and beside it, so that an older copy of the directory does
// not go on as if nothing had happened (docs/format/tiles.md).

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/evidence.h"
#include "audit/leaf.h"
#include "audit/proof.h"
#include "audit/tile.h"
#include "node/evidence_anchors.h"
#include "node/service.h"
#include "store/tiles/tile_store.h"

namespace custody {
class Keyring;
class Signer;
}

namespace node {

struct AuditLogOptions {
  std::string directory;                        ///< the data directory
  std::string origin;                           ///< empty: `holdfast/` and the journal's id
  std::string published_file;                   ///< beside the data directory
  bool published_file_needed = false;           ///< false: a place that cannot be written to is done without
  std::uint32_t key_version = 1;                ///< of the log's key, as the journal says
  std::uint32_t publish_interval_ms = 1'000;    ///< a checkpoint at most so often
};

/// A checkpoint that was given out.
struct Published {
  audit::Checkpoint checkpoint;
  std::string note;                             ///< signed by the log, with the cosignatures there are
  std::size_t cosignatures = 0;
};

/// Errors of reading a log, besides those of tiles and journal:
///   tile_not_there   the log has no such tile under its newest checkpoint
class AuditLog final : public GroupObserver {
 public:
  /// Brings the tiles up to the journal's durable end and looks at what was published before. All references outlive it;
  /// `progress(done, total)` counts events. Errors: published_checkpoint_damaged, log_behind_its_checkpoint,
  /// log_differs_from_its_checkpoint, log_key_missing, audit_origin_malformed, tiles_contradict_journal, those of journal,
  /// tiles and io/file.h.
  static base::Result<std::unique_ptr<AuditLog>> open(io::FileSystem& files, const store::JournalReader& reader,
                                                      const audit::Blinding& blinding, const custody::Keyring& keyring,
                                                      AuditLogOptions options,
                                                      const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});
  ~AuditLog() override;

  void start();
  /// Publishes a last checkpoint and ends the thread.
  void stop();

  /// From the sync thread: remembers the leaf hashes.
  void durable(const store::SealedGroup& group) override;

  /// The newest checkpoint; null before the first. Any thread.
  std::shared_ptr<const Published> published() const;
  /// The newest checkpoint that has the cosignatures the policy wants; the newest of all where none is wanted.
  std::shared_ptr<const Published> witnessed() const;
  /// The newest checkpoint with at least so many leaves, published for the occasion; null if there is none in time.
  std::shared_ptr<const Published> wait_published(std::uint64_t leaves, base::Duration patience);

  /// A tile of hashes under the newest checkpoint. Any thread.
  base::Result<base::Bytes> tile(const audit::TileId& id);
  /// The leaves of an entry bundle under the newest checkpoint. Any thread.
  base::Result<base::Bytes> entry_bundle(const audit::TileId& id);
  /// The bytes of a leaf, made from the journal. Any thread.
  base::Result<base::Bytes> leaf(std::uint64_t index) const;
  /// Checked before it leaves: `inclusion_proof_root_differs` means damaged tiles. Any thread.
  base::Result<audit::Proof> prove(std::uint64_t index, const audit::Checkpoint& checkpoint, const audit::Digest& leaf_hash);
  /// Between a tree of `old_size` leaves and a checkpoint. Any thread.
  base::Result<audit::Proof> prove_consistency(std::uint64_t old_size, const audit::Checkpoint& checkpoint);

  /// The anchors, of each kind those of the earliest tree that has at least `leaves` leaves and is no larger than the
  /// checkpoint's, each with its proof; none if there is none. What cannot be read or is over another tree is left out:
  /// evidence is good without, and `holdfast audit verify` names it. Any thread.
  std::vector<audit::EvidenceAnchor> anchors(std::uint64_t leaves, const audit::Checkpoint& checkpoint);

  /// A signed note of any text, by the log's key.
  base::Result<std::string> sign(std::string_view text) const;
  const audit::NoteKey& key() const { return key_; }
  const std::string& origin() const { return options_.origin; }

  /// Attaches a cosigned note of a checkpoint that was published (witness client). `enough`: the policy is satisfied.
  void cosigned(const audit::Checkpoint& checkpoint, std::string note, std::size_t cosignatures, bool enough);
  /// Whether cosignatures are wanted before a checkpoint counts as witnessed. Before start().
  void want_witnesses() { witnesses_wanted_ = true; }
  /// Publishes no more: a witness knows a larger or another log under this origin.
  void refuse_to_go_on(const char* code, std::string message);
  /// Why nothing is published any more, or what failed last; nothing while all is well. Any thread.
  std::optional<base::Error> trouble() const;
  /// True where the place beside the data directory cannot be written to: only the directory itself remembers. Any thread.
  bool remembers_inside_only() const { return inside_only_.load(std::memory_order_relaxed); }
  /// Leaves in the tiles. Any thread.
  std::uint64_t size() const { return tiles_->size(); }

 private:
  AuditLog(io::FileSystem& files, const store::JournalReader& reader, const audit::Blinding& blinding, AuditLogOptions options)
      : files_(files), reader_(reader), blinding_(blinding), options_(std::move(options)), anchors_(files, options_.directory) {}

  base::Status use_key(const custody::Keyring& keyring);
  base::Result<std::optional<Published>> load_published(const std::string& path) const;
  base::Status check_against(const Published& before, const std::string& path);
  base::Status hash_journal(const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  audit::TileHashReader& reader_of(std::uint64_t size);
  base::Status remember_beside(std::string_view note);
  base::Status advance();
  base::Status publish();
  void run();

  io::FileSystem& files_;
  const store::JournalReader& reader_;
  const audit::Blinding& blinding_;
  AuditLogOptions options_;
  custody::Signer* signer_ = nullptr;
  audit::NoteKey key_;
  std::vector<audit::NoteKey> own_keys_;        ///< of this origin, all versions
  std::unique_ptr<store::TileStore> tiles_;
  bool witnesses_wanted_ = false;
  /// Tiles that proofs were made of, at most 9 MiB: most proofs need the same ones near the root.
  std::mutex proving_;
  std::unique_ptr<audit::TileHashReader> reader_of_tiles_;
  std::uint64_t reader_size_ = 0;
  std::atomic<bool> inside_only_{false};
  EvidenceAnchors anchors_;

  mutable std::mutex mutex_;                    // everything below
  std::condition_variable changed_;
  std::vector<audit::Digest> waiting_;          ///< leaf hashes not in the tiles yet
  std::uint64_t waiting_from_ = 0;              ///< index of the first
  bool waiting_dropped_ = false;                ///< too many: they are hashed again from the journal
  std::uint64_t durable_size_ = 0;
  audit::Digest durable_root_{};
  std::shared_ptr<const Published> published_, witnessed_;
  std::optional<base::Error> trouble_;
  bool refused_ = false;
  std::uint64_t wanted_ = 0;                    ///< somebody waits for a checkpoint of so many leaves
  bool stopping_ = false, started_ = false;
  std::thread thread_;
};

/// `DIR/audit`, `DIR/tiles`, and where the last checkpoint is remembered unless told otherwise.
std::string audit_directory(const std::string& directory);
std::string tiles_directory(const std::string& directory);

}  // namespace node
