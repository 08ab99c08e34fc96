#include "store/journal/digest.h"

#include "crypto/hash.h"

namespace store {

base::Digest sha256(base::ByteView bytes) { return crypto::sha256(bytes); }

}  // namespace store
