#include "node/rail_settings.h"

#include "base/text.h"
#include "io/simulated_file.h"
#include "node/rail_callbacks.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

struct Disk {
  io::SimulatedFileSystem files{1};
  void write(const std::string& path, std::string_view text, std::uint32_t mode = 0600) {
    REQUIRE(io::replace_file(files, path, base::as_bytes(text), mode).ok());
  }
  std::string refused(std::string_view text) {
    write("/rails.json", text);
    const auto loaded = node::load_rail_settings(files, "/rails.json");
    REQUIRE(!loaded.ok());
    CHECK_EQ(std::string(loaded.error().code), "rail_settings_malformed");
    return loaded.error().message;
  }
};

const std::string key32 = base::to_base64(base::Bytes(32, 7));

std::string with(const std::string& more) {
  return R"({"rails":[{"name":"bank-a","url":"https://rail.example","signing_key_id":"holdfast","signing_key_file":"/k")" + more + "}]}";
}

}  // namespace

TEST_CASE("the file of rails says where they are and which keys speak for them") {
  Disk disk;
  disk.write("/rails.json", with(R"(,"ca_file":"/ca.pem","tenant":2,"in_flight_max":9,"statement_every_seconds":60,"callback_keys":[{"id":"b1","ed25519":")" + key32 + R"("}])"));
  const auto loaded = node::load_rail_settings(disk.files, "/rails.json");
  REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? std::string() : loaded.error().message));
  REQUIRE_EQ(loaded->size(), 1);
  const node::RailSettings& rail = loaded->front();
  CHECK_EQ(std::string(model::to_text(rail.name)), "bank-a");
  CHECK_EQ(rail.tenant, 2);
  CHECK_EQ(rail.in_flight_max, 9);
  CHECK_EQ(rail.connections_max, 32);
  CHECK_EQ(rail.statement_every_seconds, 60);
  CHECK_EQ(rail.statement_lag_seconds, 3600);
  REQUIRE_EQ(rail.callback_keys.size(), 1);
  CHECK_EQ(rail.callback_keys[0].key_id, "b1");
  disk.write("/rails.json", with(R"(,"callback_partner":"bank-a","callback_key":"main","published_keys":[{"id":"next","ed25519":")" + key32 + R"("}])"));
  const auto named = node::load_rail_settings(disk.files, "/rails.json");
  REQUIRE(named.ok());
  REQUIRE(named->front().callback_place.has_value());
  CHECK_EQ(model::to_text(named->front().callback_place->key), "main");
  REQUIRE_EQ(named->front().published_keys.size(), 1);
  CHECK_EQ(named->front().published_keys[0].key_id, "next");
  CHECK(named->front().callback_keys.empty());
}

