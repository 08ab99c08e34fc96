#include "effects/key_sets/discovery.h"

#include <doctest/doctest.h>

namespace {

using effects::check_issuer;
using effects::read_discovery;

std::string code(std::string_view text) {
  const auto document = read_discovery(base::as_bytes(text));
  return document.ok() ? "ok" : document.error().code;
}
std::string verdict(std::string_view said, std::string_view wanted) {
  const base::Status status = check_issuer({std::string(said), ""}, wanted);
  return status.ok() ? "ok" : status.error().message.substr(status.error().message.rfind(": ") + 2);
}

}  // namespace

TEST_CASE("two members of a provider's configuration count, whatever else it says") {
  const auto document =
      read_discovery(base::as_bytes(R"({"issuer":"https://id.example","scopes_supported":["openid"],"jwks_uri":"https://id.example/keys"})"));
  REQUIRE(document.ok());
  CHECK_EQ(document->issuer, "https://id.example");
  CHECK_EQ(document->key_set_url, "https://id.example/keys");
  CHECK_EQ(code("<html></html>"), "discovery_malformed");
  CHECK_EQ(code("[]"), "discovery_malformed");
  CHECK_EQ(code("{}"), "discovery_malformed");
  CHECK_EQ(code(R"({"issuer":1,"jwks_uri":"x"})"), "discovery_malformed");
  CHECK_EQ(code(R"({"issuer":"a","issuer":"b","jwks_uri":"x"})"), "discovery_malformed");
  CHECK_EQ(code(R"({"issuer":"https://id.example"})"), "discovery_has_no_key_set_address");
  CHECK_EQ(code(R"({"issuer":"https://id.example","jwks_uri":["https://id.example/keys"]})"), "discovery_has_no_key_set_address");
}

TEST_CASE("an issuer is compared letter by letter, and the difference is named") {
  CHECK_EQ(verdict("https://id.example", "https://id.example"), "ok");
  CHECK_EQ(verdict("https://id.example/", "https://id.example"), "one ends with a slash, the other does not");
  CHECK_EQ(verdict("http://id.example", "https://id.example"), "the schemes differ");
  CHECK_EQ(verdict("https://ID.example", "https://id.example"), "they differ in upper and lower case");
  CHECK_EQ(verdict("https://evil.example", "https://id.example"), "they name different parties");
}

TEST_CASE("where the document of an issuer lies") {
  CHECK_EQ(effects::discovery_url_of("https://id.example/t1"), "https://id.example/t1/.well-known/openid-configuration");
  CHECK_EQ(effects::discovery_url_of("https://id.example/"), "https://id.example/.well-known/openid-configuration");
  CHECK_EQ(effects::issuer_of_discovery_url("https://id.example/t1/.well-known/openid-configuration"), "https://id.example/t1");
  CHECK_EQ(effects::issuer_of_discovery_url("https://id.example/jwks"), "");
}
