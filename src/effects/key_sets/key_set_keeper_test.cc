#include "effects/key_sets/key_set_keeper.h"

#include <atomic>

#include "effects/http/scripted_server_for_tests.h"
#include "effects/key_sets/names_for_tests.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"

#include <doctest/doctest.h>

namespace {

using namespace effects;
using intake::KeyLookup;

constexpr const char* bank = "https://bank.example";
constexpr const char* shop = "https://shop.example";

intake::PublishedKey published(std::string kid, std::string thumbprint) { return {std::move(kid), std::move(thumbprint), {1, 2, 3}, "ES256", false}; }
KeySetSource source(const char* issuer) {
  return {.issuer = issuer, .url = std::string(issuer) + "/keys", .rules = {.hosts = {"bank.example", "shop.example"}, .networks = {}}, .ca_file = {}};
}

// A network whose answers a test sets, and which counts who asks for what at a time.
class ScriptedFetch final : public KeySetFetch {
 public:
  FetchedKeySet fetch(const KeySetSource& asked, const KeySetValidator& last) override {
    const int together = ++at_a_time_[asked.issuer == bank];
    if (together > 1) overlapped = true;
    ++begun;
    while (blocked) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard lock(mutex);
    FetchedKeySet result;
    result.documents.push_back({asked.url, {}});
    result.headers.cache_control = "max-age=600";
    if (down[asked.issuer]) {
      result.failure = fetch_failure("fetch_connect_failed", "nobody listens");
    } else if (!last.entity_tag.empty() && last.entity_tag == tag && last.url == asked.url) {
      result.not_modified = true;
    } else {
      result.headers.etag = tag;
      result.keys = keys;
    }
    --at_a_time_[asked.issuer == bank];
    return result;
  }
  std::atomic<int> begun{0};
  std::atomic<bool> blocked{false}, overlapped{false};
  std::mutex mutex;   ///< over what follows
  std::map<std::string, bool> down;
  std::string tag = "\"1\"";
  std::vector<intake::PublishedKey> keys{published("a", "ta"), published("b", "tb")};

