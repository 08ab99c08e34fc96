#include "store/tiles/tile_store.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace store {

namespace {

constexpr std::string_view magic = "HFTILES1";
constexpr std::uint64_t file_head_bytes = 64;
constexpr std::uint64_t hashes_bytes = 32 * audit::tile_width;
constexpr std::uint64_t record_bytes = hashes_bytes + 8;   // hashes, crc32c, zeros

std::uint64_t record_at(std::uint64_t index) { return file_head_bytes + index * record_bytes; }

// Magic, version, level, journal id, zeros, crc32c of all before.
std::array<std::uint8_t, file_head_bytes> file_head(unsigned level, const JournalId& journal) {
  std::array<std::uint8_t, file_head_bytes> head{};
  std::copy(magic.begin(), magic.end(), head.begin());
  base::store_le(head.data() + 8, std::uint16_t{1});
  base::store_le(head.data() + 10, static_cast<std::uint16_t>(level));
  std::copy(journal.begin(), journal.end(), head.begin() + 12);
  base::store_le(head.data() + file_head_bytes - 4, base::crc32c(base::ByteView(head).first(file_head_bytes - 4)));
  return head;
}

// A tile that is right but in the wrong place is wrong.
std::uint32_t tile_crc(unsigned level, std::uint64_t index, base::ByteView hashes) {
  std::array<std::uint8_t, 12> place{};
  base::store_le(place.data(), static_cast<std::uint32_t>(level));
  base::store_le(place.data() + 4, index);
  return base::crc32c(hashes, base::crc32c(place));
}

base::ByteView bytes_of(std::span<const audit::Digest> hashes) {
  return {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size_bytes()};
}

audit::Digest root_of_tile(std::span<const std::uint8_t> hashes) {
  std::vector<audit::Digest> level(audit::tile_width);
  std::memcpy(level.data(), hashes.data(), hashes_bytes);
  for (std::size_t width = audit::tile_width / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) level[i] = audit::node_hash(level[2 * i], level[2 * i + 1]);
  }
  return level[0];
}

bool is_damage(const base::Error& error) {
  const std::string_view code = error.code;
  return code == "tile_damaged" || code == "tile_not_there";
}

}  // namespace

std::string TileStore::path_of(unsigned level) const {
  return io::join_path(directory_, "level-" + std::to_string(level) + ".tiles");
}

base::Result<std::unique_ptr<TileStore>> TileStore::open(io::FileSystem& files, std::string directory,
                                                         const JournalId& journal, std::uint64_t trusted_leaves) {
  std::unique_ptr<TileStore> store(new TileStore(files, std::move(directory), journal));
  TRY_ASSIGN(const bool there, files.exists(store->directory_));
  if (!there) {
    TRY(files.make_dir(store->directory_, 0700));
    TRY(files.sync_dir(io::directory_of(store->directory_)));
  }
  const base::Status taken = store->take_over(trusted_leaves);
  if (!taken.ok()) {
    if (!is_damage(taken.error())) return taken.error();
    TRY(store->start_over());
  }
  return store;
}

// Opens the file of a level and says how many tiles it has; 0 without a file. Error `tile_damaged`: not such a file.
base::Result<std::uint64_t> TileStore::open_level(unsigned level) {
  TRY_ASSIGN(const bool there, files_.exists(path_of(level)));
  if (!there) return std::uint64_t{0};
  TRY_ASSIGN(levels_[level].file, files_.open(path_of(level), io::OpenMode::read_write));
  std::array<std::uint8_t, file_head_bytes> head{};
  TRY_ASSIGN(const std::size_t read, levels_[level].file->read_at(0, head));
  if (read != head.size() || head != file_head(level, journal_)) {
    return base::Error{"tile_damaged", path_of(level) + " is not level " + std::to_string(level) + " of this log"};
  }
  TRY_ASSIGN(const std::uint64_t bytes, levels_[level].file->size());
  return (bytes - file_head_bytes) / record_bytes;
}

