#pragma once
// The HTTP server: one listening address on one loop. It accepts, speaks TLS where told to, picks HTTP/1.1 or HTTP/2 by
// ALPN (RFC 7301), drives one wire::HttpMachine for each connection and hands complete requests to a Handler. It knows
// nothing of what is asked.
//
// Replies are gathered: whatever is answered in one turn of the loop is written once for each connection, at the turn's
// end. Every wait has a deadline: the handshake here, head, body, idling and slow reading in the machine, the end of a
// shutdown here again.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/socket.h"
#include "io/tls.h"
#include "wire/http1.h"
#include "wire/http2.h"
#include "wire/http_message.h"

namespace edge {

class Connection;
class Server;

/// Names a request until it is answered: place of its connection, which of the connections that were in that place, and
/// the stream. Stays harmless when the connection is gone.
struct Exchange {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  wire::StreamId stream = 0;
};

/// Answers requests, on the loop's thread.
class Handler {
 public:
  virtual ~Handler() = default;
  /// A complete request. Server::reply is to be called for it once: from within this call, or later.
  virtual void handle(Server& server, Exchange exchange, wire::Request&& request) = 0;
};

struct ServerOptions {
  std::uint32_t connections_max = 10'000;           ///< beyond it new connections are closed at once
  std::uint32_t connections_per_address_max = 512;  ///< for each IPv4 address, or IPv6 network of 64 bits
  base::Duration handshake_timeout = base::seconds(5);
  base::Duration linger = base::seconds(1);          ///< how long we read on after our last byte, so that it arrives
  base::Duration drain_timeout = base::seconds(10);  ///< of a shutdown: what is not answered by then is cut off
  /// Bytes of unfinished requests, all connections together; whoever passes it is cut off.
  std::uint64_t unfinished_bytes_max = std::uint64_t{256} << 20;
  wire::Http1Limits http1;
  wire::Http2Limits http2;

  /// The largest batch fits.
  ServerOptions() {
    http1.http.body_bytes_max = http2.http.body_bytes_max = std::uint64_t{16} << 20;
    http2.buffered_body_bytes_max = std::uint64_t{20} << 20;
  }
};

/// Counters since the start, and two gauges. Written by the loop's thread, read from any.
struct ServerStats {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> shed{0};               ///< closed at once: too many connections, or of one address
  std::atomic<std::uint64_t> accept_errors{0};      ///< out of descriptors, mostly
  std::atomic<std::uint64_t> handshakes_failed{0};  ///< also those that took too long
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> replies{0};
  std::atomic<std::uint64_t> cut_off{0};  ///< for unfinished_bytes_max, or at the end of a shutdown
  /// By wire::Refusal: requests refused and connections given up by the machines.
  std::array<std::atomic<std::uint64_t>, 16> refusals{};
  std::atomic<std::uint64_t> connections{0};  ///< open now
  std::atomic<std::uint64_t> outstanding{0};  ///< requests handed over and not answered
};

/// Everything but stats() belongs to the loop's thread, or to the time before the loop runs. The process must ignore
/// SIGPIPE (io::ignore_broken_pipes). Destroying it closes all connections.
class Server final : public io::EventHandler {
 public:
  /// Listens. `tls` null: plain TCP and HTTP/1.1 only. All references outlive the server.
  /// Errors: those of io::Listener::open and io::Loop::add.
  static base::Result<std::unique_ptr<Server>> open(io::Loop& loop, io::Clock& clock, const io::Endpoint& at,
                                                    const io::TlsServerContext* tls, Handler& handler,
                                                    ServerOptions options = {});
  ~Server() override;

  /// Where it really listens (port 0 took a free one).
  const io::Endpoint& endpoint() const { return endpoint_; }
  const ServerStats& stats() const { return stats_; }
  bool secure() const { return tls_ != nullptr; }
  io::Loop& loop() { return loop_; }

  /// The answer to a request. Nothing happens if its connection or stream is gone.
  void reply(const Exchange& exchange, const wire::Response& response);
  /// The answer to a request that is none of ours to give: its connection leaves the server, with what was written to it and
  /// nothing more (like an upgrade, RFC 9110 section 7.8). Null if the connection is gone. Requests that were pipelined behind
  /// it are never seen. The stream is the caller's; it is no longer watched.
  std::unique_ptr<io::Stream> take_over(const Exchange& exchange);
  /// Where a request came from: the address, or the network, that its connection counts under; empty if it is gone.
  std::string_view peer_of(const Exchange& exchange);

  /// Stops listening, takes no new requests (HTTP/2: GOAWAY; HTTP/1.1: Connection: close), answers what was taken, and
  /// calls `drained` on the loop when no connection is left, at the latest after options.drain_timeout.
  void begin_shutdown(io::Task drained);
  bool shutting_down() const { return shutting_down_; }

  void on_readable() override;  ///< somebody knocks
  void on_writable() override {}

 private:
  friend class Connection;

  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 0;
  };

  Server(io::Loop& loop, io::Clock& clock, std::unique_ptr<io::Listener> listener, const io::TlsServerContext* tls,
         Handler& handler, ServerOptions options);
  void admit(io::Accepted&& accepted);
  Connection* find(const Exchange& exchange);
  void close(Connection& connection);        ///< at once; the object lives until the end of the turn
  void serve_later(Connection& connection);  ///< at the end of the turn, once
  void end_of_turn();
  void plan_end_of_turn();
  std::string_view date();
  void finish_shutdown();

  io::Loop& loop_;
  io::Clock& clock_;
  std::unique_ptr<io::Listener> listener_;
  const io::TlsServerContext* tls_;
  Handler& handler_;
  const ServerOptions options_;
  const io::Endpoint endpoint_;
  ServerStats stats_;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::map<std::string, std::uint32_t, std::less<>> by_address_;
  std::vector<Exchange> to_serve_, serving_;
  std::vector<std::unique_ptr<Connection>> closed_;  ///< freed when nobody can be inside them
  std::uint64_t unfinished_bytes_ = 0;
  bool turn_end_planned_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for tasks that may outlive the server

  std::int64_t date_second_ = -1;
  std::string date_;

  bool shutting_down_ = false;
  io::Task drained_;
  io::Timer drain_timer_;
};

}  // namespace edge