 private:
  std::atomic<int> at_a_time_[2] = {0, 0};
};

struct Stage {
  explicit Stage(std::vector<KeySetSource> sources = {source(bank)}, KeySetKeeperOptions options = {})
      : keeper(std::move(sources), fetch, clock, [this](const KeySetNews& one) { hear(one); }, quick(options)) {
    settle();
  }
  static KeySetKeeperOptions quick(KeySetKeeperOptions options) {
    options.look_every = base::milliseconds(1);
    return options;
  }
  void hear(const KeySetNews& one) {
    const std::lock_guard lock(mutex);
    news.push_back(one);
  }
  std::vector<KeySetNews> heard() {
    const std::lock_guard lock(mutex);
    return std::exchange(news, {});
  }
  bool busy() const {
    for (const KeptKeySet& one : keeper.standing()) {
      if (one.fetching) return true;
    }
    return false;
  }
  // Until nothing is under way, and what is due by itself has been looked for.
  void settle() const {
    for (int quiet = 0; quiet < 3; quiet = busy() ? 0 : quiet + 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  template <typename Condition>
  static bool until(Condition condition) {
    for (int patience = 0; patience < 5'000 && !condition(); ++patience) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return condition();
  }
  void pass(std::int64_t seconds) {
    clock.advance(seconds * 1'000'000'000);
    settle();
  }
  KeyLookup ask(std::string_view kid, const char* issuer = bank) { return keeper.look_up(issuer, kid).lookup; }

  ScriptedFetch fetch;
  io::SimulatedClock clock;
  std::mutex mutex;
  std::vector<KeySetNews> news;
  KeySetKeeper keeper;
};

}  // namespace

TEST_CASE("sets are fetched when the keeper begins, and renewed before they are old") {
  Stage stage;
  CHECK_EQ(stage.ask("a"), KeyLookup::known);
  CHECK_EQ(stage.ask("a", shop), KeyLookup::no_issuer);
  CHECK_EQ(stage.fetch.begun, 1);
  stage.pass(560);
  CHECK_EQ(stage.fetch.begun, 1);
  stage.pass(20);
  CHECK(stage.until([&] { return stage.keeper.counters().refreshes == 2; }));   // answered by 304
  CHECK_EQ(stage.fetch.begun, 2);
  stage.pass(550);
  CHECK_EQ(stage.ask("a"), KeyLookup::known);
  CHECK_EQ(stage.keeper.counters().stale_hits, 0);
  CHECK_EQ(stage.keeper.counters().refreshes, 2);
  CHECK_EQ(stage.keeper.standing().at(0).standing.keys, 2);
}

TEST_CASE("an old set serves while its refresh runs, and up to the cap while none succeeds") {
  Stage stage;
  stage.fetch.blocked = true;
  stage.clock.advance(601'000'000'000);
  CHECK_EQ(stage.ask("a"), KeyLookup::known_stale);
  CHECK_EQ(stage.ask("b"), KeyLookup::known_stale);
  stage.fetch.blocked = false;
  stage.settle();
  CHECK_EQ(stage.ask("a"), KeyLookup::known);
  CHECK_EQ(stage.keeper.counters().stale_hits, 2);
  {
    const std::lock_guard lock(stage.fetch.mutex);
    stage.fetch.down[bank] = true;
  }
  stage.pass(900);
  CHECK_EQ(stage.ask("a"), KeyLookup::known_stale);
  CHECK(stage.until([&] { return stage.keeper.standing().at(0).failure.has_value(); }));
  const KeptKeySet standing = stage.keeper.standing().at(0);
  REQUIRE(standing.failure);
  CHECK_EQ(std::string(standing.failure->error.code), "fetch_connect_failed");
  CHECK_FALSE(stage.heard().empty());
  stage.pass(3'400);
  CHECK_EQ(stage.ask("a"), KeyLookup::too_stale);
  {
    const std::lock_guard lock(stage.fetch.mutex);
    stage.fetch.down[bank] = false;
  }
  stage.pass(301);
  CHECK(stage.until([&] { return stage.ask("a") == KeyLookup::known; }));
  CHECK_FALSE(stage.keeper.standing().at(0).failure);
}

TEST_CASE("a million bogus ids cost one fetch per cool-down, known ids are never refused, a rotated one is taken within one") {
  Stage stage;
  const int before = stage.fetch.begun;
  constexpr int steps = 100, floods = 2;
  constexpr std::int64_t step_ns = 1'200'000'000;   // two minutes in all
  std::atomic<std::uint64_t> refused{0};
  int accepted_at = -1;
  for (int step = 0; step < steps; ++step) {
    stage.clock.advance(step_ns);
    if (step == 40) {
      const std::lock_guard lock(stage.fetch.mutex);
      stage.fetch.tag = "\"2\"";
      stage.fetch.keys.push_back(published("new", "tn"));
    }
    std::vector<std::thread> attackers;
    for (int flood = 0; flood < floods; ++flood) {
      attackers.emplace_back([&, flood] {
        for (int i = 0; i < 5'000; ++i) {
          stage.keeper.look_up(bank, "bogus-" + std::to_string(flood) + "-" + std::to_string(step) + "-" + std::to_string(i));
          if (stage.keeper.look_up(bank, "a").lookup != KeyLookup::known) ++refused;
        }
      });
    }
    for (std::thread& attacker : attackers) attacker.join();
    stage.until([&] { return !stage.busy(); });
    if (step >= 40 && accepted_at < 0 && stage.ask("new") == KeyLookup::known) accepted_at = step;
  }
  CHECK_EQ(refused, 0);
  CHECK_LE(stage.fetch.begun - before, 120 / 30 + 1);
  REQUIRE_GE(accepted_at, 40);
  CHECK_LE(accepted_at - 40, 30'000 / 1'200 + 1);
  CHECK_EQ(stage.keeper.counters().hits, 1'000'000 + 1);
  CHECK_FALSE(stage.fetch.overlapped);
}

TEST_CASE("one fetch at a time for an issuer, however many ask, and one issuer's flood is not another's") {
  Stage stage({source(bank), source(shop)});
  stage.fetch.blocked = true;
  std::vector<std::thread> asking;
  for (int i = 0; i < 4; ++i) {
    asking.emplace_back([&, i] {
      for (int j = 0; j < 200; ++j) stage.keeper.look_up(bank, "x" + std::to_string(i * 200 + j));
      stage.keeper.signature_failed(bank);
    });
  }
  for (std::thread& one : asking) one.join();
  CHECK_EQ(stage.ask("y", shop), KeyLookup::unknown);
  stage.clock.advance(40'000'000'000);   // past lease and cool-down: still only one
  stage.keeper.look_up(bank, "z");
  stage.fetch.blocked = false;
  stage.settle();
  CHECK_FALSE(stage.fetch.overlapped);
  CHECK_EQ(stage.ask("a", shop), KeyLookup::known);
}

TEST_CASE("a key that changed under its old id is told, waits, and is taken when somebody says so") {
  Stage stage;
  {
    const std::lock_guard lock(stage.fetch.mutex);
    stage.fetch.tag = "\"2\"";
    stage.fetch.keys = {published("a", "other"), published("c", "tc")};
  }
  stage.keeper.signature_failed(bank);
  stage.settle();
  const auto news = stage.heard();
  REQUIRE_EQ(news.size(), 1);
  REQUIRE_EQ(news[0].changes.size(), 3);
  CHECK_EQ(static_cast<int>(news[0].changes[0].kind), static_cast<int>(intake::KeyChangeKind::key_differs));
  intake::KeyAnswer answer = stage.keeper.look_up(bank, "a");
  CHECK(answer.changed_key_waits);
  CHECK_EQ(answer.key->thumbprint, "ta");
  CHECK_EQ(stage.keeper.standing().at(0).standing.quarantined, 1);
  CHECK_FALSE(stage.keeper.confirm_changed_key(bank, "a", "ta"));
  CHECK(stage.keeper.confirm_changed_key(bank, "a", "other"));
  CHECK_EQ(stage.keeper.look_up(bank, "a").key->thumbprint, "other");
  stage.keeper.mark_revoked(bank);
  stage.fetch.blocked = true;
  stage.clock.advance(700'000'000'000);
  CHECK_EQ(stage.ask("a"), KeyLookup::too_stale);
  stage.fetch.blocked = false;
}

TEST_CASE("a host that fails is left alone for all its issuers, and others notice nothing") {
  KeySetSource tenant_a = source(bank), tenant_b = source(bank);
  tenant_b.issuer = "https://bank.example/b";
  Stage stage({tenant_a, tenant_b, source(shop)});
  {
    const std::lock_guard lock(stage.fetch.mutex);
    stage.fetch.down[tenant_a.issuer] = stage.fetch.down[tenant_b.issuer] = true;
  }
  bool opened = false;
  for (int i = 0; i < 100 && !opened; ++i) {
    stage.pass(20);
    for (const KeptKeySet& one : stage.keeper.standing()) opened = opened || (one.issuer == tenant_b.issuer && one.breaker_open);
  }
  CHECK(opened);
  CHECK_EQ(stage.ask("a", shop), KeyLookup::known);
  bool left_alone = false;
  for (int i = 0; i < 100 && !left_alone; ++i) {
    stage.pass(4);
    for (const KeySetNews& one : stage.heard()) left_alone = left_alone || (one.failure && std::string_view(one.failure->error.code) == "fetch_host_breaker_open");
  }
  CHECK(left_alone);
  {
    const std::lock_guard lock(stage.fetch.mutex);
    stage.fetch.down.clear();
  }
  for (int i = 0; i < 40; ++i) stage.pass(20);
  CHECK(stage.until([&] { return stage.ask("a") == KeyLookup::known; }));
  for (const KeptKeySet& one : stage.keeper.standing()) CHECK_FALSE(one.breaker_open);
}

TEST_CASE("whatever a server does to its key set, the last good one serves (K1)") {
  const std::string good =
      R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"}]})";
  std::mutex mutex;
  ScriptedReply reply{.bytes = http_reply(200, "application/json", good), .end = ScriptedReply::End::close};
  ScriptedServer server([&](const std::string&) {
    const std::lock_guard lock(mutex);
    return reply;
  });
  io::TemporaryDirectory directory;
  io::RealFileSystem files;
  io::replace_file(files, directory / "ca.pem", base::as_bytes(server.authority.certificate_pem)).value();
  ScriptedNames names;
  names.say("localhost", {{"127.0.0.1"}});
  const std::string issuer = "https://localhost:" + std::to_string(server.port());
  KeySetSource local{.issuer = issuer, .url = issuer + "/keys", .rules = {.hosts = {"localhost"}, .networks = {*intake::parse_network("127.0.0.1/32")}}, .ca_file = directory / "ca.pem"};
  const auto real_clock = io::RealClock::open().value();
  io::SimulatedClock clock;
  // Long enough for a machine that is busy with other tests; only what the server holds back waits it out.
  KeySetFetchByHttps https(names, *real_clock, base::milliseconds(1'500));
  std::mutex told_mutex;
  std::string told;
  KeySetKeeper keeper({local}, https, clock, [&](const KeySetNews& news) {
    const std::lock_guard lock(told_mutex);
    told = news.failure ? news.failure->error.code : "changed";
  }, Stage::quick({}));
  const auto settle = [&] {
    do std::this_thread::sleep_for(std::chrono::milliseconds(5));
    while (keeper.standing().at(0).fetching);
  };
  settle();
  CHECK_EQ(keeper.look_up(issuer, "1").lookup, KeyLookup::known);
  using End = ScriptedReply::End;
  const std::pair<ScriptedReply, const char*> mischief[] = {
      {{.bytes = "", .end = End::reset}, "fetch_connection_lost"},
      {{.bytes = "", .end = End::hold}, "fetch_reply_timed_out"},
      {{.bytes = http_reply(200, "application/json", good), .drip_ms = 20}, "fetch_reply_timed_out"},
      {{.bytes = http_reply(200, "application/json", std::string(10'000'000, ' '))}, "fetch_reply_too_large"},
      {{.bytes = "HTTP/1.1 302 X\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"}, "fetch_redirected"},
      {{.bytes = http_reply(503, "text/html", "<h1>busy</h1>")}, "fetch_http_status"},
      {{.bytes = http_reply(200, "text/html", "<!DOCTYPE html><html><body>Login</body></html>")}, "content_is_an_error_page"},
      {{.bytes = http_reply(200, "application/json", R"({"keys":[]})")}, "key_set_is_empty"},
  };
  for (const auto& [bad, code] : mischief) {
    CAPTURE(code);
    {
      const std::lock_guard lock(mutex);
      reply = bad;
    }
    clock.advance(300'000'000'000);   // past every pause after failures
    keeper.signature_failed(issuer);
    settle();
    CHECK_EQ(keeper.look_up(issuer, "1").key->kid, "1");
    const std::lock_guard lock(told_mutex);
    CHECK_EQ(told, std::string(code));
  }
}
