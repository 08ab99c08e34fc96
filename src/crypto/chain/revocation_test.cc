// Revocation lists and OCSP responses: who may speak, for what, and for how long.
#include "crypto/chain/revocation.h"

#include "base/instant.h"
#include "crypto/chain/maker_for_tests.h"

#include <doctest/doctest.h>

namespace {

using namespace crypto::chain;
using namespace crypto::chain::making;

std::int64_t at(std::string_view text) {
  const auto instant = base::parse_rfc3339(text);
  REQUIRE(instant);
  return instant->ns / 1'000'000'000;
}

struct Scene {
  Key issuer_key = Key::ec(), leaf_key = Key::ec(), responder_key = Key::ec();
  Spec issuer = root_spec(issuer_key, "ica");
  Spec leaf = leaf_spec(leaf_key, issuer);
  std::vector<base::Bytes> lists, responses;
  Demands demands;
  std::vector<Finding> problems;

  Scene() { demands.now_s = at("2026-01-05T00:00:00Z"); }
  ListSpec list() const {
    ListSpec spec;
    spec.signer = issuer_key;
    return spec;
  }
  OcspSpec response() const {
    OcspSpec spec;
    spec.issuer_name = issuer.subject;
    spec.issuer_key_bits = issuer_key.public_bits();
    spec.signer = issuer_key;
    return spec;
  }
  Spec responder() const {
    Spec spec = leaf_spec(responder_key, issuer);
    spec.serial = {0x77};
    return spec.purposes({id(oid::ocsp_signing)});
  }
  RevocationAnswer judge() {
    SignatureChecker checker;
    std::vector<RevocationList> read_lists;
    for (const base::Bytes& der : lists) {
      auto one = read_revocation_list(der);
      REQUIRE(one.ok());
      read_lists.push_back(std::move(*one));
    }
    std::vector<OcspResponse> read_responses;
    for (const base::Bytes& der : responses) {
      auto one = read_ocsp_response(der);
      REQUIRE(one.ok());
      read_responses.push_back(std::move(*one));
    }
    problems.clear();
    return judge_revocation(certificate(leaf), certificate(issuer), {read_lists, read_responses}, demands, checker, problems);
  }
  std::string standing() { return std::string(name_of(judge().standing)); }
  std::string problem() {
    standing();
    return problems.empty() ? "" : std::string(problems[0].code());
  }
};

Bytes with_scope(const std::vector<Bytes>& fields) { return extension(oid::issuing_distribution_point, true, sequence(fields)); }
Bytes point_named(std::string_view url) { return tlv(tag::constructed(0), {tlv(tag::constructed(0), {uri(url)})}); }

}  // namespace

TEST_CASE("a list of the issuer says good or revoked, with date and reason") {
  Scene scene;
  scene.lists = {scene.list().revoke({0x11}).der()};
  CHECK_EQ(scene.standing(), "good");
  scene.lists = {scene.list().revoke({0x11}).revoke({0x4A}, std::uint8_t{1}).der()};
  const RevocationAnswer answer = scene.judge();
  CHECK(answer.standing == Standing::revoked);
  CHECK_EQ(answer.evidence, "revoked at 2026-01-02T00:00:00Z, reason keyCompromise");
  scene.lists.clear();
  CHECK_EQ(scene.standing(), "unknown");
}

