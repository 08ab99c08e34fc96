// Imports and keys through the gate.

// clang-format off
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "gate/gate_fixture.h"
#include "gate/import_schema.h"
// clang-format on

using namespace gate;

namespace {

const model::Admitted& admitted(const Admission& admission) {
  REQUIRE_MESSAGE(std::holds_alternative<model::Admitted>(admission), Fixture::told(admission));
  return std::get<model::Admitted>(admission);
}

template <typename Body>
const Body& command(const Admission& admission) {
  return std::get<Body>(admitted(admission).commands.at(0).body);
}

constexpr std::array<std::uint8_t, 32> seed = {1, 2, 3};

base::Bytes ed25519_spki() {
  base::Bytes spki = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
  base::append(spki, crypto::ed25519_public_key(seed));
  return spki;
}

std::string import_text(const std::string& material) {
  return R"({"partner":"bank-a","key":"callbacks","purpose":"verify_callbacks","material_base64":")" + material + R"(","responsible":"ann"})";
}

struct OneImport : KeyBook {
  ChallengedImport import{.spki = ed25519_spki(), .partner = "bank-a", .key = "callbacks", .thumbprint = {1}, .nonce = {2}, .ends_at = test_now};
  std::optional<ChallengedImport> find(model::TenantNumber tenant, model::EventNumber number) const override {
    return tenant == 1 && number == 7 ? std::optional(import) : std::nullopt;
  }
};

// Text of the PKCS#8 of the same key: what must never come here.
std::string private_text() {
  base::Bytes der = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
  base::append(der, seed);
  return base::to_base64(der);
}

}  // namespace

TEST_CASE("material becomes facts, findings and who is responsible become commitments") {
  Fixture f;
  const Admission admission = f.admit("POST", "/v1/imports", import_text(base::to_base64(ed25519_spki())));
  const auto& body = command<model::ImportKey>(admission);
  CHECK(body.verdict == model::ImportVerdict::usable);
  REQUIRE(body.facts.has_value());
  const model::KeyFacts& facts = **body.facts;
  CHECK(facts.spki == ed25519_spki());
  CHECK(facts.algorithm == model::KeyAlgorithm::ed25519);
  CHECK(facts.form == model::KeyForm::public_key);
  CHECK(facts.pin == crypto::sha256(ed25519_spki()));
  CHECK(facts.fingerprint == facts.pin);
  CHECK(facts.thumbprint.has_value());
  const model::Admitted& a = admitted(admission);
  REQUIRE(a.privates.size() == 2);
  CHECK(a.privates[0].field == model::PrivateField::import_findings);
  CHECK(base::as_text(a.privates[1].value) == "ann");
  CHECK(crypto::sha256({a.privates[1].salt, a.privates[1].value}) == body.responsible);
}

TEST_CASE("of a secret nothing is told: no fact, no evidence, no name, and no fingerprint") {
  Fixture f;
  const Admission first = f.admit("POST", "/v1/imports", import_text(private_text()));
  const auto& body = command<model::ImportKey>(first);
  CHECK(body.verdict == model::ImportVerdict::secret_sent);
  CHECK_FALSE(body.facts.has_value());
  CHECK_FALSE(body.responsible.has_value());
  CHECK(body.causes[0] == 20);   // private_key_given_where_public_expected
  const model::Admitted& a = admitted(first);
  REQUIRE(a.privates.size() == 1);
  const std::string_view findings = base::as_text(a.privates[0].value);
  CHECK(findings.find("private_key_given_where_public_expected") != std::string_view::npos);
  CHECK(findings.find("evidence") == std::string_view::npos);
  // Another secret under the same key is the same request: what makes them differ was not taken in.
  const Admission second = f.admit("POST", "/v1/imports", import_text(base::to_base64(base::as_bytes(std::string_view("-----BEGIN PRIVATE KEY-----\nx\n")))));
  CHECK(command<model::ImportKey>(second).verdict == model::ImportVerdict::secret_sent);
  CHECK(admitted(second).commands[0].idempotency->fingerprint == a.commands[0].idempotency->fingerprint);
}

TEST_CASE("what is no key is refused with its findings") {
  Fixture f;
  const Admission admission = f.admit("POST", "/v1/imports", import_text(base::to_base64(base::as_bytes(std::string_view("hello")))));
  const auto& body = command<model::ImportKey>(admission);
  CHECK(body.verdict == model::ImportVerdict::refused);
  CHECK(body.causes[0] != 0);
  CHECK(body.findings.has_value());
}

