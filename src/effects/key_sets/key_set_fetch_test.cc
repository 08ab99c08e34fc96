#include "effects/key_sets/key_set_fetch.h"

#include "effects/http/scripted_server_for_tests.h"
#include "effects/key_sets/names_for_tests.h"
#include "intake/key_set_reader.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"

#include <doctest/doctest.h>

namespace {

using effects::FetchedKeySet;
using effects::http_reply;
using effects::ScriptedReply;
using effects::ScriptedServer;

// RFC 7517 appendix A.1.
const std::string key_set =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"}]})";

// A provider whose two documents a test can change.
struct Provider {
  Provider() : server([this](const std::string& request) { return answer(request); }) {
    io::RealFileSystem files;
    io::replace_file(files, directory / "ca.pem", base::as_bytes(server.authority.certificate_pem)).value();
    names.say("localhost", {{"127.0.0.1"}});
    source.issuer = "https://localhost:" + std::to_string(server.port());
    source.rules = {.hosts = {"localhost"}, .networks = {*intake::parse_network("127.0.0.1/32")}};
    source.ca_file = directory / "ca.pem";
    configuration = R"({"issuer":")" + source.issuer + R"(","jwks_uri":")" + source.issuer + R"(/keys"})";
  }
  ScriptedReply answer(const std::string& request) {
    if (request.find("If-None-Match: \"k1\"") != std::string::npos) return {.bytes = "HTTP/1.1 304 X\r\ncache-control: max-age=900\r\n\r\n"};
    if (request.starts_with("GET /.well-known/openid-configuration ")) return {.bytes = http_reply(200, "application/json", configuration)};
    return {.bytes = "HTTP/1.1 200 X\r\netag: \"k1\"\r\ncontent-length: " + std::to_string(keys.size()) + "\r\n\r\n" + keys};
  }
  FetchedKeySet fetch(const effects::KeySetValidator& last = {}) { return effects::KeySetFetchByHttps(names, *clock).fetch(source, last); }
  std::string code() {
    const FetchedKeySet fetched = fetch();
    return fetched.failure ? std::string(effects::name_of(fetched.failure->step)) + " " + fetched.failure->error.code : "ok";
  }

  io::TemporaryDirectory directory;
  std::string configuration, keys = key_set;
  effects::ScriptedNames names;
  std::unique_ptr<io::RealClock> clock = io::RealClock::open().value();
  effects::KeySetSource source;
  ScriptedServer server;
};

}  // namespace

TEST_CASE("a key set comes by its own address, and conditionally once it is known") {
  Provider provider;
  provider.source.url = provider.source.issuer + "/keys";
  const FetchedKeySet fetched = provider.fetch();
  REQUIRE_MESSAGE(!fetched.failure, (fetched.failure ? fetched.failure->error.message : ""));
  REQUIRE_EQ(fetched.keys.size(), 1);
  CHECK_EQ(fetched.keys[0].kid, "1");
  REQUIRE_EQ(fetched.documents.size(), 1);
  CHECK_EQ(fetched.documents[0].steps.size(), effects::fetch_steps);
  CHECK_EQ(fetched.validator().entity_tag, "\"k1\"");
  CHECK(provider.fetch(fetched.validator()).not_modified);
  // A tag that was given for another address says nothing about this one.
  CHECK_EQ(provider.fetch({provider.source.issuer + "/old", "\"k1\""}).keys.size(), 1);
}

TEST_CASE("a key set comes by way of the provider's configuration, which must speak for its issuer and stay within the rules") {
  Provider provider;
  const FetchedKeySet fetched = provider.fetch();
  REQUIRE_MESSAGE(!fetched.failure, (fetched.failure ? fetched.failure->error.message : ""));
  CHECK_EQ(fetched.documents.size(), 2);
  CHECK_EQ(fetched.validator().url, provider.source.issuer + "/keys");
  CHECK(provider.fetch(fetched.validator()).not_modified);
  const std::string good = provider.configuration, issuer = provider.source.issuer;
  provider.configuration = R"({"issuer":"https://evil.example","jwks_uri":")" + issuer + R"(/keys"})";
  CHECK_EQ(provider.code(), "json discovery_names_another_issuer");
  provider.configuration = R"({"issuer":")" + issuer + R"("})";
  CHECK_EQ(provider.code(), "json discovery_has_no_key_set_address");
  provider.configuration = "<html>";
  CHECK_EQ(provider.code(), "json discovery_malformed");
  for (const char* elsewhere : {"https://evil.example/keys", "http://localhost/keys", "file:///etc/passwd"}) {
    CAPTURE(elsewhere);
    provider.configuration = R"({"issuer":")" + issuer + R"(","jwks_uri":")" + elsewhere + R"("})";
    CHECK(provider.code().starts_with("address fetch_"));
  }
  provider.configuration = good;
  provider.names.say("localhost", {{"127.0.0.1"}, {"169.254.169.254"}});  // between the two documents
  CHECK_EQ(provider.code(), "dns fetch_target_is_forbidden");
}

TEST_CASE("an answer that is no key set fails at its step, with the doctor's word for it") {
  Provider provider;
  provider.source.url = provider.source.issuer + "/keys";
  provider.keys = "<!DOCTYPE html><html><body>Login</body></html>";
  CHECK_EQ(provider.code(), "json content_is_an_error_page");
  provider.keys = R"({"keys":[]})";
  CHECK_EQ(provider.code(), "keys key_set_is_empty");
  provider.keys = R"({"keys":[{"kty":"RSA")";
  CHECK(provider.code().starts_with("json "));
  provider.keys = std::string(intake::key_set_bytes_max + 1, ' ');
  CHECK_EQ(provider.code(), "http fetch_reply_too_large");
}

TEST_CASE("a source at one address asks its own host and no other") {
  const std::vector<std::string> networks{"10.1.0.0/16"}, wrong{"10.1.0.0"};
  const auto source = effects::key_set_at("rail bank-a", "https://Bank.example/keys", networks);
  REQUIRE(source.ok());
  CHECK(source->rules.hosts == std::vector<std::string>{"bank.example"});
  CHECK_EQ(source->rules.networks.size(), 1);
  CHECK_EQ(std::string(effects::key_set_at("x", "http://bank.example/keys", {}).error().code), "fetch_scheme_not_allowed");
  CHECK_EQ(std::string(effects::key_set_at("x", "https://bank.example/keys", wrong).error().code), "key_set_network_malformed");
}
