#include "io/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>

namespace io {

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::optional<SocketAddress> to_socket_address(const Endpoint& endpoint) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, endpoint.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    address.length = sizeof *v4;
    return address;
  }
  if (::inet_pton(AF_INET6, endpoint.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    address.length = sizeof *v6;
    return address;
  }
  return std::nullopt;
}

Endpoint to_endpoint(const SocketAddress& address) {
  Endpoint endpoint;
  char text[INET6_ADDRSTRLEN] = {};
  if (address.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    endpoint.port = ntohs(v6->sin6_port);
  } else {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    endpoint.port = ntohs(v4->sin_port);
  }
  endpoint.address = text;
  return endpoint;
}

void send_at_once(int fd) {
  const int on = 1;
  // Replies are written whole; waiting for more of them would only add latency. Failing to set it breaks nothing.
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Descriptor open_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::int64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// 0 when connected, otherwise an errno value.
int connect_one(int fd, const sockaddr* address, socklen_t length, std::int64_t until_ms) {
  if (::connect(fd, address, length) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  while (true) {
    const std::int64_t left = until_ms - monotonic_ms();
    if (left <= 0) return ETIMEDOUT;
    pollfd waiting{fd, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (ready < 0 && errno != EINTR) return errno;
    if (ready > 0) break;
  }
  int reason = 0;
  socklen_t size = sizeof reason;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) != 0) return errno;
  return reason;
}

}  // namespace

std::string Endpoint::text() const {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

bool Endpoint::is_loopback() const {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

base::Result<Endpoint> parse_endpoint(std::string_view text) {
  const base::Error malformed{"endpoint_malformed",
                              "\"" + std::string(text) + "\" is not ADDRESS:PORT with a numeric address"};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return malformed;
  std::string_view address = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (bracketed != (address.find(':') != std::string_view::npos)) return malformed;
  Endpoint endpoint;
  endpoint.address = address;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (digits.empty() || problem != std::errc{} || end != digits.data() + digits.size()) return malformed;
  const auto socket_address = to_socket_address(endpoint);
  if (!socket_address) return malformed;
  return to_endpoint(*socket_address);
}

base::Result<std::unique_ptr<Listener>> Listener::open(const Endpoint& at, int backlog) {
  const auto address = to_socket_address(at);
  if (!address) return base::Error{"address_not_available", "\"" + at.address + "\" is not a numeric address"};
  const auto refused = [&](int number) {
    const char* code = number == EADDRINUSE      ? "address_in_use"
                       : number == EADDRNOTAVAIL ? "address_not_available"
                                                 : "listen_failed";
    return base::Error{code, "cannot listen on " + at.text() + ": " + errno_text(number)};
  };
  Descriptor fd(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return refused(errno);
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return refused(errno);
  if (address->storage.ss_family == AF_INET6 &&
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    return refused(errno);
  }
  if (::bind(fd.get(), address->get(), address->length) != 0) return refused(errno);
  if (::listen(fd.get(), backlog) != 0) return refused(errno);
  SocketAddress real;
  real.length = sizeof real.storage;
  if (::getsockname(fd.get(), real.get(), &real.length) != 0) return refused(errno);
  Descriptor spare = open_spare();
  if (!spare.valid()) return refused(errno);
  return std::unique_ptr<Listener>(new Listener(std::move(fd), to_endpoint(real), std::move(spare)));
}

base::Result<std::optional<Accepted>> Listener::accept() {
  while (true) {
    SocketAddress peer;
    peer.length = sizeof peer.storage;
    Descriptor fd(::accept4(fd_.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      send_at_once(fd.get());
      return std::optional<Accepted>(Accepted{std::move(fd), to_endpoint(peer)});
    }
    switch (errno) {
      case EAGAIN:
        return std::optional<Accepted>();
      case EMFILE:
      case ENFILE: {
        const int reason = errno;
        spare_.close();
        Descriptor dropped(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        dropped.close();
        spare_ = open_spare();
        return base::Error{"too_many_open_files",
                           "a connection to " + endpoint_.text() + " was closed at once: " + errno_text(reason)};
      }
      // Troubles of one connection, reported by accept (accept(2), "Error handling"): the next may be fine.
      case EINTR:
      case ECONNABORTED:
      case ENETDOWN:
      case EPROTO:
      case ENOPROTOOPT:
      case EHOSTDOWN:
      case ENONET:
      case EHOSTUNREACH:
      case EOPNOTSUPP:
      case ENETUNREACH:
        continue;
      default:
        return base::Error{"accept_failed",
                           "cannot take a connection to " + endpoint_.text() + ": " + errno_text(errno)};
    }
  }
}

base::Result<Descriptor> connect_blocking(const std::string& host, std::uint16_t port, base::Duration timeout) {
  const std::int64_t until_ms = monotonic_ms() + timeout.ns / 1'000'000;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int answer = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (answer != 0) {
    return base::Error{"host_not_found", "cannot find \"" + host + "\": " + ::gai_strerror(answer)};
  }
  int reason = ECONNREFUSED;
  Descriptor connected;
  for (const addrinfo* one = found; one != nullptr && !connected.valid(); one = one->ai_next) {
    Descriptor fd(::socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    reason = fd.valid() ? connect_one(fd.get(), one->ai_addr, one->ai_addrlen, until_ms) : errno;
    if (reason == 0) connected = std::move(fd);
  }
  ::freeaddrinfo(found);
  if (!connected.valid()) {
    return base::Error{reason == ETIMEDOUT ? "connect_timed_out" : "connect_failed",
                       "cannot connect to " + host + " port " + std::to_string(port) + ": " + errno_text(reason)};
  }
  send_at_once(connected.get());
  return connected;
}

StreamResult PlainStream::answer(ssize_t n, StreamState when_blocked) {
  if (n >= 0) return {StreamState::done, static_cast<std::size_t>(n)};
  if (errno == EAGAIN || errno == EINTR) return {when_blocked, 0};
  if (errno == EPIPE) return {StreamState::closed, 0};
  failure_ = errno_text(errno);
  return {StreamState::failed, 0};
}

StreamResult PlainStream::read(std::span<std::uint8_t> into) {
  const ssize_t n = ::recv(fd_.get(), into.data(), into.size(), 0);
  if (n == 0 && !into.empty()) return {StreamState::closed, 0};
  return answer(n, StreamState::want_read);
}

StreamResult PlainStream::write(base::ByteView bytes) {
  return answer(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), StreamState::want_write);
}

StreamResult PlainStream::write_pieces(std::span<const base::ByteView> pieces) {
  std::array<iovec, 64> parts;
  const std::size_t count = std::min(pieces.size(), parts.size());
  for (std::size_t i = 0; i < count; ++i) {
    parts[i] = {const_cast<std::uint8_t*>(pieces[i].data()), pieces[i].size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return answer(::sendmsg(fd_.get(), &message, MSG_NOSIGNAL), StreamState::want_write);
}

StreamResult PlainStream::shutdown() {
  ::shutdown(fd_.get(), SHUT_WR);
  return {};
}

}  // namespace io
