#include "crypto/sodium.h"

#include <sodium.h>

#include "base/check.h"

namespace crypto {

void require_sodium() {
  static const bool ready = sodium_init() >= 0;
  CHECK_THAT(ready, "libsodium cannot start");
}

}  // namespace crypto
