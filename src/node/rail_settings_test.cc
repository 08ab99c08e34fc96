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
  disk.write("/rails.json", with(R"(,"ca_file":"/ca.pem","tenant":2,"in_flight_max":9,"callback_keys":[{"id":"b1","ed25519":")" + key32 + R"("}])"));
  const auto loaded = node::load_rail_settings(disk.files, "/rails.json");
  REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? std::string() : loaded.error().message));
  REQUIRE_EQ(loaded->size(), 1);
  const node::RailSettings& rail = loaded->front();
  CHECK_EQ(std::string(model::to_text(rail.name)), "bank-a");
  CHECK_EQ(rail.tenant, 2);
  CHECK_EQ(rail.in_flight_max, 9);
  CHECK_EQ(rail.connections_max, 32);
  REQUIRE_EQ(rail.callback_keys.size(), 1);
  CHECK_EQ(rail.callback_keys[0].key_id, "b1");
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
  node::RailCallbacks callbacks(*node::load_rail_settings(disk.files, "/rails.json"));
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
