#pragma once
// Opening TCP connections without waiting for them, and finding the addresses of names on a thread of its own.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "io/descriptor.h"
#include "io/loop.h"
#include "io/socket.h"

namespace io {

/// Begins to connect; non-blocking, TCP_NODELAY. When the descriptor becomes writable, finish_connect says how it ended.
/// Errors: `connect_failed` (refused at once, no route, no descriptors left).
base::Result<Descriptor> start_connect(const Endpoint& to);
/// Errors: `connect_failed`.
base::Status finish_connect(int fd);

/// Closing the descriptor from now on resets the connection instead of ending it (SO_LINGER 0): what the peer has not read
/// is lost to it, as after a crash.
void reset_on_close(int fd);

/// Whether nobody on the public Internet has this address: loopback, private, link-local, unique local, multicast, reserved,
/// documentation, and the IPv4 addresses inside of IPv6 ones (RFC 6890).
bool is_private_address(const std::string& address);

using Addresses = base::Result<std::vector<Endpoint>>;

/// What the system knows under a name, numeric addresses as they are. Waits as long as the system does, which can be half a minute:
/// for threads that may. Error: `host_not_found`.
Addresses find_addresses(const std::string& host, std::uint16_t port);

/// Looks names up, one at a time, on its own thread. To be destroyed before the loops it answers on.
class Resolver {
 public:
  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Runs `found` on `loop`. Numeric addresses are answered as they are. Error: `host_not_found`. Any thread.
  void resolve(std::string host, std::uint16_t port, Loop& loop, std::function<void(Addresses)> found);

 private:
  struct Question {
    std::string host;
    std::uint16_t port;
    Loop* loop;
    std::function<void(Addresses)> found;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<Question> questions_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace io
