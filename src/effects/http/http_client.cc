#include "effects/http/http_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "crypto/wipe.h"
#include "effects/http/http_connection.h"
#include "wire/request_target.h"

namespace effects {

namespace {

constexpr base::Duration addresses_kept = base::seconds(30);

void wipe_text(std::string& text) { crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}); }

HttpReply not_sent(HttpFailure failure, std::string detail) {
  return {.failure = failure, .sent = false, .fresh = true, .reply_begun = false, .latency = {}, .response = {}, .detail = std::move(detail)};
}

bool is_numeric(const std::string& host) {
  const bool v6 = host.find(':') != std::string::npos;
  return io::parse_endpoint((v6 ? "[" + host + "]" : host) + ":1").ok();
}

}  // namespace

std::string_view to_text(HttpFailure failure) {
  switch (failure) {
    case HttpFailure::none:
      return "none";
    case HttpFailure::too_many_calls:
      return "too_many_calls";
    case HttpFailure::name_not_resolved:
      return "name_not_resolved";
    case HttpFailure::address_not_allowed:
      return "address_not_allowed";
    case HttpFailure::connect_failed:
      return "connect_failed";
    case HttpFailure::connect_timed_out:
      return "connect_timed_out";
    case HttpFailure::tls_failed:
      return "tls_failed";
    case HttpFailure::send_deadline_passed:
      return "send_deadline_passed";
    case HttpFailure::connection_lost:
      return "connection_lost";
    case HttpFailure::reply_timed_out:
      return "reply_timed_out";
    case HttpFailure::reply_malformed:
      return "reply_malformed";
    case HttpFailure::reply_too_large:
      return "reply_too_large";
  }
  return "unknown";
}

base::Result<HttpOrigin> parse_origin(std::string_view url) {
  const auto malformed = [](const char* what) { return base::Error{"outgoing_url_malformed", what}; };
  HttpOrigin origin;
  origin.secure = url.starts_with("https://");
  if (!origin.secure && !url.starts_with("http://")) return malformed("a URL begins with https://");
  url.remove_prefix(origin.secure ? 8 : 7);
  const std::size_t slash = std::min(url.find('/'), url.size());
  const std::string_view authority = url.substr(0, slash);
  std::string_view path = url.substr(slash);
  if (!wire::is_authority(authority)) return malformed("a URL names a host and perhaps a port");
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) {
    const auto form = wire::parse_origin_form(path);
    if (!form || !form->query.empty() || !wire::split_path(path).ok()) return malformed("the path of a URL has segments and nothing else");
  }
  origin.authority = authority;
  origin.path = path;
  origin.port = origin.secure ? 443 : 80;
  std::string_view host = authority;
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), origin.port);
    if (digits.empty() || problem != std::errc{} || end != digits.data() + digits.size() || origin.port == 0) return malformed("the port of a URL is a number");
    host = authority.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  origin.host = host;
  if (origin.host.empty()) return malformed("a URL names a host");
  if (!origin.secure && !io::Endpoint{origin.host, 1}.is_loopback()) return malformed("http is for loopback addresses; everything else takes https");
  return origin;
}

HttpClient::HttpClient(io::Loop& loop, io::Clock& clock, io::Resolver* resolver, HttpOrigin origin,
                       std::shared_ptr<const io::TlsOutgoingContext> tls, HttpClientOptions options)
    : loop_(loop),
      clock_(clock),
      resolver_(resolver),
      origin_(std::move(origin)),
      tls_(std::move(tls)),
      options_(options),
      expiry_(loop, [this] { expire_waiting(); }) {
  CHECK(!origin_.secure || tls_ != nullptr);
  if (is_numeric(origin_.host)) {
    addresses_ = {{origin_.host, origin_.port}};
    addresses_until_ns_ = INT64_MAX;
  } else {
    CHECK(resolver_ != nullptr);
  }
}

HttpClient::~HttpClient() = default;

// Connections are chosen at the end of the turn, so that no call is answered from within this one.
void HttpClient::call(HttpCall&& call) {
  call.request.authority = origin_.authority;
  dispatch_later();
  if (open_calls() >= options_.calls_max) {
    refused_.push_back(std::move(call));
    return;
  }
  const std::int64_t until_ns = loop_.now_ns() + call.wait_max.ns;
  waiting_.push_back({std::move(call), until_ns});
  plan_expiry(due_of(waiting_.back()));
}

void HttpClient::dispatch_later() {
  if (std::exchange(dispatch_planned_, true)) return;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) dispatch();
  });
}

