#include "wire/message_signature.h"

#include "base/text.h"
#include "wire/content_digest.h"

#include <doctest/doctest.h>

namespace wire {
namespace {

// RFC 9421, appendix B.2: one request and one response, and the bases that the RFC prints for them.
Request test_request() {
  Request request;
  request.method = "POST";
  request.path = "/foo";
  request.query = "param=Value&Pet=dog";
  request.authority = "example.com";
  request.headers.add("date", "Tue, 20 Apr 2021 02:07:55 GMT");
  request.headers.add("content-type", "application/json");
  request.headers.add("content-digest",
                      "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:");
  request.headers.add("content-length", "18");
  request.body = "{\"hello\": \"world\"}";
  return request;
}

Response test_response() {
  Response response;
  response.headers.add("date", "Tue, 20 Apr 2021 02:07:56 GMT");
  response.headers.add("content-type", "application/json");
  response.headers.add("content-digest",
                       "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:");
  response.headers.add("content-length", "23");
  response.body = "{\"message\": \"good dog\"}";
  return response;
}

std::string base_of(const SignableMessage& message, std::string_view input) {
  const auto dictionary = parse_structured_dictionary(input);
  REQUIRE(dictionary.has_value());
  REQUIRE_EQ(dictionary->size(), 1u);
  const auto text = signature_base(message, dictionary->front().items, dictionary->front().parameters);
  REQUIRE_MESSAGE(text.ok(), (text.ok() ? "" : text.error().message));
  return *text;
}

std::string error_of(const SignableMessage& message, std::string_view input) {
  const auto dictionary = parse_structured_dictionary(input);
  REQUIRE(dictionary.has_value());
  const auto text = signature_base(message, dictionary->front().items, dictionary->front().parameters);
  return text.ok() ? "" : text.error().code;
}

constexpr std::string_view digest_line =
    "\"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\n";

TEST_CASE("RFC 9421 B.2.1: a minimal signature") {
  const Request request = test_request();
  CHECK_EQ(base_of(SignableMessage::of(request), R"(sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd")"),
           R"("@signature-params": ();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd")");
}

TEST_CASE("RFC 9421 B.2.2: selected components, a query parameter, a tag") {
  const Request request = test_request();
  CHECK_EQ(base_of(SignableMessage::of(request),
                   R"(sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example")"),
           "\"@authority\": example.com\n" + std::string(digest_line) +
               "\"@query-param\";name=\"Pet\": dog\n"
               R"("@signature-params": ("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example")");
}

TEST_CASE("RFC 9421 B.2.3: full coverage") {
  const Request request = test_request();
  CHECK_EQ(base_of(SignableMessage::of(request),
                   R"(sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss")"),
           "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
           "\"@method\": POST\n"
           "\"@path\": /foo\n"
           "\"@query\": ?param=Value&Pet=dog\n"
           "\"@authority\": example.com\n"
           "\"content-type\": application/json\n" +
               std::string(digest_line) +
               "\"content-length\": 18\n"
               R"("@signature-params": ("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss")");
}

TEST_CASE("RFC 9421 B.2.4: a response") {
  const Response response = test_response();
  CHECK_EQ(base_of(SignableMessage::of(response),
                   R"(sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256")"),
           "\"@status\": 200\n"
           "\"content-type\": application/json\n"
           "\"content-digest\": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:\n"
           "\"content-length\": 23\n"
           R"("@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256")");
}

TEST_CASE("RFC 9421 B.2.5 and B.2.6: what the shared secret and the Ed25519 key sign") {
  const Request request = test_request();
  CHECK_EQ(base_of(SignableMessage::of(request),
                   R"(sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret")"),
           "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
           "\"@authority\": example.com\n"
           "\"content-type\": application/json\n"
           R"("@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret")");
  CHECK_EQ(base_of(SignableMessage::of(request),
                   R"(sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")"),
           "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
           "\"@method\": POST\n"
           "\"@path\": /foo\n"
           "\"@authority\": example.com\n"
           "\"content-type\": application/json\n"
           "\"content-length\": 18\n"
           R"("@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")");
}

TEST_CASE("RFC 9421 2.2: derived components in their normal form") {
  Request request = test_request();
  request.authority = "WWW.Example.com:443";
  request.path = "";
  request.query = "";
  CHECK_EQ(base_of(SignableMessage::of(request), R"(s=("@target-uri" "@authority" "@scheme" "@path" "@query"))"),
           "\"@target-uri\": https://www.example.com/\n\"@authority\": www.example.com\n\"@scheme\": https\n\"@path\": /\n\"@query\": ?\n"
           R"("@signature-params": ("@target-uri" "@authority" "@scheme" "@path" "@query"))");
  CHECK_EQ(base_of(SignableMessage::of(request, "http"), R"(s=("@authority"))"),
           "\"@authority\": www.example.com:443\n\"@signature-params\": (\"@authority\")");
  request.headers.add("cache-control", "max-age=60");
  request.headers.add("cache-control", "must-revalidate");
  CHECK_EQ(base_of(SignableMessage::of(request), R"(s=("cache-control"))"),
           "\"cache-control\": max-age=60, must-revalidate\n\"@signature-params\": (\"cache-control\")");
  request.query = "var=this%20is&bar=with+plus&fa%C3%A7ade=ok";
  CHECK_EQ(base_of(SignableMessage::of(request), R"(s=("@query-param";name="bar" "@query-param";name="fa%C3%A7ade"))"),
           "\"@query-param\";name=\"bar\": with%20plus\n\"@query-param\";name=\"fa%C3%A7ade\": ok\n"
           R"("@signature-params": ("@query-param";name="bar" "@query-param";name="fa%C3%A7ade"))");
}

TEST_CASE("a base that cannot be built is an error with a name") {
  const Request request = test_request();
  const Response response = test_response();
  const SignableMessage asked = SignableMessage::of(request), answered = SignableMessage::of(response);
  CHECK_EQ(error_of(asked, R"(s=("x-absent"))"), "signature_component_missing");
  CHECK_EQ(error_of(asked, R"(s=("@query-param";name="absent"))"), "signature_component_missing");
  CHECK_EQ(error_of(asked, R"(s=("@query-param"))"), "signature_component_malformed");
  CHECK_EQ(error_of(asked, R"(s=("date" "date"))"), "signature_component_malformed");
  CHECK_EQ(error_of(asked, R"(s=("Date"))"), "signature_component_malformed");
  CHECK_EQ(error_of(asked, R"(s=(date))"), "signature_component_malformed");
  CHECK_EQ(error_of(asked, R"(s=("@signature-params"))"), "signature_component_malformed");
  CHECK_EQ(error_of(asked, R"(s=("@status"))"), "signature_component_malformed");
  CHECK_EQ(error_of(answered, R"(s=("@method"))"), "signature_component_malformed");
  CHECK_EQ(error_of(asked, R"(s=("date";bs))"), "signature_component_not_supported");
  CHECK_EQ(error_of(answered, R"(s=("@method";req))"), "signature_component_not_supported");
  CHECK_EQ(error_of(asked, R"(s=("@request-target"))"), "signature_component_not_supported");
}

// A stand-in for a key: the "signature" is the text itself. Real keys are tested where cryptography is.
base::Bytes stamp(base::ByteView text) { return base::to_bytes(text); }
KeyVerdict check_stamp(const SignatureClaim& claim) {
  if (claim.key_id != "k1") return KeyVerdict::key_unknown;
  if (!claim.algorithm.empty() && claim.algorithm != "ed25519") return KeyVerdict::algorithm_not_allowed;
  return claim.signature == stamp(base::as_bytes(claim.text)) ? KeyVerdict::good : KeyVerdict::wrong;
}

constexpr base::Instant now{1'800'000'000'000'000'000};

SignatureTerms terms() {
  SignatureTerms terms;
  terms.components = {"@method", "@path", "content-type"};
  terms.created = now;
  terms.nonce = "n-1";
  terms.key_id = "k1";
  terms.algorithm = "ed25519";
  terms.tag = "rail";
  return terms;
}

SignaturePolicy policy() {
  SignaturePolicy policy;
  policy.required = {"@method", "@path"};
  policy.tag = "rail";
  return policy;
}

Request signed_with(const SignatureTerms& terms) {
  Request request = test_request();
  const auto fields = sign_message(SignableMessage::of(request), terms, [](base::ByteView text) -> base::Result<base::Bytes> { return stamp(text); });
  REQUIRE(fields.ok());
  request.headers.add("signature-input", fields->signature_input);
  request.headers.add("signature", fields->signature);
  return request;
}

std::string verdict(const Request& request, const SignaturePolicy& policy, base::Instant at = now) {
  const auto claim = verify_message(SignableMessage::of(request), policy, at, check_stamp);
  return claim.ok() ? "good" : claim.error().code;
}

TEST_CASE("what was signed verifies, and every change is noticed") {
  Request request = signed_with(terms());
  const auto claim = verify_message(SignableMessage::of(request), policy(), now, check_stamp);
  REQUIRE(claim.ok());
  CHECK_EQ(claim->nonce, "n-1");
  CHECK_EQ(claim->label, "sig1");
  CHECK_EQ(claim->created.ns, now.ns);
  request.path = "/fop";
  CHECK_EQ(verdict(request, policy()), "signature_wrong");
}

TEST_CASE("policy: coverage, times, nonce, tag, key, algorithm") {
  const auto with = [](auto change) {
    SignatureTerms changed = terms();
    change(changed);
    return verdict(signed_with(changed), policy());
  };
  CHECK_EQ(with([](SignatureTerms&) {}), "good");
  CHECK_EQ(with([](SignatureTerms& t) { t.components = {"@method"}; }), "signature_component_not_covered");
  CHECK_EQ(with([](SignatureTerms& t) { t.created = {now.ns - base::seconds(301).ns}; }), "signature_too_old");
  CHECK_EQ(with([](SignatureTerms& t) { t.created = {now.ns + base::seconds(61).ns}; }), "signature_from_the_future");
  CHECK_EQ(with([](SignatureTerms& t) { t.created = {now.ns + base::seconds(59).ns}; }), "good");
  CHECK_EQ(with([](SignatureTerms& t) { t.expires = base::Instant{now.ns - base::seconds(1).ns}; }), "signature_expired");
  CHECK_EQ(with([](SignatureTerms& t) { t.expires = base::Instant{now.ns + base::seconds(1).ns}; }), "good");
  CHECK_EQ(with([](SignatureTerms& t) { t.nonce = ""; }), "signature_nonce_missing");
  CHECK_EQ(with([](SignatureTerms& t) { t.tag = "other"; }), "signature_missing");
  CHECK_EQ(with([](SignatureTerms& t) { t.key_id = "k2"; }), "signature_key_unknown");
  CHECK_EQ(with([](SignatureTerms& t) { t.key_id = ""; }), "signature_key_not_named");
  CHECK_EQ(with([](SignatureTerms& t) { t.algorithm = "hmac-sha256"; }), "signature_algorithm_not_allowed");
  const std::string long_nonce(129, 'n');
  CHECK_EQ(with([&](SignatureTerms& t) { t.nonce = long_nonce; }), "signature_malformed");
}

TEST_CASE("fields that are absent, broken or ambiguous") {
  const auto with = [](std::initializer_list<std::pair<const char*, std::string>> fields) {
    Request request = test_request();
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    return verdict(request, policy());
  };
  const std::string input = R"(sig1=("@method" "@path");created=1800000000;nonce="n";keyid="k1";tag="rail")";
  CHECK_EQ(with({}), "signature_missing");
  CHECK_EQ(with({{"signature-input", input}}), "signature_missing");
  CHECK_EQ(with({{"signature-input", input}, {"signature", "sig2=:AAAA:"}}), "signature_malformed");
  CHECK_EQ(with({{"signature-input", input}, {"signature", "sig1=\"AAAA\""}}), "signature_malformed");
  CHECK_EQ(with({{"signature-input", "sig1=("}, {"signature", "sig1=:AAAA:"}}), "signature_malformed");
  CHECK_EQ(with({{"signature-input", "sig1=5"}, {"signature", "sig1=:AAAA:"}}), "signature_malformed");
  CHECK_EQ(with({{"signature-input", input}, {"signature", "sig1=:" + std::string(4096, 'A') + ":"}}), "signature_malformed");
  CHECK_EQ(with({{"signature-input", input}, {"signature", "sig1=:AAAA:"}}), "signature_wrong");
  CHECK_EQ(with({{"signature-input", input + ", sig2" + input.substr(4)}, {"signature", "sig1=:AAAA:, sig2=:AAAA:"}}), "signature_ambiguous");
  CHECK_EQ(with({{"signature-input", R"(sig1=("@method" "@path");nonce="n";keyid="k1";tag="rail")"}, {"signature", "sig1=:AAAA:"}}),
           "signature_created_missing");
  CHECK_EQ(with({{"signature-input", R"(sig1=("@method" "@path");created="1";nonce="n";keyid="k1";tag="rail")"}, {"signature", "sig1=:AAAA:"}}),
           "signature_malformed");
  CHECK_EQ(with({{"signature-input", R"(sig1=("@method" "@path");created=-5;nonce="n";keyid="k1";tag="rail")"}, {"signature", "sig1=:AAAA:"}}),
           "signature_malformed");
  CHECK_EQ(with({{"signature-input", R"(sig1=("@method" "@path" "x-no");created=1800000000;nonce="n";keyid="k1";tag="rail")"}, {"signature", "sig1=:AAAA:"}}),
           "signature_component_missing");
}

TEST_CASE("whoever holds the key may be unable to sign") {
  const Request request = test_request();
  const auto fields = sign_message(SignableMessage::of(request), terms(),
                                   [](base::ByteView) -> base::Result<base::Bytes> { return base::Error{"signer_unavailable", "away"}; });
  REQUIRE_FALSE(fields.ok());
  CHECK_EQ(std::string(fields.error().code), "signer_unavailable");
}

TEST_CASE("structured dictionaries: taken, and written in one form") {
  const auto round = [](std::string_view text) -> std::string {
    const auto dictionary = parse_structured_dictionary(text);
    if (!dictionary) return "refused";
    std::string out;
    for (const StructuredMember& member : *dictionary) {
      if (!out.empty()) out += ", ";
      out += member.name + "=" + (member.is_list ? to_text(member.items, member.parameters) : to_text(member.items.front()));
    }
    return out;
  };
  CHECK_EQ(round(""), "");
  CHECK_EQ(round("a=1,b=-02"), "a=1, b=-2");
  CHECK_EQ(round("a, b;x;y=?0"), "a=?1, b=?1;x;y=?0");
  CHECK_EQ(round("a=( \"x\"   tok;q=1 );z=:AQI=:"), "a=(\"x\" tok;q=1);z=:AQI=:");
  CHECK_EQ(round("a=()\t,\t b=\"q\\\"\\\\\""), "a=(), b=\"q\\\"\\\\\"");
  CHECK_EQ(round("a=?1;b=-0"), "a=?1;b=0");
  for (const char* bad : {"a=1,", "a=1 b=2", "A=1", "a=", "a=(1", "a=(1\"2\")", "a=\"", "a=\"\\x\"", "a=:AQ:", "a=:AQI=", "a=?2", "a=1.5", "a=1234567890123456",
                          "a=-", "a;A", "a=1, a=2", "a;x=1;x=2", ",a", "a=@1", "a=\"\x7f\"", "a==1"}) {
    CHECK_MESSAGE(round(bad) == "refused", bad);
  }
  std::string many = "a0";
  for (int i = 1; i < 33; ++i) many += ",a" + std::to_string(i);
  CHECK_EQ(round(many), "refused");
}

TEST_CASE("Content-Digest: RFC 9530") {
  // Appendix D.1: SHA-256 of `{"hello": "world"}` and a line feed.
  const auto stated = parse_content_digest("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
  REQUIRE(stated.ok());
  CHECK_EQ(to_content_digest(*stated), "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
  CHECK(check_content_digest("sha-512=:AAAA:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", *stated).ok());
  base::Digest other = *stated;
  other[31] ^= 1;
  const auto code = [&](std::string_view field) { return std::string(check_content_digest(field, other).error().code); };
  CHECK_EQ(code("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"), "content_digest_differs");
  CHECK_EQ(code("sha-512=:AAAA:"), "content_digest_algorithm_not_supported");
  CHECK_EQ(code("sha-256=:AAAA:"), "content_digest_malformed");
  CHECK_EQ(code("sha-256=5"), "content_digest_malformed");
  CHECK_EQ(code("nonsense ="), "content_digest_malformed");
}

}  // namespace
}  // namespace wire