TEST_CASE("a list that may not be used leaves revocation unknown, and says why") {
  const auto problem_of = [](const std::function<void(Scene&, ListSpec&)>& spoil) {
    Scene scene;
    ListSpec list = scene.list();
    spoil(scene, list);
    scene.lists = {list.der()};
    CHECK_EQ(scene.standing(), "unknown");
    return scene.problem();
  };
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.next_update = "20260104000000Z"; }), "revocation_list_is_expired");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.this_update = "20260106000000Z"; }), "revocation_list_is_not_yet_valid");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.next_update.clear(); }), "revocation_list_breaks_profile");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.extensions.clear(); }), "revocation_list_breaks_profile");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.extensions = {extension(oid::crl_number, true, small(5))}; }), "revocation_list_breaks_profile");
  CHECK_EQ(problem_of([](Scene& scene, ListSpec&) { scene.issuer.usage_bits(usage::key_cert_sign); }), "revocation_list_issuer_not_entitled");
  CHECK_EQ(problem_of([](Scene& scene, ListSpec& list) { list.signer = scene.leaf_key; }), "revocation_list_signature_is_invalid");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.extensions.push_back(extension(oid::invalidity_date, true, small(1))); }), "revocation_list_extension_not_understood");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.extensions.push_back(with_scope({Bytes{tag::primitive(4), 1, 0xFF}})); }), "revocation_list_is_indirect");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.extensions.push_back(with_scope({Bytes{tag::primitive(2), 1, 0xFF}})); }), "revocation_list_is_out_of_scope");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.extensions.push_back(with_scope({point_named("http://ca.example/other.crl")})); }), "revocation_list_is_out_of_scope");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.extensions.push_back(extension(oid::delta_crl_indicator, true, small(4))); }), "delta_list_has_no_base");
  CHECK_EQ(problem_of([](Scene&, ListSpec& list) { list.issuer = name("somebody else"); }), "");
}

TEST_CASE("a list with a scope counts for the certificates that point to it") {
  Scene scene;
  ListSpec list = scene.list();
  list.extensions.push_back(with_scope({point_named("http://ca.example/a.crl")}));
  scene.lists = {list.der()};
  scene.leaf.with(oid::crl_distribution_points, false, sequence({sequence({point_named("http://ca.example/a.crl")})}));
  CHECK_EQ(scene.standing(), "good");
  // A list for some reasons alone can revoke but never clear.
  list.extensions.pop_back();
  list.extensions.push_back(with_scope({tlv(tag::primitive(3), {Bytes{6, 0x40}})}));
  scene.lists = {list.der()};
  CHECK_EQ(scene.standing(), "unknown");
  scene.lists = {list.revoke({0x4A}).der()};
  CHECK_EQ(scene.standing(), "revoked");
}

TEST_CASE("a delta list adds and removes") {
  Scene scene;
  const auto delta = [&](std::uint8_t number, std::uint8_t base_number) {
    ListSpec list = scene.list();
    list.extensions = {extension(oid::crl_number, false, small(number)), extension(oid::delta_crl_indicator, true, small(base_number))};
    return list;
  };
  scene.lists = {scene.list().der(), delta(7, 5).revoke({0x4A}).der()};
  CHECK_EQ(scene.standing(), "revoked");
  // On hold in the base, released by the delta.
  scene.lists = {scene.list().revoke({0x4A}, std::uint8_t{6}).der(), delta(7, 5).revoke({0x4A}, std::uint8_t{8}).der()};
  CHECK_EQ(scene.standing(), "good");
  // Only a hold can be released.
  scene.lists = {scene.list().revoke({0x4A}, std::uint8_t{1}).der(), delta(7, 5).revoke({0x4A}, std::uint8_t{8}).der()};
  CHECK_EQ(scene.standing(), "revoked");
  // A delta for a later base than the one that is there releases nothing.
  scene.lists = {scene.list().revoke({0x4A}, std::uint8_t{6}).der(), delta(9, 6).revoke({0x4A}, std::uint8_t{8}).der()};
  CHECK_EQ(scene.standing(), "revoked");
}

TEST_CASE("an OCSP response of the issuer, or of whom it named, is believed") {
  Scene scene;
  scene.responses = {scene.response().der()};
  CHECK_EQ(scene.standing(), "good");
  OcspSpec revoked = scene.response();
  revoked.status = OcspSpec::revoked("20260103000000Z");
  scene.responses = {scene.response().der(), revoked.der()};
  CHECK_EQ(scene.standing(), "revoked");
  OcspSpec delegated = scene.response();
  delegated.signer = scene.responder_key;
  delegated.certificates = {scene.responder().der()};
  scene.responses = {delegated.der()};
  CHECK_EQ(scene.standing(), "good");
  OcspSpec unknown = scene.response();
  unknown.status = {tag::primitive(2), 0};
  scene.responses = {unknown.der()};
  CHECK_EQ(scene.standing(), "unknown");
}

