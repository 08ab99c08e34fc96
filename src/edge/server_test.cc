#include "edge/server.h"

#include <unistd.h>

#include <chrono>
#include <set>

#include "edge/edge_fixture.h"
#include "edge/http2_client_for_tests.h"

using namespace edge;

namespace {

io::TlsClientOptions client_options(RunningEdge& edge, const char* protocol) {
  io::TlsClientOptions options;
  options.host = "127.0.0.1";
  options.port = edge.server->endpoint().port;
  options.ca_file = "ca.pem";
  options.protocols = {protocol};
  options.transfer_timeout = base::seconds(10);
  return options;
}

// A connection on which nobody has said anything yet.
io::Descriptor knock(RunningEdge& edge) {
  return io::connect_blocking("127.0.0.1", edge.server->endpoint().port, base::seconds(5)).value();
}

template <typename Condition>
void wait_until(Condition condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(condition());
}

// Answers every transfer with the number of its request, so that replies can be told apart.
void answer_in_turn(RunningEdge& edge) {
  edge.backend.answer = [number = model::EventNumber{0}](const model::Admitted&) mutable {
    ++number;
    return answer_of(item_of(make_source(number, {some_posting(number)})));
  };
}

std::string id_of(std::string_view body) {
  const std::size_t at = body.find("\"id\":\"");
  return at == std::string_view::npos ? "none" : std::string(body.substr(at + 6, 16));
}

}  // namespace

TEST_CASE("HTTP/1.1: many requests on one connection, pipelined, answered in order") {
  RunningEdge edge({}, answer_in_turn);
  HttpsClient client(edge);
  for (int i = 0; i < 40; ++i) client.send(edge.transfer("\"k" + std::to_string(i) + "\""));
  for (model::EventNumber i = 1; i <= 40; ++i) {
    const auto response = client.fetch();
    REQUIRE(response.has_value());
    CHECK_EQ(id_of(response->body), model::transfer_id(0, i));
  }
  CHECK_EQ(edge.server->stats().accepted, 1u);
  CHECK_EQ(edge.server->stats().requests, 40u);
  CHECK_EQ(edge.server->stats().replies, 40u);
  CHECK_EQ(edge.server->stats().outstanding, 0u);
}

TEST_CASE("pipelined replies keep their order although a later one is ready first") {
  RunningEdge edge;
  HttpsClient client(edge);
  client.send(edge.transfer("\"k1\""));
  client.send(edge.transfer("\"k2\""));
  wait_until([&] { return edge.server->stats().outstanding == 2u; });
  edge.on_loop([&] {
    for (const std::size_t i : {std::size_t{1}, std::size_t{0}}) {
      auto& [receiver, token] = edge.backend.held[i];
      receiver->answered(token, answer_of(item_of(make_source(i + 1, {some_posting()}))));
    }
  });
  CHECK_EQ(id_of(client.fetch()->body), model::transfer_id(0, 1));
  CHECK_EQ(id_of(client.fetch()->body), model::transfer_id(0, 2));
}

TEST_CASE("HTTP/2: streams side by side, large bodies, cancelled streams") {
  RunningEdge edge({}, answer_in_turn);
  auto tls = io::TlsClient::connect(edge.disk, client_options(edge, "h2")).value();
  CHECK_EQ(tls->protocol(), "h2");
  Http2Client client(*tls);
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 30; ++i) streams.push_back(client.submit(edge.transfer("\"k" + std::to_string(i) + "\"")));
  std::set<std::string> ids;
  for (const std::int32_t stream : streams) {
    const Http2Client::Reply& reply = client.wait(stream);
    CHECK_EQ(reply.headers.at(":status"), "201");
    CHECK(reply.headers.contains("holdfast-position"));
    ids.insert(id_of(reply.body));
  }
  CHECK_EQ(ids.size(), 30u);
  // A body of many frames, past the windows of stream and connection.
  wire::Request batch = edge.post("/v1/transfers:batch", std::string(3 << 20, ' '));
  const Http2Client::Reply& refused = client.wait(client.submit(batch));
  CHECK_EQ(refused.headers.at(":status"), "400");
  CHECK_NE(refused.body.find("request_malformed"), std::string::npos);
}

TEST_CASE("a client that is gone when its answer comes harms nobody") {
  RunningEdge edge;
  {
    HttpsClient client(edge);
    client.send(edge.transfer());
    wait_until([&] { return edge.server->stats().outstanding == 1u; });
  }
  wait_until([&] { return edge.server->stats().connections == 0u; });
  // Its place may be somebody else's by now.
  HttpsClient other(edge);
  edge.on_loop([&] {
    auto& [receiver, token] = edge.backend.held.at(0);
    receiver->answered(token, answer_of(item_of(make_source(1, {some_posting()}))));
  });
  CHECK_EQ(edge.server->stats().outstanding, 0u);
  CHECK_EQ(other.ask(edge.get("/openapi.json")).status, 200);
}

