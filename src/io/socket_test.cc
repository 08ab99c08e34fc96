#include "io/socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

using base::as_bytes;
using io::StreamState;

namespace {

template <typename R>
std::string code_of(const R& result) {
  REQUIRE(!result.ok());
  return result.error().code;
}

std::unique_ptr<io::Listener> listen_somewhere() {
  auto listener = io::Listener::open({"127.0.0.1", 0});
  REQUIRE(listener.ok());
  REQUIRE((*listener)->endpoint().port != 0);
  return std::move(*listener);
}

void wait_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, 2000) == 1);
}

struct Connected {
  io::Descriptor client;
  io::Accepted server;
};

Connected connect_to(io::Listener& listener) {
  auto client = io::connect_blocking("127.0.0.1", listener.endpoint().port, base::seconds(2));
  REQUIRE(client.ok());
  wait_readable(listener.fd());
  auto accepted = listener.accept();
  REQUIRE(accepted.ok());
  REQUIRE(accepted->has_value());
  return {std::move(*client), std::move(**accepted)};
}

}  // namespace

TEST_CASE("endpoints are numeric and have one spelling") {
  CHECK(io::parse_endpoint("127.0.0.1:8443").value() == io::Endpoint{"127.0.0.1", 8443});
  CHECK(io::parse_endpoint("[::1]:0").value() == io::Endpoint{"::1", 0});
  CHECK(io::parse_endpoint("[0:0::1]:1").value().text() == "[::1]:1");
  for (const char* bad : {"", "8443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
                          "127.0.0.1: 1", "localhost:1", "::1:80", "[127.0.0.1]:80", "[::1:80", "127.0.0.1:80/"}) {
    CAPTURE(bad);
    CHECK(code_of(io::parse_endpoint(bad)) == "endpoint_malformed");
  }
  CHECK(io::Endpoint{"127.9.9.9", 1}.is_loopback());
  CHECK(io::Endpoint{"::1", 1}.is_loopback());
  CHECK(io::Endpoint{"::ffff:127.0.0.1", 1}.is_loopback());
  CHECK(!io::Endpoint{"0.0.0.0", 1}.is_loopback());
  CHECK(!io::Endpoint{"::", 1}.is_loopback());
  CHECK(!io::Endpoint{"128.0.0.1", 1}.is_loopback());
}

TEST_CASE("connections are taken with the address of their peer") {
  auto listener = listen_somewhere();
  CHECK(!listener->accept().value().has_value());
  Connected connected = connect_to(*listener);
  CHECK(connected.server.peer.address == "127.0.0.1");
  CHECK((::fcntl(connected.server.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("bytes go both ways, and every end of a stream has its state") {
  auto listener = listen_somewhere();
  Connected connected = connect_to(*listener);
  io::PlainStream client(std::move(connected.client));
  io::PlainStream server(std::move(connected.server.fd));
  CHECK(client.handshake().state == StreamState::done);
  std::array<std::uint8_t, 64> buffer{};
  CHECK(server.read(buffer).state == StreamState::want_read);
  const std::vector<base::ByteView> pieces = {as_bytes("head "), as_bytes(""), as_bytes("body")};
  CHECK(client.write_pieces(pieces).bytes == 9);
  wait_readable(server.fd());
  const io::StreamResult got = server.read(buffer);
  CHECK(base::as_text(std::span(buffer).first(got.bytes)) == "head body");

  const base::Bytes big(1 << 20, 'x');
  io::StreamResult last;
  do {
    last = server.write(big);
  } while (last.state == StreamState::done);
  CHECK(last.state == StreamState::want_write);

  client.shutdown();
  wait_readable(server.fd());
  CHECK(server.read(buffer).state == StreamState::closed);
}

TEST_CASE("a reset is a failure with a reason") {
  auto listener = listen_somewhere();
  Connected connected = connect_to(*listener);
  io::PlainStream server(std::move(connected.server.fd));
  const linger reset{1, 0};
  ::setsockopt(connected.client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  connected.client.close();
  wait_readable(server.fd());
  std::array<std::uint8_t, 8> buffer{};
  CHECK(server.read(buffer).state == StreamState::failed);
  CHECK(!server.failure().empty());
  CHECK(server.write(as_bytes("x")).state == StreamState::closed);
}

TEST_CASE("where one cannot listen") {
  auto listener = listen_somewhere();
  CHECK(code_of(io::Listener::open(listener->endpoint())) == "address_in_use");
  CHECK(code_of(io::Listener::open({"192.0.2.1", 0})) == "address_not_available");
  CHECK(code_of(io::Listener::open({"localhost", 0})) == "address_not_available");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 3;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto refused = io::Listener::open({"127.0.0.1", 0});
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(code_of(refused) == "listen_failed");
}

TEST_CASE("a listener that no longer listens says so") {
  auto listener = listen_somewhere();
  REQUIRE(::shutdown(listener->fd(), SHUT_RDWR) == 0);
  CHECK(code_of(listener->accept()) == "accept_failed");
}

TEST_CASE("whom one cannot reach") {
  std::uint16_t port = 0;
  { port = listen_somewhere()->endpoint().port; }
  CHECK(code_of(io::connect_blocking("127.0.0.1", port, base::seconds(1))) == "connect_failed");
  CHECK(code_of(io::connect_blocking("no such host", 1, base::seconds(1))) == "host_not_found");
  // A full backlog answers nothing.
  auto listener = io::Listener::open({"127.0.0.1", 0}, 0);
  REQUIRE(listener.ok());
  std::vector<io::Descriptor> waiting;
  std::string code;
  for (int i = 0; i < 4 && code.empty(); ++i) {
    auto one = io::connect_blocking("127.0.0.1", (*listener)->endpoint().port, base::milliseconds(50));
    if (one.ok()) {
      waiting.push_back(std::move(*one));
    } else {
      code = one.error().code;
    }
  }
  CHECK(code == "connect_timed_out");
}

TEST_CASE("out of descriptors: the connection is dropped, the listener lives") {
  auto listener = listen_somewhere();
  auto client = io::connect_blocking("127.0.0.1", listener->endpoint().port, base::seconds(2));
  REQUIRE(client.ok());
  wait_readable(listener->fd());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // Every number below the limit is taken; the spare one of the listener is the only way.
  std::vector<io::Descriptor> all;
  rlimit few = before;
  few.rlim_cur = 64;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  while (true) {
    io::Descriptor one(::open("/dev/null", O_RDONLY));
    if (!one.valid()) break;
    all.push_back(std::move(one));
  }
  const auto refused = listener->accept();
  const auto nothing_left = listener->accept();
  all.clear();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(code_of(refused) == "too_many_open_files");
  wait_readable(client->get());
  char byte = 0;
  CHECK(::read(client->get(), &byte, 1) <= 0);
  (void)connect_to(*listener);
  // With nobody waiting the kernel may complain of descriptors first; either answer is right.
  CHECK((nothing_left.ok() ? !nothing_left->has_value() : code_of(nothing_left) == "too_many_open_files"));
}
