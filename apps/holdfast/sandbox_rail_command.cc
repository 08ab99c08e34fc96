// holdfast sandbox-rail: a bank to try things out with.

#include <signal.h>

#include <cstdlib>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/sandbox_rail.h"
#include "base/text.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "io/process.h"
#include "node/dev_identity.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr std::uint64_t profile_bytes_max = 1u << 20;
constexpr std::size_t seed_bytes = 32;

base::Error contradiction(std::string what) { return {"options_contradict", std::move(what)}; }

base::Status make_directory(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const bool there, files.exists(path));
  if (there) return base::ok();
  TRY(files.make_dir(path));
  return files.sync_dir(io::directory_of(path));
}

/// The rail's own key for callbacks, made at the first start. A sandbox keeps it in a plain file.
base::Result<io::SecretMemory> callback_seed(io::FileSystem& files, io::Random& random, const std::string& path) {
  TRY_ASSIGN(const bool there, files.exists(path));
  if (there) {
    TRY_ASSIGN(base::Bytes bytes, io::read_whole_file(files, path, seed_bytes));
    if (bytes.size() != seed_bytes) return base::Error{"sandbox_key_malformed", path + " is not a key of 32 bytes"};
    auto seed = io::SecretMemory::copy_of(bytes);
    io::wipe(bytes);
    return seed;
  }
  TRY_ASSIGN(io::SecretMemory seed, io::SecretMemory::allocate(seed_bytes));
  random.fill(seed.bytes());
  TRY(io::replace_file(files, path, seed.view()));
  return seed;
}

/// `KEYID:BASE64` of an Ed25519 public key.
base::Result<effects::VerificationKey> client_key(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto raw = colon == std::string_view::npos ? std::nullopt : base::parse_base64(text.substr(colon + 1));
  if (!raw || raw->size() != 32 || colon == 0) return contradiction("--client-key takes KEYID:BASE64 with an Ed25519 public key of 32 bytes");
  return effects::VerificationKey{std::string(text.substr(0, colon)), effects::VerificationKey::Algorithm::ed25519, *raw};
}

/// Where everything is, for scripts and for the service's configuration.
base::Status write_rail_file(io::FileSystem& files, const std::string& path, const std::string& url, const std::string& control_url,
                             const std::string& ca_file, const std::string& key_id, base::ByteView public_key) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("url", std::string_view(url));
  json.member("control_url", std::string_view(control_url));
  json.member("ca_file", std::string_view(ca_file));
  json.member("callback_key_id", std::string_view(key_id));
  json.member("callback_public_key", std::string_view(base::to_base64(public_key)));
  json.end_object();
  text += '\n';
  return io::replace_file(files, path, base::as_bytes(text));
}

