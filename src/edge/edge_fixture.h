#pragma once
// A backend that answers as it is told, and a whole edge on a loop of its own thread with clients beside it. For tests
// only.

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "edge/api.h"
#include "edge/operator_api.h"
#include "edge/server.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/random.h"
#include "io/simulated_file.h"
#include "io/test_certificates.h"
#include "io/tls_client.h"
#include "wire/http_client.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace edge {

constexpr base::Instant some_time{1'800'000'000'123'456'789};
constexpr model::Asset usd{{'U', 'S', 'D'}, 2};

/// Events under one entry, with what belongs to them; numbers from `first`.
inline std::shared_ptr<EntryWithPrivates> make_source(model::EventNumber first, std::vector<model::EventBody> bodies) {
  auto source = std::make_shared<EntryWithPrivates>();
  source->entry.first_event = first;
  source->entry.at = some_time;
  source->entry.command.trace = {0xab, 0xcd, 1};
  for (model::EventBody& body : bodies) source->entry.events.push_back({some_time, std::move(body)});
  return source;
}

inline AnswerItem item_of(std::shared_ptr<const EntryWithPrivates> source, std::uint32_t index = 0) {
  return {.source = std::move(source), .event_index = index};
}

inline model::TransferPosted some_posting(base::U128 amount = 1500) {
  model::TransferPosted posted;
  posted.amount = amount;
  posted.asset = 1;
  posted.debit = {.account = 1, .after = {.debits_posted = amount, .credits_posted = 1000}, .links = {}};
  posted.credit = {.account = 2, .after = {.credits_posted = amount}, .links = {}};
  return posted;
}

inline Answer answer_of(AnswerItem item) {
  Answer answer;
  answer.position = 77;
  answer.items.push_back(std::move(item));
  return answer;
}

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(io::Loop& loop) : loop_(loop) {}

  /// How to answer; empty: never.
  std::function<Answer(const model::Admitted&)> answer;
  std::function<Reading(const gate::Query&)> reading;
  model::Outcome refusal = model::Outcome::done;  ///< of everything
  std::map<model::AccountNumber, std::string> names = {{1, "users/a"}, {2, "users/b"}};
  std::vector<std::pair<Receiver*, std::uint64_t>> held;  ///< asked and never answered
  std::string secret_seen;                                ///< in an Admitted: must stay empty

  model::Outcome submit(model::Admitted&& admitted, Receiver& receiver, std::uint64_t token) override {
    if (refusal != model::Outcome::done) return refusal;
    secret_seen += admitted.secret;
    if (!answer) {
      held.emplace_back(&receiver, token);
      return model::Outcome::done;
    }
    loop_.post([&receiver, token, given = answer(admitted)]() mutable { receiver.answered(token, std::move(given)); });
    return model::Outcome::done;
  }
  model::Outcome query(gate::Query&& query, Receiver& receiver, std::uint64_t token) override {
    if (refusal != model::Outcome::done) return refusal;
    if (!reading) {
      held.emplace_back(&receiver, token);
      return model::Outcome::done;
    }
    loop_.post([&receiver, token, given = reading(query)]() mutable { receiver.read(token, std::move(given)); });
    return model::Outcome::done;
  }
  std::string_view account_name(model::AccountNumber number) const override {
    const auto found = names.find(number);
    return found == names.end() ? std::string_view() : std::string_view(found->second);
  }
  std::optional<model::Asset> asset(model::AssetNumber number) const override {
    return number == 1 ? std::optional(usd) : std::nullopt;
  }
  std::string rail_name(model::RailNumber number) const override { return number == 1 ? "bank-a" : ""; }
  std::optional<ImportFace> import_face(model::EventNumber) const override { return ImportFace{.partner = "bank-a", .key = "callbacks", .thumbprint = {}}; }
  model::PartitionNumber partition() const override { return 0; }
  const model::Epochs& epochs() const override { return epochs_; }

 private:
  io::Loop& loop_;
  model::Epochs epochs_;
};

class FakeOperatorBackend final : public OperatorBackend {
 public:
  std::atomic<bool> ready{true};
  std::atomic<bool> clock_waits{true};
  Readiness readiness() const override { return {ready, {"journal: ok"}}; }
  std::string metrics() const override { return "holdfast_up 1\n"; }
  bool confirm_clock() override { return clock_waits.exchange(false); }
};

/// One client: number 7, all scopes.
class OneClient final : public gate::ClientBook {
 public:
  gate::Client client{.principal = 7, .tenant = 1, .scopes = model::all_scopes, .generation = 1};
  std::optional<gate::Client> find(model::PrincipalNumber principal) const override {
    return principal == client.principal ? std::optional(client) : std::nullopt;
  }
};

struct EdgeOptions {
  ServerOptions server = {};
  ApiOptions api = {};
  gate::RateLimits rate = {};
  OperatorOptions operators = {};
};

/// Runs from construction to destruction.
class RunningEdge {
 public:
  explicit RunningEdge(EdgeOptions options = {}) : RunningEdge(options, [](RunningEdge&) {}) {}

