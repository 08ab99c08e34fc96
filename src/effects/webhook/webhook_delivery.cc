#include "effects/webhook/webhook_delivery.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace effects {

namespace {

constexpr std::array<std::int64_t, 10> pauses_s = {5,         30,        5 * 60,     30 * 60,    2 * 3600,
                                                   5 * 3600, 10 * 3600, 14 * 3600, 18 * 3600, 22 * 3600};
constexpr base::Duration retry_after_max = base::seconds(3600);

/// Retry-After in seconds, within bounds; the form with a date is not waited for.
base::Duration retry_after(const wire::Response& response) {
  const auto field = response.headers.find("retry-after");
  std::int64_t seconds = 0;
  if (!field) return {};
  const auto [end, problem] = std::from_chars(field->data(), field->data() + field->size(), seconds);
  if (problem != std::errc{} || end != field->data() + field->size() || seconds < 0) return {};
  return std::min(base::seconds(std::min<std::int64_t>(seconds, 86'400)), retry_after_max);
}

base::Duration pause_max() { return *webhook_pause(pauses_s.size(), UINT16_MAX); }

}  // namespace

std::optional<base::Duration> webhook_pause(std::uint32_t attempt, std::uint16_t jitter) {
  if (attempt == 0 || attempt > pauses_s.size()) return std::nullopt;
  const std::int64_t middle = base::seconds(pauses_s[attempt - 1]).ns;
  return base::Duration{middle - middle / 10 + middle / 5 / 65'536 * jitter};
}

/// One endpoint: its connections, and its messages in the order in which they came.
class WebhookDelivery::Endpoint {
 public:
  Endpoint(WebhookDelivery& owner, std::string name, WebhookSigning signing, WebhookEndpointOptions options, HttpOrigin origin)
      : owner_(owner),
        name_(std::move(name)),
        signing_(std::move(signing)),
        options_(std::move(options)),
        path_(origin.path.empty() ? "/" : origin.path),
        client_(owner.loop_, owner.clock_, &owner.resolver_, std::move(origin), owner.tls_,
                {.connections_max = options_.ordered ? 1 : options_.in_flight_max, .private_addresses = options_.private_addresses}),
        timer_(owner.loop_, [this] { pump(); }) {}

  base::Status deliver(WebhookMessage&& message) {
    if (messages_.size() >= options_.waiting_max) return base::Error{"webhook_queue_full", "too many webhooks wait for this endpoint"};
    const std::int64_t pause = std::clamp<std::int64_t>(message.pause.ns, 0, pause_max().ns);
    messages_.push_back({.message = std::move(message), .due_ns = owner_.loop_.now_ns() + pause, .in_flight = false});
    timer_.arm({0});
    return base::ok();
  }
  bool resend(const std::string& id) {
    const auto found = std::ranges::find_if(messages_, [&](const Waiting& one) { return one.message.id == id; });
    if (found == messages_.end()) return false;
    found->due_ns = owner_.loop_.now_ns();
    timer_.arm({0});
    return true;
  }
  std::size_t waiting() const { return messages_.size(); }

  ~Endpoint() {
    for (auto& [number, done] : probes_) {
      const WebhookAttempt dropped{.endpoint = name_, .message = {}, .attempt = 1, .outcome = WebhookAttempt::Outcome::failed, .status = 0,
                                   .failure = HttpFailure::connection_lost, .pause = {}};
      owner_.loop_.post([done = std::move(done), dropped] { done(dropped); });
    }
  }

  void probe(const WebhookMessage& message, std::function<void(const WebhookAttempt&)> done) {
    const std::uint64_t number = next_probe_++;
    probes_.emplace(number, std::move(done));
    send(message, [this, number, id = message.id](HttpReply&& reply) {
      const auto found = probes_.find(number);
      const auto told = std::move(found->second);
      probes_.erase(found);
      WebhookAttempt attempt{.endpoint = name_, .message = id, .attempt = 1, .outcome = WebhookAttempt::Outcome::failed,
                             .status = reply.failure == HttpFailure::none ? reply.response.status : std::uint16_t{0}, .failure = reply.failure,
                             .pause = {}};
      if (attempt.status / 100 == 2) attempt.outcome = WebhookAttempt::Outcome::delivered;
      told(attempt);
    });
  }

 private:
  struct Waiting {
    WebhookMessage message;
    std::int64_t due_ns = 0;
    bool in_flight = false;
  };

  // Starts what may start now and plans to look again.
  void pump() {
    const std::int64_t now = owner_.loop_.now_ns();
    std::int64_t next_ns = INT64_MAX;
    for (Waiting& one : messages_) {
      if (in_flight_ >= (options_.ordered ? 1 : options_.in_flight_max)) break;
      if (!one.in_flight && one.due_ns <= now) {
        start(one);
      } else if (!one.in_flight) {
        next_ns = std::min(next_ns, one.due_ns);
      }
      if (options_.ordered) break;   // nobody overtakes the first
    }
    if (next_ns != INT64_MAX) timer_.arm({next_ns - now});
  }

  void start(Waiting& one) {
    one.in_flight = true;
    ++in_flight_;
    ++one.message.attempts;
    send(one.message, [this, id = one.message.id](HttpReply&& reply) { replied(id, reply); });
  }

  void send(const WebhookMessage& message, std::function<void(HttpReply&&)> done) {
    HttpCall call;
    call.request.method = "POST";
    call.request.path = path_;
    call.request.headers.add("content-type", "application/json");
    call.request.body = message.body;
    call.reply_timeout = options_.timeout;
    const base::Status is_signed = sign_webhook(call.request.headers, message.id, message.body, signing_, owner_.clock_.wall());
    if (is_signed.ok()) {
      call.done = std::move(done);
      return client_.call(std::move(call));
    }
    // A key that is away is like an endpoint that is: later, by itself.
    owner_.loop_.post([alive = std::weak_ptr<bool>(alive_), done = std::move(done)] {
      if (alive.expired()) return;
      HttpReply reply;
      reply.failure = HttpFailure::connect_failed;
      done(std::move(reply));
    });
  }

  void replied(const std::string& id, const HttpReply& reply) {
    --in_flight_;
    const auto found = std::ranges::find_if(messages_, [&](const Waiting& one) { return one.in_flight && one.message.id == id; });
    if (found == messages_.end()) return;
    using Outcome = WebhookAttempt::Outcome;
    found->in_flight = false;
    WebhookAttempt attempt{.endpoint = name_, .message = id, .attempt = found->message.attempts, .outcome = Outcome::delivered,
                           .status = reply.failure == HttpFailure::none ? reply.response.status : std::uint16_t{0}, .failure = reply.failure, .pause = {}};
    const auto pause = webhook_pause(attempt.attempt, static_cast<std::uint16_t>(owner_.random_.u64()));
    if (attempt.status / 100 == 2) {
      messages_.erase(found);
    } else if (attempt.status == 410) {
      attempt.outcome = Outcome::endpoint_gone;
      messages_.erase(found);
    } else if (!pause) {
      attempt.outcome = Outcome::given_up;
      messages_.erase(found);
    } else {
      attempt.outcome = Outcome::failed;
      attempt.pause = std::max(*pause, retry_after(reply.response));
      found->due_ns = owner_.loop_.now_ns() + attempt.pause.ns;
    }
    timer_.arm({0});
    owner_.tell_(attempt);
  }

  WebhookDelivery& owner_;
  const std::string name_;
  const WebhookSigning signing_;
  const WebhookEndpointOptions options_;
  const std::string path_;
  std::deque<Waiting> messages_;
  std::map<std::uint64_t, std::function<void(const WebhookAttempt&)>> probes_;
  std::uint64_t next_probe_ = 1;
  std::uint32_t in_flight_ = 0;
  HttpClient client_;
  io::Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

WebhookDelivery::WebhookDelivery(io::Loop& loop, io::Clock& clock, io::Random& random, io::Resolver& resolver,
                                 std::shared_ptr<const io::TlsOutgoingContext> tls, std::function<void(const WebhookAttempt&)> tell)
    : loop_(loop), clock_(clock), random_(random), resolver_(resolver), tls_(std::move(tls)), tell_(std::move(tell)) {}

WebhookDelivery::~WebhookDelivery() = default;

base::Status WebhookDelivery::add_endpoint(const std::string& name, WebhookSigning signing, WebhookEndpointOptions options) {
  if (endpoints_.contains(name)) return base::Error{"webhook_endpoint_exists", "there is an endpoint of this name"};
  TRY_ASSIGN(HttpOrigin origin, parse_origin(options.url));
  const bool v6 = origin.host.find(':') != std::string::npos;
  const bool numeric = io::parse_endpoint((v6 ? "[" + origin.host + "]" : origin.host) + ":1").ok();
  if (numeric && !options.private_addresses && io::is_private_address(origin.host)) {
    return base::Error{"webhook_address_not_allowed", "webhooks are not sent into private networks"};
  }
  endpoints_.emplace(name, std::make_unique<Endpoint>(*this, name, std::move(signing), std::move(options), std::move(origin)));
  return base::ok();
}

void WebhookDelivery::remove_endpoint(const std::string& name) { endpoints_.erase(name); }

base::Status WebhookDelivery::deliver(const std::string& endpoint, WebhookMessage message) {
  const auto found = endpoints_.find(endpoint);
  if (found == endpoints_.end()) return base::Error{"webhook_endpoint_unknown", "there is no endpoint of this name"};
  return found->second->deliver(std::move(message));
}

bool WebhookDelivery::resend(const std::string& endpoint, const std::string& message) {
  const auto found = endpoints_.find(endpoint);
  return found != endpoints_.end() && found->second->resend(message);
}

base::Status WebhookDelivery::probe(const std::string& endpoint, const WebhookMessage& message, std::function<void(const WebhookAttempt&)> done) {
  const auto found = endpoints_.find(endpoint);
  if (found == endpoints_.end()) return base::Error{"webhook_endpoint_unknown", "there is no endpoint of this name"};
  found->second->probe(message, std::move(done));
  return base::ok();
}

std::size_t WebhookDelivery::waiting(const std::string& endpoint) const {
  const auto found = endpoints_.find(endpoint);
  return found == endpoints_.end() ? 0 : found->second->waiting();
}

}  // namespace effects
