#include "tests/scenario/stage.h"

#include <array>
#include <string_view>
#include <thread>

#include "audit/blinding.h"
#include "base/check.h"
#include "edge/api.h"
#include "edge/server.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/random.h"
#include "io/simulated_file.h"
#include "io/temporary_directory.h"
#include "io/tls_client.h"
#include "node/backend.h"
#include "node/client_records.h"
#include "node/dev_identity.h"
#include "node/own_request.h"
#include "node/view_projection.h"
#include "store/views/sqlite_views.h"
#include "wire/http_client.h"

namespace scenario {

namespace {

// Why something that belongs to the stage itself cannot be had: our own mistake, never the scenario's.
template <typename T>
T had(base::Result<T>&& result) {
  CHECK_THAT(result.ok(), result.ok() ? "" : result.error().message.c_str());
  return std::move(result).value();
}

constexpr const char* data = "data";

}  // namespace

// What survives a restart.
struct Stage::Machine {
  Machine() {
    io::ignore_broken_pipes();
    CHECK(settings.make_dir("certificates").ok());
    // Clients judge certificates by the time of the real world.
    const base::Instant now = had(io::RealClock::open())->wall();
    certificates = had(node::make_dev_certificates(settings, random, "certificates", now, {"127.0.0.1", 0}));
    CHECK(disk.make_dir(data).ok() && disk.sync_dir(".").ok());
  }

  io::SimulatedFileSystem disk{1};
  io::SimulatedFileSystem settings{2};   // certificates: not on the disk that loses its power
  io::SimulatedClock clock;
  io::SimulatedRandom random{3};
  io::TemporaryDirectory views;
  node::DevServerFiles certificates;
  const std::array<std::uint8_t, 32> secret{5};
  audit::Blinding blinding{secret, 0};
  gate::GateKeys keys{secret};
};

// What does not. In the order of node/serve.cc.
struct Stage::Running {
  explicit Running(Machine& machine) : machine_(machine), loop(had(io::Loop::open())) {
    node::ServiceOptions options;
    options.recovery.directory = data;
    options.recovery.segment_bytes = 4u << 20;  // a tick wants room for more than a small segment has
    options.recovery.id_if_new = {1};
    options.pipeline.space_reserve_bytes = 0;
    // The core looks at the clock when it is asked something and at no other time: between the two readings that make a step
    // of the simulated clock it would see them disagree.
    options.pipeline.tick_interval_ms = 60'000;
    service = had(node::Service::open(machine.disk, machine.clock, machine.random, machine.blinding, options,
                                      [](const base::Error& error) { CHECK_THAT(false, error.message.c_str()); }));
    views = had(node::ViewProjection::open(machine.views / "views.sqlite", service->reader(), true));
    service->project_to(*views);
    auto queries = had(views->views().queries());
    service->start();
    backend = std::make_unique<node::Backend>(*service, std::move(queries), *loop);
    clients = std::make_unique<node::ClientRecords>(service->pipeline());
    gate = std::make_unique<gate::Gate>(machine.keys, *clients, [this](std::span<std::uint8_t> out) { machine_.random.fill(out); });
    api = std::make_unique<edge::Api>(*loop, machine.clock, *gate, *backend);
    io::TlsServerOptions tls;
    tls.certificate_file = machine.certificates.certificate_file;
    tls.key_file = machine.certificates.key_file;
    context = had(io::TlsServerContext::open(machine.settings, tls));
    server = had(edge::Server::open(*loop, machine.clock, {"127.0.0.1", 0}, context.get(), *api));
    if (!somebody()) {
      had(node::ask_service(*service, *gate,
                            gate::ClientCreation{.name = "scenarios", .kind = model::PrincipalKind::service, .scopes = model::all_scopes}));
    }
    thread = std::thread([this] { loop->run(); });
  }
  ~Running() {
    loop->stop();
    thread.join();
    server.reset();
    service->stop();
    backend->stop();
  }
  std::optional<gate::Client> somebody() const {
    return clients->find_if([](const gate::Client& client) { return client.scopes == model::all_scopes; });
  }

  Machine& machine_;
  std::unique_ptr<io::Loop> loop;
  std::unique_ptr<io::TlsServerContext> context;
  std::unique_ptr<node::Service> service;
  std::unique_ptr<node::ViewProjection> views;
  std::unique_ptr<node::Backend> backend;
  std::unique_ptr<node::ClientRecords> clients;
  std::unique_ptr<gate::Gate> gate;
  std::unique_ptr<edge::Api> api;
  std::unique_ptr<edge::Server> server;
  std::thread thread;
};

Stage::Stage() : machine_(std::make_unique<Machine>()), running_(std::make_unique<Running>(*machine_)) {}
Stage::~Stage() = default;

base::Result<wire::Response> Stage::send(const std::string& method, const std::string& bytes) {
  io::TlsClientOptions options;
  options.host = "127.0.0.1";
  options.port = running_->server->endpoint().port;
  options.ca_file = machine_->certificates.ca_file;
  options.protocols = {"http/1.1"};
  options.transfer_timeout = base::seconds(20);
  TRY_ASSIGN(const auto tls, io::TlsClient::connect(machine_->settings, options));
  wire::HttpClientMachine machine;
  machine.expect_reply_to(method);
  TRY(tls->write_all(base::as_bytes(bytes)));
  std::array<std::uint8_t, 16384> buffer;
  for (;;) {
    if (auto received = machine.take_response()) return std::move(received->response);
    TRY_ASSIGN(const std::size_t count, tls->read(buffer));
    TRY(count == 0 ? machine.end_of_input() : machine.receive(std::span(buffer).first(count)));
  }
}

std::string Stage::token() {
  const auto client = running_->somebody();
  CHECK_THAT(client.has_value(), "the stage's own client is never revoked");
  const base::Instant now = machine_->clock.wall();
  return gate::TokenAuthority(machine_->keys.tokens)
      .issue({.principal = client->principal,
              .tenant = client->tenant,
              .generation = client->generation,
              .scopes = client->scopes,
              .issued_at = now,
              .expires_at = now + base::seconds(900)});
}

void Stage::advance(base::Duration by) {
  machine_->clock.advance(by.ns);
  // The core looks at what is due after each turn of its own, at the time its turn began: once it has answered a question
  // that was asked after the clock moved, it has seen the new time.
  const std::string question = "GET /v1/trial-balance HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token() + "\r\n\r\n";
  const auto answered = send("GET", question);
  CHECK_THAT(answered.ok() && answered->status == 200, "a question of the stage is answered");
}

void Stage::restart() {
  running_.reset();
  running_ = std::make_unique<Running>(*machine_);
}

void Stage::lose_power() {
  const io::DurableState left = machine_->disk.durable_state();
  running_.reset();
  machine_->disk.install(left);
  running_ = std::make_unique<Running>(*machine_);
}

}  // namespace scenario
