// holdfast serve, holdfast init

#include <malloc.h>

#include <sys/resource.h>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/sandbox_banks.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "node/data_directory.h"
#include "node/serve.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

// Every connection takes a descriptor; the usual soft limit of 1024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

base::Result<node::Configuration> configuration_of(io::FileSystem& files, const Arguments& arguments) {
  node::Configuration configuration;
  if (const auto file = arguments.value("--config")) {
    TRY_ASSIGN(configuration, node::load_configuration(files, absolute_path(*file)));
  }
  if (const auto listen = arguments.value("--listen")) {
    TRY_ASSIGN(configuration.listen, io::parse_endpoint(*listen));
  }
  if (const auto listen = arguments.value("--operator-listen")) {
    TRY_ASSIGN(configuration.operator_listen, io::parse_endpoint(*listen));
  }
  return configuration;
}

int run_serve(const Arguments& arguments) {
  // Batches of megabytes come and go, and fresh pages from the kernel cost more than the work done on them: keep them.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  io::RealFileSystem files;
  const auto directory = arguments.value("--data");
  if (!directory) return fail({"options_contradict", "serve needs --data DIR"});
  auto configuration = configuration_of(files, arguments);
  if (!configuration.ok()) return fail(configuration.error());
  raise_descriptor_limit();
  const bool json = arguments.json();
  const bool dev = arguments.has("--dev");
  const std::string path = absolute_path(*directory);
  SandboxBanks banks(files);
  const base::Status served = node::serve(
      files, {.directory = path,
              .dev = dev,
              .configuration = std::move(configuration).value(),
              .say = [](const std::string& message) { say(message); },
              .ready =
                  [json, dev, &path](const std::string& base_url, const std::string& operator_url) {
                    const std::string client = node::dev_directory(path) + "/client.json";
                    if (json) {
                      std::string text;
                      wire::JsonWriter out(text);
                      out.begin_object();
                      out.member("base_url", std::string_view(base_url));
                      out.member("operator_url", std::string_view(operator_url));
                      if (dev) out.member("credentials", std::string_view(client));
                      out.end_object();
                      print(text);
                      return;
                    }
                    std::string text = "ready: API " + base_url + ", operator " + operator_url;
                    if (dev) text += ", credentials " + client;
                    print(text);
                  },
              .dev_rails = arguments.has("--no-rails") ? nullptr : &banks});
  return served.ok() ? exit_done : fail(served.error());
}

int run_init(const Arguments& arguments) {
  io::RealFileSystem files;
  io::RealRandom random;
  const auto directory = arguments.value("--data");
  if (!directory) return fail({"options_contradict", "init needs --data DIR"});
  node::DataPlace place{.directory = absolute_path(*directory), .mode = store::DataMode::standard, .master_key_file = {}};
  if (const auto file = arguments.value("--master-key")) place.master_key_file = absolute_path(*file);
  const auto made = node::DataDirectory::create(files, random, place);
  if (!made.ok()) return fail(made.error());
  const std::string key = node::usual_master_key_file(place);
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter out(text);
    out.begin_object();
    out.member("data", std::string_view(place.directory));
    out.member("master_key_file", std::string_view(key));
    out.end_object();
    print(text);
    return exit_done;
  }
  print("data directory  " + place.directory + "\nmaster key      " + key +
        "\n\nKeep a copy of the master key somewhere else: without it nobody can open the data directory, backups included.\n"
        "Next: holdfast client create --data " + place.directory + " --name NAME --scopes all --out client.json\n");
  return exit_done;
}

}  // namespace

Command serve_command() {
  return {.name = "serve",
          .summary = "run the service",
          .examples = "  holdfast serve --data /tmp/try --dev\n"
                      "  holdfast serve --data /var/lib/holdfast --config /etc/holdfast.toml\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "runs until SIGTERM or SIGINT; SIGHUP reads the certificates again",
                     .options = {{"--data", "DIR", "the data directory"},
                                 {"--config", "FILE", "settings (docs/configuration.md)"},
                                 {"--dev", "", "loopback only; makes CA, certificate and credentials in DIR/dev"},
                                 {"--no-rails", "", "with --dev: without its three sandbox rails"},
                                 {"--listen", "ADDR:PORT", "where the API listens; port 0 takes a free one"},
                                 {"--operator-listen", "ADDR:PORT", "where health and metrics listen"}},
                     .run = run_serve}},
          .notes = "When it takes requests it prints one line that begins with `ready:`. With --dev, DIR/dev/client.json names the\n"
                   "addresses and holds a token, and DIR/dev/curl.conf is the same for curl --config. Three sandbox rails run\n"
                   "beside it, bank-a to bank-c for EUR/2, unless the configuration names others: docs/rails.md. A data directory made with\n"
                   "--dev never starts without it.\n"};
}

Command init_command() {
  return {.name = "init",
          .summary = "make a data directory",
          .examples = "  holdfast init --data /var/lib/holdfast --master-key /etc/holdfast/master-key\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "makes keys and directory; harmless to repeat if it died in the middle",
                     .options = {{"--data", "DIR", "where; made if it is not there"},
                                 {"--master-key", "FILE", "made if it is not there; default DIR.master-key"}},
                     .run = run_init}},
          .notes = "The master key seals all other keys. It lies outside of the data directory, so that a copy of the directory\n"
                   "alone opens nothing.\n"};
}

}  // namespace holdfast
