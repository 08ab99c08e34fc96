// holdfast client: who may ask. Over the API where a service runs; on the data directory itself where none does, which is
// how the first client of a new directory is made.

#include "apps/holdfast/commands.h"
#include "apps/holdfast/load.h"
#include "apps/holdfast/offline.h"
#include "apps/holdfast/readable.h"
#include "apps/holdfast/remote.h"
#include "gate/scope.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "node/client_records.h"
#include "node/own_request.h"
#include "wire/json_fields.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

base::Error not_a_scope(std::string_view name) {
  const std::vector<std::string_view> all = gate::to_texts(model::all_scopes);
  std::string message = "\"" + std::string(name) + "\" is not a scope; ";
  if (const auto meant = wire::closest_name(name, all.data(), all.size())) {
    message += "did you mean " + std::string(*meant) + "?";
  } else {
    message += "scopes are all, or some of";
    for (const std::string_view scope : all) message.append(" ").append(scope);
  }
  return {"option_value_malformed", message};
}

base::Result<model::Scopes> parse_scopes(std::string_view text) {
  if (text == "all") return model::all_scopes;
  model::Scopes scopes = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    const auto scope = gate::parse_scope(name);
    if (!scope) return not_a_scope(name);
    scopes |= *scope;
  }
  return scopes;
}

struct Credential {
  std::string client_id;
  std::string refresh_secret;
};

// Never on the screen, never in a log: into a file that only its owner reads.
base::Status write_credential(io::FileSystem& files, const Arguments& arguments, const Credential& credential, std::string_view base_url,
                              std::string_view ca_file) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("base_url", base_url);
  json.member("ca_file", ca_file);
  json.member("client_id", std::string_view(credential.client_id));
  json.member("refresh_secret", std::string_view(credential.refresh_secret));
  json.end_object();
  text += "\n";
  return io::replace_file(files, absolute_path(*arguments.value("--out")), base::as_bytes(text), 0600);
}

int report(const Arguments& arguments, const std::string& client, std::string_view what) {
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("id", std::string_view(client));
    if (const auto out = arguments.value("--out")) json.member("credentials", std::string_view(absolute_path(*out)));
    json.end_object();
    print(text);
  } else {
    std::string text = client + " " + std::string(what);
    if (const auto out = arguments.value("--out")) text += "; credentials are in " + absolute_path(*out);
    print(text);
  }
  return exit_done;
}

// The directory's own pipeline, for one request.
base::Result<node::OwnAnswer> ask_offline(io::FileSystem& files, const node::DataPlace& place, const gate::RequestBody& body) {
  io::RealRandom random;
  TRY_ASSIGN(const auto data, node::DataDirectory::open(files, place));
  TRY_ASSIGN(const auto clock, io::RealClock::open());
  node::ServiceOptions options;
  options.recovery.directory = place.directory;
  TRY_ASSIGN(const auto service, node::Service::open(files, *clock, random, data->blinding(), options, [](const base::Error& error) {
    fail(error);
    std::_Exit(exit_broken);
  }));
  const node::NoClients nobody;
  gate::Gate gate(data->gate_keys(), nobody, [&random](std::span<std::uint8_t> out) { random.fill(out); });
  service->start();
  auto answer = node::ask_service(*service, gate, body);
  service->stop();
  return answer;
}

// Offline if --data is a directory on which nobody works; otherwise over the API. Error: why neither is possible.
base::Result<std::optional<node::DataPlace>> offline_place(io::FileSystem& files, const Arguments& arguments) {
  if (!arguments.has("--data") || arguments.has("--credentials")) return std::optional<node::DataPlace>();
  TRY_ASSIGN(node::DataPlace place, data_place(files, arguments));
  const auto lock = node::DataDirectory::lock(files, place.directory);
  if (!lock.ok() && std::string_view(lock.error().code) == "data_directory_locked") return std::optional<node::DataPlace>();
  if (!lock.ok()) return lock.error();
  return std::optional(std::move(place));
}

base::Result<ApiReply> ask_online(io::FileSystem& files, const Arguments& arguments, ApiRequest request, Credentials& used) {
  TRY_ASSIGN(const std::string path, credentials_file(files, arguments));
  TRY_ASSIGN(used, load_credentials(files, path));
  TRY_ASSIGN(const auto client, ApiClient::open(files, used));
  request.key = arguments.value_or("--key", "");
  if (request.key.empty()) request.key = draw_key();
  TRY_ASSIGN(ApiReply reply, client->call(request));
  if (!reply.good()) return base::Error{"request_refused", readable_problem(reply.body)};
  return reply;
}

