#pragma once
// Tiles of the audit log on disk (docs/format/tiles.md): `DIR/tiles/level-L.tiles`, one file a level, full tiles only, in
// order, each with a checksum. Derived from the journal: deleting them costs the time of hashing it again. What is not a
// full tile yet (at most 255 hashes a level) is kept in memory and found again when the store is opened.

#include <array>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "audit/merkle.h"
#include "audit/tile.h"
#include "base/result.h"
#include "io/file.h"
#include "store/journal/layout.h"

namespace store {

/// One thread appends; any thread reads.
class TileStore final : public audit::TileSource {
 public:
  /// Takes over the tiles of the first `trusted_leaves` leaves, which the caller knows to be synced, and cuts off what lies
  /// behind them. Files of another journal, damaged or too short ones are thrown away: size() is then 0. The directory is
  /// made if it is not there. Errors: those of io/file.h.
  static base::Result<std::unique_ptr<TileStore>> open(io::FileSystem& files, std::string directory,
                                                       const JournalId& journal, std::uint64_t trusted_leaves);

  /// The next leaves by their hashes; writes the tiles they complete. After an error some of the leaves may have been taken:
  /// size() says how far to go on from, and what was not written is written by the next call. Errors: those of io/file.h.
  base::Status append(std::span<const audit::Digest> leaves);
  /// Everything taken is durable when this returns; after `file_sync_failed` the store is of no more use. Errors: those of io/file.h.
  base::Status sync();

  /// Leaves so far. Any thread.
  std::uint64_t size() const;
  /// The tree of all leaves; for the appending thread.
  const audit::Frontier& frontier() const { return frontier_; }

  /// The first id.width hashes of a tile of hashes that the store has. Errors: `tile_damaged`, which names file and
  /// offset; `tile_not_there`; those of io/file.h.
  base::Status read_tile(const audit::TileId& id, std::span<std::uint8_t> out) override;

  /// Checks every tile against its checksum and the roots above it. Errors: as read_tile.
  base::Status verify();
  /// The same for the files of a directory that nobody writes, without taking them over. Returns how many full tiles there
  /// are; bytes behind the last one are what an unfinished write left. Errors: as read_tile.
  static base::Result<std::uint64_t> check_files(io::FileSystem& files, const std::string& directory, const JournalId& journal);
  /// Removes all files of a directory of tiles. Errors: those of io/file.h.
  static base::Status erase(io::FileSystem& files, const std::string& directory);

 private:
  struct Level {
    std::unique_ptr<io::File> file;
    std::uint64_t tiles = 0;           ///< full ones, in the file
    std::vector<audit::Digest> tail;   ///< hashes behind them
    base::Bytes pending;               ///< full tiles on their way to the file; more than a moment only after an error
    bool unsynced = false;
  };
  TileStore(io::FileSystem& files, std::string directory, const JournalId& journal)
      : files_(files), directory_(std::move(directory)), journal_(journal) {}

  base::Status take_over(std::uint64_t trusted_leaves);
  base::Result<std::uint64_t> open_level(unsigned level);
  base::Status start_over();
  base::Status make_level(unsigned level);
  base::Status write_pending();
  base::Status read_full(unsigned level, std::uint64_t index, std::span<std::uint8_t> out);
  base::Result<audit::Digest> root_of(unsigned level, std::uint64_t index);
  void push(unsigned level, const audit::Digest& hash);
  std::string path_of(unsigned level) const;

  io::FileSystem& files_;
  const std::string directory_;
  const JournalId journal_;
  mutable std::shared_mutex mutex_;    ///< tiles, tail, pending and size_
  std::array<Level, 8> levels_;
  std::uint64_t size_ = 0;
  audit::Frontier frontier_;
  std::vector<audit::TreeNode> nodes_;
};

}  // namespace store
