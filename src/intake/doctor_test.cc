#include "intake/doctor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/text.h"
#include "intake/key.h"
#include "intake/key_check.h"

using namespace intake;

namespace {

// The key of RFC 8410 section 10.
constexpr std::string_view ed25519_public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
constexpr std::string_view ed25519_private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

Report look(std::string_view text, std::optional<Kind> kind = std::nullopt) {
  Expectations expected;
  expected.kind = kind;
  return examine(base::as_bytes(text), expected);
}
bool has(const Report& report, Cause cause) {
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& f) { return f.cause == cause; });
}

}  // namespace

TEST_CASE("a clean public key passes without a word") {
  const Report report = look(ed25519_public, Kind::public_key);
  REQUIRE(report.usable);
  CHECK(report.findings.empty());
  CHECK_FALSE(report.is_private);
  CHECK_EQ(report.item()->algorithm, "Ed25519");
  CHECK_EQ(base::to_hex(report.item()->canonical), "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
  CHECK_EQ(std::string_view(to_pem(report.item()->label, report.item()->canonical)), ed25519_public);
}

TEST_CASE("the thumbprint of RFC 7638, section 3.1 and RFC 8037, appendix A.3") {
  const Report rsa = look(
      R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})");
  REQUIRE(rsa.usable);
  CHECK_EQ(rsa.item()->thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  CHECK_EQ(rsa.item()->name, "2011-04-29");
  const Report okp = look(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  REQUIRE(okp.usable);
  CHECK_EQ(okp.item()->thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST_CASE("a private key in a public field is an incident and nothing of it is given out") {
  for (Kind kind : {Kind::public_key, Kind::certificate}) {
    const Report report = look(ed25519_private, kind);
    CHECK_FALSE(report.usable);
    CHECK(report.is_private);
    REQUIRE(report.top() != nullptr);
    CHECK(report.top()->severity == Severity::incident);
    CHECK(report.top()->cause == Cause::private_key_given_where_public_expected);
    for (const Item& item : report.items) CHECK(item.canonical.empty());
  }
  // Also when it is too damaged to be read.
  const Report wreck = look("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp\n", Kind::public_key);
  CHECK(wreck.top()->severity == Severity::incident);
}

TEST_CASE("findings about private input show no part of it") {
  std::string text(ed25519_private);
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  const Report report = look("\"" + text + "\"");
  REQUIRE(report.usable);
  CHECK(has(report, Cause::text_is_quoted));
  CHECK(has(report, Cause::pem_is_on_one_line));
  for (const Finding& finding : report.findings) {
    CHECK(finding.repair.empty());
    CHECK_EQ(finding.evidence.find("INTuct"), std::string::npos);
  }
}

TEST_CASE("findings about public input show the repair") {
  std::string text(ed25519_public);
  text.replace(text.find("-----END"), std::string::npos, "");
  const Report report = look(text);
  REQUIRE(report.usable);
  REQUIRE(report.top() != nullptr);
  CHECK(report.top()->cause == Cause::pem_footer_missing);
  CHECK_EQ(report.top()->repair, "+-----END PUBLIC KEY-----\n");
}

TEST_CASE("places are of the input as it came, through every repair") {
  std::string text = "KEY=\"" + std::string(ed25519_public) + "\"";
  text[text.find("GIcgD") == std::string::npos ? text.find("Gb9E") : 0] = '!';
  const Report report = look(text);
  REQUIRE(report.top() != nullptr);
  CHECK(report.top()->cause == Cause::base64_has_invalid_character);
  CHECK_EQ(report.top()->place.line, 2u);
  CHECK_EQ(text[report.top()->place.begin], '!');
}

TEST_CASE("an input beyond the limit is not read") {
  Expectations expected;
  expected.policy.input_bytes_max = 10;
  const Report report = examine(base::as_bytes(ed25519_public), expected);
  CHECK_FALSE(report.usable);
  CHECK(report.top()->cause == Cause::input_is_too_large);
}

TEST_CASE("wrapping ends at the limit of the policy") {
  std::string text(ed25519_public);
  for (int i = 0; i < 20; ++i) text = base::to_base64(base::as_bytes(text));
  const Report report = look(text);
  CHECK_FALSE(report.usable);
  CHECK(has(report, Cause::nesting_is_too_deep));
}

TEST_CASE("policy: algorithms and keys already in use") {
  Expectations expected;
  expected.policy.algorithms_allowed = {"RSA", "EC:P-256"};
  CHECK(examine(base::as_bytes(ed25519_public), expected).top()->cause == Cause::algorithm_not_allowed);
  expected.policy.algorithms_allowed.clear();
  expected.known_thumbprints = {look(ed25519_public).item()->thumbprint};
  CHECK(examine(base::as_bytes(ed25519_public), expected).top()->cause == Cause::key_is_reused);
}

TEST_CASE("ROCA moduli are recognised by their residues") {
  // A number that is a power of 65537 modulo all 17 primes: 65537 itself, and its product with multiples kept in step.
  CHECK(has_roca_fingerprint(Number(65537)));
  CHECK(has_roca_fingerprint(Number(65537) * Number(65537)));
  CHECK_FALSE(has_roca_fingerprint(Number(65537) * Number(2) + Number(1)));
}

TEST_CASE("small-order and non-canonical Edwards points are no keys") {
  Secret zero(32, 0);
  CHECK_FALSE(okp_point_is_valid(KeyType::ed25519, zero));
  Secret one(32, 0);
  one[0] = 1;
  CHECK_FALSE(okp_point_is_valid(KeyType::ed25519, one));
  CHECK_FALSE(okp_point_is_valid(KeyType::ed448, Secret(57, 0)));
  CHECK_FALSE(okp_point_is_valid(KeyType::x25519, zero));
  CHECK_FALSE(okp_point_is_valid(KeyType::x448, Secret(56, 0)));
  CHECK(okp_point_is_valid(KeyType::ed448, okp_public(KeyType::ed448, Secret(57, 3))));
  CHECK(okp_point_is_valid(KeyType::x448, okp_public(KeyType::x448, Secret(56, 3))));
}

TEST_CASE("SM2: raw 04||X||Y in hex is a key of its own curve") {
  const Curve* curve = curve_of_name("SM2");
  const Point point = public_point(*curve, Secret(32, 5));
  const Report report = look(base::to_hex(uncompressed(point)));
  REQUIRE(report.usable);
  CHECK_EQ(report.item()->algorithm, "SM2");
  CHECK(has(report, Cause::bare_key_bits_given));
}

TEST_CASE("the points of order 8 and non-canonical encodings of Ed25519 are no keys, ordinary ones are") {
  for (const char* hex : {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                          "0200000000000000000000000000000000000000000000000000000000000000"}) {
    CAPTURE(hex);
    CHECK_FALSE(okp_point_is_valid(KeyType::ed25519, *base::parse_hex(hex)));
  }
  for (std::uint8_t i = 1; i < 20; ++i) CHECK(okp_point_is_valid(KeyType::ed25519, okp_public(KeyType::ed25519, Secret(32, i))));
}

TEST_CASE("small factors are found wherever they stand, and none is invented") {
  CHECK_EQ(small_factor(Number(3)), 3u);
  CHECK_EQ(small_factor(Number(1999) * Number(0xFFFFFFFFFFFFFFC5ull)), 1999u);
  CHECK_EQ(small_factor(Number(0xFFFFFFFFFFFFFFC5ull)), 0u);  // the largest prime below 2^64
  CHECK_EQ(small_factor(Number(2003) * Number(2011)), 0u);
}
