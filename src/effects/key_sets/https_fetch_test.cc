#include "effects/key_sets/https_fetch.h"

#include <cstdlib>
#include <memory>

#include "effects/http/scripted_server_for_tests.h"
#include "effects/key_sets/names_for_tests.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"

#include <doctest/doctest.h>

namespace {

using effects::Fetched;
using effects::FetchOrder;
using effects::FetchStep;
using effects::http_reply;
using effects::ScriptedNames;
using effects::ScriptedReply;
using effects::ScriptedServer;

// A server, names that lead to it, and an order for its address that would be good.
struct World {
  explicit World(ScriptedServer::Script script) : server(std::move(script)) {
    io::RealFileSystem files;
    io::replace_file(files, directory.path() + "/ca.pem", base::as_bytes(server.authority.certificate_pem)).value();
    names.say("localhost", {{"127.0.0.1"}});
    order.url = "https://localhost:" + std::to_string(server.port()) + "/jwks";
    order.rules = {.hosts = {"localhost"}, .networks = {*intake::parse_network("127.0.0.1/32")}};
    order.ca_file = directory.path() + "/ca.pem";
    order.bytes_max = 4'096;
  }
  Fetched get() { return effects::HttpsFetch(names, *clock).get(order); }
  std::string code() {
    const Fetched fetched = get();
    return fetched.failure ? std::string(effects::name_of(fetched.failure->step)) + " " + fetched.failure->error.code : "ok";
  }

  io::TemporaryDirectory directory;
  ScriptedServer server;
  ScriptedNames names;
  std::unique_ptr<io::RealClock> clock = io::RealClock::open().value();
  FetchOrder order;
};

ScriptedReply answer(std::string bytes) { return {.bytes = std::move(bytes), .end = ScriptedReply::End::close}; }
ScriptedServer::Script always(std::string bytes) {
  return [bytes = std::move(bytes)](const std::string&) { return answer(bytes); };
}

}  // namespace

TEST_CASE("a good answer comes with its headers, and with every step on the way") {
  World world(always("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"7\"\r\ncache-control: public\r\nCache-Control: max-age=600\r\n"
                     "Age: 5\r\ncontent-length: 2\r\n\r\n{}"));
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  const Fetched fetched = world.get();
  ::unsetenv("https_proxy");
  ::unsetenv("ALL_PROXY");
  REQUIRE_MESSAGE(!fetched.failure, (fetched.failure ? fetched.failure->error.message : ""));
  CHECK_EQ(base::as_text(fetched.body), "{}");
  CHECK_EQ(fetched.headers.etag, "\"7\"");
  CHECK_EQ(fetched.headers.cache_control, "public, max-age=600");
  CHECK_EQ(fetched.headers.for_cache().age, "5");
  REQUIRE_EQ(fetched.steps.size(), 5);
  for (std::size_t i = 0; i < fetched.steps.size(); ++i) CHECK_EQ(static_cast<std::size_t>(fetched.steps[i].step), i);
  CHECK_EQ(fetched.steps[2].finding, "to 127.0.0.1");
  CHECK_NE(fetched.steps[3].finding.find("rail"), std::string::npos);
  CHECK_EQ(fetched.steps[4].finding, "200, application/json, 2 bytes");
  const std::string request = world.server.requests().at(0);
  CHECK(request.starts_with("GET /jwks HTTP/1.1\r\n"));
  CHECK_EQ(request.find("If-None-Match"), std::string::npos);
  CHECK_EQ(request.find("Accept-Encoding"), std::string::npos);
}

TEST_CASE("an entity tag asks conditionally, and 304 is an answer only then") {
  World world(always("HTTP/1.1 304 Not Modified\r\nETag: \"7\"\r\n\r\n"));
  CHECK_EQ(world.code(), "http fetch_http_status");
  world.order.entity_tag = "\"7\"";
  const Fetched fetched = world.get();
  CHECK_FALSE(fetched.failure);
  CHECK(fetched.not_modified);
  CHECK_NE(world.server.requests().at(1).find("If-None-Match: \"7\"\r\n"), std::string::npos);
}

TEST_CASE("nothing is asked of a name before its address was judged, and only that address is asked") {
  World world(always(http_reply(200, "application/json", "{}")));
  for (const char* forbidden : {"127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::127.0.0.1", "fe80::1", "0.0.0.0"}) {
    CAPTURE(forbidden);
    world.names.say("localhost", {{forbidden}});
    CHECK_EQ(world.code(), "dns fetch_target_is_forbidden");
    world.names.say("localhost", {{"127.0.0.1", forbidden}});
    CHECK_EQ(world.code(), "dns fetch_target_is_forbidden");
  }
  CHECK_EQ(world.server.connections, 0);
  // A name that changes its mind: looked at once, connected to what was looked at; asked again, judged again.
  world.names.say("localhost", {{"127.0.0.1"}, {"127.0.0.2"}});
  world.names.asked = 0;
  CHECK_EQ(world.code(), "ok");
  CHECK_EQ(world.names.asked, 1);
  CHECK_EQ(world.code(), "dns fetch_target_is_forbidden");
  CHECK_EQ(world.server.connections, 1);
  world.names.say("localhost", {{}});
  CHECK_EQ(world.code(), "dns fetch_host_not_found");
}

TEST_CASE("an address that nobody answers is left for the next one of the same judged answer") {
  World world(always(http_reply(200, "application/json", "{}")));
  world.order.rules.networks.push_back(*intake::parse_network("127.0.0.3/32"));
  world.names.say("localhost", {{"127.0.0.3", "127.0.0.1"}});
  CHECK_EQ(world.code(), "ok");
}

