#include "io/tls.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>

#include "io/loop.h"
#include "io/process.h"
#include "io/simulated_file.h"
#include "io/socket.h"
#include "io/test_certificates.h"
#include "io/tls_client.h"

using base::as_bytes;
using io::StreamState;

namespace {

template <typename R>
std::string code_of(const R& result) {
  REQUIRE(!result.ok());
  return result.error().code;
}

/// The files of a server and its clients, on a disk of their own.
struct Files {
  io::SimulatedFileSystem disk{1};
  io::TestIdentity authority = io::make_test_identity("test authority", "");

  Files() {
    put("ca.pem", authority.certificate_pem);
    put_identity("server", io::make_test_identity("server", "DNS:localhost,IP:127.0.0.1", &authority));
  }
  void put(const std::string& name, const std::string& text) {
    REQUIRE(io::replace_file(disk, name, as_bytes(text)).ok());
  }
  void put_identity(const std::string& name, const io::TestIdentity& identity) {
    put(name + ".pem", identity.certificate_pem);
    put(name + ".key", identity.key_pem);
  }
  io::TlsServerOptions options() const {
    io::TlsServerOptions options;
    options.certificate_file = "server.pem";
    options.key_file = "server.key";
    return options;
  }
};

/// Echoes on a loop of its own thread. The first bytes "BIG" are answered by two megabytes, "BYE" by the end.
class EchoServer {
 public:
  explicit EchoServer(io::TlsServerContext& context)
      : context_(context), loop_(io::Loop::open().value()), listener_(io::Listener::open({"127.0.0.1", 0}).value()) {
    io::ignore_broken_pipes();
    REQUIRE(loop_->add(listener_->fd(), {.readable = true}, acceptor_).ok());
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~EchoServer() {
    loop_->stop();
    thread_.join();
    connections_.clear();
    loop_->remove(listener_->fd());
  }
  std::uint16_t port() const { return listener_->endpoint().port; }
  std::atomic<int> handshakes{0};
  std::atomic<int> failures{0};
  std::atomic<bool> saw_certificate{false};

 private:
  struct Connection final : io::EventHandler {
    Connection(EchoServer& server, io::Descriptor fd) : server_(server), tls_(server.context_, std::move(fd)) {
      REQUIRE(server_.loop_->add(tls_.fd(), {.readable = true}, *this).ok());
    }
    ~Connection() override { server_.loop_->remove(tls_.fd()); }
    void on_readable() override { step(); }
    void on_writable() override { step(); }

    void step() {
      if (!greeted_) {
        const io::StreamResult result = tls_.handshake();
        if (!proceed(result)) return;
        greeted_ = true;
        ++server_.handshakes;
        if (!tls_.peer_certificate().empty()) server_.saw_certificate = true;
      }
      while (true) {
        while (!out_.empty()) {
          const std::size_t half = out_.size() / 2;
          const std::vector<base::ByteView> pieces = {base::ByteView(out_).first(half),
                                                      base::ByteView(out_).subspan(half)};
          const io::StreamResult written = tls_.write_pieces(pieces);
          if (!proceed(written)) return;
          out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(written.bytes));
        }
        if (ending_) {
          tls_.shutdown();
          return end();
        }
        std::array<std::uint8_t, 4096> buffer;
        const io::StreamResult got = tls_.read(buffer);
        if (!proceed(got)) return;
        base::append(out_, std::span(buffer).first(got.bytes));
        if (base::as_text(out_) == "BIG") out_.assign(2'000'000, 'B');
        if (base::as_text(out_) == "BYE") ending_ = true;
      }
    }

    bool proceed(const io::StreamResult& result) {
      switch (result.state) {
        case StreamState::done:
          return true;
        case StreamState::want_read:
          server_.loop_->change(tls_.fd(), {.readable = true});
          return false;
        case StreamState::want_write:
          server_.loop_->change(tls_.fd(), {.writable = true});
          return false;
        case StreamState::failed:
          CHECK(!tls_.failure().empty());
          ++server_.failures;
          [[fallthrough]];
        case StreamState::closed:
          end();
          return false;
      }
      return false;
    }
    void end() { server_.connections_.erase(this); }

    EchoServer& server_;
    io::TlsConnection tls_;
    base::Bytes out_;
    bool greeted_ = false;
    bool ending_ = false;
  };

