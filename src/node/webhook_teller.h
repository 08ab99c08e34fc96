#pragma once
// Tells webhook endpoints what happened: follows the journal behind its durable end, endpoint by endpoint, hands messages to
// effects::WebhookDelivery and keeps how far each endpoint is (store::DeliveryStore). A thread of its own.
//
// The journal is the truth of what is to be told, so nothing is lost between a commit and its delivery; the store only keeps from
// telling everything again. Nobody is told of anything that is not durable. While nobody subscribes the journal is not read.

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "effects/signing/message_keys.h"
#include "effects/webhook/webhook_delivery.h"
#include "gate/gate.h"
#include "io/connecting.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/random.h"
#include "node/client_records.h"
#include "node/service.h"
#include "node/webhook_messages.h"
#include "store/deliveries/delivery_store.h"

namespace node {

struct WebhookOptions {
  bool private_addresses = false;            ///< endpoints may be in private networks
  std::string ca_file = {};                  ///< PEM; empty: those of the system
  std::uint32_t outstanding_max = 1'000;     ///< messages of an endpoint that are handed to delivery at a time
  std::uint32_t mark_interval_ms = 3'600'000;   ///< how often the journal is told how far an endpoint is, at most
};

/// What a URL of an endpoint has against it, empty if nothing: for gate::GateSettings::webhook_url_problem.
std::string webhook_url_problem(std::string_view url, bool private_addresses);

/// Numbers for metrics; each is right on its own.
struct WebhookStats {
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;        ///< attempts
  std::uint64_t given_up = 0;
  std::uint64_t outstanding = 0;   ///< messages handed to delivery and not done
  std::uint64_t failures = 0;      ///< of the store or the journal: everything was taken up again
};

class WebhookTeller final : private AnswerSink {
 public:
  /// References outlive the teller, and the service has stopped before it is destroyed: answers come to it. `path` is the store's. Errors: those of the store and of TLS files.
  static base::Result<std::unique_ptr<WebhookTeller>> open(io::FileSystem& files, io::Clock& clock, Service& service,
                                                           const gate::GateKeys& keys, const std::string& path, WebhookOptions options);
  ~WebhookTeller() override;

  void start();
  /// Ends the thread; what is under way is told again by the next start.
  void stop();

  /// What the receiver of a test message answered. Error: `webhook_endpoint_unknown`, it is disabled or not known yet.
  using Tested = std::function<void(base::Result<effects::WebhookAttempt>)>;
  /// Any thread; `done` runs on the teller's.
  void test(model::WebhookNumber webhook, Tested done);
  /// How many messages are told again: one, or all that were given up since. Errors: `webhook_endpoint_unknown`,
  /// `webhook_message_unknown`, `core_takes_no_questions`, those of the store and the journal.
  using Resent = std::function<void(base::Result<std::uint64_t>)>;
  void resend(model::WebhookNumber webhook, const std::string& message, std::optional<base::Instant> failed_since, Resent done);

  WebhookStats stats() const;

 private:
  struct Endpoint {
    model::WebhookNumber number = 0;
    core::WebhookRecord record;                ///< as it is applied
    bool active = false;                       ///< delivery has it
    bool with_former = false;                  ///< signs with the former key as well
    store::DeliveryProgress progress;
    bool progress_changed = false;
    std::map<model::EventNumber, store::PendingMessage> outstanding;
    std::vector<std::unique_ptr<effects::OwnEd25519Signer>> signers;
    bool told_since_mark = false;
    std::int64_t marked_boot_ns = 0;
    std::string name() const { return std::to_string(number); }
    bool wants(model::WebhookEvent event) const { return (record.events & bit_of(event)) != 0; }
  };

  WebhookTeller(io::Clock& clock, Service& service, const gate::GateKeys& keys, store::DeliveryStore store, WebhookOptions options);
  void turn();
  base::Status work();
  void recover_from(const base::Error& error);

  base::Status apply_records();
  base::Status apply(Endpoint& endpoint, const core::WebhookRecord& record);
  base::Status activate(Endpoint& endpoint);
  void deactivate(Endpoint& endpoint);
  base::Result<effects::WebhookSigning> signing_of(Endpoint& endpoint);

  std::vector<Endpoint*> listening();
  base::Status follow();
  base::Status take_entry(const model::Entry& entry, const std::vector<Endpoint*>& followers, std::size_t& handed);
  base::Status tell_again(Endpoint& endpoint, const store::PendingMessage& message);
  base::Status hand_over(Endpoint& endpoint, const store::PendingMessage& message, std::string&& body);
  base::Result<bool> resend_one(Endpoint& endpoint, model::EventNumber event);
  base::Result<std::uint64_t> resend_now(model::WebhookNumber webhook, model::EventNumber message, std::optional<base::Instant> failed_since);

  void attempted(const effects::WebhookAttempt& attempt);
  base::Status keep(Endpoint& endpoint, const effects::WebhookAttempt& attempt, const store::PendingMessage& message);
  void disable(const Endpoint& endpoint, model::WebhookCause cause);
  void mark();
  void submit_own();
  base::Status write();
  void deliver(std::uint64_t token, Answer&& answer) override;
  Endpoint* active(model::WebhookNumber number);

  io::Clock& clock_;
  Service& service_;
  const gate::GateKeys& keys_;
  const WebhookOptions options_;
  io::RealRandom random_;                 // this thread's own
  NoClients nobody_;
  gate::Gate gate_;
  store::DeliveryStore store_;
  WebhookMessages messages_;
  std::unique_ptr<io::Loop> loop_;
  io::Resolver resolver_;
  std::map<model::WebhookNumber, Endpoint> endpoints_;
  std::unique_ptr<effects::WebhookDelivery> delivery_;
  std::unique_ptr<io::Timer> timer_;
  std::shared_ptr<const core::CowArray<core::WebhookRecord>::Frozen> records_;   // as they were last applied
  bool reapply_ = false;
  model::WebhookNumber read_for_ = 0;   // the endpoint that the journal was read for last
  struct Own {
    model::TenantNumber tenant;
    gate::RequestBody body;
  };
  std::deque<Own> own_;                   // commands of the process itself that wait for the pipeline
  std::int64_t own_not_before_boot_ns_ = 0;
  std::uint64_t next_token_ = 1;
  std::mutex mutex_;
  std::map<std::uint64_t, Own> own_submitted_;   // not answered yet; this and the next under mutex_
  std::deque<Own> own_unrecorded_;               // not recorded for a reason that passes: they go in again
  std::int64_t written_boot_ns_ = 0;
  std::atomic<std::uint64_t> delivered_{0}, failed_{0}, given_up_{0}, outstanding_{0}, failures_{0};
  bool started_ = false;
  std::thread thread_;
};

}  // namespace node
