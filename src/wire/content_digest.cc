#include "wire/content_digest.h"

#include <algorithm>

#include "base/text.h"
#include "wire/structured_dictionary.h"

namespace wire {

std::string to_content_digest(const base::Digest& sha256_of_body) { return "sha-256=:" + base::to_base64(sha256_of_body) + ":"; }

base::Result<base::Digest> parse_content_digest(std::string_view field) {
  const base::Error malformed{"content_digest_malformed", "Content-Digest is not a dictionary of byte sequences"};
  const auto dictionary = parse_structured_dictionary(field);
  if (!dictionary) return malformed;
  const StructuredMember* wanted = nullptr;
  for (const StructuredMember& member : *dictionary) {
    if (member.is_list || member.items.front().value.kind != StructuredKind::bytes) return malformed;
    if (member.name == "sha-256") wanted = &member;
  }
  if (wanted == nullptr) return base::Error{"content_digest_algorithm_not_supported", "Content-Digest has no sha-256"};
  const std::string& octets = wanted->items.front().value.text;
  base::Digest digest{};
  if (octets.size() != digest.size()) return malformed;
  std::ranges::copy(base::as_bytes(octets), digest.begin());
  return digest;
}

base::Status check_content_digest(std::string_view field, const base::Digest& sha256_of_body) {
  TRY_ASSIGN(const base::Digest stated, parse_content_digest(field));
  if (stated != sha256_of_body) return base::Error{"content_digest_differs", "the body is not the one that Content-Digest speaks of"};
  return base::ok();
}

}  // namespace wire
