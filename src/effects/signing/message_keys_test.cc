#include "effects/signing/message_keys.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/mac.h"
#include "crypto/sign.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

// RFC 9421, appendix B.2: the request, and the two keys of B.1 that this project has algorithms for.
wire::Request rfc_request(std::string_view input, std::string_view signature) {
  wire::Request request;
  request.method = "POST";
  request.path = "/foo";
  request.query = "param=Value&Pet=dog";
  request.authority = "example.com";
  request.headers.add("date", "Tue, 20 Apr 2021 02:07:55 GMT");
  request.headers.add("content-type", "application/json");
  request.headers.add("content-length", "18");
  request.headers.add("signature-input", input);
  request.headers.add("signature", signature);
  return request;
}

TEST_CASE("RFC 9421 B.2.6: the Ed25519 signature verifies, and making it gives the same bytes") {
  const wire::Request request =
      rfc_request(R"(sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")",
                  "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:");
  wire::SignaturePolicy policy;
  policy.required = {"@method", "@authority"};
  policy.nonce_required = false;
  const base::Instant then{1'618'884'500'000'000'000};
  const auto claim = wire::read_signature(wire::SignableMessage::of(request), policy, then);
  REQUIRE(claim.ok());
  const auto public_key = base::parse_base64("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=");
  const auto seed = base::parse_base64("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=");
  REQUIRE(public_key.has_value());
  REQUIRE(seed.has_value());
  crypto::Ed25519PublicKey key{};
  std::ranges::copy(*public_key, key.begin());
  CHECK(crypto::ed25519_verify(key, base::as_bytes(claim->text), claim->signature));
  const auto made = crypto::ed25519_sign(crypto::Ed25519SeedView(seed->data(), 32), base::as_bytes(claim->text));
  CHECK(std::ranges::equal(made, claim->signature));
}

TEST_CASE("RFC 9421 B.2.5: the shared secret") {
  const wire::Request request = rfc_request(R"(sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret")",
                                            "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:");
  wire::SignaturePolicy policy;
  policy.nonce_required = false;
  const auto claim = wire::read_signature(wire::SignableMessage::of(request), policy, {1'618'884'500'000'000'000});
  REQUIRE(claim.ok());
  const auto secret = base::parse_base64("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==");
  REQUIRE(secret.has_value());
  CHECK(std::ranges::equal(crypto::hmac_sha256(*secret, base::as_bytes(claim->text)), claim->signature));
}

struct Party {
  io::SimulatedRandom random{7};
  OwnEd25519Signer signer;
  base::Instant now{1'800'000'000'000'000'000};
  Party() : signer(make()) {}
  static io::SecretMemory make() {
    base::Bytes seed(32, 5);
    return io::SecretMemory::copy_of(seed).value();
  }
  std::vector<VerificationKey> keys() const { return {{"k1", VerificationKey::Algorithm::ed25519, const_cast<OwnEd25519Signer&>(signer).public_key()}}; }
  wire::Request request(std::string body = "{\"a\":1}") {
    wire::Request request;
    request.method = "POST";
    request.path = "/v1/payments";
    request.authority = "bank.example";
    request.body = std::move(body);
    if (!request.body.empty()) request.headers.add("content-type", "application/json");
    REQUIRE(sign_request(request, "https", signer, {"k1", "tag"}, now, random).ok());
    return request;
  }
};

std::string verdict(RequestVerifier& verifier, const wire::Request& request, base::Instant now) {
  const auto verified = verifier.verify(request, "https", now);
  return verified.ok() ? "good" : verified.error().code;
}

TEST_CASE("a signed request is believed once") {
  Party party;
  RequestVerifier verifier(party.keys(), "tag", true);
  const wire::Request request = party.request();
  CHECK_EQ(verdict(verifier, request, party.now), "good");
  CHECK_EQ(verdict(verifier, request, party.now), "signature_nonce_replayed");
  CHECK_EQ(verdict(verifier, party.request(""), party.now), "good");
  CHECK_EQ(verdict(verifier, party.request(), {party.now.ns + base::seconds(301).ns}), "signature_too_old");
  CHECK_EQ(verdict(verifier, party.request(), {party.now.ns - base::seconds(61).ns}), "signature_from_the_future");
}

