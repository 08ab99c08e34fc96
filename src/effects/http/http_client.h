#pragma once
// HTTP/1.1 to one origin over a pool of kept-alive TLS connections, on a loop, without ever blocking it. One request at a time
// on a connection: a reply that lags holds up nobody else.
//
// What matters to callers who move money: a reply says whether any byte of the request may have left. And a request may carry
// an instant of the boot clock that is looked at right before its first byte: a process that was frozen in between and wakes
// up late sends nothing.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/connecting.h"
#include "io/loop.h"
#include "io/tls_outgoing.h"
#include "wire/http_message.h"

namespace effects {

/// Where requests go, from a URL.
struct HttpOrigin {
  bool secure = true;
  std::string host;            ///< name or numeric address, without brackets
  std::uint16_t port = 443;
  std::string authority;       ///< as Host has it
  std::string path;            ///< of the URL, without a slash at its end; empty for none
  std::string_view scheme() const { return secure ? "https" : "http"; }
};
/// `https://HOST[:PORT][/PATH]`; `http` for loopback addresses only. No user, query or fragment. Error:
/// `outgoing_url_malformed`.
base::Result<HttpOrigin> parse_origin(std::string_view url);

/// Why there is no reply.
enum class HttpFailure : std::uint8_t {
  none,
  too_many_calls,         ///< calls_max are open
  name_not_resolved,
  address_not_allowed,    ///< the name leads into a private network
  connect_failed,
  connect_timed_out,      ///< also: no connection became free in time
  tls_failed,
  send_deadline_passed,
  connection_lost,        ///< from here on bytes may have left
  reply_timed_out,
  reply_malformed,
  reply_too_large,
};
std::string_view to_text(HttpFailure failure);

struct HttpReply {
  HttpFailure failure = HttpFailure::none;
  bool sent = false;            ///< a byte of the request may have left this machine
  bool fresh = true;            ///< it was the first request of its connection
  bool reply_begun = false;     ///< at least one byte of a reply came
  base::Duration latency{};     ///< from the first byte written to the end, by the boot clock; 0 if nothing was
  wire::Response response;      ///< if there was no failure
  std::string detail;           ///< one sentence after a failure; nothing personal
};

struct HttpCall {
  /// Method, path, query, headers, body; authority is filled in, path gets nothing before it.
  wire::Request request;
  base::Duration reply_timeout = base::seconds(10);   ///< from the first byte to the end of the reply
  base::Duration wait_max = base::seconds(5);         ///< for a connection
  std::int64_t send_not_after_boot_ns = INT64_MAX;    ///< boot clock
  /// The request holds personal values: our copies of it are overwritten when they are no longer needed.
  bool wiped = false;
  /// Called once, on the loop, never from within call().
  std::function<void(HttpReply&&)> done;
};

struct HttpClientOptions {
  std::uint32_t connections_max = 32;
  std::uint32_t calls_max = 1024;                       ///< open calls, those that wait for a connection included
  base::Duration connect_timeout = base::seconds(5);    ///< TCP and TLS
  base::Duration idle_timeout = base::seconds(20);      ///< shorter than servers keep them, so that few die under a request
  std::uint32_t header_bytes_max = 16 * 1024;
  std::uint64_t body_bytes_max = 256 * 1024;
  bool private_addresses = true;                        ///< whether a name may lead to one
};

/// Everything belongs to the loop's thread (or to the time before it runs). The process must ignore SIGPIPE.
class HttpClient {
 public:
  /// All references outlive the client. `tls` may be null for an http origin, `resolver` for a numeric host (CHECK).
  HttpClient(io::Loop& loop, io::Clock& clock, io::Resolver* resolver, HttpOrigin origin,
             std::shared_ptr<const io::TlsOutgoingContext> tls, HttpClientOptions options = {});
  /// Calls that are open are dropped: their `done` is never called. Not from within a `done`.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void call(HttpCall&& call);

  const HttpOrigin& origin() const { return origin_; }
  std::size_t open_calls() const { return waiting_.size() + busy_; }
  std::size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  struct Waiting {
    HttpCall call;
    std::int64_t until_ns;
  };

  void dispatch_later();
  void dispatch();
  void open_connections();
  void resolved(io::Addresses addresses);
  void fail_waiting(std::size_t count, HttpFailure failure, const std::string& detail);
  void ready(Connection& connection);
  void remove(Connection& connection);
  void expire_waiting();
  std::int64_t due_of(const Waiting& waiting);
  void plan_expiry(std::int64_t due_ns);
  void finish(HttpCall&& call, HttpReply&& reply);

  io::Loop& loop_;
  io::Clock& clock_;
  io::Resolver* const resolver_;
  const HttpOrigin origin_;
  const std::shared_ptr<const io::TlsOutgoingContext> tls_;
  const HttpClientOptions options_;

  std::vector<io::Endpoint> addresses_;   ///< of the host; empty before it was looked up
  std::int64_t addresses_until_ns_ = 0;
  bool resolving_ = false;
  std::deque<Waiting> waiting_;
  std::vector<HttpCall> refused_;         ///< too many; answered at the end of the turn
  bool dispatch_planned_ = false;
  std::int64_t expiry_due_ns_ = INT64_MAX;
  std::size_t busy_ = 0;                  ///< connections with a call on them
  std::size_t opening_ = 0;               ///< connections that are not ready yet
  std::vector<Connection*> idle_;
  std::vector<std::unique_ptr<Connection>> connections_, gone_;
  io::Timer expiry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace effects
