#include "core/registry/registry_story_test.h"

#include <doctest/doctest.h>

using namespace core;
using model::ImportState;
using model::KeyState;
using model::KeyVerb;
using model::Outcome;

namespace {

constexpr base::Duration day = base::seconds(86'400);

// A key with two versions, both proven: the first retires, the second is active.
struct Rotated : RegistryStory {
  Rotated() {
    prove(take(material(1)));
    prove(take(material(2)));
  }
};

}  // namespace

TEST_CASE("an import opens partner and key, waits, and is active once the key answered") {
  RegistryStory story;
  const model::EventNumber import = story.take(RegistryStory::material(1));
  CHECK_EQ(story.import(import), ImportState::waiting);
  CHECK_EQ(story.state.registry().partner_by_name(1, *model::parse_rail_name("bank-a")), 1);
  CHECK_EQ(story.active(), 0);
  CHECK_EQ(story.answer(import), Outcome::challenge_not_open);
  CHECK_EQ(story.challenge(import), Outcome::done);
  CHECK_EQ(story.answer(import, 8), Outcome::challenge_not_open);
  CHECK_EQ(story.answer(import, 7, false), Outcome::challenge_signature_wrong);
  CHECK_EQ(story.answer(import), Outcome::done);
  CHECK_EQ(story.import(import), ImportState::active);
  CHECK_EQ(story.version(1), KeyState::active);
  CHECK_EQ(story.active(), 1);
  CHECK_EQ(story.answer(import), Outcome::import_not_waiting);   // used once
  CHECK_EQ(story.state.freeze().registry.spki(*story.state.registry().import(import)), RegistryStory::facts(1).spki);
}

TEST_CASE("a challenge ends by server time, and a newer one takes its place") {
  RegistryStory story;
  const model::EventNumber import = story.take(RegistryStory::material(1));
  CHECK_EQ(story.challenge(import, 1), Outcome::done);
  CHECK_EQ(story.challenge(import, 2), Outcome::done);
  CHECK_EQ(story.answer(import, 1), Outcome::challenge_not_open);
  story.wait(base::seconds(15 * 60));
  CHECK_EQ(story.answer(import, 2), Outcome::challenge_not_open);
  CHECK_EQ(story.challenge(import, 3), Outcome::done);
  story.wait(base::seconds(15 * 60 - 1));
  CHECK_EQ(story.answer(import, 3), Outcome::done);
}

TEST_CASE("what the doctor refused is history and opens nothing") {
  RegistryStory story;
  model::ImportKey body = RegistryStory::material(1);
  body.verdict = model::ImportVerdict::refused;
  body.facts.reset();
  body.causes[0] = 77;
  const auto decided = story.run(body);
  REQUIRE_EQ(decided.size(), 2);
  CHECK_EQ(std::get<model::ImportReceived>(decided[0].body).causes[0], 77);
  CHECK_EQ(std::get<model::ImportMoved>(decided[1].body).cause, model::ImportCause::doctor);
  CHECK_EQ(story.state.registry().partner_count(), 0);
  const model::EventNumber import = story.state.head().next_event - 2;
  CHECK_EQ(story.challenge(import), Outcome::import_not_found);
  body.verdict = model::ImportVerdict::secret_sent;
  CHECK_EQ(std::get<model::ImportMoved>(story.run(body)[1].body).cause, model::ImportCause::secret_sent);
}

TEST_CASE("a captured message proves a key in the decision that takes it") {
  RegistryStory story;
  model::ImportKey body = RegistryStory::material(1);
  body.verdict = model::ImportVerdict::proven;
  const model::EventNumber first = story.take(body);
  CHECK_EQ(story.import(first), ImportState::active);
  CHECK_EQ(story.state.registry().import(first)->cause, static_cast<std::uint8_t>(model::ImportCause::trial));
  CHECK_EQ(story.active(), 1);
  CHECK_EQ(story.state.registry().version(1, 1)->proven, 1);
  CHECK_EQ(story.challenge(first), Outcome::import_not_waiting);
  // The one before retires for as long as this import asks, and what is staged or scheduled is not active yet.
  body.facts = RegistryStory::facts(2);
  body.overlap = base::seconds(60);
  story.take(body);
  CHECK_EQ(story.active(), 2);
  CHECK_EQ(story.version(1), KeyState::retiring);
  story.wait(base::seconds(60));
  CHECK_EQ(story.version(1), KeyState::retired);
  body.facts = RegistryStory::facts(3);
  body.staged = true;
  story.take(body);
  CHECK_EQ(story.version(3), KeyState::next);
  body.facts = RegistryStory::facts(4);
  body.staged = false;
  body.activate_at = story.now + day;
  story.take(body);
  CHECK_EQ(story.version(4), KeyState::next);
  story.wait(day);
  CHECK_EQ(story.active(), 4);
  CHECK_EQ(story.outcome_of(body), Outcome::key_already_imported);
}

TEST_CASE("a message that does not verify is history, with the trial as its cause") {
  RegistryStory story;
  model::ImportKey body = RegistryStory::material(1);
  body.verdict = model::ImportVerdict::trial_failed;
  body.facts.reset();
  const auto decided = story.run(body);
  REQUIRE_EQ(decided.size(), 2);
  CHECK_EQ(std::get<model::ImportMoved>(decided[1].body).to, ImportState::rejected);
  CHECK_EQ(std::get<model::ImportMoved>(decided[1].body).cause, model::ImportCause::trial);
  CHECK_EQ(story.state.registry().partner_count(), 0);
}

TEST_CASE("two people let a key in for a day; a proof confirms it") {
  RegistryStory story;
  const model::EventNumber import = story.take(RegistryStory::material(1));
  CHECK_EQ(story.review(import, RegistryStory::importer), Outcome::approver_must_not_be_requester);
  CHECK_EQ(story.review(import, RegistryStory::service), Outcome::approver_must_be_a_person);
  CHECK_EQ(story.review(import, RegistryStory::ann), Outcome::done);
  CHECK_EQ(story.review(import, RegistryStory::ann), Outcome::approver_counted_already);
  CHECK_EQ(story.active(), 0);
  CHECK_EQ(story.review(import, RegistryStory::bob), Outcome::done);
  CHECK_EQ(story.import(import), ImportState::provisional);
  CHECK_EQ(story.version(1), KeyState::active);
  CHECK_EQ(story.review(import, RegistryStory::ann), Outcome::import_not_waiting);
  story.wait(base::seconds(86'399));
  CHECK_EQ(story.version(1), KeyState::active);
  story.prove(import);
  CHECK_EQ(story.import(import), ImportState::active);
  story.wait(base::seconds(10 * 86'400LL));
  CHECK_EQ(story.version(1), KeyState::active);
}

TEST_CASE("what nobody confirms goes after a day, and the version before comes back") {
  RegistryStory story;
  story.prove(story.take(RegistryStory::material(1)));
  const model::EventNumber import = story.take(RegistryStory::material(2));
  story.approve(import);
  CHECK_EQ(story.active(), 2);
  CHECK_EQ(story.version(1), KeyState::retiring);
  story.wait(day);
  CHECK_EQ(story.version(2), KeyState::suspended);
  CHECK_EQ(story.active(), 1);
  CHECK_EQ(story.import(import), ImportState::manual_review);
  CHECK_EQ(story.steer(KeyVerb::apply, 2), Outcome::key_version_not_confirmed);
  story.prove(import);
  CHECK_EQ(story.active(), 2);
  CHECK_EQ(story.import(import), ImportState::active);
}

TEST_CASE("an approved version that is superseded retires no later than its day") {
  RegistryStory story;
  story.approve(story.take(RegistryStory::material(1)));
  story.prove(story.take(RegistryStory::material(2)));
  CHECK_EQ(story.version(1), KeyState::retiring);
  story.wait(day);
  CHECK_EQ(story.version(1), KeyState::retired);
}

TEST_CASE("people reject: what waits is over, what was let in goes") {
  RegistryStory story;
  const model::EventNumber first = story.take(RegistryStory::material(1));
  CHECK_EQ(story.review(first, RegistryStory::ann, false), Outcome::done);
  CHECK_EQ(story.import(first), ImportState::rejected);
  CHECK_EQ(story.review(first, RegistryStory::ann, false), Outcome::import_not_waiting);
  const model::EventNumber second = story.take(RegistryStory::material(2));
  story.approve(second);
  CHECK_EQ(story.review(second, RegistryStory::ann, false), Outcome::done);
  CHECK_EQ(story.version(1), KeyState::suspended);
  CHECK_EQ(story.active(), 0);
  CHECK_EQ(story.import(second), ImportState::rejected);
}

TEST_CASE("an import that nobody looks at is over after thirty days") {
  RegistryStory story;
  const model::EventNumber import = story.take(RegistryStory::material(1));
  story.wait(base::seconds(30LL * 86'400 - 1));
  CHECK_EQ(story.import(import), ImportState::waiting);
  story.wait(base::seconds(1));
  CHECK_EQ(story.import(import), ImportState::rejected);
  CHECK_EQ(story.challenge(import), Outcome::import_not_waiting);
  story.prove(story.take(RegistryStory::material(1)));   // and may come again
}

TEST_CASE("the version before verifies until its overlap is over; time destroys nothing") {
  Rotated story;
  CHECK_EQ(story.version(1), KeyState::retiring);
  CHECK_EQ(story.active(), 2);
  story.wait(base::seconds(7LL * 86'400 - 1));
  CHECK_EQ(story.version(1), KeyState::retiring);
  story.wait(base::seconds(1));
  CHECK_EQ(story.version(1), KeyState::retired);
  story.wait(base::seconds(4000LL * 86'400));
  CHECK_EQ(story.version(1), KeyState::retired);
  CHECK_EQ(story.version(2), KeyState::active);
}

TEST_CASE("an overlap is as the import asks") {
  RegistryStory story;
  story.prove(story.take(RegistryStory::material(1)));
  model::ImportKey body = RegistryStory::material(2);
  body.overlap = base::seconds(60);
  story.prove(story.take(body));
  story.wait(base::seconds(60));
  CHECK_EQ(story.version(1), KeyState::retired);
  body = RegistryStory::material(3);
  body.overlap = base::seconds(400LL * 86'400 + 1);
  CHECK_EQ(story.outcome_of(body), Outcome::key_overlap_out_of_range);
}

TEST_CASE("one step back, and no further") {
  Rotated story;
  CHECK_EQ(story.steer(KeyVerb::rollback), Outcome::done);
  CHECK_EQ(story.active(), 1);
  CHECK_EQ(story.version(2), KeyState::suspended);
  CHECK_EQ(story.steer(KeyVerb::rollback), Outcome::key_has_no_former_version);
  CHECK_EQ(story.steer(KeyVerb::apply, 2), Outcome::done);
  CHECK_EQ(story.active(), 2);
  story.wait(base::seconds(8LL * 86'400));
  CHECK_EQ(story.version(1), KeyState::retired);
  CHECK_EQ(story.steer(KeyVerb::rollback), Outcome::done);   // a retired one may come back, too
  CHECK_EQ(story.active(), 1);
}

TEST_CASE("compromise ends use at once, wherever the version is; rollback still brings the former one back") {
  Rotated story;
  CHECK_EQ(story.steer(KeyVerb::compromise, 2), Outcome::done);
  CHECK_EQ(story.version(2), KeyState::compromised);
  CHECK_EQ(story.active(), 0);
  CHECK_EQ(story.steer(KeyVerb::apply, 2), Outcome::key_state_forbids);
  CHECK_EQ(story.steer(KeyVerb::rollback), Outcome::done);
  CHECK_EQ(story.active(), 1);
  CHECK_EQ(story.outcome_of(RegistryStory::material(2)), Outcome::key_was_compromised);
  CHECK_EQ(story.outcome_of(RegistryStory::material(2, "bank-b")), Outcome::key_was_compromised);
}

TEST_CASE("only what is retired or compromised is destroyed, and nothing is left of it") {
  Rotated story;
  CHECK_EQ(story.steer(KeyVerb::destroy, 1), Outcome::key_state_forbids);
  CHECK_EQ(story.steer(KeyVerb::retire, 1), Outcome::done);
  CHECK_EQ(story.steer(KeyVerb::retire, 1), Outcome::key_state_forbids);
  CHECK_EQ(story.steer(KeyVerb::destroy, 1), Outcome::done);
  CHECK_EQ(story.version(1), KeyState::destroyed);
  CHECK(story.state.registry().is_blank(*story.state.registry().import(story.state.registry().version(1, 1)->import)));
  CHECK_EQ(story.steer(KeyVerb::compromise, 1), Outcome::key_state_forbids);
  CHECK_EQ(story.steer(KeyVerb::rollback), Outcome::key_has_no_former_version);
}

TEST_CASE("a staged version waits to be applied, a scheduled one for its time") {
  RegistryStory story;
  model::ImportKey body = RegistryStory::material(1);
  body.staged = true;
  story.prove(story.take(body));
  CHECK_EQ(story.version(1), KeyState::next);
  CHECK_EQ(story.steer(KeyVerb::apply), Outcome::done);
  CHECK_EQ(story.active(), 1);
  body = RegistryStory::material(2);
  body.activate_at = story.now + day;
  story.prove(story.take(body));
  CHECK_EQ(story.active(), 1);
  story.wait(day);
  CHECK_EQ(story.active(), 2);
  CHECK_EQ(story.version(1), KeyState::retiring);
  CHECK_EQ(story.steer(KeyVerb::apply), Outcome::key_version_not_found);
  CHECK_EQ(story.steer(KeyVerb::apply, 9), Outcome::key_version_not_found);
  body = RegistryStory::material(3);
  body.activate_at = story.now + base::seconds(401LL * 86'400);
  CHECK_EQ(story.outcome_of(body), Outcome::key_activation_out_of_range);
}

TEST_CASE("a key stands for one partner, and comes once") {
  RegistryStory story;
  const model::EventNumber import = story.take(RegistryStory::material(1));
  CHECK_EQ(story.outcome_of(RegistryStory::material(1)), Outcome::key_already_imported);
  CHECK_EQ(story.outcome_of(RegistryStory::material(1, "bank-b")), Outcome::key_belongs_to_another_partner);
  model::ImportKey other = RegistryStory::material(2);
  other.purpose = model::KeyPurpose::encrypt;
  CHECK_EQ(story.outcome_of(other), Outcome::key_has_another_purpose);
  CHECK_EQ(story.outcome_of(RegistryStory::material(1, "bank-a", "messages")), Outcome::done);   // another key of the same partner
  story.tell("tenant 2");
  CHECK_EQ(story.outcome_of(RegistryStory::material(1, "bank-b")), Outcome::done);               // others are not told of each other
  CHECK_EQ(story.challenge(import), Outcome::import_not_found);
  CHECK_EQ(story.steer(KeyVerb::rollback), Outcome::key_not_found);
}

TEST_CASE("a key that signs nothing is approved by people") {
  RegistryStory story;
  model::ImportKey body = RegistryStory::material(1);
  body.purpose = model::KeyPurpose::encrypt;
  (*body.facts)->algorithm = model::KeyAlgorithm::x25519;
  const model::EventNumber import = story.take(body);
  CHECK_EQ(story.challenge(import), Outcome::key_cannot_sign);
  story.approve(import);
  CHECK_EQ(story.active(), 1);
}

TEST_CASE("the end of a certificate is told of at 30, 14, 7 and 1 days and when it comes, each once") {
  RegistryStory story;
  model::ImportKey body = RegistryStory::material(1);
  (*body.facts)->not_after = story.now + base::seconds(40LL * 86'400);
  story.prove(story.take(body));
  std::vector<int> told;
  for (int i = 0; i < 50; ++i) {
    for (const model::Event& event : story.wait(day)) {
      if (const auto* warned = std::get_if<model::KeyExpiryWarned>(&event.body)) told.push_back(warned->days);
    }
  }
  CHECK_EQ(told, std::vector<int>{30, 14, 7, 1, 0});
  CHECK_EQ(story.version(1), KeyState::active);   // told, not touched: what is over is refused where it is used
  body = RegistryStory::material(2);
  (*body.facts)->not_after = story.now;
  CHECK_EQ(story.outcome_of(body), Outcome::key_has_expired);
  (*body.facts)->not_after = story.now + base::seconds(3LL * 86'400);
  story.prove(story.take(body));
  const auto now = story.wait(base::seconds(0));
  REQUIRE_EQ(now.size(), 1);
  CHECK_EQ(std::get<model::KeyExpiryWarned>(now[0].body).days, 7);   // the most urgent one that is due, and that alone
}

TEST_CASE("bounds of the registry refuse what is new") {
  RegistryStory story;
  story.bounds.registry.partners_max = 1;
  CHECK_EQ(story.outcome_of(RegistryStory::material(1)), Outcome::done);
  CHECK_EQ(story.outcome_of(RegistryStory::material(2, "bank-b")), Outcome::too_many_keys);
  story.bounds.registry.partners_max = 2;
  story.bounds.registry.imports_max = 1;
  CHECK_EQ(story.outcome_of(RegistryStory::material(2)), Outcome::too_many_keys);
  story.bounds.registry.imports_max = 9;
  story.bounds.registry.keys_max = 1;
  CHECK_EQ(story.outcome_of(RegistryStory::material(2)), Outcome::done);
  CHECK_EQ(story.outcome_of(RegistryStory::material(3, "bank-a", "other")), Outcome::too_many_keys);
}

TEST_CASE("random stories keep every law, and a state loaded from its sections goes on as if nothing had been") {
  std::uint64_t seed = 20261122;
  const auto random = [&seed](std::uint64_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 33) % below;
  };
  RegistryStory story;
  std::vector<model::EventNumber> imports;
  for (int step = 0; step < 3000; ++step) {
    const model::EventNumber import = imports.empty() ? 1 : imports[imports.size() - 1 - random(std::min<std::size_t>(imports.size(), 3))];
    const auto key = static_cast<model::KeyNumber>(random(5));
    const auto version = static_cast<model::KeyVersion>(random(12));
    switch (random(9)) {
      case 0: {
        constexpr std::string_view partners[] = {"bank-a", "bank-b"}, keys[] = {"callbacks", "messages"};
        model::ImportKey body = RegistryStory::material(static_cast<std::uint32_t>(random(400)), partners[random(2)], keys[random(2)]);
        body.staged = random(3) == 0;
        if (!body.staged && random(3) == 0) body.activate_at = story.now + base::seconds(static_cast<std::int64_t>(random(3 * 86'400) + 1));
        if (random(3) == 0) (*body.facts)->not_after = story.now + base::seconds(static_cast<std::int64_t>(random(40 * 86'400) + 1));
        for (const model::Event& event : story.run(body)) {
          if (const auto* moved = std::get_if<model::ImportMoved>(&event.body); moved != nullptr && moved->to == ImportState::waiting) imports.push_back(moved->import);
        }
        break;
      }
      case 1: story.challenge(import); break;
      case 2: story.answer(import, 7, random(5) != 0); break;
      case 3: story.review(import, static_cast<model::PrincipalNumber>(random(5)), random(6) != 0); break;
      case 4: story.steer(static_cast<KeyVerb>(random(5) + 1), version, key); break;
      case 5: story.wait(base::seconds(static_cast<std::int64_t>(random(2 * 86'400)))); break;
      default: story.prove(imports.empty() || !model::is_open(story.import(import)) ? story.take(RegistryStory::material(1000 + static_cast<std::uint32_t>(step))) : import);
    }
    if (step % 500 == 499) {
      StateLoader loader;
      const FrozenState frozen = story.state.freeze();
      for (const StateSection section : all_state_sections) {
        frozen.for_each_piece(section, [&](base::ByteView piece) { loader.take(section, piece); });
      }
      auto loaded = loader.finish();
      REQUIRE(loaded.ok());
      CHECK(loaded->registry().version_deadlines() == story.state.registry().version_deadlines());
      CHECK(loaded->registry().import_deadlines() == story.state.registry().import_deadlines());
      CHECK(loaded->registry().by_pin() == story.state.registry().by_pin());
      story.state = *std::move(loaded);
    }
  }
  CHECK(story.state.registry().version_count() > 10);
}

TEST_CASE("a version whose certificate is of no use is suspended, for its own cause, and nothing comes back by itself") {
  Rotated story;
  CHECK_EQ(story.steer(KeyVerb::suspend_revoked, 2), Outcome::done);
  CHECK_EQ(story.version(2), KeyState::suspended);
  CHECK_EQ(story.state.registry().version(1, 2)->cause, static_cast<std::uint8_t>(model::KeyCause::certificate_revoked));
  CHECK_EQ(story.active(), 0);
  CHECK_EQ(story.version(1), KeyState::retiring);   // as before, until its overlap is over
  CHECK_EQ(story.steer(KeyVerb::suspend_revoked, 2), Outcome::key_state_forbids);
  CHECK_EQ(story.steer(KeyVerb::suspend_unknown, 1), Outcome::done);
  CHECK_EQ(story.state.registry().version(1, 1)->cause, static_cast<std::uint8_t>(model::KeyCause::revocation_unknown));
  CHECK_EQ(story.steer(KeyVerb::suspend_unknown, 9), Outcome::key_version_not_found);
  CHECK(story.wait(base::seconds(400LL * 86'400)).empty());
  CHECK_EQ(story.version(1), KeyState::suspended);
  // People take it into use again.
  CHECK_EQ(story.steer(KeyVerb::apply, 2), Outcome::done);
  CHECK_EQ(story.active(), 2);
}

TEST_CASE("a confirmed wallet is an import whose version is active at once; what was not confirmed is refused and opens nothing") {
  RegistryStory story;
  model::ImportKey body = RegistryStory::material(9, "ann", "main");
  body.purpose = model::KeyPurpose::watch;
  body.verdict = model::ImportVerdict::address_confirmed;
  model::ImportKey refused = body;
  refused.facts = {};
  constexpr std::pair<model::ImportVerdict, Outcome> refusals[] = {
      {model::ImportVerdict::address_differs, Outcome::wallet_address_differs},
      {model::ImportVerdict::wallet_unknown, Outcome::wallet_import_not_found},
      {model::ImportVerdict::wallet_expired, Outcome::wallet_import_expired},
  };
  for (const auto& [verdict, outcome] : refusals) {
    refused.verdict = verdict;
    CHECK_EQ(story.outcome_of(refused), outcome);
  }
  CHECK_EQ(story.state.registry().key_count(), 0);

  const model::EventNumber import = story.take(body);
  CHECK(story.state.registry().import(import)->status() == ImportState::active);
  CHECK_EQ(story.state.registry().import(import)->cause, static_cast<std::uint8_t>(model::ImportCause::address));
  CHECK(story.state.registry().version(1, 1)->status() == KeyState::active);
  // The same account again, and a key of another kind under the wallet's name.
  CHECK_EQ(story.outcome_of(body), Outcome::key_already_imported);
  CHECK_EQ(story.outcome_of(RegistryStory::material(10, "ann", "main")), Outcome::key_has_another_purpose);
  // The wallet moved to another account: the one before is watched for a while.
  body.facts = RegistryStory::facts(11);
  story.take(body);
  CHECK(story.state.registry().version(1, 1)->status() == KeyState::retiring);
  CHECK(story.state.registry().version(1, 2)->status() == KeyState::active);
}