TEST_CASE("addresses that may not be asked are refused before any name is") {
  World world(always(http_reply(200, "application/json", "{}")));
  for (const char* url : {"http://localhost/", "file:///etc/passwd", "https://evil.example/", "https://user@localhost/", "https://127.0.0.1/"}) {
    CAPTURE(url);
    world.order.url = url;
    CHECK(world.code().starts_with("address fetch_"));
  }
  CHECK_EQ(world.names.asked, 0);
}

TEST_CASE("redirects are not followed, errors are errors, and both say what they were") {
  std::string reply = "HTTP/1.1 302 Found\r\nLocation: https://10.0.0.1/admin\r\ncontent-length: 0\r\n\r\n";
  World world([&](const std::string&) { return answer(reply); });
  const Fetched redirected = world.get();
  REQUIRE(redirected.failure);
  CHECK_EQ(std::string(redirected.failure->error.code), "fetch_redirected");
  CHECK_EQ(redirected.failure->error.message, "302 to https://10.0.0.1/admin");
  CHECK_EQ(world.server.requests().size(), 1);
  reply = http_reply(503, "text/html", "<h1>no</h1>");
  CHECK_EQ(world.code(), "http fetch_http_status");
  reply = "SSH-2.0-OpenSSH_9.2\r\n";
  CHECK_EQ(world.code(), "http fetch_reply_malformed");
  reply = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}";
  CHECK_EQ(world.code(), "http fetch_connection_lost");
  reply = "";
  CHECK_EQ(world.code(), "http fetch_connection_lost");
}

TEST_CASE("a large answer is not read to its end, whether it says its length or not, and neither are large headers") {
  std::string reply = http_reply(200, "application/json", std::string(10'000'000, ' '));
  World world([&](const std::string&) { return answer(reply); });
  CHECK_EQ(world.code(), "http fetch_reply_too_large");
  reply = "HTTP/1.1 200 OK\r\n\r\n" + std::string(5'000, ' ');
  CHECK_EQ(world.code(), "http fetch_reply_too_large");
  reply = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1'000; ++i) reply += "x-filler: 0123456789012345\r\n";
  reply += "\r\n{}";
  CHECK_EQ(world.code(), "http fetch_reply_too_large");
}

TEST_CASE("an answer that drips, comes late or never ends with the time for the whole") {
  ScriptedReply reply{.bytes = http_reply(200, "application/json", "{}"), .drip_ms = 50};
  World world([&](const std::string&) { return reply; });
  world.order.total_max = base::milliseconds(300);
  CHECK_EQ(world.code(), "http fetch_reply_timed_out");
  reply = {.bytes = "", .end = ScriptedReply::End::hold};
  CHECK_EQ(world.code(), "http fetch_reply_timed_out");
}

TEST_CASE("nobody at the other end, or somebody who does not speak TLS, is told apart") {
  World world(always(http_reply(200, "application/json", "{}")));
  auto silent = io::Listener::open({"127.0.0.1", 0}).value();
  world.order.url = "https://localhost:" + std::to_string(silent->endpoint().port) + "/";
  world.order.connect_max = base::milliseconds(200);
  CHECK_EQ(world.code(), "tls fetch_tls_timed_out");
  silent.reset();
  CHECK_EQ(world.code(), "connect fetch_connect_failed");
}

TEST_CASE("whom not to believe: another authority, another name, a missing file of anchors") {
  World world(always(http_reply(200, "application/json", "{}")));
  const std::string good = world.order.url;
  world.names.say("other.example", {{"127.0.0.1"}});
  world.order.rules.hosts.push_back("other.example");
  world.order.url = "https://other.example:" + std::to_string(world.server.port()) + "/";
  CHECK_EQ(world.code(), "tls fetch_certificate_name_differs");
  world.order.url = good;
  world.order.ca_file.clear();
  CHECK_EQ(world.code(), "tls fetch_certificate_chain_incomplete");
  const std::string stranger = world.directory.path() + "/stranger.pem";
  io::RealFileSystem files;
  io::replace_file(files, stranger, base::as_bytes(io::make_test_identity("stranger", "").certificate_pem)).value();
  world.order.ca_file = stranger;
  CHECK_EQ(world.code(), "tls fetch_certificate_chain_incomplete");
  world.order.ca_file = world.directory.path() + "/nothing.pem";
  CHECK_EQ(world.code(), "tls fetch_ca_file_unusable");
}

TEST_CASE("every code has one row, in the order of the steps, and stands in the documents") {
  FetchStep last = FetchStep::address;
  io::RealFileSystem files;
  const auto page = io::read_whole_file(files, std::string(HOLDFAST_SOURCE_DIR) + "/docs/key-sets.md", 1 << 20);
  REQUIRE(page.ok());
  for (const effects::FetchAdvice& row : effects::fetch_advice()) {
    CAPTURE(row.code);
    CHECK_EQ(effects::advice_on(row.code), &row);
    CHECK_NE(base::as_text(*page).find("| `" + std::string(row.code) + "` | " + std::string(effects::name_of(row.step)) + " |"), std::string_view::npos);
    CHECK_GE(static_cast<int>(row.step), static_cast<int>(last));
    CHECK_FALSE(row.advice.empty());
    CHECK_FALSE(effects::name_of(row.party).empty());
    last = row.step;
  }
  CHECK_EQ(effects::advice_on("key_set_is_empty"), nullptr);
}
