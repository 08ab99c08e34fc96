#include "audit/tile.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace audit {
namespace {

// Decimal digits without superfluous zeros, at most `max`.
std::optional<std::uint64_t> parse_number(std::string_view digits, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || value > max)
    return std::nullopt;
  if (digits.front() == '0' && digits.size() > 1) return std::nullopt;
  return value;
}

// Takes the text up to `separator` (or all of it) off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

// `x001/x234/067`: groups of three digits, all but the last marked.
std::optional<std::uint64_t> parse_index(std::string_view text) {
  constexpr std::size_t groups_max = 7;  // 20 digits of 64 bits
  std::string digits;
  for (std::size_t groups = 1; groups <= groups_max; ++groups) {
    const bool last = text.find('/') == std::string_view::npos;
    std::string_view group = take_until(text, '/');
    if (!last) {
      if (!group.starts_with('x')) return std::nullopt;
      group.remove_prefix(1);
    }
    if (group.size() != 3 || !std::ranges::all_of(group, [](char c) { return c >= '0' && c <= '9'; })) {
      return std::nullopt;
    }
    // The leading group of several must say something.
    if (groups == 1 && !last && group == "000") return std::nullopt;
    digits += group;
    if (last) {
      digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
      return parse_number(digits, UINT64_MAX);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string tile_path(const TileId& id) {
  CHECK(id.level < 64 && id.width >= 1 && id.width <= tile_width);
  std::string digits = std::to_string(id.index);
  digits.insert(0, (3 - digits.size() % 3) % 3, '0');
  std::string path = id.entries ? "tile/entries" : "tile/" + std::to_string(id.level);
  for (std::size_t at = 0; at < digits.size(); at += 3) {
    path += at + 3 < digits.size() ? "/x" : "/";
    path.append(digits, at, 3);
  }
  if (id.width < tile_width) path += ".p/" + std::to_string(id.width);
  return path;
}

std::optional<TileId> parse_tile_path(std::string_view path) {
  if (take_until(path, '/') != "tile") return std::nullopt;
  TileId id;
  const std::string_view level = take_until(path, '/');
  id.entries = level == "entries";
  if (!id.entries) {
    const auto number = parse_number(level, 63);
    if (!number) return std::nullopt;
    id.level = static_cast<unsigned>(*number);
  }
  if (const std::size_t partial = path.find(".p/"); partial != std::string_view::npos) {
    const auto width = parse_number(path.substr(partial + 3), tile_width - 1);
    if (!width || *width == 0) return std::nullopt;
    id.width = static_cast<unsigned>(*width);
    path = path.substr(0, partial);
  }
  const auto index = parse_index(path);
  if (!index) return std::nullopt;
  id.index = *index;
  return id;
}

unsigned tile_width_at(std::uint64_t size, unsigned level, std::uint64_t index) {
  const std::uint64_t hashes = level < 8 ? size >> (8 * level) : 0;
  if (index > hashes / tile_width) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>(hashes - index * tile_width, tile_width));
}

base::Status append_bundle_entry(base::ByteView leaf, base::Bytes& bundle) {
  if (leaf.size() > 0xFFFF) {
    return base::Error{"leaf_too_large_for_bundle", "a leaf of " + std::to_string(leaf.size()) + " bytes"};
  }
  bundle.push_back(static_cast<std::uint8_t>(leaf.size() >> 8));
  bundle.push_back(static_cast<std::uint8_t>(leaf.size()));
  base::append(bundle, leaf);
  return base::ok();
}

base::Result<std::vector<base::ByteView>> parse_entry_bundle(base::ByteView bundle, unsigned width) {
  std::vector<base::ByteView> leaves;
  const base::Error malformed{"entry_bundle_malformed",
                              std::to_string(bundle.size()) + " bytes are not " + std::to_string(width) + " entries"};
  while (!bundle.empty()) {
    if (bundle.size() < 2 || leaves.size() == width) return malformed;
    const std::size_t size = static_cast<std::size_t>(bundle[0]) << 8 | bundle[1];
    if (bundle.size() - 2 < size) return malformed;
    leaves.push_back(bundle.subspan(2, size));
    bundle = bundle.subspan(2 + size);
  }
  if (leaves.size() != width) return malformed;
  return leaves;
}

base::Result<Digest> TileHashReader::node(unsigned level, std::uint64_t index) {
  const unsigned tile_level = level / 8;
  const unsigned above = level % 8;
  // Subtree `index` of this level is `above` levels over 2^above neighbouring hashes of the tile.
  if (level >= 64 || index >= size_ >> level) {
    return base::Error{"node_outside_tree", "subtree " + std::to_string(index) + " of level " + std::to_string(level) +
                                                " in a tree of " + std::to_string(size_) + " leaves"};
  }
  const unsigned per_tile = tile_width >> above;
  TRY_ASSIGN(Loaded* const tile, load(tile_level, index / per_tile));
  return hash_in(*tile, per_tile + static_cast<std::size_t>(index % per_tile));
}

void TileHashReader::grow(std::uint64_t size) {
  CHECK(size >= size_);
  size_ = size;
  // A tile that was not full may have more hashes now.
  for (auto& level : loaded_) {
    std::erase_if(level, [](const auto& entry) { return entry.second.id.width < tile_width; });
  }
}

base::Result<TileHashReader::Loaded*> TileHashReader::load(unsigned level, std::uint64_t index) {
  auto& tiles = loaded_[level];
  if (const auto found = tiles.find(index); found != tiles.end()) {
    found->second.last_used = ++uses_;
    return &found->second;
  }
  Loaded fresh{{false, level, index, tile_width_at(size_, level, index)},
               ++uses_,
               std::vector<Digest>(2 * tile_width),
               std::vector<bool>(2 * tile_width)};
  CHECK(fresh.id.width > 0);
  static_assert(sizeof(Digest) == 32);
  Digest* const hashes = fresh.heap.data() + tile_width;
  TRY(source_.read_tile(fresh.id,
                        std::span(reinterpret_cast<std::uint8_t*>(hashes), std::size_t{32} * fresh.id.width)));
  std::fill_n(fresh.known.begin() + tile_width, fresh.id.width, true);
  if (tiles.size() >= tiles_kept_ && !tiles.empty()) {
    tiles.erase(std::ranges::min_element(tiles, {}, [](const auto& entry) { return entry.second.last_used; }));
  }
  return &tiles.emplace(index, std::move(fresh)).first->second;
}

const Digest& TileHashReader::hash_in(Loaded& tile, std::size_t place) {
  if (!tile.known[place]) {
    CHECK(place < tile_width);
    const Digest& left = hash_in(tile, 2 * place);
    tile.heap[place] = node_hash(left, hash_in(tile, 2 * place + 1));
    tile.known[place] = true;
  }
  return tile.heap[place];
}

}  // namespace audit
