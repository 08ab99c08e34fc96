#pragma once
// A TCP proxy that behaves like a bad network: latency, jitter, drops, resets, black holes, thin pipes, on a schedule and by
// command.

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "edge/server.h"
#include "io/loop.h"
#include "io/random.h"
#include "io/socket.h"

namespace holdfast {

/// What the network does to connections at some time. Directions: `up` is from the client to the target.
struct NetworkFault {
  std::int64_t from_ms = 0;                    ///< since the schedule was set
  std::int64_t until_ms = INT64_MAX;
  std::int64_t latency_ms = 0;                 ///< added to every piece, each way
  std::int64_t jitter_ms = 0;                  ///< added further, evenly between 0 and this; pieces never overtake each other
  bool refuse = false;                         ///< new connections are closed at once
  std::uint32_t drop_per_million = 0;          ///< new connections that end after drop_after_bytes
  std::uint32_t reset_per_million = 0;         ///< new connections that are reset after drop_after_bytes
  std::uint64_t drop_after_bytes = 0;          ///< both ways together
  /// From so many bytes on nothing passes any more in this direction, and nobody is told.
  std::uint64_t black_hole_up_after = UINT64_MAX;
  std::uint64_t black_hole_down_after = UINT64_MAX;
  bool black_hole = false;                     ///< nothing passes while this lasts, on connections that exist as well
  std::uint64_t bytes_per_second = 0;          ///< each way; 0 is no limit
};

struct NetworkSchedule {
  std::uint64_t seed = 1;
  /// In turn for ever if not 0: times are taken modulo this.
  std::int64_t repeat_ms = 0;
  std::vector<NetworkFault> faults;            ///< of those whose time it is the last one counts
};
/// Error: `fault_schedule_malformed`.
base::Result<NetworkSchedule> parse_network_schedule(base::ByteView json);
std::string to_json(const NetworkSchedule& schedule);

/// Belongs to the loop's thread.
class FaultProxy final : public io::EventHandler {
 public:
  /// Errors: those of io::Listener::open and io::Loop::add.
  static base::Result<std::unique_ptr<FaultProxy>> open(io::Loop& loop, const io::Endpoint& at, const io::Endpoint& to, NetworkSchedule schedule);
  ~FaultProxy() override;

  const io::Endpoint& endpoint() const { return listener_->endpoint(); }
  const NetworkSchedule& schedule() const { return schedule_; }
  /// From now on, from its beginning; for connections that exist too.
  void set_schedule(NetworkSchedule schedule);
  /// Ends all connections, with a reset or without.
  void cut_all(bool reset);

  struct Stats {
    std::uint64_t connections = 0;   ///< taken since the start
    std::uint64_t open = 0;
    std::uint64_t refused = 0, dropped = 0, resets = 0;
    std::uint64_t bytes_up = 0, bytes_down = 0;
  };
  Stats stats() const;

  void on_readable() override;
  void on_writable() override {}

 private:
  class Link;
  FaultProxy(io::Loop& loop, std::unique_ptr<io::Listener> listener, io::Endpoint to, NetworkSchedule schedule);
  /// What counts now; a fault that does nothing if none.
  const NetworkFault& now() const;
  void drop(Link& link);

  io::Loop& loop_;
  const std::unique_ptr<io::Listener> listener_;
  const io::Endpoint to_;
  NetworkSchedule schedule_;
  std::int64_t set_ns_ = 0;
  std::unique_ptr<io::SimulatedRandom> random_;   ///< drawn from the seed, so that a drill can be repeated
  std::vector<std::unique_ptr<Link>> links_, gone_;
  Stats stats_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// GET and PUT /schedule, GET /stats, POST /cut and /reset.
class FaultProxyControl final : public edge::Handler {
 public:
  explicit FaultProxyControl(FaultProxy& proxy) : proxy_(proxy) {}
  void handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) override;

 private:
  FaultProxy& proxy_;
};

}  // namespace holdfast
