#include "effects/http/http_client.h"

#include "effects/http/scripted_server_for_tests.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

using End = ScriptedReply::End;

struct Stage {
  explicit Stage(ScriptedServer& server, HttpClientOptions options = {}, io::TlsOutgoingOptions tls = {.ca_file = "ca.pem"})
      : loop(io::Loop::open().value()),
        client(*loop, clock, nullptr, parse_origin(server.url()).value(), io::TlsOutgoingContext::open(server.disk, tls).value(), options) {}

  HttpCall get(std::string path = "/", base::Duration timeout = base::seconds(3)) {
    HttpCall call;
    call.request.method = "GET";
    call.request.path = std::move(path);
    call.reply_timeout = timeout;
    call.done = [this](HttpReply&& reply) { replies.push_back(std::move(reply)); };
    return call;
  }
  const HttpReply& answer(HttpCall&& call) {
    const std::size_t before = replies.size();
    client.call(std::move(call));
    CHECK_EQ(replies.size(), before);   // never from within
    REQUIRE(turn_until(*loop, [&] { return replies.size() > before; }));
    return replies.back();
  }

  std::unique_ptr<io::Loop> loop;
  io::SimulatedClock clock;
  HttpClient client;
  std::vector<HttpReply> replies;
};

ScriptedReply good(std::string_view body = "{}") { return {.bytes = http_reply(200, "application/json", body)}; }

TEST_CASE("requests share one connection, one after the other, and more of them at a time") {
  ScriptedServer server([](const std::string& request) { return good(request.substr(4, 2)); });
  Stage stage(server, {.connections_max = 3});
  for (const char* path : {"/a", "/b", "/c"}) {
    const HttpReply& reply = stage.answer(stage.get(path));
    CHECK_EQ(reply.failure, HttpFailure::none);
    CHECK_EQ(reply.response.body, path);
    CHECK(reply.sent);
  }
  CHECK_EQ(server.connections, 1);
  for (int i = 0; i < 20; ++i) stage.client.call(stage.get("/x"));
  CHECK_EQ(stage.client.open_calls(), 20u);
  REQUIRE(turn_until(*stage.loop, [&] { return stage.replies.size() == 23; }));
  for (const HttpReply& reply : stage.replies) CHECK_EQ(reply.failure, HttpFailure::none);
  CHECK(server.connections <= 3);
  CHECK_EQ(stage.client.open_calls(), 0u);
}

TEST_CASE("a connection the server ends is not used again") {
  ScriptedServer server([](const std::string&) { return ScriptedReply{.bytes = good().bytes, .end = End::close}; });
  Stage stage(server);
  CHECK_EQ(stage.answer(stage.get()).failure, HttpFailure::none);
  turn_until(*stage.loop, [&] { return stage.client.connections() == 0; });
  CHECK_EQ(stage.client.connections(), 0u);
  CHECK_EQ(stage.answer(stage.get()).failure, HttpFailure::none);
  CHECK_EQ(server.connections, 2);
}