  /// `prepare` sets the backend up before the loop runs.
  template <typename Prepare>
  RunningEdge(EdgeOptions options, Prepare prepare)
      : loop(io::Loop::open().value()),
        backend(*loop),
        gate(keys, clients, source(), {.rate = options.rate}),
        api(*loop, clock, gate, backend, options.api),
        operators(clock, operator_backend, gate, api, options.operators) {
    io::ignore_broken_pipes();
    const io::TestIdentity authority = io::make_test_identity("test authority", "");
    const io::TestIdentity identity = io::make_test_identity("server", "DNS:localhost,IP:127.0.0.1", &authority);
    const auto put = [&](const char* name, const std::string& text) {
      REQUIRE(io::replace_file(disk, name, base::as_bytes(text)).ok());
    };
    put("ca.pem", authority.certificate_pem);
    put("server.pem", identity.certificate_pem);
    put("server.key", identity.key_pem);
    io::TlsServerOptions tls;
    tls.certificate_file = "server.pem";
    tls.key_file = "server.key";
    context = io::TlsServerContext::open(disk, tls).value();
    server = Server::open(*loop, clock, {"127.0.0.1", 0}, context.get(), api, options.server).value();
    operator_server = Server::open(*loop, clock, {"127.0.0.1", 0}, nullptr, operators, options.server).value();
    prepare(*this);
    thread = std::thread([this] { loop->run(); });
  }
  ~RunningEdge() {
    loop->stop();
    thread.join();
  }

  std::string bearer(model::Scopes scopes = model::all_scopes, base::Duration left = base::seconds(900)) {
    gate::TokenAuthority authority(keys.tokens);
    const base::Instant now = clock.wall();
    return "Bearer " + authority.issue({.principal = 7,
                                        .tenant = 1,
                                        .generation = clients.client.generation,
                                        .scopes = scopes,
                                        .issued_at = {now.ns - base::seconds(60).ns},
                                        .expires_at = now + left});
  }
  wire::Request get(std::string path, std::string query = {}) {
    wire::Request request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    request.authority = "localhost";
    request.headers.add("authorization", bearer());
    return request;
  }
  wire::Request post(std::string path, std::string body, std::string_view key = "\"k1\"") {
    wire::Request request = get(std::move(path));
    request.method = "POST";
    request.headers.add("idempotency-key", key);
    request.headers.add("content-type", "application/json");
    request.body = std::move(body);
    return request;
  }
  wire::Request transfer(std::string_view key = "\"k1\"") {
    return post("/v1/transfers",
                R"({"debit_account":"users/a","credit_account":"users/b","asset":"USD/2","amount":"1500"})", key);
  }

  /// Runs `work` on the loop's thread and waits for it.
  template <typename Work>
  void on_loop(Work work) {
    std::promise<void> promise;
    std::future<void> done = promise.get_future();
    loop->post([&work, promise = std::move(promise)]() mutable {
      work();
      promise.set_value();
    });
    done.get();
  }

  gate::RandomSource source() {
    return [this](std::span<std::uint8_t> into) { random.fill(into); };
  }

  io::SimulatedFileSystem disk{1};
  io::SimulatedClock clock{some_time};
  io::SimulatedRandom random{1};
  std::array<std::uint8_t, 32> root{1, 2, 3};
  gate::GateKeys keys{root};
  OneClient clients;
  std::unique_ptr<io::Loop> loop;
  FakeBackend backend;
  FakeOperatorBackend operator_backend;
  gate::Gate gate;
  Api api;
  OperatorApi operators;
  std::unique_ptr<io::TlsServerContext> context;
  std::unique_ptr<Server> server, operator_server;
  std::thread thread;
};

/// A TLS connection that speaks HTTP/1.1.
class HttpsClient {
 public:
  explicit HttpsClient(RunningEdge& edge) {
    io::TlsClientOptions options;
    options.host = "127.0.0.1";
    options.port = edge.server->endpoint().port;
    options.ca_file = "ca.pem";
    options.protocols = {"http/1.1"};
    options.transfer_timeout = base::seconds(10);
    auto connected = io::TlsClient::connect(edge.disk, options);
    if (connected.ok()) tls = std::move(connected).value();
  }
  void send(const wire::Request& request) {
    std::string bytes;
    wire::write_request(request, bytes);
    machine.expect_reply_to(request.method);
    REQUIRE(tls->write_all(base::as_bytes(bytes)).ok());
  }
  /// Nothing if the connection ended before.
  std::optional<wire::Response> fetch() {
    std::array<std::uint8_t, 16384> buffer;
    while (true) {
      if (auto received = machine.take_response()) return std::move(received->response);
      const auto n = tls->read(buffer);
      if (!n.ok() || *n == 0) return std::nullopt;
      REQUIRE(machine.receive(std::span(buffer).first(*n)).ok());
    }
  }
  wire::Response ask(const wire::Request& request) {
    send(request);
    auto response = fetch();
    REQUIRE(response.has_value());
    return *std::move(response);
  }
  /// True once the server has ended the connection, within the transfer timeout.
  bool ended() {
    std::array<std::uint8_t, 16384> buffer;
    while (true) {
      const auto n = tls->read(buffer);
      if (!n.ok()) return std::string_view(n.error().code) == "connection_broken";
      if (*n == 0) return true;
    }
  }

  std::unique_ptr<io::TlsClient> tls;
  wire::HttpClientMachine machine;
};

inline std::string header(const wire::Response& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or("(none)"));
}

}  // namespace edge
