#include "apps/holdfast/sandbox_rail_callbacks.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "effects/rails/http_rail.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint32_t attempts_max = 40;
constexpr base::Duration first_pause = base::milliseconds(100);
constexpr base::Duration longest_pause = base::seconds(10);

std::string body_of(const CallbackEvent& event) {
  std::string body;
  wire::JsonWriter json(body);
  json.begin_object();
  json.member("event", std::string_view(event.event));
  json.member("type", std::string_view("payment." + std::string(effects::to_text(event.payment.state))));
  json.member("occurred_at", std::string_view(base::to_rfc3339(event.occurred_at)));
  json.key("payment");
  std::string payment;
  effects::write_rail_payment(event.payment, payment);
  json.raw(payment);
  json.end_object();
  return body;
}

io::SecretMemory drawn_seed(io::Random& random) {
  auto seed = io::SecretMemory::allocate(32);
  CHECK_THAT(seed.ok(), "memory for a key");
  random.fill(seed->bytes());
  return std::move(*seed);
}

}  // namespace

/// One event on its way.
struct RailCallbacks::Delivery {
  Delivery(io::Loop& loop, io::Task again) : timer(loop, std::move(again)) {}
  std::string body;
  std::function<void()> taken;
  std::uint32_t attempts = 0;
  io::Timer timer;
};

RailCallbacks::RailCallbacks(io::Loop& loop, io::Clock& clock, io::Random& random, custody::Signer& signer, std::string key_id,
                             std::shared_ptr<const io::TlsOutgoingContext> tls)
    : loop_(loop), clock_(clock), random_(random), signer_(signer), stranger_(drawn_seed(random)), key_id_(std::move(key_id)), tls_(std::move(tls)) {}

RailCallbacks::~RailCallbacks() = default;

base::Status RailCallbacks::set_url(const std::string& url) {
  if (url.empty()) {
    retired_ = std::move(client_);
    return base::ok();
  }
  TRY_ASSIGN(effects::HttpOrigin origin, effects::parse_origin(url));
  if (origin.secure && tls_ == nullptr) return base::Error{"options_contradict", "callbacks over https need --callback-ca FILE"};
  path_ = origin.path.empty() ? "/" : origin.path;
  effects::HttpClientOptions options;
  options.connections_max = 128;
  options.calls_max = 100'000;
  retired_ = std::move(client_);
  client_ = std::make_unique<effects::HttpClient>(loop_, clock_, &resolver_, std::move(origin), tls_, options);
  for (auto& [id, delivery] : deliveries_) delivery->timer.arm({0});   // what was on its way elsewhere goes there
  return base::ok();
}

wire::Request RailCallbacks::make(const std::string& body, custody::Signer& signer, base::Instant now) {
  wire::Request request;
  request.method = "POST";
  request.path = path_;
  request.authority = client_->origin().authority;
  request.headers.add("content-type", "application/json");
  request.body = body;
  const base::Status is_signed = effects::sign_request(request, client_->origin().scheme(), signer,
                                                       {key_id_, std::string(effects::rail_signature_tag)}, now, random_);
  CHECK_THAT(is_signed.ok(), "a key in memory signs");
  return request;
}

// One that is not waited for: a spoiled one, or one copy too many.
void RailCallbacks::put(wire::Request&& request) {
  effects::HttpCall call;
  call.request = std::move(request);
  call.wait_max = base::seconds(30);
  ++stats_.sent;
  call.done = [this](effects::HttpReply&& reply) {
    const bool taken = reply.failure == effects::HttpFailure::none && reply.response.status / 100 == 2;
    ++(taken ? stats_.taken : stats_.failed);
  };
  client_->call(std::move(call));
}

void RailCallbacks::tell(CallbackEvent event, const std::vector<const FaultRule*>& faults, std::function<void()> taken) {
  if (client_ == nullptr) return;
  const base::Instant now = clock_.wall();
  const auto find = [&](RailFault fault) -> const FaultRule* {
    const auto found = std::ranges::find(faults, fault, &FaultRule::fault);
    return found == faults.end() ? nullptr : *found;
  };
  const std::string body = body_of(event);
  if (find(RailFault::forged_callback) != nullptr) put(make(body, stranger_, now));
  if (find(RailFault::stale_callback) != nullptr) put(make(body, signer_, {now.ns - base::seconds(600).ns}));
  if (find(RailFault::altered_callback) != nullptr) {
    CallbackEvent altered = event;
    altered.payment.amount += 1;
    put(make(body_of(altered), signer_, now));
  }
  if (const FaultRule* const rule = find(RailFault::duplicate_callback)) {
    for (std::uint32_t i = 1; i < rule->times; ++i) put(make(body, signer_, now));
  }
  if (const FaultRule* const rule = find(RailFault::replayed_callback)) {
    const wire::Request request = make(body, signer_, now);
    for (std::uint32_t i = 0; i < rule->times; ++i) put(wire::Request(request));
  }
  if (find(RailFault::lost_callback) != nullptr) return;
  const std::uint64_t id = next_delivery_++;
  auto delivery = std::make_unique<Delivery>(loop_, [this, id] { deliver(id); });
  delivery->body = body;
  delivery->taken = std::move(taken);
  deliveries_.emplace(id, std::move(delivery));
  deliver(id);
}

void RailCallbacks::deliver(std::uint64_t id) {
  const auto found = deliveries_.find(id);
  if (client_ == nullptr || found == deliveries_.end()) return;
  Delivery& delivery = *found->second;
  ++delivery.attempts;
  effects::HttpCall call;
  call.request = make(delivery.body, signer_, clock_.wall());
  call.wait_max = base::seconds(30);
  ++stats_.sent;
  call.done = [this, id](effects::HttpReply&& reply) { replied(id, reply); };
  client_->call(std::move(call));
}

void RailCallbacks::replied(std::uint64_t id, const effects::HttpReply& reply) {
  const bool good = reply.failure == effects::HttpFailure::none && reply.response.status / 100 == 2;
  ++(good ? stats_.taken : stats_.failed);
  const auto found = deliveries_.find(id);
  if (found == deliveries_.end()) return;
  Delivery& delivery = *found->second;
  if (good) {
    const std::function<void()> taken = std::move(delivery.taken);
    deliveries_.erase(found);
    taken();
  } else if (delivery.attempts >= attempts_max) {
    ++stats_.given_up;
    deliveries_.erase(found);
  } else {
    const std::uint32_t doublings = std::min(delivery.attempts - 1, 8u);
    delivery.timer.arm({std::min(first_pause.ns << doublings, longest_pause.ns)});
  }
}

}  // namespace holdfast
