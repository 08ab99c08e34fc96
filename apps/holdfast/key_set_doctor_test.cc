// holdfast doctor jwks, as a script meets it against a server of its own, and with names that a test makes up.

#include "apps/holdfast/key_set_doctor.h"

#include <sys/wait.h>

#include <cstdio>
#include <mutex>
#include <utility>

#include "effects/http/scripted_server_for_tests.h"
#include "effects/key_sets/names_for_tests.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "wire/json_value.h"

#include <doctest/doctest.h>

namespace holdfast {
namespace {

using effects::http_reply;
using effects::ScriptedReply;
using effects::ScriptedServer;

// RFC 8037 appendix A.2 and A.1.
const std::string public_key = R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k1"})";
const std::string private_key =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k2"})";

struct Said {
  int code = -1;
  std::string text;
};
Said run(const std::string& words) {
  Said said;
  FILE* const pipe = ::popen((std::string(HOLDFAST_PROGRAM) + " doctor jwks " + words + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) said.text.append(buffer, n);
  const int status = ::pclose(pipe);
  said.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return said;
}
bool says(const Said& said, std::string_view words) { return said.text.find(words) != std::string::npos; }

// A host whose key set a test can change; also a provider with a configuration.
struct Host {
  Host() : server([this](const std::string& request) { return answer(request); }) {
    io::RealFileSystem files;
    io::replace_file(files, directory / "ca.pem", base::as_bytes(server.authority.certificate_pem)).value();
    const std::lock_guard lock(mutex);
    origin = "https://localhost:" + std::to_string(server.port());
  }
  // On a thread of the server.
  ScriptedReply answer(const std::string& request) const {
    const std::lock_guard lock(mutex);
    if (!request.starts_with("GET /.well-known/")) return reply;
    return {.bytes = http_reply(200, "application/json", R"({"issuer":")" + origin + R"(","jwks_uri":")" + key_set_url + R"("})")};
  }
  void publish(ScriptedReply next) {
    const std::lock_guard lock(mutex);
    reply = std::move(next);
  }
  void point_to(std::string url) {
    const std::lock_guard lock(mutex);
    key_set_url = std::move(url);
  }
  std::string options() const { return " --allow-private localhost --ca " + (directory / "ca.pem"); }
  Said look(const std::string& more = "") const { return run(origin + "/keys" + options() + more); }

  mutable std::mutex mutex;
  io::TemporaryDirectory directory;
  std::string origin, key_set_url;
  ScriptedReply reply{.bytes = http_reply(200, "application/json", R"({"keys":[)" + public_key + "]}")};
  ScriptedServer server;
};

}  // namespace

TEST_CASE("doctor jwks walks to the keys and says what it saw at each step") {
  Host host;
  const Said said = host.look();
  CHECK_MESSAGE(said.code == 0, said.text);
  for (const char* words : {"ok    address", "ok    dns", "127.0.0.1", "ok    connect", "ok    tls", "ok    http", "ok    json", "ok    keys", "1 usable key\n", "k1", "kept for 600 s"}) {
    CAPTURE(words);
    CHECK(says(said, words));
  }
  const Said json = host.look(" --json");
  CHECK_EQ(json.code, 0);
  const auto document = wire::parse_json(base::as_bytes(json.text));
  REQUIRE(document.ok());
  CHECK(document->root().find("good")->boolean().value());
  CHECK_EQ(document->root().find("keys")->size(), 1);
  CHECK_EQ((*document->root().find("documents")->elements().begin()).find("steps")->size(), effects::fetch_steps);
}

TEST_CASE("doctor jwks names the step that failed, the code, and who has to act") {
  Host host;
  Said said = run(host.origin + "/keys --ca " + (host.directory / "ca.pem"));
  CHECK_EQ(said.code, 1);
  CHECK(says(said, "FAIL  dns"));
  CHECK(says(said, "[fetch_target_is_forbidden]"));
  CHECK(says(said, "connect: not reached"));
  CHECK_EQ(host.server.connections, 0);
  said = run(host.origin + "/keys --allow-private localhost");
  CHECK_EQ(said.code, 1);
  CHECK(says(said, "FAIL  tls"));
  CHECK(says(said, "who acts: partner"));
  host.publish({.bytes = "HTTP/1.1 302 X\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"});
  said = host.look(" --json");
  CHECK_EQ(said.code, 1);
  CHECK(says(said, R"("failed_step":"http")"));
  CHECK(says(said, R"("code":"fetch_redirected")"));
  CHECK(says(said, R"("responsible_party":"partner")"));
  host.publish({.bytes = http_reply(200, "text/html", "<!DOCTYPE html><html><body>Login</body></html>")});
  said = host.look();
  CHECK(says(said, "FAIL  json"));
  CHECK(says(said, "[content_is_an_error_page]"));
  host.publish({.bytes = http_reply(200, "application/json", R"({"keys":[]})")});
  CHECK(says(host.look(), "FAIL  keys"));
  host.publish({.bytes = http_reply(200, "application/json", R"({"keys":[)" + private_key + "," + public_key + "]}")});
  said = host.look();
  CHECK_EQ(said.code, 1);
  CHECK(says(said, "PRIVATE KEY SHOWN"));
  CHECK_FALSE(says(said, "nWGxne"));
}

TEST_CASE("doctor jwks goes by way of a provider's configuration, and no further than it was allowed") {
  Host host;
  const std::string url = host.origin + "/.well-known/openid-configuration";
  host.point_to(host.origin + "/keys");
  Said said = run(url + host.options());
  CHECK_MESSAGE(said.code == 0, said.text);
  CHECK(says(said, "the keys of " + host.origin + " are at " + host.origin + "/keys"));
  said = run(url + host.options() + " --issuer " + host.origin + "/");
  CHECK_EQ(said.code, 1);
  CHECK(says(said, "[discovery_names_another_issuer]"));
  CHECK(says(said, "slash"));
  host.point_to("https://elsewhere.example/keys");
  said = run(url + host.options());
  CHECK_EQ(said.code, 1);
  CHECK(says(said, "[fetch_host_not_allowed]"));
}

TEST_CASE("doctor jwks refuses to ask what nobody should ask") {
  for (const char* words : {"http://localhost/keys", "file:///etc/passwd", "https://user@localhost/", "https://localhost/keys --allow-private elsewhere.example",
                            "https://localhost/keys --issuer https://elsewhere.example", ""}) {
    CAPTURE(words);
    CHECK_EQ(run(words).code, 2);
  }
}

TEST_CASE("a name that answers differently the second time changes nothing about where we went") {
  Host host;
  effects::ScriptedNames names;
  names.say("localhost", {{"127.0.0.1"}, {"169.254.169.254"}});
  const auto clock = io::RealClock::open().value();
  effects::KeySetFetchByHttps fetch(names, *clock);
  KeySetQuestion question;
  question.url = host.origin + "/keys";
  question.ca_file = host.directory / "ca.pem";
  question.private_networks = true;
  const effects::KeySetSource source = key_set_source_of(question).value();
  CHECK(diagnose_key_set(source, fetch).good());
  const KeySetDiagnosis second = diagnose_key_set(source, fetch);
  REQUIRE(second.fetched.failure);
  CHECK_EQ(std::string(second.fetched.failure->error.code), "fetch_target_is_forbidden");
  CHECK_EQ(host.server.connections, 1);
}

}  // namespace holdfast
