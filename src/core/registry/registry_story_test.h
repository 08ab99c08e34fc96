#pragma once
// Stories of partners' keys, for tests: people, a service, material that is told apart by one number. After every command all laws
// are asked (Story does that).

#include <string_view>
#include <vector>

#include "core/ledger/story_test.h"
#include "core/registry/registry.h"

#include <doctest/doctest.h>

namespace core {

class RegistryStory : public Story {
 public:
  static constexpr model::PrincipalNumber importer = 1, ann = 2, bob = 3, service = 4;

  RegistryStory() {
    for (int i = 1; i <= 4; ++i) {
      run(model::CreateClient{.kind = i == service ? model::PrincipalKind::service : model::PrincipalKind::person,
                              .scopes = model::all_scopes,
                              .name = {},
                              .secret_hash = {}});
    }
    principal = importer;
  }

  /// A key that is told apart from others by `seed`.
  static model::KeyFacts facts(std::uint32_t seed) {
    model::KeyFacts facts;
    facts.spki = {0x30, static_cast<std::uint8_t>(seed), static_cast<std::uint8_t>(seed >> 8), 1};
    facts.spki.resize(91, 0x55);
    facts.algorithm = model::KeyAlgorithm::ec_p256;
    facts.bits = 256;
    facts.pin[0] = static_cast<std::uint8_t>(seed);
    facts.pin[1] = static_cast<std::uint8_t>(seed >> 8);
    facts.fingerprint = facts.pin;
    facts.thumbprint = facts.pin;
    return facts;
  }
  static model::ImportKey material(std::uint32_t seed, std::string_view partner = "bank-a", std::string_view key = "callbacks") {
    model::ImportKey body;
    body.partner = *model::parse_rail_name(partner);
    body.key = *model::parse_rail_name(key);
    body.purpose = model::KeyPurpose::verify_callbacks;
    body.facts = facts(seed);
    return body;
  }

  /// The number of the import that the newest command made.
  model::EventNumber take(const model::ImportKey& body) {
    const auto decided = run(body);
    for (std::size_t i = 0; i < decided.size(); ++i) {
      if (std::holds_alternative<model::ImportReceived>(decided[i].body)) return state.head().next_event - decided.size() + i;
    }
    FAIL("nothing was received");
    return 0;
  }

  model::Outcome challenge(model::EventNumber import, std::uint8_t nonce = 7) {
    base::Digest digest{};
    digest[0] = nonce;
    return outcome_of(model::ChallengeImport{.import = import, .nonce = digest, .origin = {'x'}});
  }
  model::Outcome answer(model::EventNumber import, std::uint8_t nonce = 7, bool verified = true) {
    base::Digest digest{};
    digest[0] = nonce;
    return outcome_of(model::ProveImport{.import = import, .nonce = digest, .verified = verified});
  }
  void prove(model::EventNumber import) {
    CHECK_EQ(challenge(import), model::Outcome::done);
    CHECK_EQ(answer(import), model::Outcome::done);
  }
  model::Outcome review(model::EventNumber import, model::PrincipalNumber person, bool approve = true) {
    const model::PrincipalNumber before = principal;
    principal = person;
    const model::Outcome outcome = outcome_of(model::ReviewImport{.import = import, .approve = approve, .reason = {}});
    principal = before;
    return outcome;
  }
  void approve(model::EventNumber import) {
    CHECK_EQ(review(import, ann), model::Outcome::done);
    CHECK_EQ(review(import, bob), model::Outcome::done);
  }
  model::Outcome steer(model::KeyVerb verb, model::KeyVersion version = 0, model::KeyNumber key = 1) {
    return outcome_of(model::SteerKey{.key = key, .version = version, .verb = verb, .reason = {}});
  }
  /// Lets time pass and everything that is due happen; gives what happened.
  std::vector<model::Event> wait(base::Duration time) {
    now = now + time;
    std::vector<model::Event> all;
    while (is_anything_due(state, now)) {
      for (model::Event& event : run(model::Tick{})) all.push_back(std::move(event));
    }
    return all;
  }

  model::KeyState version(model::KeyVersion number, model::KeyNumber key = 1) const {
    const KeyVersionRecord* record = state.registry().version(key, number);
    REQUIRE(record != nullptr);
    return record->status();
  }
  model::ImportState import(model::EventNumber number) const {
    const ImportRecord* record = state.registry().import(number);
    REQUIRE(record != nullptr);
    return record->status();
  }
  model::KeyVersion active(model::KeyNumber key = 1) const { return state.registry().key(key)->active; }
};

}  // namespace core
