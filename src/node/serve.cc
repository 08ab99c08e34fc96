#include "node/serve.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "io/clock.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/random.h"
#include "node/audit_log.h"
#include "node/client_records.h"
#include "node/data_directory.h"
#include "node/dev_identity.h"
#include "node/effect_runner.h"
#include "node/operator_view.h"
#include "node/own_request.h"
#include "node/key_records.h"
#include "node/own_key_set.h"
#include "node/rail_callbacks.h"
#include "node/revocation_watch.h"
#include "node/statement_fetcher.h"
#include "node/wallet_desk.h"
#include "node/witness_client.h"

namespace node {

namespace {

// Nothing may run after this, no destructor and no reply: the process is gone.
[[noreturn]] void stop_broken(const base::Error& error) {
  std::fprintf(stderr, "holdfast: the service has to stop: %s [%s]\n", error.message.c_str(), error.code);
  std::_Exit(exit_code_of_a_broken_service);
}

base::Status check_loopback(const Configuration& configuration) {
  for (const io::Endpoint* at : {&configuration.listen, &configuration.operator_listen}) {
    if (at->is_loopback()) continue;
    return base::Error{"address_not_loopback", "--dev listens on loopback addresses only, " + at->text() + " is none"};
  }
  return base::ok();
}

std::string url_of(const io::Endpoint& at, bool secure) { return (secure ? "https://" : "http://") + at.text(); }

// Everything that runs, in the order in which it is made; destroyed in reverse.
class Running {
 public:
  Running(io::FileSystem& files, ServeSettings settings) : files_(files), settings_(std::move(settings)) {}
  ~Running() { close(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  base::Status open();
  void run() { loop_->run(); }

 private:
  base::Status open_data();
  base::Status open_service();
  base::Status open_edge();
  base::Status become_dev_client();
  base::Status open_dev_rails();
  void on_signal(int signal);
  void close();

  const Configuration& configuration() const { return settings_.configuration; }

  io::FileSystem& files_;
  ServeSettings settings_;
  io::RealRandom random_;
  std::unique_ptr<io::RealClock> clock_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<io::SignalWatch> signals_;
  std::unique_ptr<DataDirectory> data_;
  std::string ca_file_, rails_file_;
  DevRails* dev_rails_ = nullptr;   // while they play
  std::unique_ptr<io::TlsServerContext> tls_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<WitnessClient> witnesses_;
  std::unique_ptr<ViewProjection> views_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<ClientRecords> clients_;
  std::unique_ptr<KeyRecords> keys_;
  std::unique_ptr<EffectRunner> effects_;
  std::unique_ptr<StatementFetcher> statements_;
  std::unique_ptr<RailCallbacks> callbacks_;
  std::unique_ptr<RevocationWatch> revocation_;
  std::unique_ptr<WebhookTeller> webhooks_;
  std::unique_ptr<WalletDesk> wallets_;
  std::unique_ptr<gate::Gate> gate_;
  ReplyCounts replies_;
  std::unique_ptr<OperatorView> operator_view_;
  std::unique_ptr<edge::Api> api_;
  std::unique_ptr<edge::OperatorApi> operator_api_;
  std::unique_ptr<edge::Server> server_, operator_server_;
  int servers_to_drain_ = 0;
};

base::Status Running::open() {
  if (settings_.dev) TRY(check_loopback(configuration()));
  io::ignore_broken_pipes();
  TRY_ASSIGN(clock_, io::RealClock::open());
  TRY_ASSIGN(loop_, io::Loop::open());
  // Before the first thread, so that all threads leave signals to the loop.
  TRY_ASSIGN(signals_, io::SignalWatch::open(*loop_, {SIGTERM, SIGINT, SIGHUP}, [this](int signal) { on_signal(signal); }));
  TRY(open_data());
  TRY(open_service());
  return open_edge();
}

base::Status Running::open_data() {
  const DataPlace place{.directory = settings_.directory,
                        .mode = settings_.dev ? store::DataMode::dev : store::DataMode::standard,
                        .master_key_file = settings_.dev ? std::string() : configuration().master_key_file,
                        .published_file = settings_.dev ? std::string() : configuration().audit.published_file};
  TRY_ASSIGN(data_, settings_.dev ? DataDirectory::open_or_create(files_, random_, place) : DataDirectory::open(files_, place));
  io::TlsServerOptions tls = configuration().tls;
  if (settings_.dev) {
    TRY_ASSIGN(const DevServerFiles made, make_dev_certificates(files_, random_, dev_directory(settings_.directory), clock_->wall(),
                                                                configuration().listen));
    tls.certificate_file = made.certificate_file;
    tls.key_file = made.key_file;
    ca_file_ = made.ca_file;
  }
  if (tls.certificate_file.empty()) {
    return base::Error{"tls_certificate_missing",
                       "the configuration names no tls.certificate_file and tls.key_file; to try things out use --dev"};
  }
  TRY_ASSIGN(tls_, io::TlsServerContext::open(files_, tls));
  rails_file_ = configuration().rails_file;
  if (settings_.dev && settings_.dev_rails != nullptr && rails_file_.empty()) {
    dev_rails_ = settings_.dev_rails;
    TRY_ASSIGN(rails_file_, dev_rails_->start({.directory = dev_directory(settings_.directory),
                                               .ca_file = ca_file_,
                                               .signing_key = data_->keyring().rail_signer()->public_key()}));
  }
  return base::ok();
}

base::Status Running::open_service() {
  ServiceOptions options = configuration().service;
  options.recovery.directory = settings_.directory;
  options.engine.views_every_transfer = configuration().views_every_transfer;
  std::int64_t told_ns = clock_->boot_ns();
  TRY_ASSIGN(service_, Service::open(files_, *clock_, random_, data_->blinding(), options, stop_broken,
                                     [this, &told_ns](std::uint64_t done, std::uint64_t total) {
                                       const std::int64_t now = clock_->boot_ns();
                                       if (now - told_ns < base::seconds(1).ns) return;
                                       told_ns = now;
                                       settings_.say("replaying the journal: event " + std::to_string(done) + " of " + std::to_string(total));
                                     }));
  const RecoveryReport& report = service_->recovery();
  for (const base::Error& passed : report.snapshots_passed_over) {
    settings_.say("a snapshot was passed over: " + passed.message + " [" + passed.code + "]");
  }
  if (report.keys_rebuilt) settings_.say("the index of idempotency keys was made anew from the journal");
  if (report.repairs.torn_group_dropped) {
    settings_.say("a write that never finished, and that nobody was told of, was removed from " + report.repairs.torn_file);
  }
  TRY_ASSIGN(views_, ViewProjection::open(views_file(settings_.directory), service_->reader(), configuration().views_every_transfer));
  if (views_->rebuilt()) settings_.say("the views were made anew from the journal");
  service_->project_to(*views_);
  AuditLogOptions audit = configuration().audit;
  audit.directory = settings_.directory;
  audit.published_file_needed = !audit.published_file.empty();
  audit.published_file = usual_published_file(data_->place());
  audit.key_version = service_->log_key_version();
  TRY_ASSIGN(audit_, AuditLog::open(files_, service_->reader(), data_->blinding(), data_->keyring(), std::move(audit),
                                    [this, &told_ns](std::uint64_t done, std::uint64_t total) {
                                      const std::int64_t now = clock_->boot_ns();
                                      if (now - told_ns < base::seconds(1).ns) return;
                                      told_ns = now;
                                      settings_.say("hashing the audit log: event " + std::to_string(done) + " of " + std::to_string(total));
                                    }));
  service_->show_groups_to(*audit_);
  if (!configuration().witness_policy_file.empty()) {
    TRY_ASSIGN(const base::Bytes text, io::read_whole_file(files_, configuration().witness_policy_file, 1u << 20));
    TRY_ASSIGN(audit::Policy policy, audit::parse_policy(base::as_text(text)));
    witnesses_ = std::make_unique<WitnessClient>(*audit_, std::move(policy), post_over_network(files_, configuration().witness_ca_file),
                                                 configuration().witness_interval);
  }
  TRY_ASSIGN(auto queries, views_->views().queries());
  std::vector<RailSettings> rails;
  if (!rails_file_.empty()) {
    TRY_ASSIGN(rails, load_rail_settings(files_, rails_file_));
  }
  clients_ = std::make_unique<ClientRecords>(service_->pipeline());
  keys_ = std::make_unique<KeyRecords>(service_->pipeline());
  TRY_ASSIGN(effects_, EffectRunner::open(files_, *clock_, *service_, data_->gate_keys(), *clients_,
                                          *data_->keyring().rail_signer(), data_->place(), rails));
  callbacks_ = std::make_unique<RailCallbacks>(rails, service_->epochs(), *clock_, settings_.say, [this] { return service_->pipeline().registry(); });
  TRY_ASSIGN(std::string key_set, own_key_set(files_, rails, *data_->keyring().rail_signer()));
  service_->carry_effects_to(*effects_);
  effects_->start();
  statements_ = std::make_unique<StatementFetcher>(
      *clock_, *service_,
      [runner = effects_.get()](auto&&... question) { runner->fetch_statement(std::forward<decltype(question)>(question)...); },
      data_->gate_keys(), *clients_, rails);
  service_->start();
  audit_->start();
  if (witnesses_) witnesses_->start();
  backend_ = std::make_unique<Backend>(*service_, std::move(queries), *loop_, configuration().backend);
  backend_->serve_audit(*audit_);
  backend_->serve_own_keys(std::move(key_set));
  TRY_ASSIGN(revocation_, RevocationWatch::open(files_, *clock_, *service_, data_->gate_keys(), configuration().revocation, settings_.say));
  backend_->serve_revocation(*revocation_);
  WebhookOptions webhooks = configuration().webhooks;
  webhooks.private_addresses = webhooks.private_addresses || settings_.dev;
  const std::string deliveries = deliveries_file(settings_.directory);
  TRY_ASSIGN(webhooks_, WebhookTeller::open(files_, *clock_, *service_, data_->gate_keys(), deliveries, std::move(webhooks)));
  TRY_ASSIGN(store::DeliveryReader delivered, store::DeliveryReader::open(deliveries));
  backend_->serve_webhooks(*webhooks_, std::move(delivered));
  webhooks_->start();
  wallets_ = std::make_unique<WalletDesk>(*clock_, random_, configuration().wallets);
  backend_->serve_wallets(*wallets_);
  return base::ok();
}

base::Status Running::open_edge() {
  const auto draw = [this](std::span<std::uint8_t> out) { random_.fill(out); };
  const Configuration& c = configuration();
  gate::GateSettings gate = c.gate;
  gate.origin = audit_->origin().substr(0, model::challenge_origin_bytes_max);
  gate.epochs = service_->epochs();
  gate.boot_clock = [this] { return base::Instant{clock_->boot_ns()}; };
  gate.webhook_url_problem = [allowed = c.webhooks.private_addresses || settings_.dev](std::string_view url) {
    return webhook_url_problem(url, allowed);
  };
  gate.beyond_driver = [&drivers = effects_->drivers()](model::TenantNumber tenant, std::string_view rail, model::RailCapabilities promised) {
    const auto name = model::parse_rail_name(rail);
    return name ? drivers.beyond(tenant, *name, promised) : model::RailCapabilities{0};
  };
  gate_ = std::make_unique<gate::Gate>(data_->gate_keys(), *clients_, draw, std::move(gate));
  gate_->listen_to(callbacks_.get());
  gate_->look_up_keys(keys_.get());
  gate_->look_up_wallets(wallets_.get());
  operator_view_ = std::make_unique<OperatorView>(OperatorParts{.files = files_,
                                                                .clock = *clock_,
                                                                .service = *service_,
                                                                .views = *views_,
                                                                .replies = replies_,
                                                                .audit = *audit_,
                                                                .witnesses = witnesses_.get(),
                                                                .key_sets = callbacks_->key_sets(),
                                                                .effects = effects_.get(),
                                                                .statements = statements_.get(),
                                                                .webhooks = webhooks_.get(),
                                                                .revocation = revocation_.get(),
                                                                .directory = settings_.directory,
                                                                .space_reserve_bytes = c.service.pipeline.space_reserve_bytes});
  api_ = std::make_unique<edge::Api>(*loop_, *clock_, *gate_, *backend_, c.api_options(), &replies_);
  operator_api_ = std::make_unique<edge::OperatorApi>(*clock_, *operator_view_, *gate_, *api_, c.operator_api);
  const bool operator_tls = c.operator_tls || !c.operator_listen.is_loopback();
  const edge::ServerOptions server_options = c.server_options();
  TRY_ASSIGN(server_, edge::Server::open(*loop_, *clock_, c.listen, tls_.get(), *api_, server_options));
  TRY_ASSIGN(operator_server_, edge::Server::open(*loop_, *clock_, c.operator_listen, operator_tls ? tls_.get() : nullptr,
                                                  *operator_api_, server_options));
  operator_view_->watch(*server_);
  if (dev_rails_ != nullptr) TRY(open_dev_rails());
  statements_->start();
  revocation_->start();
  if (settings_.dev) TRY(become_dev_client());
  settings_.ready(url_of(server_->endpoint(), true), url_of(operator_server_->endpoint(), operator_tls));
  return base::ok();
}

// They are told only now where we listen.
base::Status Running::open_dev_rails() {
  TRY(dev_rails_->call_back_to(url_of(server_->endpoint(), true)));
  return register_dev_rails(*service_, *gate_, *backend_, *dev_rails_);
}

// The client that scripts act as: whoever has all scopes and was not revoked, or a new one.
base::Status Running::become_dev_client() {
  const auto usable = [](const gate::Client& client) { return !client.revoked && client.scopes == model::all_scopes; };
  if (!clients_->find_if(usable)) {
    const auto made = ask_service(*service_, *gate_,
                                  gate::ClientCreation{.name = "dev", .kind = model::PrincipalKind::service, .scopes = model::all_scopes});
    if (!made.ok()) return made.error();
  }
  const auto client = clients_->find_if(usable);
  CHECK_THAT(client.has_value(), "a client that was just created is found");
  const bool operator_tls = configuration().operator_tls;
  return write_dev_client(files_, dev_directory(settings_.directory), data_->gate_keys(), *client, clock_->wall(),
                          {.base_url = url_of(server_->endpoint(), true),
                           .operator_url = url_of(operator_server_->endpoint(), operator_tls),
                           .ca_file = ca_file_,
                           .rails = dev_rails_ != nullptr ? dev_rails_->rails() : std::vector<DevRail>{}});
}

void Running::on_signal(int signal) {
  if (signal == SIGHUP) {
    const base::Status reloaded = tls_->reload();
    operator_view_->certificates_reloaded(reloaded.ok());
    settings_.say(reloaded.ok() ? "certificates were read again"
                                : "the certificates stay as they were: " + reloaded.error().message + " [" + reloaded.error().code + "]");
    return;
  }
  if (servers_to_drain_ > 0) return loop_->stop();
  settings_.say("stopping: what was taken is finished first");
  servers_to_drain_ = 2;
  const auto drained = [this] {
    if (--servers_to_drain_ == 0) loop_->stop();
  };
  server_->begin_shutdown(drained);
  operator_server_->begin_shutdown(drained);
}

void Running::close() {
  operator_server_.reset();
  server_.reset();
  // Answers that come now find nobody; the threads that bring them end here.
  if (wallets_) wallets_->stop();
  if (webhooks_) webhooks_->stop();
  if (statements_) statements_->stop();
  if (revocation_) revocation_->stop();
  if (effects_) effects_->stop();
  if (service_) service_->stop();
  if (witnesses_) witnesses_->stop();
  if (audit_) audit_->stop();
  if (backend_) backend_->stop();
}

}  // namespace

base::Status serve(io::FileSystem& files, ServeSettings settings) {
  const auto say = settings.say;
  {
    Running running(files, std::move(settings));
    TRY(running.open());
    running.run();
  }
  say("stopped");
  return base::ok();
}

}  // namespace node
