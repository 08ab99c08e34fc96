#pragma once
// TCP: addresses, listening, accepting, plain streams.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "io/descriptor.h"
#include "io/stream.h"

namespace io {

/// A numeric IP address and a port.
struct Endpoint {
  std::string address;  ///< `127.0.0.1` or `::1`, never a name
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;

  /// `127.0.0.1:8443`, `[::1]:8443`
  std::string text() const;
  /// 127.0.0.0/8 or ::1 (also written as an IPv4-mapped address).
  bool is_loopback() const;
};

/// `ADDRESS:PORT` with a numeric address, IPv6 in brackets (RFC 3986 3.2.2). Errors: endpoint_malformed.
base::Result<Endpoint> parse_endpoint(std::string_view text);

struct Accepted {
  Descriptor fd;  ///< non-blocking, TCP_NODELAY
  Endpoint peer;
};

/// A listening socket. One thread at a time.
class Listener {
 public:
  /// Port 0 takes a free one. Errors: address_in_use, address_not_available, listen_failed.
  static base::Result<std::unique_ptr<Listener>> open(const Endpoint& at, int backlog = 1024);

  /// The next connection, or nothing if none waits. Connections that ended before they were taken are passed over.
  /// Errors: too_many_open_files (the connection was taken and closed, so that the queue does not stay full and the
  /// loop does not spin; the caller should count it and go on), accept_failed.
  base::Result<std::optional<Accepted>> accept();

  /// Where it really listens.
  const Endpoint& endpoint() const { return endpoint_; }
  int fd() const { return fd_.get(); }

 private:
  Listener(Descriptor fd, Endpoint endpoint, Descriptor spare)
      : fd_(std::move(fd)), endpoint_(std::move(endpoint)), spare_(std::move(spare)) {}

  Descriptor fd_;
  Endpoint endpoint_;
  Descriptor spare_;  ///< given up for a moment when descriptors run out
};

/// Connects to a name or numeric address within `timeout`; the socket is non-blocking afterwards. Blocks. Tries all
/// addresses of a name in turn. Errors: host_not_found, connect_failed, connect_timed_out.
base::Result<Descriptor> connect_blocking(const std::string& host, std::uint16_t port, base::Duration timeout);

/// TCP without TLS over a non-blocking descriptor.
class PlainStream final : public Stream {
 public:
  explicit PlainStream(Descriptor fd) : fd_(std::move(fd)) {}
  StreamResult handshake() override { return {}; }
  StreamResult read(std::span<std::uint8_t> into) override;
  StreamResult write(base::ByteView bytes) override;
  StreamResult write_pieces(std::span<const base::ByteView> pieces) override;
  StreamResult shutdown() override;
  int fd() const override { return fd_.get(); }
  const std::string& failure() const override { return failure_; }

 private:
  StreamResult answer(ssize_t n, StreamState when_blocked);
  Descriptor fd_;
  std::string failure_;
};

}  // namespace io
