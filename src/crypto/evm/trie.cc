#include "crypto/evm/trie.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "crypto/evm/rlp.h"
#include "crypto/keccak.h"

namespace crypto {

namespace {

constexpr std::size_t branches = 16;
constexpr std::size_t inline_bytes_max = 31;   // a shorter node stands in its parent instead of its hash
constexpr std::uint8_t odd_flag = 1, leaf_flag = 2;

/// Half-bytes of the key of an item.
base::Bytes key_of(std::uint64_t index) {
  RlpWriter key;
  key.integer(index);
  const base::Bytes list = key.list();
  base::Bytes nibbles;
  for (const std::uint8_t byte : base::ByteView(list).subspan(1)) {
    nibbles.push_back(byte >> 4);
    nibbles.push_back(byte & 15);
  }
  return nibbles;
}

/// Appendix C: half-bytes in bytes, with whether they are an odd number and whether they end a key.
base::Bytes packed(base::ByteView nibbles, bool leaf) {
  std::uint8_t flags = leaf ? leaf_flag : 0;
  base::Bytes out;
  if (nibbles.size() % 2 == 1) {
    out.push_back(static_cast<std::uint8_t>((flags | odd_flag) << 4 | nibbles[0]));
    nibbles = nibbles.subspan(1);
  } else {
    out.push_back(static_cast<std::uint8_t>(flags << 4));
  }
  for (std::size_t i = 0; i < nibbles.size(); i += 2) out.push_back(static_cast<std::uint8_t>(nibbles[i] << 4 | nibbles[i + 1]));
  return out;
}

struct Unpacked {
  base::Bytes nibbles;
  bool leaf = false;
};
std::optional<Unpacked> unpacked(base::ByteView bytes) {
  if (bytes.empty() || bytes[0] >> 4 > (leaf_flag | odd_flag)) return std::nullopt;
  const unsigned flags = bytes[0] >> 4;
  Unpacked out{.nibbles = {}, .leaf = (flags & leaf_flag) != 0};
  if ((flags & odd_flag) != 0) out.nibbles.push_back(bytes[0] & 15);
  else if ((bytes[0] & 15) != 0) return std::nullopt;
  for (const std::uint8_t byte : bytes.subspan(1)) {
    out.nibbles.push_back(byte >> 4);
    out.nibbles.push_back(byte & 15);
  }
  return out;
}

// --- making ---------------------------------------------------------------------------------------------------------------

struct Entry {
  base::Bytes key;
  base::ByteView value;
};

/// Makes nodes from the leaves up and keeps those on the way to one key, deepest first.
class Maker {
 public:
  Maker(base::ByteView wanted, std::vector<base::Bytes>& path) : wanted_(wanted), path_(path) {}

  /// The node over entries whose keys agree in the first `depth` half-bytes.
  base::Bytes node(std::span<const Entry> entries, std::size_t depth) {
    base::Bytes made = entries.size() == 1 ? leaf(entries[0], depth) : inner(entries, depth);
    const bool on_path = !wanted_.empty() && depth <= wanted_.size() && std::ranges::equal(base::ByteView(entries[0].key).first(depth), wanted_.first(depth));
    if (on_path && (depth == 0 || made.size() > inline_bytes_max)) path_.push_back(made);
    return made;
  }

 private:
  static base::Bytes leaf(const Entry& entry, std::size_t depth) {
    RlpWriter out;
    out.string(packed(base::ByteView(entry.key).subspan(depth), true));
    out.string(entry.value);
    return out.list();
  }
  base::Bytes inner(std::span<const Entry> entries, std::size_t depth) {
    const base::Bytes &first = entries.front().key, &last = entries.back().key;
    std::size_t common = depth;
    while (first[common] == last[common]) ++common;   // no key begins with another one
    RlpWriter out;
    if (common > depth) {
      out.string(packed(base::ByteView(first).subspan(depth, common - depth), false));
      refer(out, node(entries, common));
      return out.list();
    }
    for (std::uint8_t branch = 0; branch < branches; ++branch) {
      const auto below = std::ranges::equal_range(entries, branch, {}, [depth](const Entry& entry) { return entry.key[depth]; });
      if (below.empty()) out.string({});
      else refer(out, node({below.begin(), below.end()}, depth + 1));
    }
    out.string({});   // of a key that ends here; none does
    return out.list();
  }
  static void refer(RlpWriter& out, base::ByteView node) {
    if (node.size() <= inline_bytes_max) out.raw(node);
    else out.string(keccak256(node));
  }

