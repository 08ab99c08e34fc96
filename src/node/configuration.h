#pragma once
// The configuration: one TOML file, one table of settings. The table says of each setting what it is called, what it may
// be, what it is unless given, and what it is for; reading, `config show`, `config check` and docs/configuration.md all come
// from it. A setting nobody knows is refused, with the name that was probably meant.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "edge/api.h"
#include "edge/operator_api.h"
#include "edge/server.h"
#include "gate/gate.h"
#include "io/file.h"
#include "io/socket.h"
#include "io/tls.h"
#include "node/audit_log.h"
#include "node/backend.h"
#include "node/revocation_watch.h"
#include "node/service.h"
#include "node/wallet_desk.h"
#include "node/webhook_teller.h"

namespace node {

/// Everything that can be set. The defaults are those of the options themselves.
struct Configuration {
  io::Endpoint listen{.address = "127.0.0.1", .port = 8443};
  io::Endpoint operator_listen{.address = "127.0.0.1", .port = 8444};
  io::TlsServerOptions tls;
  bool operator_tls = false;             ///< on a loopback address; elsewhere the operator address always has TLS
  edge::OperatorOptions operator_api;
  std::string master_key_file;           ///< empty: beside the data directory
  ServiceOptions service;                ///< without recovery.directory
  bool views_every_transfer = false;
  BackendOptions backend;
  AuditLogOptions audit;                 ///< without directory and key_version
  std::string witness_policy_file;       ///< empty: no witnesses
  std::string witness_ca_file;
  base::Duration witness_interval = base::seconds(2);
  std::string rails_file;                ///< empty: no rails
  WebhookOptions webhooks;
  RevocationOptions revocation;
  WalletOptions wallets;
  gate::GateSettings gate;               ///< without webhook_url_problem
  edge::ApiOptions api;                  ///< without rate: that is gate.rate
  edge::ServerOptions server;            ///< without http1.http and http2.http: those are `http`
  wire::HttpLimits http = edge::ServerOptions{}.http1.http;

  /// `server` with `http` in both its places.
  edge::ServerOptions server_options() const;
  edge::ApiOptions api_options() const;
};

/// One thing wrong with a file.
struct ConfigurationProblem {
  std::uint32_t line = 0;     ///< 0: of the file as a whole
  std::string message;        ///< one sentence, naming the setting
};

struct ConfigurationReading {
  Configuration configuration;                   ///< the defaults where there are problems
  std::vector<ConfigurationProblem> problems;    ///< in order of lines
  /// Every problem as `FILE:LINE: message`, one a line.
  std::string text(std::string_view file) const;
};

/// Reads a TOML text over the defaults. All problems are found, not only the first.
ConfigurationReading read_configuration(std::string_view text);

/// The same from a file (at most 1 MiB). Errors: `configuration_refused`, with every problem; those of reading.
base::Result<Configuration> load_configuration(io::FileSystem& files, const std::string& path);

/// What is in effect, as a TOML file that read_configuration takes back.
std::string show_configuration(const Configuration& configuration);
/// The same as one JSON object of dotted names.
std::string configuration_json(const Configuration& configuration);
/// docs/configuration.md.
std::string configuration_reference();

}  // namespace node