TEST_CASE("what goes wrong after the first byte says that bytes left") {
  const auto outcome = [](ScriptedReply reply, HttpClientOptions options = {}) {
    ScriptedServer server([reply](const std::string&) { return reply; });
    Stage stage(server, options);
    const HttpReply& got = stage.answer(stage.get("/", base::milliseconds(300)));
    CHECK(got.sent);
    CHECK(!got.detail.empty());
    return got.failure;
  };
  CHECK_EQ(outcome({.bytes = "", .end = End::close}), HttpFailure::connection_lost);
  CHECK_EQ(outcome({.bytes = "", .end = End::reset}), HttpFailure::connection_lost);
  CHECK_EQ(outcome({.bytes = "", .end = End::hold}), HttpFailure::reply_timed_out);
  CHECK_EQ(outcome({.bytes = good().bytes, .drip_ms = 20}), HttpFailure::reply_timed_out);
  CHECK_EQ(outcome({.bytes = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}", .end = End::close}), HttpFailure::connection_lost);
  CHECK_EQ(outcome({.bytes = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\ncontent-length: 11\r\n\r\n{}"}), HttpFailure::reply_malformed);
  CHECK_EQ(outcome({.bytes = "NONSENSE\r\n\r\n"}), HttpFailure::reply_malformed);
  CHECK_EQ(outcome(good(std::string(2000, 'x')), {.body_bytes_max = 1000}), HttpFailure::reply_too_large);
  CHECK_EQ(outcome({.bytes = "HTTP/1.1 200 OK\r\nx: " + std::string(20'000, 'x') + "\r\n\r\n"}), HttpFailure::reply_too_large);
}

TEST_CASE("what goes wrong before the first byte says that nothing left") {
  ScriptedServer server([](const std::string&) { return good(); });
  SUBCASE("nobody listens") {
    std::string url;
    {
      const auto listener = io::Listener::open({"127.0.0.1", 0}).value();
      url = "https://" + listener->endpoint().text();
    }
    const auto loop = io::Loop::open().value();
    io::SimulatedClock clock;
    HttpClient client(*loop, clock, nullptr, parse_origin(url).value(), io::TlsOutgoingContext::open(server.disk, {.ca_file = "ca.pem"}).value());
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
      HttpCall call;
      call.request.method = "GET";
      call.request.path = "/";
      call.done = [&](HttpReply&& reply) { refused += reply.failure == HttpFailure::connect_failed && !reply.sent; };
      client.call(std::move(call));
    }
    CHECK(turn_until(*loop, [&] { return refused == 100; }));
  }
  SUBCASE("its certificate is not trusted") {
    Stage stage(server, {}, {.ca_file = "stranger.pem"});
    const HttpReply& reply = stage.answer(stage.get());
    CHECK_EQ(reply.failure, HttpFailure::tls_failed);
    CHECK_FALSE(reply.sent);
    CHECK(reply.detail.find("not trusted") != std::string::npos);
  }
  SUBCASE("it says nothing in the handshake") {
    const auto silent = io::Listener::open({"127.0.0.1", 0}).value();
    const auto loop = io::Loop::open().value();
    io::SimulatedClock clock;
    HttpClient client(*loop, clock, nullptr, parse_origin("https://" + silent->endpoint().text()).value(),
                      io::TlsOutgoingContext::open(server.disk, {.ca_file = "ca.pem"}).value(), {.connect_timeout = base::milliseconds(50)});
    HttpFailure failure = HttpFailure::none;
    HttpCall call;
    call.request.method = "GET";
    call.request.path = "/";
    call.done = [&](HttpReply&& reply) { failure = reply.failure; };
    client.call(std::move(call));
    CHECK(turn_until(*loop, [&] { return failure != HttpFailure::none; }));
    CHECK_EQ(failure, HttpFailure::connect_timed_out);
  }
  SUBCASE("all connections are busy for longer than the call waits") {
    ScriptedServer slow([](const std::string&) { return ScriptedReply{.bytes = good().bytes, .pause_ms = 300}; });
    Stage stage(slow, {.connections_max = 1});
    stage.client.call(stage.get());
    turn_until(*stage.loop, [&] { return slow.requests().size() == 1; });
    HttpCall call = stage.get();
    call.wait_max = base::milliseconds(20);
    const HttpReply& reply = stage.answer(std::move(call));
    CHECK_EQ(reply.failure, HttpFailure::connect_timed_out);
    CHECK_FALSE(reply.sent);
    REQUIRE(turn_until(*stage.loop, [&] { return stage.replies.size() == 2; }));
    CHECK_EQ(stage.replies.back().failure, HttpFailure::none);
  }
  SUBCASE("more calls than may be open") {
    Stage stage(server, {.connections_max = 1, .calls_max = 2});
    for (int i = 0; i < 3; ++i) stage.client.call(stage.get());
    REQUIRE(turn_until(*stage.loop, [&] { return stage.replies.size() == 3; }));
    CHECK_EQ(stage.replies[0].failure, HttpFailure::too_many_calls);
    CHECK_EQ(stage.replies[2].failure, HttpFailure::none);
  }
}

TEST_CASE("the time for sending is looked at before the first byte") {
  ScriptedServer server([](const std::string&) { return good(); });
  Stage stage(server);
  CHECK_EQ(stage.answer(stage.get("/warm")).failure, HttpFailure::none);
  HttpCall late = stage.get("/late");
  late.send_not_after_boot_ns = stage.clock.boot_ns() + 1'000'000;
  late.wait_max = base::seconds(60);
  stage.clock.advance(2'000'000);   // the process was frozen
  const HttpReply& reply = stage.answer(std::move(late));
  CHECK_EQ(reply.failure, HttpFailure::send_deadline_passed);
  CHECK_FALSE(reply.sent);
  CHECK_EQ(stage.answer(stage.get("/again")).failure, HttpFailure::none);
  for (const std::string& request : server.requests()) CHECK(request.find("/late") == std::string::npos);
}

TEST_CASE("a client certificate, where one is asked for") {
  ScriptedServer server([](const std::string&) { return good(); }, true);
  {
    Stage stage(server, {}, {.ca_file = "ca.pem", .certificate_file = "client.pem", .key_file = "client.key"});
    CHECK_EQ(stage.answer(stage.get()).failure, HttpFailure::none);
  }
  Stage without(server);
  CHECK(without.answer(without.get()).failure != HttpFailure::none);
  CHECK(server.requests().size() == 1u);
}

TEST_CASE("URLs of origins") {
  const auto origin = parse_origin("https://bank.example:8443/rail/v2/");
  REQUIRE(origin.ok());
  CHECK_EQ(origin->host, "bank.example");
  CHECK_EQ(origin->port, 8443);
  CHECK_EQ(origin->path, "/rail/v2");
  CHECK_EQ(origin->authority, "bank.example:8443");
  CHECK_EQ(parse_origin("https://[::1]:9")->host, "::1");
  CHECK_EQ(parse_origin("https://[::1]")->port, 443);
  CHECK_EQ(parse_origin("http://127.0.0.1:8080")->port, 8080);
  for (const char* bad : {"", "ftp://a", "http://bank.example", "https://", "https://a:0", "https://a:x", "https://a/?q", "https://a/b?c", "https://a/#f", "https://u@a/",
                          "https://a//b", "https://a/..", "https://a b"}) {
    const auto refused = parse_origin(bad);
    REQUIRE_MESSAGE(!refused.ok(), bad);
    CHECK_EQ(std::string(refused.error().code), "outgoing_url_malformed");
  }
}

TEST_CASE("names are looked up elsewhere, and private networks can be off limits") {
  ScriptedServer server([](const std::string&) { return good(); });
  const auto loop = io::Loop::open().value();
  io::SimulatedClock clock;
  const std::string url = "https://localhost:" + std::to_string(server.port());
  const auto ask = [&](const std::string& where, bool private_addresses) {
    io::Resolver resolver;
    HttpClient client(*loop, clock, &resolver, parse_origin(where).value(), io::TlsOutgoingContext::open(server.disk, {.ca_file = "ca.pem"}).value(),
                      {.private_addresses = private_addresses});
    std::optional<HttpFailure> failure;
    HttpCall call;
    call.request.method = "GET";
    call.request.path = "/";
    call.wait_max = base::seconds(20);
    call.done = [&](HttpReply&& reply) { failure = reply.failure; };
    client.call(std::move(call));
    CHECK(turn_until(*loop, [&] { return failure.has_value(); }, 20'000));
    return failure.value_or(HttpFailure::none);
  };
  CHECK_EQ(ask(url, true), HttpFailure::none);
  CHECK_EQ(ask(url, false), HttpFailure::address_not_allowed);
  CHECK_EQ(ask("https://nobody.invalid", true), HttpFailure::name_not_resolved);
}

}  // namespace
}  // namespace effects
