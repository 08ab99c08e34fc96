#pragma once
// What the gate has to know of keys that are not ours. The gate asks; node answers from the state of the core.

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "model/registry.h"

namespace gate {

/// An import whose key was asked to sign something.
struct ChallengedImport {
  base::Bytes spki;
  std::string partner;
  std::string key;
  base::Digest thumbprint{};
  base::Digest nonce{};
  base::Instant ends_at{};
};

class KeyBook {
 public:
  virtual ~KeyBook() = default;
  /// The import with its newest challenge; nothing if the tenant has none such, or none is open. Called on the gate's thread; must
  /// not block. It may run ahead of the journal: the core judges again.
  virtual std::optional<ChallengedImport> find(model::TenantNumber tenant, model::EventNumber import) const = 0;
};

/// True if `signature` is the key's over `text`: RSA with SHA-256 (PKCS#1 v1.5 or PSS), ECDSA with the hash of the curve's size (DER or
/// raw), SM2 with SM3 and the default user id, Ed25519, Ed448.
bool is_signed_by(base::ByteView spki, std::string_view text, base::ByteView signature);

}  // namespace gate