TEST_CASE("an answer to a challenge is judged here, over the whole text of the challenge") {
  Fixture f;
  OneImport book;
  f.gate.look_up_keys(&book);
  const std::string text = model::to_text(model::Challenge{.origin = "holdfast",
                                                           .import = 7,
                                                           .partner = "bank-a",
                                                           .key = "callbacks",
                                                           .thumbprint = {1},
                                                           .nonce = {2},
                                                           .expires_at = test_now});
  const auto prove = [&](const std::string& import, std::string_view signed_text) {
    const auto signature = crypto::ed25519_sign(seed, base::as_bytes(signed_text));
    return command<model::ProveImport>(f.admit("POST", "/v1/imports/" + import + "/prove", R"({"signature":")" + base::to_base64(signature) + R"("})"));
  };
  CHECK(prove(model::import_id(7), text) == model::ProveImport{.import = 7, .nonce = {2}, .verified = true});
  CHECK(prove(model::import_id(7), text + " ") == model::ProveImport{.import = 7, .nonce = {2}, .verified = false});
  CHECK(prove(model::import_id(8), text) == model::ProveImport{.import = 8});
}

TEST_CASE("verbs of imports and keys become commands") {
  Fixture f;
  const std::string import = "/v1/imports/" + model::import_id(7);
  const Admission challenge = f.admit("POST", import + "/challenge", "{}");
  CHECK(command<model::ChallengeImport>(challenge).nonce != base::Digest{});
  CHECK(base::as_text(command<model::ChallengeImport>(challenge).origin) == "holdfast");
  CHECK(command<model::ReviewImport>(f.admit("POST", import + "/approve", "{}")).approve);
  CHECK_FALSE(command<model::ReviewImport>(f.admit("POST", import + "/reject", R"({"reason":"no"})")).approve);
  CHECK(command<model::SteerKey>(f.admit("POST", "/v1/keys/key_3/apply", "{}")) == model::SteerKey{.key = 3, .reason = {}});
  CHECK(command<model::SteerKey>(f.admit("POST", "/v1/keys/key_3/rollback", "{}")).verb == model::KeyVerb::rollback);
  CHECK(command<model::SteerKey>(f.admit("POST", "/v1/keys/key_3/destroy", R"({"version":2})")) ==
        model::SteerKey{.key = 3, .version = 2, .verb = model::KeyVerb::destroy, .reason = {}});
  CHECK(Fixture::told(f.admit("GET", import)) == "query");
  CHECK(Fixture::told(f.admit("GET", "/v1/keys?partner=bank-a&limit=5")) == "query");
  CHECK(Fixture::told(f.admit("GET", "/v1/keys/key_3")) == "query");
}

TEST_CASE("what makes no sense is refused by its field") {
  Fixture f;
  const auto told = [&f](const std::string& text) { return f.told(f.admit("POST", "/v1/imports", text)); };
  CHECK(told(R"({"partner":"Bank","key":"k","purpose":"encrypt","material":"x"})") == "request_field_invalid /partner");
  CHECK(told(R"({"partner":"b","key":"k","purpose":"sign","material":"x"})") == "request_field_invalid /purpose");
  CHECK(told(R"({"partner":"b","key":"k","purpose":"encrypt"})") == "request_field_invalid /material");
  CHECK(told(R"({"partner":"b","key":"k","purpose":"encrypt","material":"x","material_base64":"eA=="})") == "request_field_invalid /material");
  CHECK(told(R"({"partner":"b","key":"k","purpose":"encrypt","material_base64":"e A"})").starts_with("request_field_invalid /material"));
  CHECK(told(R"({"partner":"b","key":"k","purpose":"encrypt","material":"x","activate_at":"soon"})") == "request_field_invalid /activate_at");
  CHECK(f.told(f.admit("POST", "/v1/imports/im_1/approve", "{}")) == "request_field_invalid /id");
  CHECK(f.told(f.admit("POST", "/v1/keys/key_0/rollback", "{}")) == "request_field_invalid /id");
  CHECK(f.told(f.admit("POST", "/v1/keys/key_1/retire", "{}")) == "request_field_missing /version");
  CHECK(f.told(f.admit("POST", "/v1/imports/" + model::import_id(7) + "/prove", R"({"signature":"!"})")).starts_with("request_field_invalid /signature"));
}
