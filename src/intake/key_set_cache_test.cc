#include "intake/key_set_cache.h"

#include <doctest/doctest.h>

namespace {

using namespace intake;
using base::Instant;
using base::seconds;

constexpr std::string_view issuer = "https://partner.example";

Instant at(std::int64_t second) { return {second * 1'000'000'000}; }
PublishedKey published(std::string kid, std::string thumbprint) { return {std::move(kid), std::move(thumbprint), {1, 2, 3}, "ES256", false}; }

// A cache whose set was fetched at second 0 and lives 600 s.
struct Ready {
  KeySetCache cache;
  Ready() {
    cache.add_issuer(issuer);
    CHECK(cache.look_up(issuer, "a", at(0)).fetch);
    cache.fetched(issuer, {published("a", "ta"), published("b", "tb")}, {.cache_control = "max-age=600", .etag = "\"1\""}, at(0));
  }
  KeyAnswer ask(std::string_view kid, std::int64_t second) { return cache.look_up(issuer, kid, at(second)); }
};

std::int64_t lifetime(const CacheHeaders& headers) { return key_set_lifetime(headers, {}).ns / 1'000'000'000; }

}  // namespace

TEST_CASE("the lifetime of a key set follows its headers within five minutes and a day") {
  CHECK_EQ(lifetime({}), 600);
  CHECK_EQ(lifetime({.cache_control = "public, Max-Age=3600"}), 3'600);
  CHECK_EQ(lifetime({.cache_control = "max-age=3600", .age = "600"}), 3'000);
  CHECK_EQ(lifetime({.cache_control = "max-age=\"900\", must-revalidate"}), 900);
  CHECK_EQ(lifetime({.cache_control = "max-age=1"}), 300);
  CHECK_EQ(lifetime({.cache_control = "max-age=99999999999999999999"}), 86'400);
  CHECK_EQ(lifetime({.cache_control = "max-age=soon"}), 300);
  CHECK_EQ(lifetime({.cache_control = "no-store, max-age=3600"}), 300);
  CHECK_EQ(lifetime({.cache_control = "max-age=900", .expires = "Sun, 22 Nov 2026 14:00:00 GMT", .date = "Sun, 22 Nov 2026 12:00:00 GMT"}), 900);
  CHECK_EQ(lifetime({.expires = "Sun, 22 Nov 2026 14:00:00 GMT", .date = "Sun, 22 Nov 2026 12:00:00 GMT"}), 7'200);
  CHECK_EQ(lifetime({.expires = "0", .date = "Sun, 22 Nov 2026 12:00:00 GMT"}), 300);
  CHECK_EQ(lifetime({.expires = "Sun, 22 Nov 2026 14:00:00 GMT"}), 300);
}

TEST_CASE("a set is fetched once, by one, and known keys are answered from it") {
  KeySetCache cache;
  CHECK_EQ(cache.look_up(issuer, "a", at(0)).lookup, KeyLookup::no_issuer);
  cache.add_issuer(issuer);
  KeyAnswer answer = cache.look_up(issuer, "a", at(0));
  CHECK_EQ(answer.lookup, KeyLookup::no_set);
  CHECK(answer.fetch);
  CHECK_FALSE(cache.look_up(issuer, "a", at(1)).fetch);  // somebody is at it
  CHECK(cache.look_up(issuer, "a", at(16)).fetch);       // and never reported
  CHECK(cache.fetched(issuer, {published("a", "ta")}, {}, at(17)).empty());
  answer = cache.look_up(issuer, "a", at(18));
  CHECK_EQ(answer.lookup, KeyLookup::known);
  REQUIRE(answer.key != nullptr);
  CHECK_EQ(answer.key->thumbprint, "ta");
  CHECK_FALSE(answer.fetch);
  CHECK(cache.look_up(issuer, "", at(18)).key == answer.key);  // one key needs no id
  Ready two;
  CHECK_EQ(two.ask("", 1).lookup, KeyLookup::ambiguous);
  CHECK_FALSE(two.ask("", 1).fetch);
}

TEST_CASE("past its lifetime a set serves while one refresh runs, and up to the cap while none succeeds") {
  Ready ready;
  KeyAnswer answer = ready.ask("a", 600);
  CHECK_EQ(answer.lookup, KeyLookup::known_stale);
  CHECK(answer.fetch);
  CHECK_FALSE(ready.ask("a", 601).fetch);
  ready.cache.failed(issuer, at(602));
  CHECK_FALSE(ready.ask("a", 603).fetch);  // not at once again
  CHECK(ready.ask("a", 607).fetch);
  ready.cache.failed(issuer, at(608));
  CHECK_FALSE(ready.ask("a", 617).fetch);  // twice as long
  CHECK(ready.ask("a", 618).fetch);
  CHECK_EQ(ready.ask("a", 4'199).lookup, KeyLookup::known_stale);
  CHECK_EQ(ready.ask("a", 4'200).lookup, KeyLookup::too_stale);
  ready.cache.not_modified(issuer, {.cache_control = "max-age=600"}, at(4'201));
  CHECK_EQ(ready.ask("a", 4'202).lookup, KeyLookup::known);
  CHECK_EQ(ready.cache.entity_tag(issuer), "\"1\"");
  CHECK_EQ(ready.cache.counters().refreshes_failed, 2);
  CHECK_GT(ready.cache.counters().stale_hits, 3);
  // After a compromise nothing is served past its lifetime.
  ready.cache.mark_revoked(issuer);
  CHECK_EQ(ready.ask("a", 4'801).lookup, KeyLookup::too_stale);
}

TEST_CASE("an unknown id refreshes once per cool-down, the first at once") {
  Ready ready;
  KeyAnswer answer = ready.ask("c", 1);
  CHECK_EQ(answer.lookup, KeyLookup::unknown);
  CHECK(answer.fetch);
  ready.cache.fetched(issuer, {published("a", "ta"), published("b", "tb")}, {}, at(2));
  answer = ready.ask("c", 3);
  CHECK_FALSE(answer.fetch);
  REQUIRE(answer.retry_at.has_value());
  CHECK_EQ(answer.retry_at->ns, at(31).ns);
  CHECK(ready.ask("c", 31).fetch);
  // Another issuer has a cool-down of its own.
  ready.cache.add_issuer("https://other.example");
  CHECK(ready.cache.look_up("https://other.example", "c", at(32)).fetch);
}

TEST_CASE("a signature that fails under a known key refreshes under the same cool-down") {
  Ready ready;
  CHECK(ready.cache.signature_failed(issuer, at(1)));
  CHECK_FALSE(ready.cache.signature_failed(issuer, at(2)));
  ready.cache.fetched(issuer, {published("a", "ta")}, {}, at(3));
  CHECK_FALSE(ready.ask("c", 4).fetch);
  CHECK(ready.cache.signature_failed(issuer, at(31)));
  CHECK_FALSE(ready.cache.signature_failed("https://nobody.example", at(31)));
}

TEST_CASE("a million bogus ids cost one fetch per cool-down, known ids are never refused, a rotated one arrives in time") {
  Ready ready;
  int fetches = 0;
  std::int64_t rotated_seen_ns = -1;
  constexpr std::int64_t step_ns = 120'000;  // a million in two minutes
  constexpr std::int64_t rotation_ns = 45'000'000'000;
  for (std::int64_t i = 0; i < 1'000'000; ++i) {
    const Instant now{1'000'000'000 + i * step_ns};
    const bool rotated = now.ns >= rotation_ns;
    bool fetch = ready.cache.look_up(issuer, "bogus-" + std::to_string(i), now).fetch;
    const KeyAnswer known = ready.cache.look_up(issuer, "a", now);
    if (known.lookup != KeyLookup::known) FAIL("a known id was refused");
    if (rotated && rotated_seen_ns < 0) {
      const KeyAnswer answer = ready.cache.look_up(issuer, "new", now);
      fetch = fetch || answer.fetch;
      if (answer.lookup == KeyLookup::known) rotated_seen_ns = now.ns;
    }
    if (!fetch) continue;
    ++fetches;
    std::vector<PublishedKey> keys{published("a", "ta"), published("b", "tb")};
    if (rotated) keys.push_back(published("new", "tn"));
    ready.cache.fetched(issuer, std::move(keys), {.cache_control = "max-age=600"}, now);
  }
  CHECK_LE(fetches, 120 / 30 + 1);
  REQUIRE_GT(rotated_seen_ns, 0);
  CHECK_LE(rotated_seen_ns - rotation_ns, seconds(30).ns + step_ns);
}

TEST_CASE("what waits for the end of a cool-down is due by itself") {
  Ready ready;
  CHECK(ready.ask("c", 1).fetch);
  ready.cache.fetched(issuer, {published("a", "ta")}, {}, at(2));
  CHECK(ready.cache.due(at(10)).empty());
  ready.ask("c", 11);
  CHECK(ready.cache.due(at(20)).empty());
  CHECK_EQ(ready.cache.due(at(31)), std::vector<std::string>{std::string(issuer)});
  CHECK(ready.cache.due(at(32)).empty());
  ready.cache.fetched(issuer, {published("a", "ta")}, {}, at(33));
  CHECK(ready.cache.due(at(600)).empty());
  CHECK_EQ(ready.cache.due(at(603)).size(), 1);  // half a minute before the end of its lifetime
  const KeySetStanding standing = ready.cache.standing(issuer);
  CHECK(standing.has_set);
  CHECK_EQ(standing.keys, 1);
  CHECK_EQ(standing.fresh_until.ns, at(633).ns);
}

TEST_CASE("an id that keeps its name and changes its key is an alarm and waits in quarantine") {
  Ready ready;
  auto changes = ready.cache.fetched(issuer, {published("a", "other"), published("c", "tc")}, {}, at(1));
  REQUIRE_EQ(changes.size(), 3);
  CHECK_EQ(changes[0].kind, KeyChangeKind::key_differs);
  CHECK_EQ(changes[0].old_thumbprint, "ta");
  CHECK_EQ(changes[0].new_thumbprint, "other");
  CHECK_EQ(changes[1].kind, KeyChangeKind::added);
  CHECK_EQ(changes[2].kind, KeyChangeKind::removed);
  CHECK_EQ(changes[2].kid, "b");
  KeyAnswer answer = ready.ask("a", 2);
  REQUIRE(answer.key != nullptr);
  CHECK_EQ(answer.key->thumbprint, "ta");
  CHECK(answer.changed_key_waits);
  CHECK(ready.cache.fetched(issuer, {published("a", "other"), published("c", "tc")}, {}, at(3)).empty());  // told once
  CHECK_FALSE(ready.cache.confirm_changed_key(issuer, "a", "third"));
  const auto held = ready.ask("a", 4).key;
  CHECK(ready.cache.confirm_changed_key(issuer, "a", "other"));
  CHECK_EQ(held->thumbprint, "ta");  // whoever holds it may finish
  answer = ready.ask("a", 4);
  REQUIRE(answer.key != nullptr);
  CHECK_EQ(answer.key->thumbprint, "other");
  CHECK_FALSE(answer.changed_key_waits);
  // A partner for whom this was agreed.
  KeySetCache lenient;
  lenient.add_issuer(issuer, true);
  lenient.fetched(issuer, {published("a", "ta")}, {}, at(0));
  CHECK_EQ(lenient.fetched(issuer, {published("a", "other")}, {}, at(1)).size(), 1);
  CHECK_EQ(lenient.look_up(issuer, "a", at(2)).key->thumbprint, "other");
}

TEST_CASE("a set that shows a private key loses that key, and says so") {
  Ready ready;
  PublishedKey exposed = published("a", "ta");
  exposed.private_part = true;
  const auto changes = ready.cache.fetched(issuer, {exposed, published("b", "tb")}, {}, at(1));
  REQUIRE_EQ(changes.size(), 1);
  CHECK_EQ(changes[0].kind, KeyChangeKind::private_part_shown);
  CHECK_EQ(ready.ask("a", 2).lookup, KeyLookup::unknown);
}

TEST_CASE("keys without an id go by their thumbprint") {
  KeySetCache cache;
  cache.add_issuer(issuer);
  cache.fetched(issuer, {published("", "t1"), published("", "t2")}, {}, at(0));
  CHECK_EQ(cache.look_up(issuer, "", at(1)).lookup, KeyLookup::ambiguous);
  CHECK_EQ(cache.look_up(issuer, "t2", at(1)).lookup, KeyLookup::known);
}
