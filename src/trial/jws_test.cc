// JWS: the examples of RFC 7515, 8037 and 7797, and tokens damaged one way at a time.

#include <algorithm>

#include "crypto/chain/maker_for_tests.h"
#include "crypto/mac.h"
#include "trial/signing_for_tests.h"

#include <doctest/doctest.h>

namespace trial {
namespace {

using namespace signing;

std::string encoded(std::string_view text) { return base::to_base64url(base::as_bytes(text)); }

Case token(std::string compact, std::string_view key) {
  Case one;
  one.convention = Convention::jws;
  one.keys.push_back(material(key));
  one.message.compact = std::move(compact);
  return one;
}

std::string signed_token(const KeyPair& pair, std::string_view header, std::string_view payload, const Scheme& scheme) {
  const std::string input = encoded(header) + "." + encoded(payload);
  return input + "." + base::to_base64url(pair.sign(scheme, input));
}

}  // namespace

TEST_CASE("the examples of RFC 7515, RFC 8037 and RFC 7797 verify") {
  // RFC 8037 appendix A.4.
  CHECK_EQ(code(try_it(token("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
                             "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
                             R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"))),
           "verified");
  // RFC 7515 appendix A.3.
  CHECK_EQ(
      code(try_it(token(
          "eyJhbGciOiJFUzI1NiJ9."
          "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
          "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4Gawx"
          "aepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
          R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})"))),
      "verified");
  // RFC 7515 appendix A.1.
  Case mac;
  mac.convention = Convention::jws;
  mac.secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
  mac.message.compact =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-"
      "mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const Answer answer = try_it(mac);
  CHECK_EQ(code(answer), "signature_secret_is_read_otherwise");
  CHECK_EQ(answer.deviations.at(0), "with the secret read as base64, decoded");
  mac.keys.push_back(material(R"({"kty":"oct","k":")" + std::string(*mac.secret) + "\"}"));
  mac.secret.reset();
  CHECK_EQ(code(try_it(mac)), "verified");
  // RFC 7797 section 4.2: the payload is not encoded.
  mac.message.compact =
      "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
  mac.message.body = "$.02";
  CHECK_EQ(code(try_it(mac)), "verified");
}

TEST_CASE("a token shows its times and hides its payload") {
  const KeyPair pair = KeyPair::ed25519();
  Case one = token(signed_token(pair, R"({"alg":"EdDSA","kid":"k1"})",
                                R"({"sub":"Zhang San","iat":1770000000,"exp":1770000600})", *scheme_of_name("EdDSA")),
                   pair.pem());
  one.keys[0].key_id = "k1";
  const Answer answer = try_it(one);
  CHECK_EQ(code(answer), "verified");
  REQUIRE_EQ(answer.stamps.size(), 2);
  CHECK_EQ(answer.stamps[1].name, "exp");
  CHECK_NE(answer.base_shown.find(R"({"sub":"xxxxx xxx","iat":1770000000)"), std::string::npos);
  CHECK_EQ(to_json(answer).find("Zhang"), std::string::npos);
  one.keys[0].key_id = "k2";
  CHECK_EQ(code(try_it(one)), "signature_serial_is_unknown");
}

TEST_CASE("the key a token names is chosen out of a set, and a wrong name is noticed") {
  const KeyPair first = KeyPair::ed25519(), second = KeyPair::ed25519();
  const auto jwk = [](const KeyPair& pair, const char* kid) {
    const Bytes spki = pair.spki();
    return std::string(R"({"kty":"OKP","crv":"Ed25519","kid":")") + kid + R"(","x":")" +
           base::to_base64url(base::ByteView(spki).last(32)) + "\"}";
  };
  const std::string set = "{\"keys\":[" + jwk(first, "a") + "," + jwk(second, "b") + "]}";
  CHECK_EQ(
      code(try_it(token(signed_token(second, R"({"alg":"EdDSA","kid":"b"})", "{}", *scheme_of_name("EdDSA")), set))),
      "verified");
  const Answer wrong =
      try_it(token(signed_token(second, R"({"alg":"EdDSA","kid":"a"})", "{}", *scheme_of_name("EdDSA")), set));
  CHECK_EQ(code(wrong), "signature_serial_is_unknown");
  CHECK_FALSE(wrong.verified);
}

TEST_CASE("a kid is compared with names that were given, not with serial numbers or comments") {
  using namespace crypto::chain::making;
  const KeyPair pair = KeyPair::rsa();
  Spec spec = root_spec(crypto::chain::making::Key(EVP_PKEY_dup(pair.get())));
  spec.algorithm = rsa_sha256();
  const std::string compact = signed_token(pair, R"({"alg":"RS256","kid":"bank-7"})", "{}", *scheme_of_name("RS256"));
  Case one = token(compact, std::string(intake::to_pem("CERTIFICATE", spec.der())));
  CHECK_EQ(code(try_it(one)), "verified");
  one.keys[0].key_id = "bank-8";
  CHECK_EQ(code(try_it(one)), "signature_serial_is_unknown");
  const KeyPair edwards = KeyPair::ed25519();
  const Bytes spki = edwards.spki();
  Bytes blob = *base::parse_hex("0000000b7373682d6564323535313900000020");
  base::append(blob, base::ByteView(spki).last(32));
  const std::string line = "ssh-ed25519 " + base::to_base64(blob) + " somebody@example.com\n";
  CHECK_EQ(code(try_it(token(signed_token(edwards, R"({"alg":"EdDSA","kid":"bank-7"})", "{}", *scheme_of_name("EdDSA")),
                             line))),
           "verified");
}

TEST_CASE("algorithms that are attacks or mistakes") {
  const KeyPair pair = KeyPair::rsa();
  CHECK_EQ(code(try_it(token(encoded(R"({"alg":"none"})") + "." + encoded("{}") + ".", pair.pem()))),
           "jwk_algorithm_does_not_fit");
  // HS256 under the public key's own text: the confusion that made libraries famous.
  const std::string input = encoded(R"({"alg":"HS256"})") + "." + encoded("{}");
  const auto mac = crypto::hmac_sha256(base::as_bytes(pair.pem()), base::as_bytes(input));
  CHECK_EQ(code(try_it(token(input + "." + base::to_base64url(mac), pair.pem()))), "jwk_algorithm_does_not_fit");
  CHECK_EQ(code(try_it(token(signed_token(pair, R"({"alg":"ES256"})", "{}", *scheme_of_name("RS256")), pair.pem()))),
           "signature_algorithm_does_not_fit_key");
  CHECK_EQ(code(try_it(token(signed_token(pair, R"({"alg":"RS256"})", "{}", *scheme_of_name("PS256")), pair.pem()))),
           "signature_padding_differs");
  CHECK_EQ(code(try_it(token(signed_token(pair, R"({"alg":"XX"})", "{}", *scheme_of_name("PS256")), pair.pem()))),
           "algorithm_not_allowed");
  const KeyPair ec = KeyPair::ec();
  CHECK_EQ(
      code(try_it(token(signed_token(ec, R"({"alg":"ES256"})", "{}", *scheme_of_name("ecdsa-sha256-der")), ec.pem()))),
      "signature_is_der_where_raw_expected");
}

TEST_CASE("detached payloads: encoded or not, and changed on the way") {
  const KeyPair pair = KeyPair::ec();
  const std::string body = R"({"amount": 10})";
  const std::string plain = encoded(R"({"alg":"ES256"})"),
                    unencoded = encoded(R"({"alg":"ES256","b64":false,"crit":["b64"]})");
  const auto detached = [&](const std::string& head, const std::string& input, std::string sent) {
    Case one = token(head + ".." + base::to_base64url(pair.sign(*scheme_of_name("ES256"), input)), pair.pem());
    one.message.body = std::move(sent);
    return code(try_it(one));
  };
  CHECK_EQ(detached(plain, plain + "." + encoded(body), body), "verified");
  CHECK_EQ(detached(unencoded, unencoded + "." + body, body), "verified");
  CHECK_EQ(detached(unencoded, unencoded + "." + encoded(body), body), "signature_base_differs");
  CHECK_EQ(detached(plain, plain + "." + body, body), "signature_base_differs");
  CHECK_EQ(detached(plain, plain + "." + encoded(body),
                    R"({"amount": 10})"
                    "\n"),
           "signature_line_ends_differ");
  CHECK_EQ(detached(unencoded, unencoded + "." + R"({"amount":10})", body), "signature_json_was_rewritten");
}

TEST_CASE("text that is no compact JWS") {
  const std::string key = KeyPair::ed25519().pem();
  for (const char* const text : {"", "a.b", "a.b.c.d", "!!.e30.AA", "e30.e30.AA"}) {
    CAPTURE(text);
    CHECK_FALSE(try_it(token(text, key)).verified);
  }
  CHECK_EQ(code(try_it(token("a.b", key))), "signature_text_is_malformed");
}

}  // namespace trial
