#include "effects/revocation/revocation_fetch.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "effects/http/scripted_server_for_tests.h"
#include "effects/key_sets/names_for_tests.h"

#include <doctest/doctest.h>

namespace {

using effects::read_revocation_rules;
using effects::ScriptedReply;
using effects::ScriptedServer;

std::string code_of(std::string_view hosts, std::string_view networks = {}) {
  const auto rules = read_revocation_rules(hosts, networks);
  return rules.ok() ? "ok" : std::string(rules.error().code);
}

}  // namespace

TEST_CASE("hosts and networks are lists, and nothing in them is guessed") {
  const auto rules = read_revocation_rules("CRL.ca.example, *.ocsp.example,10.1.2.3", "10.1.0.0/16, fd00::/8");
  REQUIRE(rules.ok());
  CHECK(rules->plain_http);
  CHECK_EQ(rules->hosts, std::vector<std::string>{"crl.ca.example", "*.ocsp.example", "10.1.2.3"});
  CHECK_EQ(rules->networks.size(), 2);
  CHECK_EQ(code_of(""), "ok");
  CHECK_EQ(code_of("http://crl.ca.example"), "revocation_host_malformed");
  CHECK_EQ(code_of("a.example,,b.example"), "revocation_host_malformed");
  CHECK_EQ(code_of("a.example b.example"), "revocation_host_malformed");
  CHECK_EQ(code_of("a.example", "10.1.0.0"), "revocation_network_malformed");
  CHECK_EQ(code_of("a.example", "10.1.0.1/16"), "revocation_network_malformed");
}

TEST_CASE("lists are got and responders are posted to, over plain http") {
  ScriptedServer server([](const std::string&) { return ScriptedReply{.bytes = effects::http_reply(200, "application/pkix-crl", "body"), .end = ScriptedReply::End::close}; },
                        ScriptedServer::Plain{});
  effects::ScriptedNames names;
  names.say("ca.example", {{"127.0.0.1"}});
  const auto clock = io::RealClock::open().value();
  const effects::RevocationFetch fetch(names, *clock, {.rules = read_revocation_rules("ca.example", "127.0.0.1/32").value()});
  const std::string url = "http://ca.example:" + std::to_string(server.port()) + "/a";
  const auto list = fetch.list(url);
  REQUIRE_MESSAGE(list.ok(), (list.ok() ? std::string() : list.error().message));
  CHECK_EQ(base::as_text(*list), "body");
  const auto response = fetch.response(url, base::to_bytes(base::as_bytes("question")));
  REQUIRE(response.ok());
  const auto requests = server.requests();
  REQUIRE_EQ(requests.size(), 2);
  CHECK(requests[0].starts_with("GET /a HTTP/1.1\r\n"));
  CHECK_NE(requests[0].find("Accept: application/pkix-crl\r\n"), std::string::npos);
  CHECK(requests[1].starts_with("POST /a HTTP/1.1\r\n"));
  CHECK_NE(requests[1].find("Content-Type: application/ocsp-request\r\n"), std::string::npos);
  CHECK(requests[1].ends_with("\r\n\r\nquestion"));
}

TEST_CASE("what goes on when the fetch is stopped breaks off") {
  ScriptedServer server([](const std::string&) { return ScriptedReply{.bytes = "", .end = ScriptedReply::End::hold}; }, ScriptedServer::Plain{});
  effects::ScriptedNames names;
  names.say("ca.example", {{"127.0.0.1"}});
  const auto clock = io::RealClock::open().value();
  effects::RevocationFetch fetch(names, *clock, {.rules = read_revocation_rules("ca.example", "127.0.0.1/32").value(), .total_max = base::seconds(60)});
  std::thread asking([&] { CHECK_FALSE(fetch.list("http://ca.example:" + std::to_string(server.port()) + "/a").ok()); });
  while (server.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  fetch.stop();
  asking.join();
  CHECK(fetch.is_stopping());
}
