#pragma once
// The hash that chains groups: SHA-256, the same that the audit log is built of. Its own page so that the rest of the
// journal does not reach for cryptography.

#include "base/bytes.h"

namespace store {

/// SHA-256 of `bytes`. Any thread.
base::Digest sha256(base::ByteView bytes);

}  // namespace store