// create and rotate: a new secret comes back and goes into a file.
int take_secret(const Arguments& arguments, const gate::RequestBody& body, const ApiRequest& request, std::string_view what) {
  if (!arguments.has("--out")) return fail({"options_contradict", "this needs --out FILE for the secret, which is shown nowhere else"});
  io::RealFileSystem files;
  const auto place = offline_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  Credential credential;
  std::string base_url = arguments.value_or("--url", "https://127.0.0.1:8443");
  std::string ca_file = arguments.has("--ca-file") ? absolute_path(*arguments.value("--ca-file")) : "";
  if (*place) {
    const auto answer = ask_offline(files, **place, body);
    if (!answer.ok()) return fail(answer.error());
    if (const auto* made = std::get_if<model::ClientCreated>(&answer->content.body)) credential.client_id = model::client_id(made->number);
    if (const auto* rotated = std::get_if<model::ClientRotated>(&answer->content.body)) credential.client_id = model::client_id(rotated->number);
    credential.refresh_secret = answer->secret;
  } else {
    Credentials used;
    const auto reply = ask_online(files, arguments, request, used);
    if (!reply.ok()) return fail(reply.error());
    credential = {json_text(reply->body, "id"), json_text(reply->body, "refresh_secret")};
    if (!arguments.has("--url")) base_url = used.base_url;
    if (!arguments.has("--ca-file")) ca_file = used.ca_file;
  }
  const base::Status written = write_credential(files, arguments, credential, base_url, ca_file);
  if (!written.ok()) return fail(written.error());
  return report(arguments, credential.client_id, what);
}

int run_create(const Arguments& arguments) {
  const auto name = arguments.value("--name");
  if (!name) return fail({"options_contradict", "client create needs --name NAME"});
  const auto scopes = parse_scopes(arguments.value_or("--scopes", "all"));
  if (!scopes.ok()) return fail(scopes.error());
  const bool person = arguments.has("--person");
  const gate::ClientCreation body{
      .name = *name, .kind = person ? model::PrincipalKind::person : model::PrincipalKind::service, .scopes = *scopes};
  ApiRequest request{.method = "POST", .path = "/v1/clients"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("name", *name);
  json.member("kind", person ? "person" : "service");
  json.key("scopes");
  json.begin_array();
  for (const std::string_view scope : gate::to_texts(*scopes)) json.string(scope);
  json.end_array();
  json.end_object();
  return take_secret(arguments, body, request, "created");
}

int run_rotate(const Arguments& arguments) {
  const std::string& id = arguments.operands()[0];
  const auto client = model::parse_client_id(id);
  if (!client) return fail({"option_value_malformed", "\"" + id + "\" is not a client id like cl_1"});
  const auto overlap = arguments.number("--overlap-seconds", 0, gate::overlap_seconds_max);
  if (!overlap.ok()) return fail(overlap.error());
  const std::uint64_t seconds = overlap->value_or(gate::overlap_seconds_default);
  ApiRequest request{.method = "POST", .path = "/v1/clients/" + id + "/rotate"};
  wire::JsonWriter json(request.body);
  json.begin_object();
  json.member("overlap_seconds", seconds);
  json.end_object();
  return take_secret(arguments, gate::ClientRotation{*client, base::seconds(static_cast<std::int64_t>(seconds))}, request, "rotated");
}

int run_revoke(const Arguments& arguments) {
  const std::string& id = arguments.operands()[0];
  const auto client = model::parse_client_id(id);
  if (!client) return fail({"option_value_malformed", "\"" + id + "\" is not a client id like cl_1"});
  io::RealFileSystem files;
  const auto place = offline_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  if (*place) {
    const auto answer = ask_offline(files, **place, gate::ClientRevocation{*client});
    if (!answer.ok()) return fail(answer.error());
  } else {
    Credentials used;
    const auto reply =
        ask_online(files, arguments, {.method = "POST", .path = "/v1/clients/" + id + "/revoke", .query = {}, .body = "{}"}, used);
    if (!reply.ok()) return fail(reply.error());
  }
  return report(arguments, id, "revoked");
}

std::vector<Option> with_places(std::vector<Option> options) {
  options.push_back({"--data", "DIR", "a data directory; asked directly if no service works on it"});
  options.push_back({"--master-key", "FILE", "of that directory; default DIR.master-key"});
  options.push_back({"--credentials", "FILE", "a running service (holdfast help credentials)"});
  options.push_back({"--key", "KEY", "idempotency key; drawn at random unless given"});
  return options;
}

std::vector<Option> with_secret(std::vector<Option> options) {
  options.push_back({"--out", "FILE", "where the credentials go, mode 0600"});
  options.push_back({"--url", "URL", "the service's address, for that file"});
  options.push_back({"--ca-file", "FILE", "who vouches for its certificate, for that file"});
  return with_places(std::move(options));
}

}  // namespace

Command client_command() {
  return {.name = "client",
          .summary = "create, rotate and revoke clients",
          .examples = "  holdfast client create --name shop --scopes transfers:write,transfers:read --out shop.json --data /var/lib/holdfast\n"
                      "  holdfast client rotate cl_2 --overlap-seconds 3600 --out shop.json\n"
                      "  holdfast client revoke cl_2\n",
          .verbs = {{"create", "", 0, 0, "makes a client; its secret goes into a file and is shown nowhere else",
                     with_secret({{"--name", "NAME", "what people call it"},
                                  {"--scopes", "LIST", "comma-separated, or all"},
                                  {"--person", "", "a person, not a service"}}),
                     run_create},
                    {"rotate", "ID", 1, 1, "gives it a new secret; the former one passes for a while",
                     with_secret({{"--overlap-seconds", "N", "how long; a day unless given"}}), run_rotate},
                    {"revoke", "ID", 1, 1, "shuts it out for ever", with_places({}), run_revoke}}};
}

}  // namespace holdfast