void HttpClient::dispatch() {
  dispatch_planned_ = false;
  while (!waiting_.empty() && !idle_.empty()) {
    Connection& connection = *idle_.back();
    idle_.pop_back();
    HttpCall call = std::move(waiting_.front().call);
    waiting_.pop_front();
    ++busy_;
    connection.carry(std::move(call));
  }
  open_connections();
  for (HttpCall& call : std::exchange(refused_, {})) finish(std::move(call), not_sent(HttpFailure::too_many_calls, "too many calls are open"));
}

// As many as calls wait for, within the limit.
void HttpClient::open_connections() {
  if (waiting_.empty() || resolving_) return;
  if (loop_.now_ns() >= addresses_until_ns_) {
    resolving_ = true;
    resolver_->resolve(origin_.host, origin_.port, loop_, [this, alive = std::weak_ptr<bool>(alive_)](io::Addresses found) {
      if (!alive.expired()) resolved(std::move(found));
    });
    return;
  }
  while (opening_ < waiting_.size() && connections_.size() < options_.connections_max) {
    connections_.push_back(std::make_unique<Connection>(*this, addresses_));
    ++opening_;
    connections_.back()->start();
  }
}

void HttpClient::resolved(io::Addresses addresses) {
  resolving_ = false;
  if (!addresses.ok()) return fail_waiting(waiting_.size(), HttpFailure::name_not_resolved, addresses.error().message);
  addresses_ = std::move(*addresses);
  if (!options_.private_addresses) {
    // One address in a private network is enough to distrust the name: the next look-up may put it first.
    const bool any = std::ranges::any_of(addresses_, [](const io::Endpoint& one) { return io::is_private_address(one.address); });
    if (any) return fail_waiting(waiting_.size(), HttpFailure::address_not_allowed, "the name leads into a private network");
  }
  addresses_until_ns_ = loop_.now_ns() + addresses_kept.ns;
  open_connections();
}

void HttpClient::fail_waiting(std::size_t count, HttpFailure failure, const std::string& detail) {
  std::vector<HttpCall> failed;
  for (; count > 0 && !waiting_.empty(); --count) {
    failed.push_back(std::move(waiting_.front().call));
    waiting_.pop_front();
  }
  for (HttpCall& call : failed) finish(std::move(call), not_sent(failure, detail));
}

// A connection has nothing to do. Called by the connection, also for the first time.
void HttpClient::ready(Connection& connection) {
  if (connection.fresh_) --opening_;
  if (waiting_.empty()) {
    idle_.push_back(&connection);
    return;
  }
  HttpCall call = std::move(waiting_.front().call);
  waiting_.pop_front();
  ++busy_;
  connection.carry(std::move(call));
}

// The object lives until the end of the turn: somebody may be inside it.
void HttpClient::remove(Connection& connection) {
  std::erase(idle_, &connection);
  const auto found = std::ranges::find_if(connections_, [&](const auto& one) { return one.get() == &connection; });
  CHECK(found != connections_.end());
  gone_.push_back(std::move(*found));
  connections_.erase(found);
  if (gone_.size() > 1) return;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) gone_.clear();
  });
}

void HttpClient::expire_waiting() {
  expiry_due_ns_ = INT64_MAX;
  const std::int64_t now = loop_.now_ns();
  const std::int64_t boot = clock_.boot_ns();
  std::deque<Waiting> patient;
  std::vector<HttpCall> late;
  for (Waiting& one : waiting_) {
    if (one.until_ns > now && one.call.send_not_after_boot_ns > boot) {
      patient.push_back(std::move(one));
    } else {
      late.push_back(std::move(one.call));
    }
  }
  waiting_ = std::move(patient);
  for (const Waiting& one : waiting_) plan_expiry(due_of(one));
  for (HttpCall& call : late) {
    const bool deadline = call.send_not_after_boot_ns <= boot;
    finish(std::move(call), not_sent(deadline ? HttpFailure::send_deadline_passed : HttpFailure::connect_timed_out, "no connection became free in time"));
  }
}

/// On the loop's clock.
std::int64_t HttpClient::due_of(const Waiting& waiting) {
  if (waiting.call.send_not_after_boot_ns == INT64_MAX) return waiting.until_ns;
  return std::min(waiting.until_ns, loop_.now_ns() + std::max<std::int64_t>(0, waiting.call.send_not_after_boot_ns - clock_.boot_ns()));
}

void HttpClient::plan_expiry(std::int64_t due_ns) {
  if (due_ns >= expiry_due_ns_) return;
  expiry_due_ns_ = due_ns;
  expiry_.arm({std::max<std::int64_t>(due_ns - loop_.now_ns(), 0)});
}

void HttpClient::finish(HttpCall&& call, HttpReply&& reply) {
  if (call.wiped) wipe_text(call.request.body);
  call.done(std::move(reply));
}

}  // namespace effects
