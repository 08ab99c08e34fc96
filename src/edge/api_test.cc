#include "edge/api.h"

#include "edge/edge_fixture.h"
#include "edge/openapi.h"

using namespace edge;
using model::Outcome;

namespace {

bool has(const wire::Response& response, std::string_view text) {
  return response.body.find(text) != std::string::npos;
}

std::string code_of(const wire::Response& response) {
  CHECK_EQ(header(response, "content-type"), "application/problem+json");
  CHECK_EQ(header(response, "cache-control"), "no-store");
  const std::size_t at = response.body.find("\"code\":\"") + 8;
  return response.body.substr(at, response.body.find('"', at) - at);
}

Answer posted(const model::Admitted&) { return answer_of(item_of(make_source(41, {some_posting()}))); }

}  // namespace

TEST_CASE("a transfer: status, headers, and the same bytes again for the repeated request") {
  std::atomic<bool> seen{false};
  RunningEdge edge({}, [&](RunningEdge& e) {
    e.backend.answer = [&](const model::Admitted& admitted) {
      Answer answer = posted(admitted);
      answer.items[0].replayed = seen.exchange(true);
      return answer;
    };
  });
  HttpsClient client(edge);
  wire::Request request = edge.transfer();
  request.headers.add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const wire::Response first = client.ask(request);
  CHECK_EQ(first.status, 201);
  CHECK_EQ(header(first, "content-type"), "application/json");
  CHECK_EQ(header(first, "location"), "/v1/transfers/tr_0000000000019");
  CHECK_EQ(header(first, "holdfast-position"), "po_000000000002d");
  CHECK_EQ(header(first, "cache-control"), "no-store");
  CHECK_EQ(header(first, "idempotency-replayed"), "(none)");
  CHECK_EQ(header(first, "x-content-type-options"), "nosniff");
  CHECK_EQ(header(first, "strict-transport-security"), "max-age=31536000");
  CHECK_EQ(header(first, "date"), "Fri, 15 Jan 2027 08:00:00 GMT");
  CHECK_EQ(header(first, "ratelimit-policy"), "\"client\";q=1000000;w=2");
  CHECK_EQ(header(first, "ratelimit"), "\"client\";r=999999;t=1");
  CHECK(header(first, "traceparent").starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
  const wire::Response again = client.ask(request);
  CHECK_EQ(again.status, first.status);
  CHECK_EQ(again.body, first.body);
  CHECK_EQ(header(again, "idempotency-replayed"), "true");
  CHECK_NE(header(again, "traceparent"), header(first, "traceparent"));
}

TEST_CASE("what the gate refuses is a problem with headers that say what to do") {
  RunningEdge edge({.rate = {.per_second = 1, .burst = 6}});
  HttpsClient client(edge);
  wire::Request request = edge.transfer();
  request.headers = {};
  wire::Response response = client.ask(request);
  CHECK_EQ(response.status, 401);
  CHECK_EQ(code_of(response), "credentials_missing");
  CHECK_EQ(header(response, "www-authenticate"), "Bearer realm=\"holdfast\"");
  request.headers.add("authorization", "Bearer hfa_nonsense");
  response = client.ask(request);
  CHECK_EQ(code_of(response), "credentials_invalid");
  CHECK_EQ(header(response, "www-authenticate"), "Bearer realm=\"holdfast\", error=\"invalid_token\"");
  request.headers = {};
  request.headers.add("authorization", edge.bearer(model::accounts_read));
  response = client.ask(request);
  CHECK_EQ(code_of(response), "scope_missing");
  CHECK_EQ(header(response, "www-authenticate"), "Bearer realm=\"holdfast\", error=\"insufficient_scope\"");

  response = client.ask(edge.get("/v1/nothing"));
  CHECK_EQ(response.status, 404);
  CHECK_EQ(code_of(response), "not_found");
  wire::Request deletion = edge.get("/v1/accounts");
  deletion.method = "DELETE";
  response = client.ask(deletion);
  CHECK_EQ(response.status, 405);
  CHECK_EQ(header(response, "allow"), "GET, HEAD, POST");

  response = client.ask(edge.post("/v1/transfers", R"({"amount":1,"x":2})"));
  CHECK_EQ(response.status, 400);
  CHECK(has(response, R"({"pointer":"/x","code":"request_field_unknown")"));
  CHECK(has(response, R"("pointer":"/debit_account")"));
  CHECK(header(response, "traceparent").starts_with("00-"));
  for (int i = 0; i < 4; ++i) client.ask(edge.post("/v1/transfers", "{}"));
  response = client.ask(edge.transfer());
  CHECK_EQ(response.status, 429);
  CHECK_EQ(code_of(response), "too_many_requests");
  CHECK_EQ(header(response, "retry-after"), "1");
  CHECK_EQ(header(response, "ratelimit"), "\"client\";r=0;t=1");
}

TEST_CASE("documents for everybody") {
  RunningEdge edge;
  HttpsClient client(edge);
  wire::Request request = edge.get("/openapi.json");
  request.headers = {};
  wire::Response response = client.ask(request);
  CHECK_EQ(response.status, 200);
  CHECK_EQ(header(response, "content-type"), "application/json");
  CHECK(response.body == openapi_document());
  request.path = "/problems/exceeds_available_balance";
  response = client.ask(request);
  CHECK_EQ(response.status, 200);
  CHECK(has(response, "Exceeds available balance"));
  CHECK(has(response, "HTTP status: 409"));
  request.path = "/problems/nonsense";
  CHECK_EQ(code_of(client.ask(request)), "not_found");
  request.path = "/openapi.json";
  request.method = "POST";
  response = client.ask(request);
  CHECK_EQ(response.status, 405);
  CHECK_EQ(header(response, "allow"), "GET, HEAD");
  request.path = "/";
  CHECK_EQ(code_of(client.ask(request)), "not_found");
}

TEST_CASE("a refusal of the ledger sticks: the same bytes, marked as a replay") {
  RunningEdge edge({}, [&](RunningEdge& e) {
    e.backend.answer = [&](const model::Admitted&) {
      model::Refused refused{.outcome = Outcome::exceeds_available_balance,
                             .operation = model::Operation::create_transfer,
                             .debit = 1,
                             .credit = 2,
                             .amount = 1500,
                             .trace = {0xaa}};
      AnswerItem item = item_of(make_source(41, {refused}));
      item.replayed = true;
      return answer_of(item);
    };
  });
  HttpsClient client(edge);
  const wire::Response one = client.ask(edge.transfer());
  const wire::Response two = client.ask(edge.transfer());
  CHECK_EQ(one.status, 409);
  CHECK_EQ(code_of(one), "exceeds_available_balance");
  CHECK_EQ(one.body, two.body);
  CHECK(has(one, R"("amount":"1500","debit_account":"users/a","credit_account":"users/b")"));
  CHECK(has(one, R"("trace_id":"aa000000000000000000000000000000")"));
  CHECK_EQ(header(one, "idempotency-replayed"), "true");
}

TEST_CASE("what the service behind refuses, at once or later") {
  RunningEdge edge({}, [&](RunningEdge& e) { e.backend.refusal = Outcome::overloaded; });
  HttpsClient client(edge);
  wire::Response response = client.ask(edge.transfer());
  CHECK_EQ(response.status, 503);
  CHECK_EQ(code_of(response), "overloaded");
  CHECK_EQ(header(response, "retry-after"), "1");
  CHECK_EQ(code_of(client.ask(edge.get("/v1/trial-balance"))), "overloaded");
  edge.on_loop([&] {
    CHECK_EQ(edge.api.outstanding(), 0u);
    edge.backend.refusal = Outcome::done;
    edge.backend.answer = [](const model::Admitted&) {
      Answer answer;
      answer.refusal = Outcome::disk_space_short;
      return answer;
    };
  });
  response = client.ask(edge.transfer());
  CHECK_EQ(code_of(response), "disk_space_short");
  CHECK_EQ(header(response, "retry-after"), "30");
}

TEST_CASE("no answer in time: 504, the outcome unknown, and a late answer disturbs nobody") {
  RunningEdge edge({.api = {.answer_timeout = base::milliseconds(60)}});
  HttpsClient client(edge);
  client.send(edge.transfer());
  client.send(edge.get("/v1/trial-balance"));
  for (int i = 0; i < 2; ++i) {
    const auto response = client.fetch();
    REQUIRE(response.has_value());
    CHECK_EQ(response->status, 504);
    CHECK_EQ(code_of(*response), "request_timed_out");
    CHECK(has(*response, R"("outcome":"unknown","safe_to_retry":"same_key")"));
  }
  edge.on_loop([&] {
    REQUIRE_EQ(edge.backend.held.size(), 2u);
    CHECK_EQ(edge.api.outstanding(), 0u);
    auto& [receiver, token] = edge.backend.held[0];
    receiver->answered(token, answer_of(item_of(make_source(41, {some_posting()}))));
    edge.backend.held[1].first->read(edge.backend.held[1].second, {});
    edge.backend.answer = posted;
  });
  CHECK_EQ(client.ask(edge.transfer()).status, 201);
}

TEST_CASE("more requests wait than may: the next is shed") {
  RunningEdge edge({.api = {.answer_timeout = base::seconds(5), .outstanding_max = 1}});
  HttpsClient first(edge), second(edge);
  first.send(edge.transfer());
  while (edge.server->stats().outstanding == 0) std::this_thread::yield();
  wire::Request request = edge.transfer();
  request.headers.add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const wire::Response response = second.ask(request);
  CHECK_EQ(code_of(response), "overloaded");
  CHECK(has(response, "0af7651916cd43dd8448eb211c80319c"));
}

TEST_CASE("a secret is in the first reply, and nowhere behind the edge") {
  std::atomic<bool> seen{false};
  RunningEdge edge({}, [&](RunningEdge& e) {
    e.backend.answer = [&](const model::Admitted&) {
      AnswerItem item =
          item_of(make_source(41, {model::ClientCreated{.number = 8, .tenant = 1, .scopes = model::accounts_read}}));
      item.replayed = seen.exchange(true);
      return answer_of(item);
    };
  });
  HttpsClient client(edge);
  const auto request = edge.post("/v1/clients", R"({"name":"till 4","kind":"service","scopes":["accounts:read"]})");
  const wire::Response first = client.ask(request);
  CHECK_EQ(first.status, 201);
  CHECK(has(first, "\"refresh_secret\":\"hfs_"));
  const wire::Response replay = client.ask(request);
  CHECK_EQ(code_of(replay), "secret_already_shown");
  CHECK_FALSE(has(replay, "hfs_"));
  CHECK_EQ(client.ask(request).body, replay.body);
  edge.on_loop([&] { CHECK(edge.backend.secret_seen.empty()); });
}

TEST_CASE("access tokens are handed out by the gate alone") {
  RunningEdge edge;
  const std::string secret = gate::make_refresh_secret(edge.source());
  edge.on_loop([&] { edge.clients.client.secret_hash = gate::hash_refresh_secret(edge.keys.secret, secret); });
  HttpsClient client(edge);
  wire::Request request = edge.post("/v1/token", R"({"client_id":"cl_7","refresh_secret":")" + secret + "\"}");
  request.headers = {};
  request.headers.add("content-type", "application/json");
  const wire::Response response = client.ask(request);
  CHECK_EQ(response.status, 200);
  CHECK(has(response, R"("access_token":"hfa_)"));
  CHECK(has(response, R"("token_type":"Bearer","expires_in":900,)"));
  CHECK(has(response, R"("scope":"accounts:read accounts:write )"));
  CHECK_EQ(header(response, "cache-control"), "no-store");
}

TEST_CASE("batches: items in order, the batch's own replay, a reused batch key") {
  std::atomic<int> turn{0};
  RunningEdge edge({}, [&](RunningEdge& e) {
    e.backend.answer = [&](const model::Admitted& admitted) {
      CHECK(admitted.is_batch);
      Answer answer = posted(admitted);
      answer.items.push_back(
          {.source = nullptr, .refusal = Outcome::idempotency_key_reused_with_different_body, .differing_fields = 8});
      answer.batch = make_source(42, {model::BatchRecorded{2}});
      answer.batch_replayed = turn == 1;
      if (turn++ == 2) answer.refusal = Outcome::idempotency_key_reused_with_different_body;
      return answer;
    };
  });
  HttpsClient client(edge);
  const std::string item = R"("debit_account":"a","credit_account":"b","asset":"USD/2","amount":"1"})";
  const auto request = edge.post("/v1/transfers:batch", R"({"items":[{"idempotency_key":"1",)" + item +
                                                            R"(,{"idempotency_key":"2",)" + item + "]}");
  const wire::Response first = client.ask(request);
  CHECK_EQ(first.status, 200);
  CHECK(has(first, R"({"pointer":"/amount","code":"request_field_differs")"));
  CHECK(has(first, R"("trace_id":"abcd01)"));
  const wire::Response again = client.ask(request);
  CHECK_EQ(again.body, first.body);
  CHECK_EQ(header(again, "idempotency-replayed"), "true");
  const wire::Response reused = client.ask(request);
  CHECK_EQ(reused.status, 422);
  CHECK(has(reused, R"("fields":[{"pointer":"/items")"));
}

TEST_CASE("reads carry a position; HEAD has the headers of GET and no body") {
  RunningEdge edge({}, [&](RunningEdge& e) {
    e.backend.reading = [&](const gate::Query& query) -> Reading {
      if (std::holds_alternative<gate::GetAccount>(query.body))
        return {.position = 9, .body = ReadRefused{Outcome::account_not_found, ""}};
      AccountReading account;
      account.name = "users/a";
      account.asset = usd;
      return {.position = 9, .body = AccountsPage{{account}, "users/a"}};
    };
  });
  HttpsClient client(edge);
  wire::Request request = edge.get("/v1/accounts");
  const wire::Response list = client.ask(request);
  CHECK_EQ(list.status, 200);
  CHECK_EQ(header(list, "holdfast-position"), "po_0000000000009");
  CHECK(has(list, R"("id":"users/a","asset":"USD/2")"));
  CHECK(has(list, R"("next_cursor":")"));
  request.method = "HEAD";
  const wire::Response head = client.ask(request);
  CHECK_EQ(head.status, 200);
  CHECK_EQ(head.body, "");
  const wire::Response missing = client.ask(edge.get("/v1/accounts/users%2Fz"));
  CHECK_EQ(code_of(missing), "account_not_found");
  CHECK_EQ(header(missing, "holdfast-position"), "po_0000000000009");
}

TEST_CASE("an observer hears of every reply") {
  struct Log final : ReplyObserver {
    std::vector<std::string> lines;
    void replied(const ReplyRecord& record) override {
      lines.push_back(std::string(record.action) + " " + std::to_string(record.status) + " " +
                      std::string(model::code_of(record.outcome)) + (record.replayed ? " replayed" : ""));
      CHECK_GE(record.duration_ns, 0);
    }
  } log;
  RunningEdge edge({}, [&](RunningEdge& e) { e.backend.answer = posted; });
  std::optional<Api> api;
  std::unique_ptr<Server> server;
  edge.on_loop([&] {
    api.emplace(*edge.loop, edge.clock, edge.gate, edge.backend, ApiOptions{}, &log);
    server = Server::open(*edge.loop, edge.clock, {"127.0.0.1", 0}, edge.context.get(), *api).value();
    std::swap(server, edge.server);
  });
  HttpsClient client(edge);
  client.ask(edge.transfer());
  client.ask(edge.get("/v1/nothing"));
  client.ask(edge.get("/openapi.json"));
  edge.on_loop([&] {
    CHECK_EQ(log.lines, std::vector<std::string>{"create_transfer 201 done", "refused_at_gate 404 not_found",
                                                 "document 200 done"});
    std::swap(server, edge.server);
    server.reset();
    api.reset();
  });
}