base::Status serve(const Arguments& arguments) {
  io::ignore_broken_pipes();
  io::RealFileSystem files;
  io::RealRandom random;
  const auto data = arguments.value("--data");
  if (!data) return contradiction("this needs --data DIR");
  const std::string directory = absolute_path(*data);
  TRY(make_directory(files, directory));
  TRY_ASSIGN(const auto lock, files.lock_exclusive(io::join_path(directory, "lock")));
  TRY_ASSIGN(const io::Endpoint at, io::parse_endpoint(arguments.value_or("--listen", "127.0.0.1:8450")));
  TRY_ASSIGN(const io::Endpoint control_at, io::parse_endpoint(arguments.value_or("--control", "127.0.0.1:0")));
  if (!control_at.is_loopback()) return contradiction("--control is for loopback addresses");
  TRY_ASSIGN(const auto clock, io::RealClock::open());
  TRY_ASSIGN(const auto loop, io::Loop::open());
  TRY_ASSIGN(const auto signals, io::SignalWatch::open(*loop, {SIGTERM, SIGINT}, [&loop](int) { loop->stop(); }));

  SandboxRailOptions options;
  options.book_file = io::join_path(directory, "book.log");
  options.accept_unsigned = arguments.has("--accept-unsigned");
  options.key_id = arguments.value_or("--key-id", "sandbox-rail");
  options.broken = [](const base::Error& error) {
    fail(error);
    std::_Exit(exit_broken);
  };
  if (const auto key = arguments.value("--client-key")) {
    TRY_ASSIGN(effects::VerificationKey known, client_key(*key));
    options.clients.push_back(std::move(known));
  } else if (!options.accept_unsigned) {
    return contradiction("this needs --client-key KEYID:BASE64, or --accept-unsigned to try things out");
  }
  if (const auto ca = arguments.value("--callback-ca")) {
    TRY_ASSIGN(options.callback_tls, io::TlsOutgoingContext::open(files, {.ca_file = absolute_path(*ca)}));
  }

  std::unique_ptr<io::TlsServerContext> tls;
  std::string ca_file;
  if (arguments.has("--plain")) {
    if (!at.is_loopback()) return contradiction("--plain is for loopback addresses");
    options.scheme = "http";
  } else {
    io::TlsServerOptions identity;
    const auto certificate = arguments.value("--certificate"), key = arguments.value("--certificate-key");
    if (certificate && key) {
      identity.certificate_file = absolute_path(*certificate);
      identity.key_file = absolute_path(*key);
    } else {
      const std::string tls_directory = io::join_path(directory, "tls");
      TRY(make_directory(files, tls_directory));
      TRY_ASSIGN(const node::DevServerFiles made, node::make_dev_certificates(files, random, tls_directory, clock->wall(), at));
      identity.certificate_file = made.certificate_file;
      identity.key_file = made.key_file;
      ca_file = made.ca_file;
    }
    if (const auto ca = arguments.value("--client-ca")) {
      identity.client_ca_file = absolute_path(*ca);
      identity.client_certificate_required = true;
    }
    identity.protocols = {"http/1.1"};
    TRY_ASSIGN(tls, io::TlsServerContext::open(files, identity));
  }

  TRY_ASSIGN(io::SecretMemory seed, callback_seed(files, random, io::join_path(directory, "callback.key")));
  effects::OwnEd25519Signer signer(std::move(seed));
  const std::string key_id = options.key_id;
  TRY_ASSIGN(const auto rail, SandboxRail::open(*loop, *clock, random, files, signer, std::move(options)));
  RailProfileFile profile;
  if (const auto file = arguments.value("--profile")) {
    TRY_ASSIGN(const base::Bytes text, read_input(std::string(*file), profile_bytes_max));
    TRY_ASSIGN(profile, parse_rail_profile(text));
  }
  if (const auto url = arguments.value("--callback-url")) profile.callback_url = *url;
  TRY(rail->set_profile(std::move(profile)));

  SandboxRailControl control(*rail);
  edge::ServerOptions server_options;
  server_options.connections_per_address_max = server_options.connections_max;
  TRY_ASSIGN(const auto server, edge::Server::open(*loop, *clock, at, tls.get(), *rail, server_options));
  TRY_ASSIGN(const auto control_server, edge::Server::open(*loop, *clock, control_at, nullptr, control));
  const std::string url = (tls ? "https://" : "http://") + server->endpoint().text();
  const std::string control_url = "http://" + control_server->endpoint().text();
  TRY(write_rail_file(files, io::join_path(directory, "rail.json"), url, control_url, ca_file, key_id, signer.public_key()));
  print("ready: rail " + url + ", control " + control_url);
  loop->run();
  return rail->book().flush();
}

int run_sandbox_rail(const Arguments& arguments) {
  const base::Status done = serve(arguments);
  return done.ok() ? exit_done : fail(done.error());
}

}  // namespace

Command sandbox_rail_command() {
  return {.name = "sandbox-rail",
          .summary = "a bank to try things out with, good and bad",
          .examples = "  holdfast sandbox-rail --data /tmp/bank-a --client-key holdfast:BASE64 --listen 127.0.0.1:8450\n"
                      "  curl -X PUT --data @profile.json http://127.0.0.1:PORT/control/profile\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "serves the rail protocol; DIR/rail.json says where, and with which key callbacks are signed",
                     .options = {{"--data", "DIR", "its book, key and certificates; made if it is not there"},
                                 {"--listen", "ADDR:PORT", "default 127.0.0.1:8450; port 0 takes a free one"},
                                 {"--control", "ADDR:PORT", "where it is steered: loopback; default a free port"},
                                 {"--profile", "FILE", "how it behaves: docs/rail-protocol.md; or - for standard input"},
                                 {"--client-key", "ID:BASE64", "Ed25519 public key that requests are signed with"},
                                 {"--accept-unsigned", "", "takes requests from anybody"},
                                 {"--callback-url", "URL", "where it tells what became of payments"},
                                 {"--callback-ca", "FILE", "PEM: whom it trusts there"},
                                 {"--key-id", "ID", "of its callback key; default sandbox-rail"},
                                 {"--certificate", "FILE", "PEM; unless given it makes an authority and a certificate in DIR/tls"},
                                 {"--certificate-key", "FILE", "PEM, unencrypted"},
                                 {"--client-ca", "FILE", "PEM: asks clients for certificates of this authority"},
                                 {"--plain", "", "without TLS, on a loopback address"}},
                     .run = run_sandbox_rail}},
          .notes = "It moves no money. What it accepted is in DIR/book.log before it answers, and survives a kill. Faults are part of the profile and\n"
                   "can be changed while it runs; the same seed and the same references give the same faults.\n"};
}

}  // namespace holdfast
