// Callbacks verified by a key set that the rail publishes, over real TLS.

#include <chrono>
#include <thread>

#include "base/text.h"
#include "effects/http/scripted_server_for_tests.h"
#include "effects/rails/http_rail.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"
#include "node/rail_callbacks.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

const base::Instant now{1'800'000'000'000'000'000};

effects::OwnEd25519Signer signer_of(std::uint8_t seed) { return effects::OwnEd25519Signer(*io::SecretMemory::copy_of(base::Bytes(32, seed))); }

std::string jwk_of(const std::string& kid, std::uint8_t seed) {
  return R"({"kty":"OKP","crv":"Ed25519","kid":")" + kid + R"(","x":")" + base::to_base64url(signer_of(seed).public_key()) + "\"}";
}

// A bank that publishes its keys, and the service's ear for it.
struct Stage {
  Stage() : server([this](const std::string&) { return publish(); }) {
    io::RealFileSystem files;
    io::replace_file(files, directory / "ca.pem", base::as_bytes(server.authority.certificate_pem)).value();
    node::RailSettings settings;
    settings.name = *model::parse_rail_name("bank-a");
    const std::vector<std::string> networks{"127.0.0.1/32", "::1/128"};
    settings.callback_key_set = *effects::key_set_at("rail bank-a", "https://localhost:" + std::to_string(server.port()) + "/jwks", networks);
    settings.callback_key_set->ca_file = directory / "ca.pem";
    callbacks = std::make_unique<node::RailCallbacks>(std::vector{settings}, model::Epochs{}, clock, [this](const std::string& sentence) { hear(sentence); });
  }
  effects::ScriptedReply publish() {
    const std::lock_guard lock(mutex);
    return {.bytes = effects::http_reply(200, "application/json", "{\"keys\":[" + keys + "]}"), .end = effects::ScriptedReply::End::close};
  }
  void hear(const std::string& sentence) {
    const std::lock_guard lock(mutex);
    said += sentence + "\n";
  }
  bool heard_by(const std::string& kid, std::uint8_t seed) {
    wire::Request request;
    request.method = "POST";
    request.path = "/v1/rails/bank-a/callbacks";
    request.authority = "holdfast.example";
    request.headers.add("content-type", "application/json");
    request.body = R"({"event":"e1","occurred_at":"2027-01-15T08:00:00Z","payment":{"reference":"tr_0000000000042","kind":"payout",)"
                   R"("state":"settled","amount":"5","asset":"USD/2","valid_until":"2027-01-15T08:00:00Z"}})";
    auto signer = signer_of(seed);
    REQUIRE(effects::sign_request(request, "https", signer, {kid, std::string(effects::rail_signature_tag)}, now, random).ok());
    return std::holds_alternative<gate::RailReport>(callbacks->hear("bank-a", request, now));
  }
  // Time goes on while we wait: a fetch that was under way when a test moved the clock has run out of it, and is made again later.
  template <typename Condition>
  bool until(Condition condition) {
    for (int patience = 0; patience < 2'500 && !condition(); ++patience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      clock.advance(base::milliseconds(50).ns);
    }
    return condition();
  }

  std::mutex mutex;
  std::string keys = jwk_of("k1", 1), said;
  io::TemporaryDirectory directory;
  io::SimulatedClock clock;
  io::SimulatedRandom random{7};
  effects::ScriptedServer server;
  std::unique_ptr<node::RailCallbacks> callbacks;
};

}  // namespace

TEST_CASE("a callback is verified by the key set that its rail publishes, also after the rail rotates") {
  Stage stage;
  REQUIRE(stage.until([&] { return stage.heard_by("k1", 1); }));
  CHECK_FALSE(stage.heard_by("k1", 2));      // perhaps the key has changed: looks once, and it has not
  CHECK_FALSE(stage.heard_by("k2", 2));
  {
    const std::lock_guard lock(stage.mutex);
    stage.keys += "," + jwk_of("k2", 2);
  }
  stage.clock.advance(31'000'000'000);       // one cool-down
  CHECK(stage.until([&] { return stage.heard_by("k2", 2); }));
  CHECK(stage.heard_by("k1", 1));
  CHECK(stage.until([&] {
    const std::lock_guard lock(stage.mutex);
    return stage.said.find("key set of rail bank-a: key \"k2\" is new") != std::string::npos;
  }));
  // An old id with another key: told, and not believed.
  {
    const std::lock_guard lock(stage.mutex);
    stage.keys = jwk_of("k1", 3) + "," + jwk_of("k2", 2);
  }
  stage.clock.advance(31'000'000'000);
  CHECK_FALSE(stage.heard_by("k1", 3));
  CHECK(stage.until([&] {
    const std::lock_guard lock(stage.mutex);
    return stage.said.find("ALARM") != std::string::npos;
  }));
  CHECK_FALSE(stage.heard_by("k1", 3));
  CHECK(stage.heard_by("k1", 1));
}
