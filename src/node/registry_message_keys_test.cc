// Keys of the registry as they verify what a partner sends.

#include "node/registry_message_keys.h"

#include "base/text.h"
#include "crypto/sign.h"
#include "effects/rails/http_rail.h"
#include "effects/webhook/webhook_keys.h"
#include "node/rail_callbacks.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

using model::KeyState;

const base::Instant now{1'800'000'000'000'000'000};
const node::RegistryPlace place{*model::parse_rail_name("bank-a"), *model::parse_rail_name("callbacks")};

effects::OwnEd25519Signer signer_of(std::uint8_t seed) { return effects::OwnEd25519Signer(*io::SecretMemory::copy_of(base::Bytes(32, seed))); }

// A registry that grows event by event, and is read as the core last decided it.
struct Registry {
  explicit Registry(model::KeyPurpose purpose = model::KeyPurpose::verify_callbacks) {
    tables.apply(model::PartnerOpened{.number = 1, .tenant = 1, .name = place.partner}, next++, now);
    tables.apply(model::KeyOpened{.number = 1, .partner = 1, .name = place.key, .purpose = purpose}, next++, now);
  }
  // Of an Ed25519 key, told apart by its seed, which is the first byte of its thumbprint too; the number of its version.
  model::KeyVersion add(std::uint8_t seed, bool ed25519 = true) {
    model::ImportReceived received{.tenant = 1, .importer = 1, .partner = 1, .key = 1, .facts = {}, .findings = {}, .responsible = {}};
    model::KeyFacts facts;
    facts.spki = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
    base::append(facts.spki, signer_of(seed).public_key());
    if (!ed25519) facts.spki[8] = 0x71;
    facts.pin = {seed};
    facts.thumbprint = base::Digest{seed};
    received.facts = std::move(facts);
    const model::EventNumber import = next;
    tables.apply(received, next++, now);
    tables.apply(model::KeyVersionAdded{.key = 1, .version = ++versions, .import = import, .proven = true}, next++, now);
    ++changes;
    return versions;
  }
  void move(model::KeyVersion version, KeyState from, KeyState to) {
    tables.apply(model::KeyVersionMoved{.key = 1, .version = version, .from = from, .to = to, .reason = {}}, next++, now);
    ++changes;
  }
  node::RegistryReader reader() {
    return [this, seen = 0, last = std::shared_ptr<const core::RegistryTables::Frozen>()]() mutable {
      if (last == nullptr || seen != changes) last = std::make_shared<const core::RegistryTables::Frozen>(tables.freeze());
      seen = changes;
      return last;
    };
  }
  core::RegistryTables tables;
  model::EventNumber next = 1;
  model::KeyVersion versions = 0;
  int changes = 0;
};

std::string thumbprint(std::uint8_t seed) { return base::to_base64url(base::Digest{seed}); }

}  // namespace

TEST_CASE("versions that are active or retiring are found by their thumbprint, no others") {
  Registry registry;
  node::RegistryMessageKeys keys(registry.reader(), 1, place);
  CHECK(keys.usable().empty());
  const auto first = registry.add(1);
  CHECK_FALSE(keys.find(thumbprint(1)).has_value());   // next
  registry.move(first, KeyState::next, KeyState::active);
  REQUIRE(keys.find(thumbprint(1)).has_value());
  CHECK(keys.find(thumbprint(1))->material == signer_of(1).public_key());
  const auto second = registry.add(2);
  registry.move(first, KeyState::active, KeyState::retiring);
  registry.move(second, KeyState::next, KeyState::active);
  CHECK_EQ(keys.usable().size(), 2);
  registry.move(first, KeyState::retiring, KeyState::retired);
  CHECK_FALSE(keys.find(thumbprint(1)).has_value());
  CHECK(keys.find(thumbprint(2)).has_value());
  registry.move(second, KeyState::active, KeyState::compromised);
  CHECK(keys.usable().empty());
}

TEST_CASE("another tenant, name, purpose or kind of key has none") {
  Registry registry;
  registry.move(registry.add(1), KeyState::next, KeyState::active);
  CHECK(node::RegistryMessageKeys(registry.reader(), 2, place).usable().empty());
  CHECK(node::RegistryMessageKeys(registry.reader(), 1, {place.partner, place.partner}).usable().empty());
  CHECK(node::RegistryMessageKeys(registry.reader(), 1, {place.key, place.key}).usable().empty());
  Registry messages(model::KeyPurpose::verify_messages);
  messages.move(messages.add(1), KeyState::next, KeyState::active);
  CHECK(node::RegistryMessageKeys(messages.reader(), 1, place).usable().empty());
  Registry ed448;
  ed448.move(ed448.add(1, false), KeyState::next, KeyState::active);
  CHECK(node::RegistryMessageKeys(ed448.reader(), 1, place).usable().empty());
}

TEST_CASE("a rail's callbacks follow a rotation in the registry, by RFC 9421 and by Standard Webhooks") {
  Registry registry;
  node::RailSettings settings;
  settings.name = *model::parse_rail_name("bank-a");
  settings.callback_place = place;
  io::SimulatedClock clock;
  io::SimulatedRandom random{1};
  node::RailCallbacks callbacks({settings}, {}, clock, nullptr, registry.reader());
  const std::string body = R"({"event":"e1","occurred_at":"2027-01-15T08:00:00Z","payment":{"reference":"tr_0000000000042","kind":"payout",)"
                           R"("state":"settled","amount":"5","asset":"USD/2","valid_until":"2027-01-15T08:00:00Z"}})";
  const auto heard = [&](std::uint8_t seed, bool webhook) {
    wire::Request request;
    request.method = "POST";
    request.path = "/v1/rails/bank-a/callbacks";
    request.authority = "holdfast.example";
    request.headers.add("content-type", "application/json");
    request.body = body;
    if (webhook) {
      auto signer = signer_of(seed);
      const effects::WebhookSigning signing{.secrets = {}, .signers = {&signer}};
      REQUIRE(effects::sign_webhook(request.headers, "msg_1", body, signing, now).ok());
    } else {
      auto signer = signer_of(seed);
      REQUIRE(effects::sign_request(request, "https", signer, {thumbprint(seed), std::string(effects::rail_signature_tag)}, now, random).ok());
    }
    return std::holds_alternative<gate::RailReport>(callbacks.hear("bank-a", request, now));
  };
  const auto both = [&](std::uint8_t seed) {
    CHECK_EQ(heard(seed, true), heard(seed, false));
    return heard(seed, true);
  };
  CHECK_FALSE(both(1));
  const auto first = registry.add(1);
  registry.move(first, KeyState::next, KeyState::active);
  CHECK(both(1));
  const auto second = registry.add(2);
  registry.move(first, KeyState::active, KeyState::retiring);
  registry.move(second, KeyState::next, KeyState::active);
  CHECK(both(1));
  CHECK(both(2));
  registry.move(first, KeyState::retiring, KeyState::retired);
  CHECK_FALSE(both(1));
  CHECK(both(2));
}
