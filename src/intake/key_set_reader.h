#pragma once
// The body of a key-set answer (RFC 7517 section 5) as the cache takes it.

#include <vector>

#include "base/result.h"
#include "intake/key_set_cache.h"

namespace intake {

/// Largest body and most keys that are read.
constexpr std::size_t key_set_bytes_max = std::size_t{256} << 10, key_set_keys_max = 100;

/// The sound keys of a set. Keys that are not (unknown types, small, off their curve) are left out, so that one of them does
/// not take the others along; private ones come marked and without their private part. A single JWK is a set of one.
/// Errors: `key_set_is_too_large`, and otherwise the code of the import doctor's gravest finding when there is no key in it at
/// all (an error page, no JSON, an empty set), with its evidence.
base::Result<std::vector<PublishedKey>> read_key_set(base::ByteView body);

}  // namespace intake