base::Status TileStore::take_over(std::uint64_t trusted_leaves) {
  TRY_ASSIGN(const std::uint64_t lowest, open_level(0));
  const std::uint64_t leaves = std::min(lowest, trusted_leaves / audit::tile_width) * audit::tile_width;
  for (unsigned level = 0; level < levels_.size(); ++level) {
    Level& own = levels_[level];
    std::uint64_t have = lowest;
    if (level > 0) {
      TRY_ASSIGN(have, open_level(level));
    }
    own.tiles = level < 7 ? leaves >> (8 * (level + 1)) : 0;
    if (have < own.tiles) return base::Error{"tile_not_there", path_of(level) + " is too short"};
    if (own.file != nullptr) TRY(own.file->truncate(record_at(own.tiles)));
    if (level == 0) continue;
    const std::uint64_t hashes = leaves >> (8 * level);
    for (std::uint64_t i = own.tiles * audit::tile_width; i < hashes; ++i) {
      TRY_ASSIGN(const audit::Digest root, root_of(level - 1, i));
      own.tail.push_back(root);
    }
  }
  size_ = leaves;
  base::Bytes stored(8);
  base::store_le(stored.data(), leaves);
  audit::TileHashReader reader(*this, leaves);
  for (unsigned bit = 64; bit-- > 0;) {
    if ((leaves >> bit & 1) == 0) continue;
    TRY_ASSIGN(const audit::Digest root, reader.node(bit, leaves >> bit ^ 1));
    base::append(stored, root);
  }
  TRY_ASSIGN(frontier_, audit::Frontier::restore(stored));
  return base::ok();
}

base::Status TileStore::start_over() {
  for (Level& level : levels_) level = {};
  size_ = 0;
  frontier_ = {};
  return erase(files_, directory_);
}

base::Status TileStore::erase(io::FileSystem& files, const std::string& directory) {
  TRY_ASSIGN(const bool there, files.exists(directory));
  if (!there) return base::ok();
  TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  for (const std::string& name : names) TRY(files.remove(io::join_path(directory, name)));
  return files.sync_dir(directory);
}

base::Status TileStore::make_level(unsigned level) {
  if (levels_[level].file != nullptr) return base::ok();
  TRY_ASSIGN(const bool left_over, files_.exists(path_of(level)));
  if (left_over) TRY(files_.remove(path_of(level)));
  TRY_ASSIGN(auto file, files_.open(path_of(level), io::OpenMode::create_new, 0600));
  TRY(file->write_at(0, file_head(level, journal_)));
  TRY(files_.sync_dir(directory_));
  levels_[level].file = std::move(file);
  return base::ok();
}

// Under the lock.
void TileStore::push(unsigned level, const audit::Digest& hash) {
  Level& own = levels_[level];
  own.tail.push_back(hash);
  if (own.tail.size() < audit::tile_width) return;
  const base::ByteView hashes = bytes_of(own.tail);
  const std::uint64_t index = own.tiles + own.pending.size() / record_bytes;
  base::append(own.pending, hashes);
  std::array<std::uint8_t, 8> tail{};
  base::store_le(tail.data(), tile_crc(level, index, hashes));
  base::append(own.pending, tail);
  own.tail.clear();
}

base::Status TileStore::append(std::span<const audit::Digest> leaves) {
  // Readers see a tile in the tail, on its way, or in the file; in between they wait. Pieces keep the wait short.
  constexpr std::size_t piece_max = 64 * audit::tile_width;
  TRY(write_pending());   // what an earlier call could not write
  while (!leaves.empty()) {
    const std::span<const audit::Digest> piece = leaves.first(std::min(piece_max, leaves.size()));
    leaves = leaves.subspan(piece.size());
    {
      const std::unique_lock lock(mutex_);
      for (const audit::Digest& leaf : piece) {
        push(0, leaf);
        nodes_.clear();
        frontier_.append(leaf, &nodes_);
        for (const audit::TreeNode& node : nodes_) {
          if (node.level / 8 < levels_.size()) push(node.level / 8, node.hash);
        }
      }
      size_ += piece.size();
    }
    TRY(write_pending());
  }
  return base::ok();
}

base::Status TileStore::write_pending() {
  const std::unique_lock lock(mutex_);
  for (unsigned level = 0; level < levels_.size(); ++level) {
    Level& own = levels_[level];
    if (own.pending.empty()) continue;
    TRY(make_level(level));
    TRY(own.file->write_at(record_at(own.tiles), own.pending));
    own.tiles += own.pending.size() / record_bytes;
    own.pending.clear();
    own.unsynced = true;
  }
  return base::ok();
}

