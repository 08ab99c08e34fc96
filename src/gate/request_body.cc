#include "gate/request_body.h"

#include <algorithm>

#include "base/cbor.h"

namespace gate {

namespace {

constexpr std::size_t metadata_key_bytes_max = 64;

// RFC 8949 section 4.2.1 orders keys by their encoded bytes; for texts that is by length first.
bool key_before(std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

bool is_metadata_key(std::string_view key) { return !key.empty() && key.size() <= metadata_key_bytes_max; }

}  // namespace

std::optional<base::Bytes> canonical_metadata(std::vector<std::pair<std::string_view, std::string_view>> pairs) {
  if (pairs.size() > metadata_pairs_max) return std::nullopt;
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return key_before(a.first, b.first); });
  base::Bytes bytes;
  if (pairs.empty()) return bytes;
  base::CborWriter out(bytes);
  out.map(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!is_metadata_key(pairs[i].first) || (i > 0 && pairs[i].first == pairs[i - 1].first)) return std::nullopt;
    if (pairs[i].second.size() > metadata_bytes_max) return std::nullopt;
    out.text(pairs[i].first);
    out.text(pairs[i].second);
  }
  if (bytes.size() > metadata_bytes_max) return std::nullopt;
  return bytes;
}

std::optional<std::vector<std::pair<std::string_view, std::string_view>>> parse_metadata(base::ByteView canonical) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  if (canonical.empty()) return pairs;
  base::CborReader in(canonical);
  const std::uint64_t count = in.map().value_or(0);
  if (canonical.size() > metadata_bytes_max || count == 0 || count > metadata_pairs_max) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto key = in.text();
    const auto value = in.text();
    if (!key || !value || !is_metadata_key(*key)) return std::nullopt;
    if (!pairs.empty() && !key_before(pairs.back().first, *key)) return std::nullopt;
    pairs.emplace_back(*key, *value);
  }
  if (!in.done()) return std::nullopt;
  return pairs;
}

}  // namespace gate