TEST_CASE("connections are capped in all and for each address") {
  ServerOptions options;
  options.connections_per_address_max = 2;
  RunningEdge edge({.server = options});
  HttpsClient first(edge);
  std::optional<HttpsClient> second(edge);
  HttpsClient third(edge);
  CHECK(first.tls != nullptr);
  CHECK(second->tls != nullptr);
  CHECK(third.tls == nullptr);
  CHECK_EQ(edge.server->stats().shed, 1u);
  CHECK_EQ(first.ask(edge.get("/openapi.json")).status, 200);
  second.reset();
  wait_until([&] { return edge.server->stats().connections == 1u; });
  CHECK(HttpsClient(edge).tls != nullptr);

  options = {};
  options.connections_max = 1;
  RunningEdge small({.server = options});
  HttpsClient only(small);
  CHECK(HttpsClient(small).tls == nullptr);
  CHECK_EQ(only.ask(small.get("/openapi.json")).status, 200);
}

TEST_CASE("who never finishes the handshake, or speaks no TLS, is let go") {
  ServerOptions options;
  options.handshake_timeout = base::milliseconds(50);
  RunningEdge edge({.server = options});
  const io::Descriptor silent = knock(edge);
  wait_until([&] { return edge.server->stats().connections == 1u; });
  wait_until([&] { return edge.server->stats().connections == 0u; });
  CHECK_EQ(edge.server->stats().handshakes_failed, 1u);
  const io::Descriptor plain = knock(edge);
  const std::string_view words = "GET / HTTP/1.1\r\n\r\n";
  REQUIRE_EQ(::write(plain.get(), words.data(), words.size()), static_cast<ssize_t>(words.size()));
  wait_until([&] { return edge.server->stats().handshakes_failed == 2u; });
}

TEST_CASE("slow heads and slow bodies are refused with 408, idle connections closed") {
  ServerOptions options;
  options.http1.http.header_deadline_ns = 50'000'000;
  options.http1.http.idle_timeout_ns = 60'000'000;
  options.http1.http.body_rate = {.grace_ns = 50'000'000, .bytes_per_second = 1'000'000};
  RunningEdge edge({.server = options});
  const auto refused = [&](std::string_view start) {
    HttpsClient client(edge);
    client.machine.expect_reply_to("POST");
    REQUIRE(client.tls->write_all(base::as_bytes(start)).ok());
    const auto response = client.fetch();
    REQUIRE(response.has_value());
    CHECK_EQ(response->status, 408);
    CHECK(client.ended());
    return response->body;
  };
  CHECK_NE(refused("POST /v1/transfers HTTP/1.1\r\nHos").find("http_header_timeout"), std::string::npos);
  CHECK_NE(refused("POST /v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{").find("http_body_too_slow"),
           std::string::npos);
  HttpsClient idle(edge);
  CHECK(idle.ended());
  wait_until([&] { return edge.server->stats().connections == 0u; });
  CHECK_EQ(edge.server->stats().refusals[static_cast<std::size_t>(wire::Refusal::header_timeout)], 1u);
  CHECK_EQ(edge.server->stats().refusals[static_cast<std::size_t>(wire::Refusal::body_too_slow)], 1u);
  CHECK_EQ(edge.server->stats().refusals[static_cast<std::size_t>(wire::Refusal::idle)], 1u);
}

TEST_CASE("who asks for much and fetches nothing is cut off") {
  ServerOptions options;
  options.http1.http.output_rate = {.grace_ns = 50'000'000, .bytes_per_second = 100'000'000};
  RunningEdge edge({.server = options});
  HttpsClient client(edge);
  std::string requests;
  for (int i = 0; i < 400; ++i) requests += "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
  REQUIRE(client.tls->write_all(base::as_bytes(requests)).ok());
  wait_until([&] { return edge.server->stats().connections == 0u; });
  CHECK_EQ(edge.server->stats().refusals[static_cast<std::size_t>(wire::Refusal::output_too_slow)], 1u);
}

TEST_CASE("what is not strict HTTP is answered with 400 and the end of the connection") {
  RunningEdge edge;
  HttpsClient client(edge);
  client.machine.expect_reply_to("GET");
  REQUIRE(client.tls->write_all(base::as_bytes("GET / HTTP/1.1\nHost: a\n\n")).ok());
  const auto response = client.fetch();
  REQUIRE(response.has_value());
  CHECK_EQ(response->status, 400);
  CHECK_EQ(header(*response, "connection"), "close");
  CHECK(client.ended());
}

