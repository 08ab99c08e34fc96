// RFC 9421: its own examples, and what proxies and senders do to them.

#include <algorithm>

#include "trial/signing_for_tests.h"
#include "wire/message_signature.h"

#include <doctest/doctest.h>

namespace trial {
namespace {

using namespace signing;

// Appendix B.1.2 and B.1.4.
const char* const rfc_pss_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2\n"
    "+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+\n"
    "oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq\n"
    "gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W\n"
    "Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4\n"
    "aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI\n"
    "2wIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
const char* const rfc_ed25519_key =
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC "
    "KEY-----\n";

// The request of appendix B.2.
Case rfc_request(const char* key, const std::string& input, const std::string& signature) {
  Case one;
  one.convention = Convention::http_signature;
  if (key != nullptr) one.keys.push_back(material(key));
  one.message.url = "https://example.com/foo?param=Value&Pet=dog";
  one.message.headers = {
      {"host", "example.com"},
      {"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
      {"content-type", "application/json"},
      {"content-digest",
       "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"},
      {"content-length", "18"},
      {"signature-input", input},
      {"signature", signature}};
  one.message.body = R"({"hello": "world"})";
  return one;
}
Case b26() {
  return rfc_request(
      rfc_ed25519_key,
      R"(sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")",
      "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:");
}

/// A request signed now by a key of ours.
struct Draft {
  KeyPair pair = KeyPair::ec();
  Scheme scheme = *scheme_of_name("ecdsa-p256-sha256");
  std::string algorithm = "ecdsa-p256-sha256";
  std::string scheme_name = "https", authority = "pay.example", path = "/callbacks/7", query = "a=1";
  std::string body = R"({"amount": "10"})";
  std::int64_t created_s = 1'770'000'000;

  Case as_sent() const {
    wire::Request request;
    request.method = "POST";
    request.path = path;
    request.query = query;
    request.authority = authority;
    request.headers.add("content-digest", digest());
    wire::SignatureTerms terms;
    terms.components = {"@method", "@target-uri", "content-digest"};
    terms.created = {created_s * 1'000'000'000};
    terms.nonce = "n-1";
    terms.key_id = "bank-7";
    terms.algorithm = algorithm;
    const auto fields = wire::sign_message(
        wire::SignableMessage::of(request, scheme_name), terms,
        [&](base::ByteView text) { return base::Result<base::Bytes>(pair.sign(scheme, base::as_text(text))); });
    REQUIRE(fields.ok());
    Case one;
    one.convention = Convention::http_signature;
    one.keys.push_back(material(pair.pem(), "bank-7"));
    one.message.url = "https://pay.example/callbacks/7?a=1";
    one.message.headers = {
        {"content-digest", digest()}, {"signature-input", fields->signature_input}, {"signature", fields->signature}};
    one.message.body = body;
    one.received_at = base::Instant{1'770'000'003'000'000'000};
    return one;
  }
  std::string digest() const {
    return "sha-256=:" + base::to_base64(crypto::digest(crypto::chain::Hash::sha256, base::as_bytes(body))) + ":";
  }
};

}  // namespace

TEST_CASE("the examples of RFC 9421 appendix B verify") {
  const Answer ed25519 = try_it(b26());
  CHECK_EQ(code(ed25519), "verified");
  CHECK_EQ(ed25519.scheme, "EdDSA");
  REQUIRE_EQ(ed25519.stamps.size(), 2);
  CHECK_EQ(base::to_rfc3339(*ed25519.stamps[0].at), "2021-04-20T02:07:53.000000000Z");
  CHECK_EQ(base::to_rfc3339(*ed25519.stamps[1].at), "2021-04-20T02:07:55.000000000Z");
  CHECK_EQ(code(try_it(rfc_request(
               rfc_pss_key, R"(sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd")",
               "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/"
               "lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeN"
               "qsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/"
               "Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5W"
               "Sb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:"))),
           "verified");
  CHECK_EQ(
      code(try_it(rfc_request(
          rfc_pss_key,
          R"(sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss")",
          "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/"
          "5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmm"
          "e9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/"
          "CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBroh"
          "r9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:"))),
      "verified");
  Case mac = rfc_request(
      nullptr, R"(sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret")",
      "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:");
  mac.secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
  const Answer answer = try_it(mac);
  CHECK_EQ(code(answer), "verified");
  // Neither the secret nor another MAC than the one in the message is anywhere in the answer.
  CHECK_EQ(to_json(answer).find("uzvJfB4u"), std::string::npos);
  CHECK_NE(answer.reproduction->command.find("$SECRET_HEX"), std::string::npos);
}

TEST_CASE("a changed example does not verify, and its base is shown without values") {
  Case one = b26();
  one.message.headers[4].second = "19";
  const Answer answer = try_it(one);
  CHECK_FALSE(answer.verified);
  CHECK_EQ(code(answer), "signature_cause_is_unknown");
  CHECK_NE(answer.base_shown.find("\"@path\": /xxx\n"), std::string::npos);
  CHECK_NE(answer.base_shown.find("\"@signature-params\": (\"date\""), std::string::npos);
}

