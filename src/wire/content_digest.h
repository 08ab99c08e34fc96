#pragma once
// Content-Digest (RFC 9530): the digest of a message's body as a field that a signature can cover. SHA-256 only; this room has
// no cryptography, so the caller brings the digest.

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace wire {

/// `sha-256=:...:`
std::string to_content_digest(const base::Digest& sha256_of_body);

/// The SHA-256 digest a field states; other algorithms beside it are passed over, as section 2 wants it. Errors:
/// `content_digest_malformed`, `content_digest_algorithm_not_supported` (there is no sha-256 in it).
base::Result<base::Digest> parse_content_digest(std::string_view field);

/// Whether the field (of one line) states this digest. Errors: those of parse_content_digest; `content_digest_differs`: the
/// body is not the one the sender spoke of.
base::Status check_content_digest(std::string_view field, const base::Digest& sha256_of_body);

}  // namespace wire
