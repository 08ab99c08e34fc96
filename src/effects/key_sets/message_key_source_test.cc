#include "effects/key_sets/message_key_source.h"

#include "base/text.h"
#include "effects/key_sets/key_set_news.h"

#include <doctest/doctest.h>

namespace {

using namespace effects;

// One Ed25519 key and one of another kind, at once.
class TwoKeys final : public KeySetFetch {
 public:
  FetchedKeySet fetch(const KeySetSource& source, const KeySetValidator&) override {
    ++begun;
    FetchedKeySet result;
    result.documents.push_back({source.url, {}});
    base::Bytes spki = *base::parse_hex("302a300506032b6570032100");
    spki.resize(44, 7);
    result.keys.push_back({"ed", "t1", spki, "EdDSA", false});
    result.keys.push_back({"ec", "t2", base::Bytes(91, 7), "ES256", false});
    return result;
  }
  std::atomic<int> begun{0};
};

template <typename Condition>
bool until(Condition condition) {
  for (int patience = 0; patience < 5'000 && !condition(); ++patience) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

}  // namespace

TEST_CASE("the Ed25519 keys of a set verify messages, and a refused signature looks for a changed key once") {
  TwoKeys fetch;
  io::SimulatedClock clock;
  KeySetSource source;
  source.issuer = "rail bank-a";
  source.url = "https://bank.example/keys";
  source.rules.hosts = {"bank.example"};
  KeySetKeeper keeper({source}, fetch, clock);
  KeySetMessageKeys keys(keeper, source.issuer);
  REQUIRE(until([&] { return keys.find("ed").has_value(); }));
  CHECK_EQ(keys.find("ed")->key_id, "ed");
  CHECK(keys.find("ed")->material == base::Bytes(32, 7));
  CHECK_FALSE(keys.find("ec"));
  CHECK_EQ(fetch.begun, 1);
  keys.refused("ed");
  keys.refused("ed");
  CHECK(until([&] { return fetch.begun == 2; }));
  CHECK_FALSE(keys.find("strange"));
  CHECK_EQ(fetch.begun, 2);   // within the cool-down
}

TEST_CASE("news of a key set are sentences, and show nothing that a partner could hide in an id") {
  KeySetNews news{"rail bank-a", {{intake::KeyChangeKind::key_differs, "k\x1b[2J1", "old", "new"}, {intake::KeyChangeKind::added, "k2", "", "t2"}},
                  fetch_failure("fetch_connect_failed", "nobody listens")};
  const auto sentences = sentences_of(news);
  REQUIRE_EQ(sentences.size(), 3);
  CHECK_EQ(sentences[0], "key set of rail bank-a: could not be fetched, connect: nobody listens [fetch_connect_failed]");
  CHECK_EQ(sentences[1], "key set of rail bank-a: ALARM: key \"k?[2J1\" kept its id and is another key, new instead of old");
  CHECK_EQ(sentences[2], "key set of rail bank-a: key \"k2\" is new, t2");
  news = {"rail bank-a", {{intake::KeyChangeKind::private_part_shown, "k", "", "t"}, {intake::KeyChangeKind::removed, "k", "t", ""}}, std::nullopt};
  CHECK_NE(sentences_of(news)[0].find("ALARM"), std::string::npos);
  CHECK_NE(sentences_of(news)[1].find("is gone"), std::string::npos);
}