TEST_CASE("a request that a proxy changed") {
  Draft draft;
  CHECK_EQ(code(try_it(draft.as_sent())), "verified");
  draft.scheme_name = "http";
  Answer answer = try_it(draft.as_sent());
  CHECK_EQ(code(answer), "signature_base_differs");
  CHECK_EQ(answer.deviations[0], "with the scheme http");
  CHECK_NE(answer.difference.find("+\"@target-uri\": xxxx:"), std::string::npos);
  draft = Draft{};
  draft.query.clear();
  CHECK_EQ(try_it(draft.as_sent()).deviations.at(0), "without the query");
  draft = Draft{};
  draft.path = "/7";
  CHECK_EQ(try_it(draft.as_sent()).deviations.at(0), "without the first segment of the path");
}

TEST_CASE("the body is not the one that was digested, and the change is named") {
  Case one = Draft{}.as_sent();
  one.message.body = R"({"amount":"10"})";
  Answer answer = try_it(one);
  CHECK(answer.signature_is_good);
  CHECK_FALSE(answer.verified);
  CHECK_EQ(code(answer), "signature_body_digest_differs");
  CHECK(std::ranges::any_of(answer.findings, [](const intake::Finding& f) {
    return f.cause == intake::Cause::signature_json_was_rewritten;
  }));
  one.message.body = "other";
  CHECK_EQ(code(try_it(one)), "signature_body_digest_differs");
  answer = try_it(b26());
  CHECK(std::ranges::any_of(answer.findings, [](const intake::Finding& f) {
    return f.cause == intake::Cause::signature_does_not_cover_body;
  }));
}

TEST_CASE("raw signatures in DER, the key named wrong, algorithms that do not exist") {
  Draft draft;
  draft.scheme.der = true;
  CHECK_EQ(code(try_it(draft.as_sent())), "signature_is_der_where_raw_expected");
  Case one = Draft{}.as_sent();
  one.keys[0].key_id = "bank-8";
  const Answer answer = try_it(one);
  CHECK(answer.signature_is_good);
  CHECK_EQ(code(answer), "signature_serial_is_unknown");
  draft = Draft{};
  draft.algorithm = "rot13";
  CHECK_EQ(code(try_it(draft.as_sent())), "algorithm_not_allowed");
}

TEST_CASE("times outside of the window and repeated nonces are refused though the signature is good") {
  Case one = Draft{}.as_sent();
  one.received_at = base::Instant{1'770'000'900'000'000'000};
  Answer answer = try_it(one);
  CHECK(answer.signature_is_good);
  CHECK_EQ(code(answer), "signature_time_is_outside_window");
  CHECK_EQ(*answer.stamps[0].offset_seconds, -900);
  one.window = base::seconds(1000);
  CHECK_EQ(code(try_it(one)), "verified");
  one.seen_nonces = {"n-0", "n-1"};
  CHECK_EQ(code(try_it(one)), "signature_nonce_was_seen");
}

TEST_CASE("one of several signatures is chosen by its label") {
  Case one = b26();
  one.message.headers[5].second += R"(, other=();created=1618884473;keyid="x")";
  one.message.headers[6].second += ", other=:AAAA:";
  CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
  one.message.label = "sig-b26";
  CHECK_EQ(code(try_it(one)), "verified");
  one.message.label = "third";
  CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
}

TEST_CASE("responses are signed over their status") {
  const KeyPair pair = KeyPair::ed25519();
  wire::Response response;
  response.status = 201;
  wire::SignatureTerms terms;
  terms.components = {"@status"};
  terms.key_id = "k";
  const auto fields = wire::sign_message(wire::SignableMessage::of(response), terms, [&](base::ByteView text) {
    return base::Result<base::Bytes>(pair.sign(*scheme_of_name("ed25519"), base::as_text(text)));
  });
  Case one;
  one.convention = Convention::http_signature;
  one.keys.push_back(material(pair.pem()));
  one.message.status = 201;
  one.message.headers = {{"signature-input", fields->signature_input}, {"signature", fields->signature}};
  CHECK_EQ(code(try_it(one)), "verified");
  one.message.status = 200;
  CHECK_FALSE(try_it(one).verified);
}

TEST_CASE("what is no signature of RFC 9421 is told apart") {
  Case one = b26();
  one.message.headers[6].second =
      R"(keyId="https://a.example/k",algorithm="rsa-sha256",headers="(request-target) date",signature="AAAA")";
  CHECK_EQ(code(try_it(one)), "protocol_version_differs");
  one.message.headers[6].second = "sig-b26=AAAA";
  CHECK_EQ(code(try_it(one)), "signature_text_is_malformed");
  one.message.headers.erase(one.message.headers.begin() + 6);
  CHECK_EQ(code(try_it(one)), "signature_part_is_missing");
  one = b26();
  one.message.headers[1].second = "two\r\nlines";
  CHECK_EQ(code(try_it(one)), "signature_text_is_malformed");
}

}  // namespace trial