TEST_CASE("a rail of an EVM chain says which chain, account and asset it is of, and what it may offer") {
  Disk disk;
  const auto evm = [](const std::string& more) {
    return R"({"rails":[{"name":"eth","driver":"evm","url":"http://127.0.0.1:8545")" + more + "}]}";
  };
  const std::string needed = R"(,"chain_id":11297108109,"key":"evm-hot","asset":"USDC/6")";
  disk.write("/rails.json", evm(needed + R"(,"token":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","confirmations":2,"bump_after_ms":1500,)"
                                         R"("gas_limit_max":90000,"fee_max_wei":"340282366920938463463","tip_max_wei":"7","in_flight_max":3)"));
  const auto loaded = node::load_rail_settings(disk.files, "/rails.json");
  REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? std::string() : loaded.error().message));
  const node::RailSettings& rail = loaded->front();
  REQUIRE(rail.evm.has_value());
  CHECK_EQ(rail.evm->chain_id, 11297108109u);
  CHECK_EQ(rail.evm->key, "evm-hot");
  CHECK_EQ(rail.evm->policy.asset, "USDC/6");
  CHECK_EQ(effects::to_text(*rail.evm->policy.token), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
  CHECK_EQ(rail.evm->policy.confirmations, 2);
  CHECK_EQ(rail.evm->policy.bump_after.ns, base::milliseconds(1500).ns);
  CHECK_EQ(rail.evm->policy.gas_limit_max, 90'000);
  CHECK_EQ(base::to_decimal(rail.evm->policy.fee_max), "340282366920938463463");
  CHECK_EQ(rail.in_flight_max, 3);
  disk.write("/rails.json", evm(needed));
  CHECK_EQ(node::load_rail_settings(disk.files, "/rails.json").value().front().evm->policy.confirmations, effects::EvmPolicy{}.confirmations);
  CHECK_EQ(node::load_rail_settings(disk.files, "/rails.json").value().front().evm->anchor_every_seconds, 0);
  disk.write("/rails.json", evm(needed + R"(,"anchor_every_seconds":86400)"));
  CHECK_EQ(node::load_rail_settings(disk.files, "/rails.json").value().front().evm->anchor_every_seconds, 86'400);
  CHECK(disk.refused(evm(needed + R"(,"anchor_every_seconds":31622401)")).find("a year at most") != std::string::npos);
  const std::string first = evm(needed + R"(,"anchor_every_seconds":60)");
  const std::string one = first.substr(10, first.size() - 12);
  std::string two = one;
  two.replace(two.find("\"eth\""), 5, "\"two\"");
  CHECK(disk.refused("{\"rails\":[" + one + "," + two + "]}").find("anchor_every_seconds already") != std::string::npos);
  CHECK(disk.refused(evm("")).find("key is missing") != std::string::npos);
  CHECK(disk.refused(evm(R"(,"key":"k","asset":"ETH/18")")).find("chain_id is missing") != std::string::npos);
  CHECK(disk.refused(evm(needed + R"(,"signing_key_id":"x")")).find("no field \"signing_key_id\"") != std::string::npos);
  CHECK(disk.refused(evm(needed + R"(,"token":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed")")).find("checksum") != std::string::npos);
  CHECK(disk.refused(evm(needed + R"(,"fee_max_wei":"1e9")")).find("decimal") != std::string::npos);
  CHECK(disk.refused(evm(R"(,"chain_id":1,"key":"k","asset":"ether")")).find("asset is like") != std::string::npos);
  CHECK(disk.refused(R"({"rails":[{"name":"eth","driver":"carrier pigeon"}]})").find("driver is") != std::string::npos);
}

TEST_CASE("whatever is wrong with the file of rails is named") {
  Disk disk;
  CHECK(disk.refused("[").find("the file of rails") != std::string::npos);
  CHECK(disk.refused("{\"rails\":[],\"more\":1}").find("{\"rails\": [...]}") != std::string::npos);
  CHECK(disk.refused(R"({"rails":[7]})").find("objects") != std::string::npos);
  CHECK(disk.refused(R"({"rails":[{"name":"Bank A"}]})").find("\"name\"") != std::string::npos);
  CHECK(disk.refused(R"({"rails":[{"name":"bank-a"}]})").find("rail \"bank-a\": url is missing") != std::string::npos);
  CHECK(disk.refused(with(R"(,"urls":"x")")).find("no field \"urls\"") != std::string::npos);
  CHECK(disk.refused(with(R"(,"ca_file":1)")).find("ca_file is a text") != std::string::npos);
  CHECK(disk.refused(with(R"(,"in_flight_max":0)")).find("whole number from 1") != std::string::npos);
  CHECK(disk.refused(with(R"(,"key_file":"/k")")).find("come together") != std::string::npos);
  CHECK(disk.refused(with(R"(,"callback_keys":1)")).find("is a list") != std::string::npos);
  CHECK(disk.refused(with(R"(,"callback_keys":[{"id":"b1","ed25519":"AAAA"}])")).find("32 bytes") != std::string::npos);
  CHECK(disk.refused(with(R"(,"callback_keys":[{"id":"b1"}])")).find("needs") != std::string::npos);
  CHECK(disk.refused(with(R"(,"callback_keys":[{"rsa":"x"}])")).find("not \"rsa\"") != std::string::npos);
  CHECK(disk.refused(with(R"(,"callback_keys":[{"id":7}])")).find("are texts") != std::string::npos);
  const std::string one = with("").substr(10, with("").size() - 12);
  CHECK(disk.refused("{\"rails\":[" + one + "," + one + "]}").find("twice") != std::string::npos);
  CHECK_EQ(std::string(node::load_rail_settings(disk.files, "/nothing").error().code), "file_not_found");
}

TEST_CASE("a signing key is 32 bytes in a file that nobody else may read") {
  Disk disk;
  disk.write("/k", key32 + "\n");
  const auto seed = node::load_rail_signing_key(disk.files, "/k");
  REQUIRE(seed.ok());
  CHECK(base::to_bytes(seed->view()) == base::Bytes(32, 7));
  disk.write("/open", key32, 0644);
  disk.write("/short", "AAAA");
  for (const char* path : {"/open", "/short"}) {
    CHECK_EQ(std::string(node::load_rail_signing_key(disk.files, path).error().code), "rail_signing_key_unusable");
  }
}

TEST_CASE("who calls back without a key of that rail is not heard") {
  Disk disk;
  disk.write("/rails.json", with(R"(,"callback_keys":[{"id":"b1","ed25519":")" + key32 + R"("}])"));
  io::SimulatedClock clock;
  node::RailCallbacks callbacks(*node::load_rail_settings(disk.files, "/rails.json"), {}, clock, nullptr);
  wire::Request request;
  request.method = "POST";
  request.path = "/v1/rails/bank-a/callbacks";
  request.body = "{}";
  const auto outcome_of = [&](std::string_view rail) {
    return std::get<gate::VoiceRefused>(callbacks.hear(rail, request, base::Instant{1'790'000'000'000'000'000})).outcome;
  };
  CHECK(outcome_of("bank-a") == model::Outcome::callback_signature_invalid);
  CHECK(outcome_of("bank-b") == model::Outcome::rail_not_found);
  CHECK(outcome_of("No Name") == model::Outcome::rail_not_found);
}

TEST_CASE("a rail may call back by Standard Webhooks: secrets from files, public keys as they are") {
  Disk disk;
  const base::Bytes secret(32, 9);
  disk.write("/bank.whsec", wire::to_webhook_key(wire::WebhookKeyKind::secret, secret) + "\n");
  disk.write("/rails.json", with(R"(,"callback_keys":[{"whsec_file":"/bank.whsec"},{"whpk":"whpk_)" + key32 + R"("}])"));
  const auto loaded = node::load_rail_settings(disk.files, "/rails.json");
  REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? std::string() : loaded.error().message));
  CHECK(loaded->front().callback_webhooks.secrets == std::vector<base::Bytes>{secret});
  CHECK(loaded->front().callback_webhooks.public_keys == std::vector<base::Bytes>{base::Bytes(32, 7)});
  CHECK(loaded->front().callback_keys.empty());

  io::SimulatedClock clock;
  node::RailCallbacks callbacks(*loaded, {}, clock, nullptr);
  effects::WebhookSigning signing;
  signing.secrets.push_back(*io::SecretMemory::copy_of(secret));
  const base::Instant now{1'800'000'000'000'000'000};
  const auto heard = [&](std::string body, base::Instant at, std::string altered = {}) {
    wire::Request request;
    request.method = "POST";
    request.path = "/v1/rails/bank-a/callbacks";
    request.headers.add("content-type", "application/json");
    REQUIRE(effects::sign_webhook(request.headers, "msg_1", body, signing, at).ok());
    request.body = altered.empty() ? std::move(body) : std::move(altered);
    return callbacks.hear("bank-a", request, now);
  };
  const auto outcome = [](const auto& told) { return std::get<gate::VoiceRefused>(told).outcome; };
  const std::string event = R"({"event":"e1","occurred_at":"2027-01-15T08:00:00Z","payment":{"reference":"tr_0000000000042","kind":"payout",)"
                            R"("state":"settled","amount":"5","asset":"USD/2","valid_until":"2027-01-15T08:00:00Z"}})";
  CHECK(outcome(heard("{}", now)) == model::Outcome::request_malformed);
  CHECK(outcome(heard(event, now, event + " ")) == model::Outcome::callback_signature_invalid);
  CHECK(outcome(heard(event, now + base::seconds(-600))) == model::Outcome::callback_too_old);
  CHECK(outcome(heard(event, now + base::seconds(600))) == model::Outcome::callback_too_old);
  // The same message again is taken again: its sender repeats it until it hears 2xx.
  for (int i = 0; i < 2; ++i) {
    const auto told = heard(event, now);
    REQUIRE(std::holds_alternative<gate::RailReport>(told));
    CHECK(std::get<gate::RailReport>(told).result == model::RailResult::settled);
  }
}

TEST_CASE("a rail may publish its keys at an address of its own") {
  Disk disk;
  disk.write("/rails.json", with(R"(,"tenant":2,"keys_url":"https://keys.rail.example/jwks","keys_ca_file":"/ca.pem","keys_networks":["10.1.0.0/16"])"));
  const auto loaded = node::load_rail_settings(disk.files, "/rails.json");
  REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? std::string() : loaded.error().message));
  const auto& source = loaded->front().callback_key_set;
  REQUIRE(source.has_value());
  CHECK_EQ(source->issuer, "rail bank-a of tenant 2");
  CHECK(source->rules.hosts == std::vector<std::string>{"keys.rail.example"});
  CHECK_EQ(source->rules.networks.size(), 1);
  CHECK_EQ(source->ca_file, "/ca.pem");
  const auto refused_with = [&](const std::string& fields, const char* sentence) { CHECK(disk.refused(with("," + fields)).find(sentence) != std::string::npos); };
  refused_with(R"("keys_url":"http://keys.rail.example/jwks")", "only https");
  refused_with(R"("keys_url":7)", "is a text");
  refused_with(R"("keys_url":"https://keys.rail.example/","keys_networks":["10.1.0.0"])", "written like");
  refused_with(R"("keys_url":"https://keys.rail.example/","keys_networks":"10.1.0.0/16")", "list of texts");
  refused_with(R"("keys_ca_file":"/ca.pem")", "belong to a keys_url");
  refused_with(R"("published_keys":{})", "published_keys is a list");
  refused_with(R"("published_keys":[{"whpk":"whpk_x"}])", "published_keys know");
  refused_with(R"("published_keys":[{"id":"next"}])", "each of published_keys needs");
  refused_with(R"("callback_partner":"bank-a")", "come together");
  refused_with(R"("callback_partner":"bank-a","callback_key":"Main")", "come together");
  refused_with(R"("callback_partner":"bank-a","callback_key":"main","keys_url":"https://keys.rail.example/")", "not from both");
}

TEST_CASE("secrets of callbacks are in files that nobody else reads") {
  Disk disk;
  const auto refused_with = [&](const std::string& key, const char* sentence) {
    CHECK(disk.refused(with(R"(,"callback_keys":[)" + key + "]")).find(sentence) != std::string::npos);
  };
  refused_with(R"({"whpk":"whpk_AAAA"})", "whpk is whpk_");
  refused_with(R"({"whpk":"x","id":"y"})", "stand alone");
  refused_with(R"({"whsec_file":5})", "stand alone");
  disk.write("/short.whsec", "whsec_AAAA");
  refused_with(R"({"whsec_file":"/short.whsec"})", "24 to 64 bytes");
  disk.write("/open.whsec", "whsec_" + key32, 0644);
  refused_with(R"({"whsec_file":"/open.whsec"})", "nobody but its owner");
  disk.write("/rails.json", with(R"(,"callback_keys":[{"whsec_file":"/nowhere"}])"));
  CHECK_FALSE(node::load_rail_settings(disk.files, "/rails.json").ok());
}