  struct Acceptor final : io::EventHandler {
    explicit Acceptor(EchoServer& server) : server_(server) {}
    void on_readable() override {
      while (true) {
        auto accepted = server_.listener_->accept();
        if (!accepted.ok() || !accepted->has_value()) return;
        auto connection = std::make_unique<Connection>(server_, std::move((**accepted).fd));
        server_.connections_[connection.get()] = std::move(connection);
      }
    }
    void on_writable() override {}
    EchoServer& server_;
  };

  io::TlsServerContext& context_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<io::Listener> listener_;
  Acceptor acceptor_{*this};
  std::map<Connection*, std::unique_ptr<Connection>> connections_;
  std::thread thread_;
};

io::TlsClientOptions client_options(const EchoServer& server) {
  io::TlsClientOptions options;
  options.host = "127.0.0.1";
  options.port = server.port();
  options.ca_file = "ca.pem";
  options.connect_timeout = base::seconds(5);
  options.transfer_timeout = base::seconds(5);
  return options;
}

std::string talk(io::TlsClient& client, const std::string& text) {
  REQUIRE(client.write_all(as_bytes(text)).ok());
  std::string answer;
  std::array<std::uint8_t, 4096> buffer;
  while (answer.size() < text.size()) {
    auto n = client.read(buffer);
    REQUIRE(n.ok());
    REQUIRE(*n > 0);
    answer += base::as_text(std::span(buffer).first(*n));
  }
  return answer;
}

}  // namespace

TEST_CASE("a round trip over TLS 1.3, with ALPN and verified by address and by name") {
  Files files;
  auto context = io::TlsServerContext::open(files.disk, files.options());
  REQUIRE(context.ok());
  EchoServer server(**context);
  auto options = client_options(server);
  options.protocols = {"http/1.1", "h2"};
  auto client = io::TlsClient::connect(files.disk, options);
  REQUIRE(client.ok());
  CHECK((*client)->protocol() == "h2");  // the server's order decides
  CHECK(talk(**client, "hello") == "hello");
  CHECK(talk(**client, "again") == "again");
  CHECK(!(*client)->resumed());

  options.server_name = "localhost";
  options.protocols = {};
  auto by_name = io::TlsClient::connect(files.disk, options);
  REQUIRE(by_name.ok());
  CHECK((*by_name)->protocol().empty());
  CHECK(talk(**by_name, "x") == "x");
}

TEST_CASE("large answers arrive whole while both sides run out of room") {
  Files files;
  auto context = io::TlsServerContext::open(files.disk, files.options());
  EchoServer server(**context);
  auto client = io::TlsClient::connect(files.disk, client_options(server)).value();
  REQUIRE(client->write_all(as_bytes("BIG")).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // let the server fill the socket
  std::size_t total = 0;
  std::array<std::uint8_t, 8192> buffer;
  while (total < 2'000'000) {
    auto n = client->read(buffer);
    REQUIRE(n.ok());
    REQUIRE(*n > 0);
    total += *n;
  }
  CHECK(total == 2'000'000);
}

TEST_CASE("a proper end is an end, a cut connection is an error") {
  Files files;
  auto context = io::TlsServerContext::open(files.disk, files.options());
  std::array<std::uint8_t, 16> buffer;
  {
    EchoServer server(**context);
    auto client = io::TlsClient::connect(files.disk, client_options(server)).value();
    CHECK(talk(*client, "BYE") == "BYE");
    CHECK(client->read(buffer).value() == 0);
    auto polite = io::TlsClient::connect(files.disk, client_options(server)).value();
    CHECK(talk(*polite, "x") == "x");
    polite->finish_writing();
    // Ends without a failure on the server's side; the answer is an end too, with or without a goodbye.
    (void)polite->read(buffer);
    CHECK(server.failures == 0);
  }
  std::unique_ptr<io::TlsClient> cut;
  {
    EchoServer server(**context);
    cut = io::TlsClient::connect(files.disk, client_options(server)).value();
    CHECK(talk(*cut, "x") == "x");
  }
  CHECK(code_of(cut->read(buffer)) == "connection_broken");
}

TEST_CASE("a client comes back with a ticket") {
  Files files;
  for (const bool tls12 : {false, true}) {
    auto options = files.options();
    options.allow_tls12 = tls12;
    auto context = io::TlsServerContext::open(files.disk, options);
    EchoServer server(**context);
    auto first = io::TlsClient::connect(files.disk, client_options(server)).value();
    CHECK(talk(*first, "x") == "x");
    REQUIRE(first->session() != nullptr);
    auto second = io::TlsClient::connect(files.disk, client_options(server), first->session()).value();
    CHECK(second->resumed());
    CHECK(talk(*second, "y") == "y");
    REQUIRE((*context)->reload().ok());
    auto third = io::TlsClient::connect(files.disk, client_options(server), first->session()).value();
    CHECK(!third->resumed());  // a new certificate is always shown
  }
}

TEST_CASE("the client refuses servers it should not trust") {
  Files files;
  auto context = io::TlsServerContext::open(files.disk, files.options());
  EchoServer server(**context);
  auto options = client_options(server);
  options.server_name = "example.org";
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "server_name_does_not_match");
  options.server_name = "127.0.0.2";
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "server_name_does_not_match");
  files.put("other.pem", io::make_test_identity("other authority", "").certificate_pem);
  options = client_options(server);
  options.ca_file = "other.pem";
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "server_certificate_not_trusted");
  options.ca_file = "";
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "server_certificate_not_trusted");
  options.ca_file = "server.key";
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "tls_client_ca_unusable");
  options.ca_file = "none.pem";
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "file_not_found");
  options = client_options(server);
  options.protocols = {"spdy/3"};
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "tls_handshake_failed");
  options = client_options(server);
  options.server_name = std::string(300, 'n');
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "tls_handshake_failed");
}

