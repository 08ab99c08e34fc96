#pragma once
// Delivers webhooks (Standard Webhooks 1.0): at least once, signed anew for each attempt, repeated over three days, in order
// where an endpoint wants that. What is waiting here is only in memory: the journal knows what was delivered, and whoever
// starts the service hands in again what was not.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "effects/http/http_client.h"
#include "effects/webhook/webhook_keys.h"
#include "io/random.h"

namespace effects {

/// How long after the `attempt`-th failure (from 1) the next attempt follows; nothing if it was the last. 5 s, 30 s, 5 min, 30 min,
/// 2 h, 5 h, 10 h, 14 h, 18 h, 22 h: 71 and a half hours in all, each up to a tenth shorter or longer as `jitter` (0 to 65,535) has it.
std::optional<base::Duration> webhook_pause(std::uint32_t attempt, std::uint16_t jitter);

struct WebhookMessage {
  std::string id;                   ///< `webhook-id`: the same for every attempt; no dots or blanks
  std::string body;                 ///< JSON
  std::uint32_t attempts = 0;       ///< made before, by a former process
  base::Duration pause{};           ///< until its first attempt here; no longer than a pause can be
};

/// What became of one attempt.
struct WebhookAttempt {
  std::string endpoint;
  std::string message;
  std::uint32_t attempt = 0;                 ///< from 1
  enum class Outcome : std::uint8_t { delivered, failed, given_up, endpoint_gone } outcome = Outcome::delivered;
  std::uint16_t status = 0;                  ///< 0: no answer
  HttpFailure failure = HttpFailure::none;
  base::Duration pause{};                    ///< of `failed`: until the next
};

struct WebhookEndpointOptions {
  std::string url = {};
  bool ordered = false;                 ///< one after the other: a message waits until those before it were delivered or given up
  bool private_addresses = false;       ///< may be in a private network
  std::uint32_t in_flight_max = 8;      ///< of an endpoint that is not ordered
  std::size_t waiting_max = 100'000;
  base::Duration timeout = base::seconds(15);
};

/// Belongs to one loop's thread. Not to be destroyed, and its endpoints not to be removed, from within `tell`.
class WebhookDelivery {
 public:
  /// Everything outlives it. `tell` runs for each attempt, on the loop.
  WebhookDelivery(io::Loop& loop, io::Clock& clock, io::Random& random, io::Resolver& resolver,
                  std::shared_ptr<const io::TlsOutgoingContext> tls, std::function<void(const WebhookAttempt&)> tell);
  ~WebhookDelivery();

  /// A new endpoint. Errors: those of parse_origin; `webhook_address_not_allowed` (a numeric private address),
  /// `webhook_endpoint_exists`.
  base::Status add_endpoint(const std::string& name, WebhookSigning signing, WebhookEndpointOptions options);
  /// Forgets it and what waits for it.
  void remove_endpoint(const std::string& name);

  /// Sends as soon as it can. Errors: `webhook_endpoint_unknown`, `webhook_queue_full`.
  base::Status deliver(const std::string& endpoint, WebhookMessage message);
  /// Sends what waits for a later attempt now. False if nothing with this id waits.
  bool resend(const std::string& endpoint, const std::string& message);
  /// Sends a message once, at once, beside those that wait; `done` is told what came of it, on the loop, also if the endpoint is
  /// removed meanwhile. Error: `webhook_endpoint_unknown`.
  base::Status probe(const std::string& endpoint, const WebhookMessage& message, std::function<void(const WebhookAttempt&)> done);
  /// Messages that are neither delivered nor given up.
  std::size_t waiting(const std::string& endpoint) const;

 private:
  class Endpoint;
  io::Loop& loop_;
  io::Clock& clock_;
  io::Random& random_;
  io::Resolver& resolver_;
  const std::shared_ptr<const io::TlsOutgoingContext> tls_;
  const std::function<void(const WebhookAttempt&)> tell_;
  std::map<std::string, std::unique_ptr<Endpoint>> endpoints_;
};

}  // namespace effects