  const base::ByteView wanted_;
  std::vector<base::Bytes>& path_;
};

TriePath made(std::span<const base::Bytes> items, base::ByteView wanted) {
  CHECK(items.size() <= trie_items_max);
  TriePath out;
  if (items.empty()) {
    constexpr std::uint8_t empty_string = 0x80;
    out.root = keccak256({&empty_string, 1});
    return out;
  }
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < items.size(); ++i) entries.push_back({key_of(i), items[i]});
  std::ranges::sort(entries, std::ranges::lexicographical_compare, &Entry::key);
  out.root = keccak256(Maker(wanted, out.nodes).node(entries, 0));
  std::ranges::reverse(out.nodes);
  return out;
}

// --- walking ----------------------------------------------------------------------------------------------------------------

struct Node {
  std::array<RlpReader::Item, branches + 1> items;
  std::size_t count = 0;
};
std::optional<Node> read_node(base::ByteView bytes) {
  Node node;
  for (RlpReader in(bytes); !in.finished(); ++node.count) {
    const auto item = in.item();
    if (!item || node.count == node.items.size()) return std::nullopt;
    node.items[node.count] = *item;
  }
  return node;
}

/// One step down a key. What stands below: another node, or the value if the key is at its end.
struct Step {
  RlpReader::Item below;
  std::size_t nibbles = 0;   ///< of the key, used up
  bool leaf = false;
};
std::optional<Step> step(const Node& node, base::ByteView key) {
  if (node.count == branches + 1) {
    const RlpReader::Item& ending = node.items[branches];
    if (key.empty() || ending.is_list || !ending.content.empty()) return std::nullopt;
    return Step{.below = node.items[key[0]], .nibbles = 1, .leaf = false};
  }
  if (node.count != 2 || node.items[0].is_list) return std::nullopt;
  const auto part = unpacked(node.items[0].content);
  if (!part || part->nibbles.size() > key.size() || !std::ranges::equal(part->nibbles, key.first(part->nibbles.size()))) return std::nullopt;
  // A leaf ends its key; anything else goes on.
  const bool whole = part->nibbles.size() == key.size();
  if (part->leaf ? !whole || node.items[1].is_list : whole || part->nibbles.empty()) return std::nullopt;
  return Step{.below = node.items[1], .nibbles = part->nibbles.size(), .leaf = part->leaf};
}

}  // namespace

base::Digest trie_root(std::span<const base::Bytes> items) { return made(items, {}).root; }

TriePath trie_path(std::span<const base::Bytes> items, std::uint64_t index) {
  CHECK(index < items.size());
  return made(items, key_of(index));
}

base::Result<base::ByteView> item_on_trie_path(const base::Digest& root, std::uint64_t index, std::span<const base::ByteView> nodes) {
  const auto wrong = [](const char* why) { return base::Error{"trie_path_wrong", why}; };
  if (index >= trie_items_max) return wrong("the index is beyond what a list holds");
  if (nodes.empty() || nodes.size() > trie_path_max) return wrong("no nodes, or more than a path has");
  if (keccak256(nodes[0]) != root) return wrong("the first node is not the root");
  const base::Bytes key = key_of(index);
  base::ByteView rest = key, current = nodes[0];
  nodes = nodes.subspan(1);
  while (true) {
    const auto node = read_node(current);
    const auto next = node ? step(*node, rest) : std::nullopt;
    if (!next) return wrong("a node that does not lead to the index");
    if (next->leaf) {
      if (!nodes.empty()) return wrong("nodes below the leaf");
      return next->below.content;
    }
    rest = rest.subspan(next->nibbles);
    if (next->below.is_list) {
      if (next->below.whole.size() > inline_bytes_max) return wrong("a node in its parent that is too large for it");
      current = next->below.whole;
      continue;
    }
    const bool fits = !nodes.empty() && nodes[0].size() > inline_bytes_max;
    if (!fits || !std::ranges::equal(next->below.content, keccak256(nodes[0]))) return wrong("a node that its parent does not name");
    current = nodes[0];
    nodes = nodes.subspan(1);
  }
}

}  // namespace crypto
