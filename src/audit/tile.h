#pragma once
// Tiles: the tree cut into files of 256 hashes that never change (C2SP tlog-tiles). Their paths and contents, and a
// reader that answers for any hash of the tree out of them.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audit/proof.h"

namespace audit {

constexpr unsigned tile_width = 256;

/// A tile of hashes, or a bundle of entries. Tile `index` of `level` holds the roots of the perfect subtrees of level
/// 8 x `level` numbered from 256 x `index`.
struct TileId {
  bool entries = false;  ///< a bundle of leaves rather than hashes; `level` is then 0
  unsigned level = 0;    ///< 0 to 63
  std::uint64_t index = 0;
  unsigned width = tile_width;  ///< hashes or entries in it: 1 to 255 for a partial tile, 256 for a full one
  bool operator==(const TileId&) const = default;
};

/// `tile/0/x001/x234/067` or `tile/entries/000.p/17`, without a leading slash.
std::string tile_path(const TileId& id);
/// The inverse and only that: superfluous zeros, other spellings and numbers above 64 bits give nothing.
std::optional<TileId> parse_tile_path(std::string_view path);

/// How many hashes tile `index` of `level` has in a tree of `size` leaves: 0 (it does not exist) to 256.
unsigned tile_width_at(std::uint64_t size, unsigned level, std::uint64_t index);

/// Appends one leaf to an entry bundle: its length as 16 bits big-endian, its bytes.
/// Error `leaf_too_large_for_bundle`.
base::Status append_bundle_entry(base::ByteView leaf, base::Bytes& bundle);
/// The `width` leaves of a bundle, as views into it. Error `entry_bundle_malformed`.
base::Result<std::vector<base::ByteView>> parse_entry_bundle(base::ByteView bundle, unsigned width);

/// Where tiles are kept.
class TileSource {
 public:
  virtual ~TileSource() = default;
  /// Fills `out`, 32 x id.width bytes, with the first id.width hashes of the tile. Asked only for tiles of hashes that
  /// the tree has. Errors are those of the storage.
  virtual base::Status read_tile(const TileId& id, std::span<std::uint8_t> out) = 0;
};

/// The hashes of the first `size` leaves' tree out of its tiles. Remembers tiles with the hashes above them: a proof
/// then reads each tile once, and a reader that is kept finds the upper levels ready. Not for two threads.
class TileHashReader final : public HashReader {
 public:
  /// `source` must outlive the reader. At most `tiles_kept` tiles of each level are remembered, the least recently used
  /// goes first; one takes 17 KiB, and a level has 256 times fewer of them than the one below.
  TileHashReader(TileSource& source, std::uint64_t size, std::size_t tiles_kept = 4)
      : source_(source), size_(size), tiles_kept_(tiles_kept) {}

  /// The log has grown to `size` leaves; it never shrinks (CHECK).
  void grow(std::uint64_t size);

  /// Error `node_outside_tree`, and those of the source.
  base::Result<Digest> node(unsigned level, std::uint64_t index) override;

 private:
  // One tile as a heap: [1] is the tile's root, [2] and [3] the two below it, and the tile's own hashes begin at 256.
  struct Loaded {
    TileId id;
    std::uint64_t last_used = 0;
    std::vector<Digest> heap;
    std::vector<bool> known;
  };
  base::Result<Loaded*> load(unsigned level, std::uint64_t index);
  static const Digest& hash_in(Loaded& tile, std::size_t place);

  TileSource& source_;
  std::uint64_t size_;
  std::size_t tiles_kept_;
  std::uint64_t uses_ = 0;
  std::array<std::unordered_map<std::uint64_t, Loaded>, 8> loaded_;  // by level, then index
};

}  // namespace audit
