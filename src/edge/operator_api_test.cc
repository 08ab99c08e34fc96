#include "edge/operator_api.h"

#include <poll.h>
#include <unistd.h>

#include "edge/edge_fixture.h"

using namespace edge;

namespace {

// One request over plain HTTP/1.1.
wire::Response ask(RunningEdge& edge, std::string method, std::string path, const std::string& authorization = {}) {
  wire::Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.authority = "localhost";
  if (!authorization.empty()) request.headers.add("authorization", authorization);
  std::string bytes;
  wire::write_request(request, bytes);
  io::PlainStream stream(
      io::connect_blocking("127.0.0.1", edge.operator_server->endpoint().port, base::seconds(5)).value());
  REQUIRE_EQ(stream.write(base::as_bytes(bytes)).bytes, bytes.size());
  wire::HttpClientMachine machine;
  machine.expect_reply_to(request.method);
  std::array<std::uint8_t, 4096> buffer;
  while (true) {
    if (auto received = machine.take_response()) return std::move(received->response);
    pollfd waits{stream.fd(), POLLIN, 0};
    REQUIRE_EQ(::poll(&waits, 1, 5000), 1);
    const io::StreamResult result = stream.read(buffer);
    REQUIRE(result.state == io::StreamState::done);
    REQUIRE(machine.receive(std::span(buffer).first(result.bytes)).ok());
  }
}

}  // namespace

TEST_CASE("health for everybody, readiness with its reasons") {
  RunningEdge edge;
  CHECK_EQ(ask(edge, "GET", "/healthz").body, "ok\n");
  CHECK_EQ(ask(edge, "GET", "/readyz").body, "ready\njournal: ok\n");
  edge.operator_backend.ready = false;
  const wire::Response response = ask(edge, "GET", "/readyz");
  CHECK_EQ(response.status, 503);
  CHECK_EQ(response.body, "not ready\njournal: ok\n");
  CHECK_EQ(header(response, "strict-transport-security"), "(none)");
  CHECK_EQ(header(response, "x-content-type-options"), "nosniff");
}

TEST_CASE("metrics and the clock need their scopes") {
  RunningEdge edge;
  CHECK_EQ(ask(edge, "GET", "/metrics").status, 401);
  CHECK_EQ(ask(edge, "GET", "/metrics", "Basic abc").status, 401);
  CHECK_EQ(ask(edge, "GET", "/metrics", "Bearer abc").status, 401);
  CHECK_EQ(ask(edge, "GET", "/metrics", edge.bearer(model::operate)).status, 403);
  CHECK_NE(
      ask(edge, "GET", "/metrics", edge.bearer(model::all_scopes, base::seconds(-1))).body.find("credentials_expired"),
      std::string::npos);
  const wire::Response metrics = ask(edge, "GET", "/metrics", edge.bearer(model::metrics_read));
  CHECK_EQ(metrics.body, "holdfast_up 1\n");
  CHECK_EQ(header(metrics, "content-type"), "text/plain; version=0.0.4; charset=utf-8");

  CHECK_EQ(ask(edge, "POST", "/clock/confirm", edge.bearer(model::metrics_read)).status, 403);
  CHECK_EQ(ask(edge, "POST", "/clock/confirm", edge.bearer(model::operate)).body, "{\"confirmed\":true}");
  const wire::Response idle = ask(edge, "POST", "/clock/confirm", edge.bearer(model::operate));
  CHECK_EQ(idle.status, 409);
  CHECK_NE(idle.body.find("clock_needs_no_confirmation"), std::string::npos);

  const std::string token = edge.bearer();
  edge.on_loop([&] { edge.clients.client.generation = 2; });
  CHECK_EQ(ask(edge, "GET", "/metrics", token).status, 401);
  edge.on_loop([&] { edge.clients.client.former_valid_until = {some_time.ns + 1}; });
  CHECK_EQ(ask(edge, "GET", "/metrics", token).status, 200);
  edge.on_loop([&] { edge.clients.client.revoked = true; });
  CHECK_EQ(ask(edge, "GET", "/metrics", token).status, 401);
}

TEST_CASE("rails are steered at the operator address as at the API") {
  RunningEdge edge;
  CHECK_EQ(ask(edge, "POST", "/v1/rails/bank-a/pause").status, 401);
  CHECK_EQ(ask(edge, "POST", "/v1/rails/bank-a/resume", edge.bearer(model::operate)).status, 403);
  const wire::Response keyless = ask(edge, "POST", "/v1/rails/bank-a/pause", edge.bearer(model::rails_write));
  CHECK_EQ(keyless.status, 400);
  CHECK_NE(keyless.body.find("idempotency_key"), std::string::npos);
  CHECK_EQ(ask(edge, "GET", "/v1/rails/bank-a/maintenance", edge.bearer(model::rails_write)).status, 405);
  CHECK_EQ(ask(edge, "GET", "/v1/rails/bank-a", edge.bearer()).status, 404);
}

TEST_CASE("metrics opened by configuration; other paths and methods") {
  RunningEdge edge({.operators = {.metrics_open = true}});
  CHECK_EQ(ask(edge, "GET", "/metrics").status, 200);
  CHECK_EQ(ask(edge, "GET", "/v1/accounts").status, 404);
  const wire::Response response = ask(edge, "GET", "/clock/confirm");
  CHECK_EQ(response.status, 405);
  CHECK_EQ(header(response, "allow"), "POST");
  CHECK_EQ(header(ask(edge, "POST", "/healthz"), "allow"), "GET, HEAD");
}