TEST_CASE("unfinished requests may not fill the memory") {
  ServerOptions options;
  options.unfinished_bytes_max = 100'000;
  RunningEdge edge({.server = options});
  HttpsClient client(edge);
  CHECK_EQ(client.ask(edge.get("/openapi.json")).status, 200);
  const std::string start =
      "POST /v1/transfers:batch HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" + std::string(200'000, ' ');
  static_cast<void>(client.tls->write_all(base::as_bytes(start)));
  wait_until([&] { return edge.server->stats().cut_off == 1u; });
  HttpsClient other(edge);
  CHECK_EQ(other.ask(edge.get("/openapi.json")).status, 200);
}

TEST_CASE("a shutdown answers what was taken, takes nothing new, and says when it is over") {
  RunningEdge edge;
  HttpsClient busy(edge), idle(edge);
  auto tls = io::TlsClient::connect(edge.disk, client_options(edge, "h2")).value();
  Http2Client h2(*tls);
  busy.send(edge.transfer());
  const std::int32_t stream = h2.submit(edge.transfer());
  h2.flush();
  wait_until([&] { return edge.server->stats().outstanding == 2u; });
  std::atomic<bool> drained{false};
  edge.on_loop([&] { edge.server->begin_shutdown([&] { drained = true; }); });
  CHECK(idle.ended());
  CHECK_FALSE(io::connect_blocking("127.0.0.1", edge.server->endpoint().port, base::seconds(1)).ok());
  CHECK_FALSE(drained);
  edge.on_loop([&] {
    for (auto& [receiver, token] : edge.backend.held)
      receiver->answered(token, answer_of(item_of(make_source(1, {some_posting()}))));
  });
  const auto response = busy.fetch();
  REQUIRE(response.has_value());
  CHECK_EQ(response->status, 201);
  CHECK_EQ(header(*response, "connection"), "close");
  CHECK(busy.ended());
  CHECK_EQ(h2.wait(stream).headers.at(":status"), "201");
  while (h2.turn()) {
  }
  CHECK(h2.goaway);
  busy.tls.reset();
  idle.tls.reset();
  tls.reset();
  wait_until([&] { return drained.load(); });
  CHECK_EQ(edge.server->stats().connections, 0u);
  CHECK_EQ(edge.server->stats().cut_off, 0u);
}

TEST_CASE("a shutdown does not wait for ever") {
  ServerOptions options;
  options.drain_timeout = base::milliseconds(50);
  RunningEdge edge({.server = options});
  HttpsClient busy(edge);
  busy.send(edge.transfer());
  wait_until([&] { return edge.server->stats().outstanding == 1u; });
  std::atomic<bool> drained{false};
  edge.on_loop([&] { edge.server->begin_shutdown([&] { drained = true; }); });
  wait_until([&] { return drained.load(); });
  CHECK_EQ(edge.server->stats().cut_off, 1u);
}

TEST_CASE("a handler may take a connection over: the server forgets it, pipelined requests behind it are never seen") {
  struct Taker final : Handler {
    void handle(Server& server, Exchange exchange, wire::Request&& request) override {
      ++seen;
      if (request.path == "/take") {
        taken = server.take_over(exchange);
      } else {
        server.reply(exchange, wire::Response{});
      }
    }
    int seen = 0;
    std::unique_ptr<io::Stream> taken;
  } taker;
  io::ignore_broken_pipes();
  const auto loop = io::Loop::open().value();
  io::SimulatedClock clock;
  const auto server = Server::open(*loop, clock, {"127.0.0.1", 0}, nullptr, taker).value();
  auto fd = io::connect_blocking("127.0.0.1", server->endpoint().port, base::seconds(5)).value();
  const std::string_view asked = "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /take HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
  REQUIRE_EQ(::write(fd.get(), asked.data(), asked.size()), static_cast<ssize_t>(asked.size()));
  for (int i = 0; i < 100 && taker.taken == nullptr; ++i) loop->run_once(base::milliseconds(10));
  REQUIRE(taker.taken != nullptr);
  for (int i = 0; i < 3; ++i) loop->run_once(base::milliseconds(1));
  CHECK_EQ(taker.seen, 2);
  CHECK_EQ(server->stats().connections, 0u);
  CHECK_EQ(taker.taken->write(base::as_bytes("mine")).bytes, 4u);
  std::array<char, 16> got{};
  CHECK_EQ(::read(fd.get(), got.data(), got.size()), 4);
}

TEST_CASE("an address in use is an error, not a crash") {
  RunningEdge edge;
  const auto second = Server::open(*edge.loop, edge.clock, edge.server->endpoint(), nullptr, edge.api);
  REQUIRE_FALSE(second.ok());
  CHECK_EQ(std::string(second.error().code), "address_in_use");
}
