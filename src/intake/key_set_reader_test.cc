#include "intake/key_set_reader.h"

#include <doctest/doctest.h>

namespace {

using intake::read_key_set;

// RFC 7517 appendix A.1 (P-256) and RFC 8037 appendix A.2.
const std::string ec =
    R"({"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"})";
const std::string okp = R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"2"})";
const std::string okp_private =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"3"})";

std::string set(const std::string& keys) { return "{\"keys\":[" + keys + "]}"; }
std::string code(const std::string& body) {
  const auto keys = read_key_set(base::as_bytes(body));
  return keys.ok() ? "ok" : keys.error().code;
}

}  // namespace

TEST_CASE("the sound keys of a set are read, others are left out") {
  const auto keys = read_key_set(base::as_bytes(set(ec + "," + okp + R"(,{"kty":"new","kid":"9"})")));
  REQUIRE(keys.ok());
  REQUIRE_EQ(keys->size(), 2);
  CHECK_EQ((*keys)[0].kid, "1");
  CHECK_EQ((*keys)[1].thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  CHECK_FALSE((*keys)[1].canonical.empty());
}

TEST_CASE("a private key in a set is marked, and only its public half is given on") {
  const auto keys = read_key_set(base::as_bytes(set(okp_private)));
  REQUIRE(keys.ok());
  REQUIRE_EQ(keys->size(), 1);
  CHECK((*keys)[0].private_part);
  CHECK_EQ((*keys)[0].thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  CHECK_LT((*keys)[0].canonical.size(), 50);
}

TEST_CASE("an answer without keys says what it is instead") {
  CHECK_EQ(code(set("")), "key_set_is_empty");
  CHECK_EQ(code("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"), "content_is_an_error_page");
  CHECK_EQ(code(""), "input_is_empty");
  CHECK_EQ(code(std::string(300'000, ' ')), "key_set_is_too_large");
  std::string many = okp;
  for (int i = 0; i < 101; ++i) many += "," + okp;
  CHECK_EQ(code(set(many)), "key_set_is_too_large");
}
