#pragma once
// Who the clients are. The gate asks; node answers from the durable state of the core.

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/instant.h"
#include "model/command.h"
#include "model/ids.h"

namespace gate {

/// A client (person or service) as the log knows it.
struct Client {
  model::PrincipalNumber principal = 0;
  model::TenantNumber tenant = 0;
  model::PrincipalKind kind = model::PrincipalKind::service;
  model::Scopes scopes = 0;
  std::uint32_t generation = 0;  ///< grows with every rotation and with the revocation
  bool revoked = false;
  base::Digest secret_hash{};         ///< SecretHasher::hash of the refresh secret
  base::Digest former_secret_hash{};  ///< of the one before the last rotation
  base::Instant
      former_valid_until{};  ///< until when the former secret and tokens of the former generation pass; 0: not
};

class ClientBook {
 public:
  virtual ~ClientBook() = default;
  /// The client as of the last durable state, nothing if there never was one. Called for every request, from the loop
  /// threads of the edge at the same time: must be thread-safe and must not block on the core.
  virtual std::optional<Client> find(model::PrincipalNumber principal) const = 0;
};

}  // namespace gate
