// Imports and keys as they are shown. The schemas are checked member by member against the document.
#include "edge/render.h"

#include <doctest/doctest.h>

#include "edge/edge_fixture.h"
#include "edge/schemas_for_tests.h"

using namespace edge;
using model::ImportCause;
using model::ImportState;
using model::KeyState;

namespace {

model::KeyFacts facts() {
  return {.spki = {1, 2, 3},
          .form = model::KeyForm::certificate,
          .algorithm = model::KeyAlgorithm::ec_p256,
          .bits = 256,
          .pin = {1},
          .fingerprint = {2},
          .thumbprint = base::Digest{3},
          .not_before = some_time,
          .not_after = some_time};
}

model::ImportReceived received(model::KeyNumber key) {
  model::ImportReceived event{.tenant = 1, .importer = 7, .partner = key, .key = key, .facts = {}, .findings = base::Digest{4}, .responsible = {}};
  event.partner_name = *model::parse_rail_name("bank-a");
  event.key_name = *model::parse_rail_name("callbacks");
  if (key != 0) event.facts = facts();
  return event;
}

model::ImportMoved moved(model::EventNumber import, ImportState from, ImportState to, ImportCause cause) {
  return {.import = import, .from = from, .to = to, .cause = cause, .due = some_time};
}

constexpr std::string_view findings_text =
    R"([{"code":"private_key_given_where_public_expected","severity":"incident","place":{"begin":0,"end":3,"line":1,"column":1},"remedy":{"en":"a","zh":"b"}}])";

struct Fixture {
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  FakeBackend backend{*loop};
  Schemas schemas;
  RenderContext context{.backend = backend, .operation = model::Operation::import_key, .trace = {9}, .secret = {}};
  Rendered rendered;

