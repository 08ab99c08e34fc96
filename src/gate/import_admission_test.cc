// Imports and keys through the gate.

// clang-format off
#include <algorithm>

#include "base/text.h"
#include "crypto/chain/maker_for_tests.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "gate/gate_fixture.h"
#include "gate/import_schema.h"
#include "intake/cause.h"
#include "intake/doctor.h"
// clang-format on

using namespace gate;

namespace {

namespace making = crypto::chain::making;

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

TEST_CASE("a certificate is kept with those that came beside it, as a private value") {
  const auto pem = [](const making::Spec& spec) { return std::string(intake::to_pem("CERTIFICATE", spec.der())); };
  const making::Key root_key = making::Key::ec(), leaf_key = making::Key::ec();
  const making::Spec root = making::root_spec(root_key, "root"), leaf = making::leaf_spec(leaf_key, root);
  const std::string sent = pem(leaf) + pem(root);
  Fixture f;
  const Admission admission = f.admit("POST", "/v1/imports", import_text(base::to_base64(base::as_bytes(sent))));
  const auto& body = command<model::ImportKey>(admission);
  REQUIRE(body.verdict == model::ImportVerdict::usable);
  CHECK((*body.facts)->form == model::KeyForm::certificate);
  const model::Admitted& a = admitted(admission);
  const auto kept = std::ranges::find(a.privates, model::PrivateField::key_certificate, &model::PrivateDraft::field);
  REQUIRE(kept != a.privates.end());
  CHECK(base::as_text(kept->value) == sent);
  CHECK(crypto::sha256({kept->salt, kept->value}) == body.certificate);
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

namespace {

std::string signature_of(std::string_view text) { return base::to_base64(crypto::ed25519_sign(seed, base::as_bytes(text))); }

// A webhook by Standard Webhooks that was signed so long before the request comes; `line_end` follows the body only in what is signed.
std::string webhook(std::int64_t age_seconds, std::string_view line_end = "") {
  const std::string stamp = std::to_string(test_now.ns / base::seconds(1).ns - age_seconds);
  const std::string signature = signature_of("msg_1." + stamp + R"(.{"paid":"4111 to Ann"})" + std::string(line_end));
  return R"({"convention":"standard-webhook","message":{"headers":{"webhook-id":"msg_1","webhook-timestamp":")" + stamp +
         R"(","webhook-signature":"v1a,)" + signature + R"("},"body":"{\"paid\":\"4111 to Ann\"}"}})";
}
std::string undated() { return R"({"convention":"detached","message":{"body":"hello","algorithm":"ed25519","signature":")" + signature_of("hello") + R"("}})"; }

std::string captured_text(const std::string& captured) {
  std::string text = import_text(base::to_base64(ed25519_spki()));
  text.pop_back();
  return text + R"(,"captured":[)" + captured + "]}";
}

// What is kept of it: findings, and trials in a line of their own.
std::string told(const Admission& admission) { return std::string(base::as_text(admitted(admission).privates.at(0).value)); }

}  // namespace

TEST_CASE("a fresh message of the key's owner proves it, an undated one only shows that it fits") {
  Fixture f;
  const auto verdict = [&f](const std::string& captured) { return command<model::ImportKey>(f.admit("POST", "/v1/imports", captured_text(captured))).verdict; };
  CHECK(verdict(webhook(0)) == model::ImportVerdict::proven);
  CHECK(verdict(webhook(900)) == model::ImportVerdict::proven);
  CHECK(verdict(webhook(-300)) == model::ImportVerdict::proven);
  CHECK(verdict(webhook(-301)) == model::ImportVerdict::usable);
  CHECK(verdict(undated()) == model::ImportVerdict::usable);
  CHECK(verdict(undated() + "," + webhook(5)) == model::ImportVerdict::proven);
  const Admission proven = f.admit("POST", "/v1/imports", captured_text(webhook(7)));
  CHECK(told(proven).find("\n[{\"proves\":true,\"answer\":{\"verified\":true,") != std::string::npos);
  CHECK(told(proven).find("\"offset_seconds\":-7") != std::string::npos);
  CHECK(told(proven).find("openssl pkeyutl -verify") != std::string::npos);
  CHECK(told(proven).find("Ann") == std::string::npos);
  CHECK(admitted(proven).privates.size() == 2);   // who is responsible is kept as well
}

TEST_CASE("a message that does not verify, or is too old, refuses the key and says why") {
  Fixture f;
  const auto cause = [&f](const std::string& captured) {
    const auto body = command<model::ImportKey>(f.admit("POST", "/v1/imports", captured_text(captured)));
    CHECK(body.verdict == model::ImportVerdict::trial_failed);
    CHECK_FALSE(body.facts.has_value());
    CHECK_FALSE(body.responsible.has_value());
    return std::string(intake::row_of(static_cast<intake::Cause>(body.causes[0])).code);
  };
  CHECK(cause(webhook(901)) == "signature_time_is_outside_window");
  CHECK(cause(webhook(0, "\n")) == "signature_line_ends_differ");
  CHECK(cause(webhook(0) + "," + webhook(0, "\n")) == "signature_line_ends_differ");
  // Unless configured otherwise its age is not looked at: it fits, and proves nothing.
  Gate patient(f.keys, f.book, [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{1}); });
  const Admission old = patient.admit(f.request("POST", "/v1/imports", captured_text(webhook(1'000'000))), test_now);
  CHECK(command<model::ImportKey>(old).verdict == model::ImportVerdict::usable);
}

