#pragma once
// The gate: a request becomes an authenticated, well-formed command, a read, an access token, or a refusal. Nothing else
// can make a model::Admitted.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "gate/client_book.h"
#include "gate/fingerprint.h"
#include "gate/keys.h"
#include "gate/query.h"
#include "gate/rate_limit.h"
#include "gate/refusal.h"
#include "gate/request_body.h"
#include "gate/routes.h"
#include "gate/token.h"
#include "model/admitted.h"
#include "wire/http_message.h"

namespace gate {

/// Answer of POST /v1/token: given out by the gate itself, nothing is journaled.
struct AccessTokenGrant {
  std::string access_token;
  base::Instant expires_at{};
  model::Scopes scopes = 0;
  model::PrincipalNumber principal = 0;
  base::Tag128 trace{};
};

using Admission = std::variant<model::Admitted, Query, AccessTokenGrant, Refusal>;

struct GateSettings {
  RateLimits rate;
  base::Duration token_lifetime = base::seconds(900);
};

/// On whose behalf a caller inside the process asks. Principal 0 is the process itself.
struct Sender {
  model::TenantNumber tenant = 1;
  model::PrincipalNumber principal = 0;
  base::Tag128 trace{};
};

/// One for each loop thread; not for two threads at a time. Keys and book outlive it.
class Gate {
 public:
  Gate(const GateKeys& keys, const ClientBook& clients, RandomSource random, GateSettings settings = {});

  /// Judges one complete request. `now` is wall time. The trace id comes from `traceparent`, or is drawn if there is none.
  /// Checks in this order: route, credentials, rate, scope, media type, idempotency key, body. A request refused for its
  /// body names every field that is wrong.
  Admission admit(const wire::Request& request, base::Instant now);

  /// What RateLimit headers say for a principal.
  Quota quota(model::PrincipalNumber principal, base::Instant now) { return limiter_.quota(principal, now); }

  /// The same commands without HTTP: for callers in this process (bench, the false world, command line). The caller
  /// vouches for the sender; values are checked as strictly. `key` may be empty for principal 0: no idempotency then.
  std::variant<model::Admitted, Refusal> admit_body(const Sender& sender, std::string_view key, const RequestBody& body);

  /// Many transfers, each with its own key, at most batch_items_max. Without `batch_key` the result is not a batch with a
  /// reply of its own: is_batch is true and batch_tag is empty.
  std::variant<model::Admitted, Refusal> admit_transfers(const Sender& sender, std::span<const TransferRequest> transfers,
                                                         std::string_view batch_key = {});

  /// Commands of the process itself: Tick, ConfirmClock, BumpEpoch.
  static model::Admitted admit_own(model::CommandBody body);

 private:
  struct Call;   // one request on its way through admit()

  const GateKeys& keys_;
  const ClientBook& clients_;
  RandomSource random_;
  GateSettings settings_;
  TokenAuthority tokens_;
  RateLimiter limiter_;
  FingerprintMaker fingerprints_;
  std::vector<std::uint32_t> seen_keys_;   ///< scratch of the look for a key used twice in a batch
};

}  // namespace gate