  // The entry of these events begins at 41; findings belong to the event `about`.
  std::string told{findings_text};
  AnswerItem item(std::vector<model::EventBody> bodies, model::EventNumber about = 41) {
    auto source = make_source(41, std::move(bodies));
    source->privates.push_back({about, model::PrivateField::import_findings, {}, base::to_bytes(base::as_bytes(told))});
    return item_of(source);
  }
  std::string event(std::vector<model::EventBody> bodies, model::EventNumber about = 41) {
    std::string out;
    rendered = render_item(context, item(std::move(bodies), about), out);
    return out;
  }
  std::string reading(decltype(Reading::body) body) {
    std::string out;
    rendered = render_reading(context, {.position = 5, .body = std::move(body)}, out);
    return out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a first import is answered by the import, not by what it opened") {
  const std::string body = event({model::PartnerOpened{.number = 1, .tenant = 1, .name = *model::parse_rail_name("bank-a")},
                                  model::KeyOpened{.number = 1, .partner = 1, .name = *model::parse_rail_name("callbacks")},
                                  received(1), moved(43, ImportState::inspected, ImportState::waiting, ImportCause::doctor)},
                                 43);
  schemas.check("ImportTaken", body);
  CHECK_EQ(rendered.status, 201);
  CHECK_EQ(rendered.location, "/v1/imports/" + model::import_id(43));
  CHECK(body.find(R"("state":"waiting")") != std::string::npos);
  CHECK(body.find(findings_text) != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "what the doctor refused is a problem with its findings; a secret has a code of its own") {
  const std::string refused = event({received(0), moved(41, ImportState::received, ImportState::rejected, ImportCause::doctor)});
  schemas.check("Problem", refused);
  CHECK_EQ(rendered.status, 422);
  CHECK(refused.find(R"("code":"import_material_refused")") != std::string::npos);
  CHECK(refused.find(findings_text) != std::string::npos);
  const std::string secret = event({received(0), moved(41, ImportState::received, ImportState::rejected, ImportCause::secret_sent)});
  schemas.check("Problem", secret);
  CHECK(secret.find(R"("code":"import_contains_secret")") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "what captured messages said stands beside the findings, with what came of it") {
  constexpr std::string_view trials = R"([{"proves":true,"answer":{"verified":true,"signature_is_good":true,"code":"signature_is_verified","convention":"jws",)"
                                      R"("scheme":"s","key":"k","findings":[],"deviations":[],"signed_text_masked":"x","stamps":[{"name":"iat","text":"1"}],)"
                                      R"("variants_tried":1,"openssl":"openssl dgst"}}])";
  told = std::string(findings_text) + "\n" + std::string(trials);
  const model::KeyVersionMoved version{.key = 1, .version = 1, .from = KeyState::next, .to = KeyState::active, .cause = model::KeyCause::approval, .reason = {}};
  const std::string proven = event({received(1), moved(41, ImportState::waiting, ImportState::tried, ImportCause::trial),
                                    moved(41, ImportState::tried, ImportState::active, ImportCause::trial),
                                    model::KeyVersionAdded{.key = 1, .version = 1, .import = 41, .proven = true}, version});
  schemas.check("ImportTaken", proven);
  CHECK(proven.find(R"("cause":"trial","version":1,"versions":[{"version":1,"from":"next","state":"active")") != std::string::npos);
  CHECK(proven.find("\"findings\":" + std::string(findings_text) + ",\"trials\":" + std::string(trials)) != std::string::npos);
  const std::string failed = event({received(0), moved(41, ImportState::received, ImportState::rejected, ImportCause::trial)});
  schemas.check("Problem", failed);
  CHECK_EQ(rendered.status, 422);
  CHECK(failed.find(R"("code":"import_trial_failed")") != std::string::npos);
  CHECK(failed.find(trials) != std::string::npos);
  schemas.check("Import", reading(ImportReading{.received = item({received(1)}), .state = ImportState::active, .cause = ImportCause::trial, .version = 1}));
}

TEST_CASE_FIXTURE(Fixture, "challenges, proofs, votes and verbs are answered by what they led to") {
  const std::string challenge = event({model::ImportChallenged{.import = 43, .nonce = {1}, .expires_at = some_time, .origin = {'o'}}});
  schemas.check("ImportChallenge", challenge);
  CHECK(challenge.find(R"(holdfast-key-challenge-v1\norigin: o\nimport: )") != std::string::npos);
  const model::KeyVersionMoved version{.key = 1, .version = 2, .from = KeyState::next, .to = KeyState::active, .due = some_time, .usable_until = some_time, .reason = {}};
  const std::string proof = event({moved(43, ImportState::waiting, ImportState::tried, ImportCause::proof),
                                   moved(43, ImportState::tried, ImportState::active, ImportCause::proof),
                                   model::KeyVersionAdded{.key = 1, .version = 2, .import = 43, .proven = true}, version});
  schemas.check("ImportDecision", proof);
  CHECK(proof.find(R"("state":"active","cause":"proof","key_id":"key_1","version":2)") != std::string::npos);
  const std::string vote = event({model::ImportVoted{.import = 43, .person = 2, .approve = true, .counted = 1, .needed = 2, .reason = {}}});
  schemas.check("ImportDecision", vote);
  const std::string verb = event({version});
  schemas.check("KeyDecision", verb);
  model::Refused refusal{.outcome = model::Outcome::key_version_not_found, .operation = model::Operation::steer_key, .subject = 3};
  const std::string refused = event({refusal});
  schemas.check("Problem", refused);
  CHECK(refused.find(R"("key_id":"key_3")") != std::string::npos);
  refusal.operation = model::Operation::prove_import;
  CHECK(event({refusal}).find(R"("import":"im_)") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "imports and keys are shown as they are") {
  ImportReading import{.received = item({received(1)}), .state = ImportState::provisional, .cause = ImportCause::people, .version = 1, .approvals = 2};
  import.due = import.challenge_ends = some_time;
  schemas.check("Import", reading(import));
  KeyReading key{.number = 3, .partner = "bank-a", .name = "callbacks", .responsible = "ann", .active = 2, .former = 1, .versions = {}};
  key.versions.push_back({.version = 2, .state = KeyState::active, .cause = model::KeyCause::rollback, .proven = true, .import = 43, .facts = facts(),
                          .since = some_time, .due = some_time, .usable_until = some_time});
  schemas.check("PartnerKey", reading(key));
  key.versions[0].revocation = RevocationReading{.result = "good", .code = {}, .evidence = "good at ...", .checked_at = some_time, .good_at = some_time};
  CHECK(reading(key).find(R"("revocation":{"result":"good","evidence":"good at ...","checked_at":)") != std::string::npos);
  key.versions[0].revocation = RevocationReading{.result = "unknown", .code = "fetch_connect_failed", .evidence = {}, .checked_at = some_time};
  CHECK(reading(key).find(R"("revocation":{"result":"unknown","code":"fetch_connect_failed","checked_at":)") != std::string::npos);
  schemas.check("PartnerKey", reading(key));
  const std::string page = reading(KeysPage{.keys = {key}, .next = 3});
  schemas.check("KeyList", page);
  CHECK(page.find("next_cursor") != std::string::npos);
  schemas.check("KeyVersionList", reading(KeyVersionsReading{.versions = key.versions}));
}
