// holdfast witness: keeps other logs honest.

#include <signal.h>

#include <algorithm>

#include "apps/holdfast/commands.h"
#include "audit/policy.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/posix_file.h"
#include "io/process.h"
#include "io/random.h"
#include "io/tls.h"
#include "node/data_directory.h"
#include "node/witness_server.h"

namespace holdfast {

namespace {

constexpr std::uint64_t policy_bytes_max = 1u << 20;

// Its key is a log key of a data directory without a log.
base::Result<audit::NoteKey> witness_key(const node::DataDirectory& data, const std::string& name) {
  if (!audit::is_note_key_name(name)) return base::Error{"options_contradict", "--name takes a name without blanks and plus signs"};
  custody::Signer* const signer = data.keyring().log_signer(1);
  audit::NoteKey key{.name = name, .kind = audit::NoteKeyKind::cosignature_v1, .public_key = {}};
  const base::Bytes raw = signer->public_key();
  std::ranges::copy(raw, key.public_key.begin());
  return key;
}

base::Status serve(const Arguments& arguments) {
  io::ignore_broken_pipes();
  io::RealFileSystem files;
  io::RealRandom random;
  const auto directory = arguments.value("--data");
  const auto name = arguments.value("--name");
  if (!directory || !name) return base::Error{"options_contradict", "this needs --data DIR and --name NAME"};
  node::DataPlace place{.directory = absolute_path(*directory), .mode = store::DataMode::standard, .master_key_file = {}};
  if (const auto file = arguments.value("--master-key")) place.master_key_file = absolute_path(*file);
  TRY_ASSIGN(const auto data, node::DataDirectory::open_or_create(files, random, place));
  TRY_ASSIGN(const audit::NoteKey key, witness_key(*data, std::string(*name)));
  if (arguments.has("--show-key")) {
    print(audit::to_vkey(key));
    return base::ok();
  }
  const auto logs = arguments.value("--logs");
  if (!logs) return base::Error{"options_contradict", "this needs --logs FILE: a policy whose log lines are the logs to watch"};
  TRY_ASSIGN(const base::Bytes text, read_input(std::string(*logs), policy_bytes_max));
  TRY_ASSIGN(const audit::Policy policy, audit::parse_policy(base::as_text(text)));
  std::vector<audit::NoteKey> log_keys;
  for (const audit::PolicyLog& log : policy.logs) log_keys.push_back(log.key);
  TRY_ASSIGN(const io::Endpoint at, io::parse_endpoint(arguments.value_or("--listen", "127.0.0.1:8445")));

  const auto certificate = arguments.value("--certificate"), certificate_key = arguments.value("--certificate-key");
  std::unique_ptr<io::TlsServerContext> tls;
  if (certificate && certificate_key) {
    io::TlsServerOptions options;
    options.certificate_file = absolute_path(*certificate);
    options.key_file = absolute_path(*certificate_key);
    TRY_ASSIGN(tls, io::TlsServerContext::open(files, options));
  } else if (!at.is_loopback()) {
    return base::Error{"options_contradict", "beyond this machine a witness needs --certificate and --certificate-key"};
  }
  TRY_ASSIGN(const auto clock, io::RealClock::open());
  TRY_ASSIGN(const auto loop, io::Loop::open());
  TRY_ASSIGN(const auto signals, io::SignalWatch::open(*loop, {SIGTERM, SIGINT}, [&loop](int) { loop->stop(); }));
  TRY_ASSIGN(const auto witness, node::WitnessServer::open(files, *clock, *data->keyring().log_signer(1), key, std::move(log_keys),
                                                           io::join_path(data->path(), "witness")));
  TRY_ASSIGN(const auto server, edge::Server::open(*loop, *clock, at, tls.get(), *witness));
  print(std::string(tls ? "https://" : "http://") + server->endpoint().text() + " " + audit::to_vkey(key));
  loop->run();
  return base::ok();
}

int run_witness(const Arguments& arguments) {
  const base::Status done = serve(arguments);
  return done.ok() ? exit_done : fail(done.error());
}

}  // namespace

Command witness_command() {
  return {.name = "witness",
          .summary = "cosign the checkpoints of other logs that only grow",
          .examples = "  holdfast witness --data /var/lib/witness --name witness.example/1 --show-key\n"
                      "  holdfast witness --data /var/lib/witness --name witness.example/1 --logs logs.txt --listen 127.0.0.1:8445\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "serves C2SP tlog-witness; prints where, and its verifier key",
                     .options = {{"--data", "DIR", "its key and what it saw; made if it is not there"},
                                 {"--name", "NAME", "of its key, like witness.example/1; never change it"},
                                 {"--logs", "FILE", "a policy whose log lines are the logs to watch"},
                                 {"--listen", "ADDR:PORT", "default 127.0.0.1:8445"},
                                 {"--certificate", "FILE", "PEM, for addresses beyond this machine"},
                                 {"--certificate-key", "FILE", "PEM, unencrypted"},
                                 {"--master-key", "FILE", "default: DIR.master-key"},
                                 {"--show-key", "", "prints the verifier key and ends"}},
                     .run = run_witness}},
          .notes = "What it cosigned is on disk before the cosignature leaves. Without its memory it would cosign a fork: a damaged one\n"
                   "keeps it from starting, and an older copy of it has forgotten what it saw.\n"};
}

}  // namespace holdfast