TEST_CASE("a client waits only so long") {
  Files files;
  auto silent = io::Listener::open({"127.0.0.1", 0}).value();
  io::TlsClientOptions options;
  options.host = "127.0.0.1";
  options.port = silent->endpoint().port;
  options.ca_file = "ca.pem";
  options.connect_timeout = base::milliseconds(50);
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "connect_timed_out");

  auto context = io::TlsServerContext::open(files.disk, files.options());
  EchoServer server(**context);
  options = client_options(server);
  options.transfer_timeout = base::milliseconds(50);
  auto client = io::TlsClient::connect(files.disk, options).value();
  std::array<std::uint8_t, 16> buffer;
  CHECK(code_of(client->read(buffer)) == "connection_timed_out");
}

TEST_CASE("garbage instead of TLS is a failure of that connection only") {
  Files files;
  auto context = io::TlsServerContext::open(files.disk, files.options());
  EchoServer server(**context);
  auto fd = io::connect_blocking("127.0.0.1", server.port(), base::seconds(2)).value();
  REQUIRE(::send(fd.get(), "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL) == 18);
  char buffer[64];
  pollfd waiting{fd.get(), POLLIN, 0};
  while (::poll(&waiting, 1, 2000) == 1 && ::recv(fd.get(), buffer, sizeof buffer, 0) > 0) {
  }
  CHECK(server.failures == 1);
  auto client = io::TlsClient::connect(files.disk, client_options(server));
  REQUIRE(client.ok());
  CHECK(talk(**client, "fine") == "fine");
}

TEST_CASE("a reload changes what new connections see and nothing else") {
  Files files;
  auto context = io::TlsServerContext::open(files.disk, files.options());
  EchoServer server(**context);
  auto before = io::TlsClient::connect(files.disk, client_options(server)).value();
  CHECK(talk(*before, "x") == "x");

  const io::TestIdentity other = io::make_test_identity("other authority", "");
  files.put("other.pem", other.certificate_pem);
  files.put_identity("server", io::make_test_identity("server", "IP:127.0.0.1", &other));
  auto options = client_options(server);
  CHECK(io::TlsClient::connect(files.disk, options).ok());  // not before the reload
  REQUIRE((*context)->reload().ok());
  CHECK(code_of(io::TlsClient::connect(files.disk, options)) == "server_certificate_not_trusted");
  options.ca_file = "other.pem";
  CHECK(io::TlsClient::connect(files.disk, options).ok());
  CHECK(talk(*before, "still here") == "still here");

  // A reload that fails leaves what works.
  files.put("server.key", files.authority.key_pem);
  CHECK(code_of((*context)->reload()) == "tls_key_does_not_match_certificate");
  CHECK(io::TlsClient::connect(files.disk, options).ok());
}

TEST_CASE("reloads while connections come in") {
  Files files;
  auto context = io::TlsServerContext::open(files.disk, files.options());
  EchoServer server(**context);
  std::atomic<bool> done{false};
  std::atomic<bool> reloaded{true};
  std::thread reloader([&] {
    while (!done) {
      if (!(*context)->reload().ok()) reloaded = false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (int i = 0; i < 10; ++i) {
    auto client = io::TlsClient::connect(files.disk, client_options(server)).value();
    CHECK(talk(*client, "x") == "x");
  }
  done = true;
  reloader.join();
  CHECK(reloaded);
}

TEST_CASE("clients may be asked for certificates") {
  Files files;
  files.put_identity("client", io::make_test_identity("client", "DNS:client", &files.authority));
  auto options = files.options();
  options.client_ca_file = "ca.pem";
  options.client_certificate_required = true;
  auto context = io::TlsServerContext::open(files.disk, options);
  REQUIRE(context.ok());
  EchoServer server(**context);
  auto with = client_options(server);
  with.certificate_file = "client.pem";
  with.key_file = "client.key";
  auto client = io::TlsClient::connect(files.disk, with).value();
  CHECK(talk(*client, "x") == "x");
  CHECK(server.saw_certificate);
  // Under TLS 1.3 the refusal reaches the client after its part of the handshake.
  auto without = io::TlsClient::connect(files.disk, client_options(server));
  std::array<std::uint8_t, 16> buffer;
  CHECK((!without.ok() || !(*without)->read(buffer).ok()));
  with.key_file = "server.key";
  CHECK(code_of(io::TlsClient::connect(files.disk, with)) == "tls_key_does_not_match_certificate");
}

TEST_CASE("server files that do not do are refused by name") {
  Files files;
  const auto open_with = [&](auto change) {
    auto options = files.options();
    change(options);
    return io::TlsServerContext::open(files.disk, options);
  };
  files.put("empty.pem", "nothing here\n");
  std::string damaged = files.authority.certificate_pem;
  damaged[damaged.size() / 2] = '!';
  files.put("damaged.pem", damaged);
  CHECK(code_of(open_with([](auto& o) { o.certificate_file = "none"; })) == "file_not_found");
  CHECK(code_of(open_with([](auto& o) { o.certificate_file = "empty.pem"; })) == "tls_certificate_unusable");
  CHECK(code_of(open_with([](auto& o) { o.certificate_file = "damaged.pem"; })) == "tls_certificate_unusable");
  CHECK(code_of(open_with([](auto& o) { o.key_file = "empty.pem"; })) == "tls_key_unusable");
  CHECK(code_of(open_with([](auto& o) { o.certificate_file = "ca.pem"; })) == "tls_key_does_not_match_certificate");
  CHECK(code_of(open_with([](auto& o) { o.client_ca_file = "empty.pem"; })) == "tls_client_ca_unusable");
  files.put("large.pem", std::string((1 << 20) + 1, 'x'));
  CHECK(code_of(open_with([](auto& o) { o.key_file = "large.pem"; })) == "file_too_large");
}

TEST_CASE("an OpenSSL whose configuration forbids everything is an error") {
  Files files;
  // What a FIPS configuration without its provider does.
  REQUIRE(EVP_set_default_properties(nullptr, "fips=yes") == 1);
  const auto server = io::TlsServerContext::open(files.disk, files.options());
  io::TlsClientOptions options;
  options.host = "127.0.0.1";
  const auto client = io::TlsClient::connect(files.disk, options);
  REQUIRE(EVP_set_default_properties(nullptr, "") == 1);
  CHECK(code_of(server) == "tls_setup_failed");
  CHECK(code_of(client) == "tls_setup_failed");
}

TEST_CASE("TLS 1.2 clients come in only by permission") {
  Files files;
  for (const bool allowed : {false, true}) {
    auto options = files.options();
    options.allow_tls12 = allowed;
    auto context = io::TlsServerContext::open(files.disk, options);
    EchoServer server(**context);
    auto old = client_options(server);
    old.newest_is_tls12 = true;
    auto client = io::TlsClient::connect(files.disk, old);
    CHECK(client.ok() == allowed);
    if (client.ok()) CHECK(talk(**client, "old") == "old");
  }
}
