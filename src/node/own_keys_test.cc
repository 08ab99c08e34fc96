#include "node/own_keys.h"

#include "gate/token.h"
#include "io/posix_file.h"
#include "io/temporary_directory.h"

#include <doctest/doctest.h>

namespace {

std::string code_of(const base::Result<std::uint32_t>& result) { return result.ok() ? "ok" : result.error().code; }

}  // namespace

TEST_CASE("own keys are rotated one version at a time, and the next opening uses the newest") {
  io::TemporaryDirectory directory;
  io::RealFileSystem files;
  io::RealRandom random;
  const node::DataPlace place{.directory = directory / "data", .mode = store::DataMode::standard, .master_key_file = directory / "master"};
  REQUIRE(node::DataDirectory::create(files, random, place).ok());
  const gate::AccessToken token{.principal = 7, .tenant = 1, .generation = 1, .scopes = 1, .issued_at = {1}, .expires_at = {100}};
  const auto issue = [&] {
    const auto data = node::DataDirectory::open(files, place);
    REQUIRE(data.ok());
    return gate::TokenAuthority((*data)->gate_keys().tokens).issue(token);
  };
  const auto believes = [&](const std::string& text) {
    const auto data = node::DataDirectory::open(files, place);
    REQUIRE(data.ok());
    return gate::TokenAuthority((*data)->gate_keys().tokens).verify(text, {2}).ok();
  };
  const std::string first = issue();
  CHECK(node::rotate_own_key(files, random, place, "token-mac").value() == 2);
  const std::string second = issue();
  CHECK(first != second);
  CHECK(believes(first));
  CHECK(believes(second));
  CHECK(node::rotate_own_key(files, random, place, "token-mac").value() == 3);
  CHECK_FALSE(believes(first));
  CHECK(believes(second));

  CHECK(node::rotate_own_key(files, random, place, "fingerprint").value() == 2);
  {
    const auto data = node::DataDirectory::open(files, place);
    REQUIRE(data.ok());
    const auto& fingerprints = (*data)->gate_keys().fingerprints;
    REQUIRE(fingerprints.size() == 2);
    CHECK(fingerprints[0].version == 2);
    CHECK(fingerprints[1].version == 1);
    CHECK(fingerprints[0].key != fingerprints[1].key);
    const auto keys = node::own_keys((*data)->keyring());
    REQUIRE(keys.size() == 6);
    CHECK(keys[1].name == "fingerprint");
    CHECK(keys[1].newest == 2);
    CHECK(keys[2].newest == 3);
    CHECK(code_of(node::rotate_own_key(files, random, place, "token-mac")) == "data_directory_locked");
  }
  CHECK(code_of(node::rotate_own_key(files, random, place, "idempotency-scope")) == "own_key_never_rotates");
  CHECK(code_of(node::rotate_own_key(files, random, place, "leaf-blinding")) == "own_key_never_rotates");
  CHECK(code_of(node::rotate_own_key(files, random, place, "log-signing")) == "own_key_never_rotates");
  CHECK(code_of(node::rotate_own_key(files, random, place, "token")) == "own_key_unknown");
}

TEST_CASE("the key that banks know us by is made where it was missing, and told while a service runs") {
  io::TemporaryDirectory directory;
  io::RealFileSystem files;
  io::RealRandom random;
  const node::DataPlace place{.directory = directory / "data", .mode = store::DataMode::standard, .master_key_file = directory / "master"};
  REQUIRE(node::DataDirectory::create(files, random, place).ok());
  REQUIRE(files.remove(node::keys_directory(place.directory) + "/rail-signing.1.sealed").ok());
  const auto made = node::rail_signing_public_key(files, place);
  REQUIRE(made.ok());
  CHECK(made->size() == 32);
  const auto data = node::DataDirectory::open(files, place);
  REQUIRE(data.ok());
  CHECK((*data)->keyring().rail_signer()->public_key() == *made);
  const auto told = node::rail_signing_public_key(files, place);
  REQUIRE(told.ok());
  CHECK(*told == *made);
}

TEST_CASE("fingerprints name their version in one byte, and there are no more versions than that") {
  io::TemporaryDirectory directory;
  io::RealFileSystem files;
  io::RealRandom random;
  const node::DataPlace place{.directory = directory / "data", .mode = store::DataMode::standard, .master_key_file = directory / "master"};
  REQUIRE(node::DataDirectory::create(files, random, place).ok());
  {
    const auto master = custody::MasterKey::load(files, {.path = place.master_key_file, .data_directory = place.directory});
    REQUIRE(master.ok());
    auto keyring = custody::Keyring::load(files, *master, node::keys_directory(place.directory));
    REQUIRE(keyring.ok());
    while (keyring->newest_version(custody::Purpose::fingerprint) < 255) {
      REQUIRE(keyring->add_version(custody::Purpose::fingerprint, files, random, *master).ok());
    }
  }
  REQUIRE(node::DataDirectory::open(files, place).ok());
  CHECK(code_of(node::rotate_own_key(files, random, place, "fingerprint")) == "own_key_versions_used_up");
}
