#pragma once
// libsodium wants one call before any other, after which it uses the fastest code the CPU has. Inside crypto/ only.

namespace crypto {

/// Makes libsodium ready; cheap after the first call, any thread.
void require_sodium();

}  // namespace crypto
