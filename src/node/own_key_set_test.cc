// The key set that we publish.

#include "node/own_key_set.h"

#include "base/text.h"
#include "effects/signing/message_keys.h"
#include "io/simulated_file.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

effects::OwnEd25519Signer signer_of(std::uint8_t seed) { return effects::OwnEd25519Signer(*io::SecretMemory::copy_of(base::Bytes(32, seed))); }

node::RailSettings rail(std::string_view name, std::string id, std::string file = {}) {
  node::RailSettings settings;
  settings.name = *model::parse_rail_name(name);
  settings.signing_key_id = std::move(id);
  settings.signing_key_file = std::move(file);
  return settings;
}

std::string jwk(std::string_view id, std::uint8_t seed) {
  return R"({"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":")" + std::string(id) + R"(","x":")" + base::to_base64url(signer_of(seed).public_key()) + "\"}";
}

}  // namespace

TEST_CASE("what signs for the rails is published under the ids they know it by, and the next one before it signs") {
  io::SimulatedFileSystem files(1);
  REQUIRE(io::replace_file(files, "/b.key", base::as_bytes(base::to_base64(base::Bytes(32, 2)) + "\n"), 0600).ok());
  node::RailSettings coins = rail("ether", "");
  coins.evm.emplace();
  node::RailSettings second = rail("bank-b", "ours-b", "/b.key");
  second.published_keys.push_back({.key_id = "ours-b-2", .material = signer_of(3).public_key()});
  const auto own = signer_of(1);
  const auto set = node::own_key_set(files, {rail("bank-a", "holdfast"), rail("bank-c", "holdfast"), second, coins}, own);
  REQUIRE(set.ok());
  CHECK_EQ(*set, "{\"keys\":[" + jwk("holdfast", 1) + "," + jwk("ours-b", 2) + "," + jwk("ours-b-2", 3) + "]}");
  CHECK_EQ(*node::own_key_set(files, {}, own), R"({"keys":[]})");
}

TEST_CASE("a key that cannot be read is said, not left out") {
  io::SimulatedFileSystem files(1);
  REQUIRE(io::replace_file(files, "/open.key", base::as_bytes(base::to_base64(base::Bytes(32, 2))), 0644).ok());
  const auto refused = node::own_key_set(files, {rail("bank-a", "holdfast", "/open.key")}, signer_of(1));
  REQUIRE(!refused.ok());
  CHECK_EQ(std::string(refused.error().code), "rail_signing_key_unusable");
}