TEST_CASE("whatever is altered on the way is noticed") {
  Party party;
  RequestVerifier verifier(party.keys(), "tag", true);
  const auto altered = [&](auto change) {
    wire::Request request = party.request();
    change(request);
    return verdict(verifier, request, party.now);
  };
  CHECK_EQ(altered([](wire::Request& r) { r.body = "{\"a\":2}"; }), "content_digest_differs");
  CHECK_EQ(altered([](wire::Request& r) { r.method = "PUT"; }), "signature_wrong");
  CHECK_EQ(altered([](wire::Request& r) { r.path = "/v1/other"; }), "signature_wrong");
  CHECK_EQ(altered([](wire::Request& r) { r.authority = "other.example"; }), "signature_wrong");
  CHECK_EQ(altered([](wire::Request& r) { r.query = "a=b"; }), "signature_component_not_covered");
  CHECK_EQ(altered([](wire::Request& r) { r.body.clear(); }), "content_digest_differs");
  CHECK_EQ(altered([](wire::Request& r) { r.headers.clear(); }), "content_digest_missing");
  wire::Request unsigned_request;
  unsigned_request.method = "GET";
  unsigned_request.path = "/";
  CHECK_EQ(verdict(verifier, unsigned_request, party.now), "signature_missing");
}

TEST_CASE("keys: unknown, another's, shared secrets") {
  Party party;
  RequestVerifier nobody({}, "tag", true);
  CHECK_EQ(verdict(nobody, party.request(), party.now), "signature_key_unknown");
  base::Bytes wrong(32, 9);
  RequestVerifier other({{"k1", VerificationKey::Algorithm::ed25519, wrong}}, "tag", true);
  CHECK_EQ(verdict(other, party.request(), party.now), "signature_wrong");
  RequestVerifier shared({{"k1", VerificationKey::Algorithm::hmac_sha256, base::Bytes(32, 1)}}, "tag", true);
  CHECK_EQ(verdict(shared, party.request(), party.now), "signature_algorithm_not_allowed");
  RequestVerifier tagged(party.keys(), "other-protocol", true);
  CHECK_EQ(verdict(tagged, party.request(), party.now), "signature_missing");
  shared.replace_keys(party.keys());
  CHECK_EQ(verdict(shared, party.request(), party.now), "good");

  // A request signed with a shared secret, as somebody else's library would.
  const base::Bytes secret(32, 1);
  wire::Request request;
  request.method = "GET";
  request.path = "/x";
  request.authority = "a";
  wire::SignatureTerms terms;
  terms.components = {"@method", "@path", "@authority"};
  terms.created = party.now;
  terms.nonce = "n";
  terms.key_id = "k1";
  terms.tag = "tag";
  const auto fields = wire::sign_message(wire::SignableMessage::of(request), terms, [&](base::ByteView text) -> base::Result<base::Bytes> {
    const auto mac = crypto::hmac_sha256(secret, text);
    return base::Bytes(mac.begin(), mac.end());
  });
  REQUIRE(fields.ok());
  request.headers.add("signature-input", fields->signature_input);
  request.headers.add("signature", fields->signature);
  RequestVerifier keeper({{"k1", VerificationKey::Algorithm::hmac_sha256, secret}}, "tag", true);
  CHECK_EQ(verdict(keeper, request, party.now), "good");
}

TEST_CASE("nonces are remembered as long as they matter, and no more of them than there is room for") {
  NonceWindow window(base::seconds(10), 3);
  const base::Instant t{1'000'000'000'000};
  using Seen = NonceWindow::Seen;
  CHECK_EQ(window.remember("k", "1", t), Seen::fresh);
  CHECK_EQ(window.remember("k", "1", t), Seen::replayed);
  CHECK_EQ(window.remember("j", "1", t), Seen::fresh);
  CHECK_EQ(window.remember("k", "2", t + base::seconds(5)), Seen::fresh);
  CHECK_EQ(window.remember("k", "3", t + base::seconds(5)), Seen::full);
  CHECK_EQ(window.remember("k", "3", t + base::seconds(11)), Seen::fresh);
  CHECK_EQ(window.remember("k", "2", t + base::seconds(11)), Seen::replayed);
  CHECK_EQ(window.remember("k", "2", t), Seen::replayed);   // a clock set back forgets nothing
  CHECK_EQ(window.size(), 2u);
}

TEST_CASE("a full window refuses, whoever asks") {
  Party party;
  RequestVerifier verifier(party.keys(), "tag", true, base::seconds(300), base::seconds(60), 1);
  CHECK_EQ(verdict(verifier, party.request(), party.now), "good");
  CHECK_EQ(verdict(verifier, party.request(), party.now), "signature_nonces_exhausted");
}

}  // namespace
}  // namespace effects
