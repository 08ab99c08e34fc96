#pragma once
// Password-based encryption of PKCS#5 and PKCS#12. Inside of the room only.

#include <optional>
#include <string>

#include "intake/der.h"
#include "intake/doctor.h"
#include "intake/finding.h"

namespace intake {

/// What came of an attempt to decrypt.
struct Unsealed {
  Secret plain;
  std::optional<Cause> cause;  ///< why there is none
  std::string evidence;
  bool legacy = false;         ///< cipher or hash is one of cipher_is_legacy
};
/// `algorithm`: an AlgorithmIdentifier of PBES2, PBES1 or PKCS#12. Limits are checked before any derivation starts.
Unsealed unseal(const Element& algorithm, base::ByteView text, std::string_view password, const Policy& policy);

bool scrypt_is_affordable(const Policy& policy, std::uint64_t n, std::uint64_t r, std::uint64_t p);

}  // namespace intake
