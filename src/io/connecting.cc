#include "io/connecting.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "io/thread.h"

namespace io {

namespace {

struct Range {
  std::array<std::uint8_t, 16> prefix;
  unsigned bits;
};

// IPv4 ranges of RFC 6890 that nobody should be reached under, as four bytes.
constexpr std::array<Range, 14> private_v4 = {{{{0}, 8},
                                               {{10}, 8},
                                               {{100, 64}, 10},
                                               {{127}, 8},
                                               {{169, 254}, 16},
                                               {{172, 16}, 12},
                                               {{192, 0, 0}, 24},
                                               {{192, 0, 2}, 24},
                                               {{192, 168}, 16},
                                               {{198, 18}, 15},
                                               {{198, 51, 100}, 24},
                                               {{203, 0, 113}, 24},
                                               {{224}, 4},
                                               {{240}, 4}}};
constexpr std::array<Range, 6> private_v6 = {{{{0xFC}, 7}, {{0xFE, 0x80}, 10}, {{0xFE, 0xC0}, 10}, {{0xFF}, 8}, {{0x20, 0x01, 0x0D, 0xB8}, 32}, {{0x01, 0x00}, 64}}};

bool within(const std::uint8_t* address, const Range& range) {
  for (unsigned bit = 0; bit < range.bits; ++bit) {
    const unsigned mask = 0x80u >> (bit % 8);
    if ((address[bit / 8] & mask) != (range.prefix[bit / 8] & mask)) return false;
  }
  return true;
}

bool is_private_v4(const std::uint8_t* address) {
  return std::ranges::any_of(private_v4, [&](const Range& range) { return within(address, range); });
}

}  // namespace

Addresses find_addresses(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int answer = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (answer != 0) return base::Error{"host_not_found", "cannot find \"" + host + "\": " + ::gai_strerror(answer)};
  std::vector<Endpoint> endpoints;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    const void* const bytes = one->ai_family == AF_INET
                                  ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr)
                                  : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(one->ai_addr)->sin6_addr);
    if (::inet_ntop(one->ai_family, bytes, text, sizeof text) != nullptr) endpoints.push_back({text, port});
  }
  ::freeaddrinfo(found);
  return endpoints;
}

base::Result<Descriptor> start_connect(const Endpoint& to) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, to.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(to.port);
    length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, to.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(to.port);
    length = sizeof *v6;
  }
  const auto failed = [&](int number) { return base::Error{"connect_failed", "cannot connect to " + to.text() + ": " + errno_text(number)}; };
  if (length == 0) return failed(EAFNOSUPPORT);
  Descriptor fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failed(errno);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0 && errno != EINPROGRESS) return failed(errno);
  return fd;
}

base::Status finish_connect(int fd) {
  int reason = 0;
  socklen_t size = sizeof reason;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) != 0) reason = errno;
  if (reason != 0) return base::Error{"connect_failed", "cannot connect: " + errno_text(reason)};
  return base::ok();
}

void reset_on_close(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool is_private_address(const std::string& address) {
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return is_private_v4(bytes.data());
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return true;
  const bool zeros_first = std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t byte) { return byte == 0; });
  // ::, ::1, ::a.b.c.d and ::ffff:a.b.c.d; the translated ones (64:ff9b::/96) and 6to4 (2002::/16) carry an IPv4 address too.
  if (zeros_first) return bytes[10] == 0xFF && bytes[11] == 0xFF ? is_private_v4(&bytes[12]) : true;
  if (within(bytes.data(), {{0x00, 0x64, 0xFF, 0x9B}, 96})) return is_private_v4(&bytes[12]);
  if (within(bytes.data(), {{0x20, 0x02}, 16})) return is_private_v4(&bytes[2]);
  return std::ranges::any_of(private_v6, [&](const Range& range) { return within(bytes.data(), range); });
}

Resolver::Resolver() : thread_([this] { run(); }) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    questions_.clear();
  }
  asked_.notify_one();
  thread_.join();
}

void Resolver::resolve(std::string host, std::uint16_t port, Loop& loop, std::function<void(Addresses)> found) {
  in6_addr room{};
  if (::inet_pton(AF_INET, host.c_str(), &room) == 1 || ::inet_pton(AF_INET6, host.c_str(), &room) == 1) {
    loop.post([found = std::move(found), endpoint = Endpoint{std::move(host), port}] { found(std::vector<Endpoint>{endpoint}); });
    return;
  }
  const std::lock_guard lock(mutex_);
  questions_.push_back({std::move(host), port, &loop, std::move(found)});
  asked_.notify_one();
}

void Resolver::run() {
  name_thread("resolver");
  std::unique_lock lock(mutex_);
  while (true) {
    asked_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
    if (stopping_) return;
    Question question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    auto addresses = find_addresses(question.host, question.port);
    lock.lock();
    if (stopping_) return;   // its loop may be on the way out
    question.loop->post([found = std::move(question.found), addresses = std::move(addresses)]() mutable { found(std::move(addresses)); });
  }
}

}  // namespace io
