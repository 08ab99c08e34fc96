#pragma once
// One connection of a Server: a stream, a wire::HttpMachine, and the patience we have with it. Private to this room.

#include <cstdint>
#include <memory>
#include <string>

#include "edge/server.h"
#include "io/loop.h"
#include "io/stream.h"
#include "wire/http_machine.h"

namespace edge {

class Connection final : public io::EventHandler {
 public:
  /// Not watched yet: start() does that. `tls` is `stream` if that is TLS, otherwise null.
  Connection(Server& server, Exchange self, std::string address, std::unique_ptr<io::Stream> stream,
             const io::TlsConnection* tls);

  /// Begins. False if the loop cannot watch the descriptor.
  bool start();

  void on_readable() override;
  void on_writable() override { serve(false); }

  /// Does whatever can be done now: reads (if there may be something), hands over requests, writes, sees to the end.
  void serve(bool readable);
  void respond(wire::StreamId stream, const wire::Response& response);
  void begin_shutdown();
  /// Under which it counts.
  std::string_view address() const { return address_; }
  /// Stops watching, forgets all plans. The server calls it when it takes the connection out.
  void stop();

 private:
  friend class Server;

  bool shake_hands();
  void read();
  void hand_over();
  void write();
  void linger();
  void drain();
  void await_events();
  void plan_timer();
  void on_timer();
  void forget_unfinished();
  void give_up();

  Server& server_;
  const Exchange self_;
  const std::string address_;  // under which it counts
  std::unique_ptr<io::Stream> stream_;
  const io::TlsConnection* tls_;
  std::unique_ptr<wire::HttpMachine> machine_;  // from the end of the handshake
  io::Timer timer_;
  io::Interest interest_;
  std::int64_t end_ns_ = 0;             // of the handshake or of lingering
  std::uint64_t unfinished_bytes_ = 0;  // received since the last complete request
  std::uint64_t drained_bytes_ = 0;
  bool dirty_ = false;  // stands in the server's list for the end of the turn
  bool watched_ = false;
  bool closed_ = false;
  bool lingering_ = false;  // all is sent; what still comes in is thrown away
  bool input_ended_ = false;
  bool input_left_ = false;  // reading stopped before the stream said want_read
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  bool write_blocked_ = false;
};

}  // namespace edge
