#include "intake/fetch_rules.h"

#include <doctest/doctest.h>

namespace {

using namespace intake;

Address address(std::string_view text) {
  const auto parsed = crypto::chain::parse_address(text);
  REQUIRE_MESSAGE(parsed.has_value(), std::string(text));
  return *parsed;
}
std::string reach(std::string_view text) { return std::string(name_of(reach_of(address(text)))); }

FetchRules rules() { return {.hosts = {"keys.partner.example", "*.cdn.example"}, .networks = {}, .plain_http = false}; }
std::string code(std::string_view url, const FetchRules& with = rules()) {
  const auto target = check_fetch_url(url, with);
  return target.ok() ? "ok" : target.error().code;
}

}  // namespace

TEST_CASE("addresses that are not for everybody are told, in every clothing") {
  for (const char* text : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "172.15.255.255", "192.167.1.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"}) {
    CAPTURE(text);
    CHECK_EQ(reach(text), "everybody");
  }
  for (const auto& [text, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"127.0.0.1", "loopback"},        {"127.255.255.254", "loopback"},   {"::1", "loopback"},
           {"10.0.0.1", "ours"},             {"172.16.0.1", "ours"},            {"172.31.255.255", "ours"},
           {"192.168.1.1", "ours"},          {"100.64.0.1", "ours"},            {"fd12:3456::1", "ours"},
           {"fc00::1", "ours"},              {"fec0::1", "ours"},               {"169.254.1.1", "link"},
           {"fe80::1", "link"},              {"169.254.169.254", "metadata"},   {"fd00:ec2::254", "metadata"},
           {"100.100.100.200", "metadata"},  {"168.63.129.16", "metadata"},     {"192.0.0.192", "metadata"},
           {"224.0.0.1", "group"},           {"255.255.255.255", "group"},      {"ff02::1", "group"},
           {"0.0.0.0", "nowhere"},           {"0.1.2.3", "nowhere"},            {"::", "nowhere"},
           {"192.0.2.1", "nowhere"},         {"198.18.0.1", "nowhere"},         {"240.0.0.1", "nowhere"},
           {"2001:db8::1", "nowhere"},       {"2001:0:4136:e378::1", "nowhere"}, {"4000::1", "nowhere"},
           {"::ffff:127.0.0.1", "loopback"}, {"::ffff:10.0.0.1", "ours"},       {"::ffff:169.254.169.254", "metadata"},
           {"::127.0.0.1", "loopback"},      {"::10.0.0.1", "ours"},            {"64:ff9b::10.0.0.1", "ours"},
           {"64:ff9b:1::10.0.0.1", "ours"},  {"2002:7f00:1::", "loopback"},     {"2002:a00:1::", "ours"},
           {"::ffff:0:10.0.0.1", "ours"}}) {
    CAPTURE(text);
    CHECK_EQ(reach(text), expected);
  }
}

TEST_CASE("one forbidden address among those a name resolves to refuses it whole") {
  const std::vector<Address> good{address("8.8.8.8"), address("2606:4700::1111")};
  const auto pinned = pin_address(good, rules());
  REQUIRE(pinned.ok());
  CHECK_EQ(crypto::chain::address_text(pinned->view()), "8.8.8.8");
  const std::vector<Address> mixed{address("8.8.8.8"), address("::ffff:127.0.0.1")};
  REQUIRE_FALSE(pin_address(mixed, rules()).ok());
  CHECK_EQ(std::string(pin_address(mixed, rules()).error().code), "fetch_target_is_forbidden");
  CHECK_EQ(pin_address(mixed, rules()).error().message, "::ffff:127.0.0.1 is not a public address (loopback)");
  CHECK_EQ(std::string(pin_address({}, rules()).error().code), "fetch_host_has_no_address");
  // A network that the operator named.
  FetchRules inside = rules();
  inside.networks = {*parse_network("10.1.0.0/16")};
  const std::vector<Address> ours{address("10.1.2.3")}, other{address("10.2.2.3")};
  CHECK(pin_address(ours, inside).ok());
  CHECK_FALSE(pin_address(other, inside).ok());
  // Where clouds keep credentials is never meant by the network around it.
  const std::vector<Address> metadata{address("169.254.169.254")};
  inside.networks = {*parse_network("169.254.0.0/16")};
  CHECK_FALSE(pin_address(metadata, inside).ok());
  inside.networks.push_back(*parse_network("169.254.169.254/32"));
  CHECK(pin_address(metadata, inside).ok());
}

TEST_CASE("networks are written with their prefix and nothing behind it") {
  CHECK(parse_network("0.0.0.0/0")->holds(address("1.2.3.4")));
  CHECK_FALSE(parse_network("0.0.0.0/0")->holds(address("::1")));
  CHECK(parse_network("fd00::/8")->holds(address("fd12::1")));
  for (const char* bad : {"10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "x/8", "fd00::/129"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_network(bad).has_value());
  }
}

TEST_CASE("URLs are https, on the list, and have no second reading") {
  CHECK_EQ(code("https://keys.partner.example/jwks.json"), "ok");
  CHECK_EQ(code("HTTPS://Keys.Partner.Example:8443/jwks?x=1"), "ok");
  CHECK_EQ(code("https://a.cdn.example"), "ok");
  const auto target = check_fetch_url("https://Keys.partner.example.:8443?v=1", rules());
  REQUIRE(target.ok());
  CHECK_EQ(target->host, "keys.partner.example");
  CHECK_EQ(target->port, 8'443);
  CHECK_EQ(target->path, "/?v=1");
  CHECK_EQ(code("http://keys.partner.example/"), "fetch_scheme_not_allowed");
  CHECK_EQ(code("file:///etc/passwd"), "fetch_scheme_not_allowed");
  CHECK_EQ(code("gopher://keys.partner.example/"), "fetch_scheme_not_allowed");
  CHECK_EQ(code("https://evil.example/"), "fetch_host_not_allowed");
  CHECK_EQ(code("https://a.b.cdn.example/"), "fetch_host_not_allowed");
  CHECK_EQ(code("https://127.0.0.1/"), "fetch_host_not_allowed");
  CHECK_EQ(code("https://[::1]/"), "fetch_host_not_allowed");
  for (const char* bad : {"", "keys.partner.example/jwks", "https://user@keys.partner.example/", "https://keys.partner.example@evil.example/", "https://keys.partner.example/#x",
                          "https://keys.partner.example\\@evil.example/", "https://keys.partner.example/a b", "https://keys.partner.example:0/", "https://keys.partner.example:99999/",
                          "https://keys.partner.example:8a/", "https://[::1/", "https://[keys]/", "https://2130706433/", "https://0x7f.1/", "https:///x", "https://a..b/"}) {
    CAPTURE(bad);
    CHECK_EQ(code(bad), "fetch_address_malformed");
  }
  CHECK_EQ(code("https://keys.partner.example/" + std::string(2'100, 'a')), "fetch_address_malformed");
  FetchRules plain = rules();
  plain.plain_http = true;
  const auto http = check_fetch_url("http://keys.partner.example/ca.cer", plain);
  REQUIRE(http.ok());
  CHECK_FALSE(http->tls);
  CHECK_EQ(http->port, 80);
}
