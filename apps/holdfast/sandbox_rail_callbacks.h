#pragma once
// The sandbox rail's callbacks: signed, sent until they are taken, and spoiled where the profile says so.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apps/holdfast/sandbox_rail_profile.h"
#include "effects/http/http_client.h"
#include "effects/rails/rail_reply.h"
#include "effects/signing/message_keys.h"
#include "io/random.h"

namespace holdfast {

struct CallbackEvent {
  std::string event;              ///< `ev-7-settled`
  base::Instant occurred_at;
  effects::RailPayment payment;
};

/// Belongs to the loop's thread.
class RailCallbacks {
 public:
  /// All references outlive it. `tls` null: http to loopback only.
  RailCallbacks(io::Loop& loop, io::Clock& clock, io::Random& random, custody::Signer& signer, std::string key_id,
                std::shared_ptr<const io::TlsOutgoingContext> tls);
  ~RailCallbacks();

  /// Where they go from now on; empty: nowhere. Error: those of effects::parse_origin, and https without a trusted authority.
  base::Status set_url(const std::string& url);

  /// Sends one event, as these faults have it. `taken` runs when a whole one got a 2xx.
  void tell(CallbackEvent event, const std::vector<const FaultRule*>& faults, std::function<void()> taken);

  struct Stats {
    std::uint64_t sent = 0;       ///< requests, faulty ones included
    std::uint64_t taken = 0;      ///< answered with a 2xx
    std::uint64_t failed = 0;     ///< no answer, or another one
    std::uint64_t given_up = 0;
  };
  const Stats& stats() const { return stats_; }
  std::size_t waiting() const { return deliveries_.size(); }

 private:
  struct Delivery;
  wire::Request make(const std::string& body, custody::Signer& signer, base::Instant now);
  void put(wire::Request&& request);
  void deliver(std::uint64_t id);
  void replied(std::uint64_t id, const effects::HttpReply& reply);

  io::Loop& loop_;
  io::Clock& clock_;
  io::Random& random_;
  custody::Signer& signer_;
  effects::OwnEd25519Signer stranger_;
  const std::string key_id_;
  const std::shared_ptr<const io::TlsOutgoingContext> tls_;
  io::Resolver resolver_;
  std::string path_;
  std::unique_ptr<effects::HttpClient> client_, retired_;
  Stats stats_;
  std::map<std::uint64_t, std::unique_ptr<Delivery>> deliveries_;   ///< those that are not taken yet
  std::uint64_t next_delivery_ = 1;
};

}  // namespace holdfast