TEST_CASE("what is kept of a message is bounded, however long it and its names are") {
  Fixture f;
  const std::string name(5'000, 'n'), text(40'000, 't');
  const Admission admission = f.admit("POST", "/v1/imports",
                                      captured_text(R"({"id":")" + name + R"(","convention":"detached","message":{"headers":{"date":")" + name +
                                                    R"("},"user_id":")" + name + R"(","body":")" + text + R"(","algorithm":"sm2-sm3","signature":"AAAA"}})"));
  CHECK(command<model::ImportKey>(admission).verdict == model::ImportVerdict::trial_failed);
  const std::string kept = told(admission);
  CHECK(kept.size() < 16'384);
  CHECK(wire::parse_json(base::as_bytes(kept.substr(kept.find('\n') + 1))).ok());
  CHECK(kept.find(std::string(finding_text_bytes_max, 'n')) != std::string::npos);
  CHECK(kept.find(std::string(finding_text_bytes_max + 1, 'n')) == std::string::npos);
}

TEST_CASE("the search for a cause ends by the clock that the gate is given") {
  Fixture f;
  std::int64_t asked = 0;
  GateSettings settings;
  settings.boot_clock = [&asked] { return base::Instant{base::milliseconds(100).ns * asked++}; };
  Gate hurried(f.keys, f.book, [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{1}); }, settings);
  const Admission admission = hurried.admit(f.request("POST", "/v1/imports", captured_text(webhook(0, " and more"))), test_now);
  CHECK(command<model::ImportKey>(admission).verdict == model::ImportVerdict::trial_failed);
  CHECK(told(admission).find("signature_search_was_cut_short") != std::string::npos);
}

TEST_CASE("a private key among our own or the roots is an incident: nothing is told of it, and nothing goes into the fingerprint") {
  Fixture f;
  const auto with_own = [](const std::string& key) {
    std::string captured = undated();
    captured.pop_back();
    return captured_text(captured + R"(,"own_key":{"key_base64":")" + key + R"("}})");
  };
  const Admission first = f.admit("POST", "/v1/imports", with_own(private_text()));
  CHECK(command<model::ImportKey>(first).verdict == model::ImportVerdict::secret_sent);
  CHECK(command<model::ImportKey>(first).causes[0] == 20);
  CHECK_FALSE(command<model::ImportKey>(first).facts.has_value());
  CHECK(told(first).find("evidence") == std::string::npos);
  CHECK(told(first).find("proves") == std::string::npos);
  std::string root = undated();
  root.pop_back();
  root = captured_text(root + R"(,"root":{"key_base64":")" + private_text() + R"("}})");
  CHECK(command<model::ImportKey>(f.admit("POST", "/v1/imports", root)).verdict == model::ImportVerdict::secret_sent);
  // The same but for the secret is the same request.
  base::Bytes other = *base::parse_base64(private_text());
  other.back() ^= 1;
  const Admission second = f.admit("POST", "/v1/imports", with_own(base::to_base64(other)));
  CHECK(admitted(second).commands[0].idempotency->fingerprint == admitted(first).commands[0].idempotency->fingerprint);
}

TEST_CASE("captured messages are part of what a key of idempotency stands for, however they are spaced") {
  Fixture f;
  const auto print_of = [&f](const std::string& captured) {
    return admitted(f.admit("POST", "/v1/imports", captured_text(captured))).commands[0].idempotency->fingerprint;
  };
  CHECK(print_of(webhook(1)) == print_of(" " + webhook(1) + "\n"));
  CHECK(print_of(webhook(1)) != print_of(webhook(2)));
  CHECK(print_of(undated()) != admitted(f.admit("POST", "/v1/imports", import_text(base::to_base64(ed25519_spki())))).commands[0].idempotency->fingerprint);
}

TEST_CASE("inside the process nobody says what day it is, so a captured message proves nothing") {
  Fixture f;
  KeyImport body{.partner = "bank-a", .key = "callbacks", .material = intake::to_secret(ed25519_spki())};
  body.captured.emplace_back(webhook(0));
  const auto admission = f.gate.admit_body({.tenant = 1, .principal = 2, .trace = {}}, "k", body);
  CHECK(std::get<model::ImportKey>(std::get<model::Admitted>(admission).commands.at(0).body).verdict == model::ImportVerdict::usable);
  body.captured.emplace_back("{}");
  CHECK(std::holds_alternative<Refusal>(f.gate.admit_body({.tenant = 1, .principal = 2, .trace = {}}, "k", body)));
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
  const Admission versions = f.admit("GET", "/v1/keys/key_3/versions");
  CHECK(std::get<ListKeyVersions>(std::get<Query>(versions).body).key == 3);
  CHECK(Fixture::told(f.admit("GET", "/v1/keys/3/versions")) == "request_field_invalid /id");
  wire::Request nobody;
  nobody.method = "GET";
  nobody.path = "/.well-known/jwks.json";
  CHECK(std::holds_alternative<GetOwnKeys>(std::get<Query>(f.gate.admit(nobody, test_now)).body));
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
  for (const char* const captured : {"", "{},{},{},{},{}", "[]", R"({"convention":"jws","key":"k","message":{}})",
                                     R"({"convention":"jws","message":{"status":1.5,"url":null,"headers":[[]],"body":true,"form":-1}})"}) {
    CHECK(told(captured_text(captured)).starts_with("request_field_invalid /captured"));
  }
  CHECK(f.told(f.admit("POST", "/v1/imports/im_1/approve", "{}")) == "request_field_invalid /id");
  CHECK(f.told(f.admit("POST", "/v1/keys/key_0/rollback", "{}")) == "request_field_invalid /id");
  CHECK(f.told(f.admit("POST", "/v1/keys/key_1/retire", "{}")) == "request_field_missing /version");
  CHECK(f.told(f.admit("POST", "/v1/imports/" + model::import_id(7) + "/prove", R"({"signature":"!"})")).starts_with("request_field_invalid /signature"));
}