base::Status TileStore::sync() {
  TRY(write_pending());
  for (Level& level : levels_) {
    if (!level.unsynced) continue;
    TRY(level.file->sync_data());
    level.unsynced = false;
  }
  return base::ok();
}

std::uint64_t TileStore::size() const {
  const std::shared_lock lock(mutex_);
  return size_;
}

base::Status TileStore::read_full(unsigned level, std::uint64_t index, std::span<std::uint8_t> out) {
  std::array<std::uint8_t, record_bytes> record;
  const std::uint64_t offset = record_at(index);
  TRY_ASSIGN(const std::size_t read, levels_[level].file->read_at(offset, record));
  const base::ByteView hashes = base::ByteView(record).first(hashes_bytes);
  const bool good = read == record.size() && base::load_le<std::uint32_t>(record.data() + hashes_bytes) == tile_crc(level, index, hashes) &&
                    base::load_le<std::uint32_t>(record.data() + hashes_bytes + 4) == 0;
  if (!good) {
    return base::Error{"tile_damaged", path_of(level) + ": the tile at offset " + std::to_string(offset) +
                                           " is damaged; holdfast journal rebuild tiles makes all anew"};
  }
  std::copy_n(record.begin(), out.size(), out.begin());
  return base::ok();
}

base::Result<audit::Digest> TileStore::root_of(unsigned level, std::uint64_t index) {
  std::vector<std::uint8_t> hashes(hashes_bytes);
  TRY(read_full(level, index, hashes));
  return root_of_tile(hashes);
}

base::Status TileStore::read_tile(const audit::TileId& id, std::span<std::uint8_t> out) {
  CHECK(!id.entries && out.size() == std::size_t{32} * id.width);
  const base::Error missing{"tile_not_there", "the log has no " + audit::tile_path(id) + " yet"};
  if (id.level >= levels_.size()) return missing;
  {
    const std::shared_lock lock(mutex_);
    const Level& level = levels_[id.level];
    const std::uint64_t full = level.tiles + level.pending.size() / record_bytes;
    if (id.index > full || (id.index == full && id.width > level.tail.size())) return missing;
    if (id.index >= level.tiles) {
      const base::ByteView hashes = id.index == full ? bytes_of(level.tail)
                                                     : base::ByteView(level.pending).subspan((id.index - level.tiles) * record_bytes, hashes_bytes);
      std::copy_n(hashes.begin(), out.size(), out.begin());
      return base::ok();
    }
  }
  return read_full(id.level, id.index, out);
}

base::Result<std::uint64_t> TileStore::check_files(io::FileSystem& files, const std::string& directory, const JournalId& journal) {
  TRY_ASSIGN(const bool there, files.exists(directory));
  std::uint64_t tiles = 0;
  if (!there) return tiles;
  TileStore store(files, directory, journal);
  for (unsigned level = 0; level < store.levels_.size(); ++level) {
    TRY_ASSIGN(store.levels_[level].tiles, store.open_level(level));
    tiles += store.levels_[level].tiles;
  }
  TRY(store.verify());
  return tiles;
}

base::Status TileStore::verify() {
  for (unsigned level = 0; level < levels_.size(); ++level) {
    for (std::uint64_t i = 0; i < levels_[level].tiles; ++i) {
      TRY_ASSIGN(const audit::Digest root, root_of(level, i));
      // The tile above may not be full yet; then it is made of these very roots when the store is opened.
      if (level + 1 == levels_.size() || i / audit::tile_width >= levels_[level + 1].tiles) continue;
      std::vector<std::uint8_t> hashes((i % audit::tile_width + 1) * 32);
      TRY(read_full(level + 1, i / audit::tile_width, hashes));
      if (!std::equal(root.begin(), root.end(), hashes.end() - 32)) {
        return base::Error{"tile_damaged", path_of(level) + ": the tile at offset " + std::to_string(record_at(i)) +
                                               " is not what the level above says"};
      }
    }
  }
  return base::ok();
}

}  // namespace store