TEST_CASE("an OCSP response that may not be used leaves revocation unknown, and says why") {
  const auto problem_of = [](const std::function<void(Scene&, OcspSpec&)>& spoil) {
    Scene scene;
    OcspSpec response = scene.response();
    spoil(scene, response);
    scene.responses = {response.der()};
    CHECK_EQ(scene.standing(), "unknown");
    return scene.problem();
  };
  CHECK_EQ(problem_of([](Scene&, OcspSpec& r) { r.serial = {0x4B}; }), "ocsp_response_is_for_another_certificate");
  CHECK_EQ(problem_of([](Scene& s, OcspSpec& r) { r.issuer_key_bits = s.leaf_key.public_bits(); }), "ocsp_response_is_for_another_certificate");
  CHECK_EQ(problem_of([](Scene&, OcspSpec& r) { r.next_update = "20260104000000Z"; }), "ocsp_response_is_expired");
  CHECK_EQ(problem_of([](Scene&, OcspSpec& r) { r.this_update = "20251201000000Z"; r.next_update.clear(); }), "ocsp_response_is_expired");
  CHECK_EQ(problem_of([](Scene&, OcspSpec& r) { r.this_update = "20260106000000Z"; }), "ocsp_response_is_not_yet_valid");
  CHECK_EQ(problem_of([](Scene& s, OcspSpec& r) { r.signer = s.leaf_key; r.responder_key_bits = s.issuer_key.public_bits(); }), "ocsp_signature_is_invalid");
  CHECK_EQ(problem_of([](Scene& s, OcspSpec& r) { r.signer = s.leaf_key; }), "ocsp_responder_not_entitled");
  CHECK_EQ(problem_of([](Scene& s, OcspSpec& r) { r.signer = s.leaf_key; r.certificates = {s.leaf.der()}; }), "ocsp_responder_not_entitled");
  CHECK_EQ(problem_of([](Scene& s, OcspSpec& r) {
             r.signer = s.responder_key;
             Spec foreign = s.responder();
             foreign.signer = s.leaf_key;
             r.certificates = {foreign.der()};
           }), "ocsp_responder_not_entitled");
  CHECK_EQ(problem_of([](Scene& s, OcspSpec& r) {
             r.signer = s.responder_key;
             Spec late = s.responder();
             late.not_after = "20260104000000Z";
             r.certificates = {late.der()};
           }), "ocsp_responder_not_entitled");
  CHECK_EQ(problem_of([](Scene& s, OcspSpec&) { s.demands.ocsp_nonce = Bytes{1, 2, 3}; }), "ocsp_nonce_differs");
}

TEST_CASE("a nonce that was sent has to come back; a revoked responder is none") {
  Scene scene;
  OcspSpec response = scene.response();
  response.nonce = Bytes{1, 2, 3};
  scene.demands.ocsp_nonce = Bytes{1, 2, 3};
  scene.responses = {response.der()};
  CHECK_EQ(scene.standing(), "good");
  response.signer = scene.responder_key;
  response.certificates = {scene.responder().der()};
  scene.responses = {response.der()};
  CHECK_EQ(scene.standing(), "good");
  // The list speaks of the responder alone: it must not clear the leaf either.
  ListSpec list = scene.list().revoke({0x77});
  list.extensions.push_back(with_scope({tlv(tag::primitive(3), {Bytes{6, 0x40}})}));
  scene.lists = {list.der()};
  CHECK_EQ(scene.standing(), "unknown");
}

TEST_CASE("lists and responses that cannot be read are errors") {
  CHECK_EQ(std::string(read_revocation_list({}).error().code), "revocation_list_is_malformed");
  CHECK_EQ(std::string(read_ocsp_response(raw("no")).error().code), "ocsp_response_is_malformed");
  const auto refused = read_ocsp_response(sequence({Bytes{tag::enumerated, 1, 6}}));
  REQUIRE(refused.ok());
  CHECK_EQ(refused->response_status, 6);
}
