#include "gate/request_body.h"

#include <algorithm>

#include "base/cbor.h"
#include "wire/json_writer.h"

namespace gate {

namespace {

constexpr std::size_t metadata_key_bytes_max = 64;

// RFC 8949 section 4.2.1 orders keys by their encoded bytes; for texts that is by length first.
bool key_before(std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

// False: a number that has no exact value.
bool write_canonical(wire::JsonWriter& out, wire::JsonValue value) {
  if (const auto text = value.string()) return out.string(*text), true;
  if (const auto truth = value.boolean()) return out.boolean(*truth), true;
  if (const auto number = value.uint64()) return out.uint(*number), true;
  if (const auto number = value.int64()) return out.sint(*number), true;
  if (value.is_null()) return out.null(), true;
  if (value.is_array()) {
    out.begin_array();
    for (const wire::JsonValue element : value.elements()) {
      if (!write_canonical(out, element)) return false;
    }
    out.end_array();
    return true;
  }
  if (!value.is_object()) return false;
  std::vector<wire::JsonMember> members;
  for (const wire::JsonMember member : value.members()) members.push_back(member);
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  out.begin_object();
  for (const wire::JsonMember& member : members) {
    out.key(member.name);
    if (!write_canonical(out, member.value)) return false;
  }
  out.end_object();
  return true;
}

bool is_metadata_key(std::string_view key) { return !key.empty() && key.size() <= metadata_key_bytes_max; }

}  // namespace

std::optional<std::string> canonical_json(wire::JsonValue value, std::size_t bytes_max) {
  std::string text;
  wire::JsonWriter out(text);
  if (!write_canonical(out, value) || text.size() > bytes_max) return std::nullopt;
  return text;
}

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
