#include "custody/soft/keyring.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "crypto/sign.h"
#include "custody/soft/test_random.h"
#include "io/simulated_file.h"

using custody::Keyring;
using custody::MasterKey;
using custody::Purpose;

namespace {

struct Machine {
  io::SimulatedFileSystem files{1};
  io::SimulatedRandom random{7};
  MasterKey master;
  Machine() : master(make_master()) {
    REQUIRE(files.make_dir("/data").ok());
    REQUIRE(files.sync_dir("/").ok());
  }
  MasterKey make_master() {
    auto made = MasterKey::create(files, random, {"/master.key", "/data"});
    REQUIRE(made.ok());
    return std::move(*made);
  }
  base::Result<Keyring> create() { return Keyring::create(files, random, master, "/data/keys"); }
  base::Result<Keyring> load() { return Keyring::load(files, master, "/data/keys"); }
};

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

// All keys of a keyring in one text, to compare two of them.
std::string all_keys(const Keyring& keyring) {
  std::string text = base::to_hex(keyring.idempotency_scope()) + "," + base::to_hex(keyring.leaf_blinding());
  for (std::uint32_t version = 1; version <= keyring.newest_version(Purpose::fingerprint); ++version) {
    text += "," + base::to_hex(*keyring.fingerprint(version));
  }
  for (std::uint32_t version = 1; version <= keyring.newest_version(Purpose::token_mac); ++version) {
    text += "," + base::to_hex(*keyring.token_mac(version));
  }
  for (std::uint32_t version = 1; version <= keyring.newest_version(Purpose::log_signing); ++version) {
    text += "," + base::to_hex(keyring.log_signer(version)->public_key());
  }
  if (const custody::Signer* const signer = keyring.rail_signer()) text += "," + base::to_hex(signer->public_key());
  return text;
}

}  // namespace

TEST_CASE("init makes one key for every purpose, and they come back after a crash") {
  Machine machine;
  const auto made = machine.create();
  REQUIRE(made.ok());
  machine.files.crash(io::CrashMode::lose_all);
  const auto names = machine.files.list("/data/keys");
  REQUIRE(names.ok());
  CHECK(*names == std::vector<std::string>{"fingerprint.1.sealed", "idempotency-scope.1.sealed",
                                           "leaf-blinding.1.sealed", "log-signing.1.sealed", "rail-signing.1.sealed",
                                           "token-mac.1.sealed"});
  for (const std::string& name : *names) CHECK(machine.files.info("/data/keys/" + name)->mode == 0600);
  const auto loaded = machine.load();
  REQUIRE(loaded.ok());
  CHECK(all_keys(*loaded) == all_keys(*made));
  for (const Purpose purpose : {Purpose::idempotency_scope, Purpose::fingerprint, Purpose::token_mac,
                                Purpose::leaf_blinding, Purpose::rail_signing, Purpose::log_signing}) {
    CHECK(loaded->newest_version(purpose) == 1);
  }
  CHECK_FALSE(loaded->fingerprint(2));
  CHECK_FALSE(loaded->token_mac(0));
  CHECK(loaded->log_signer(2) == nullptr);
}

TEST_CASE("no two keys are alike, and no secret is in a file in the clear") {
  Machine machine;
  const auto keyring = machine.create();
  REQUIRE(keyring.ok());
  const std::set<std::string> different{base::to_hex(keyring->idempotency_scope()),
                                        base::to_hex(*keyring->fingerprint(1)), base::to_hex(*keyring->token_mac(1)),
                                        base::to_hex(keyring->leaf_blinding()),
                                        base::to_hex(keyring->log_signer(1)->public_key()),
                                        base::to_hex(keyring->rail_signer()->public_key())};
  CHECK(different.size() == 6);
  std::string disk;
  for (const auto& [path, content] : machine.files.durable_state().files) {
    if (path.find("keys/") != std::string::npos) disk += base::to_hex(content) + ",";
  }
  CHECK(disk.size() > 500);
  for (const std::string& secret : different) CHECK(disk.find(secret) == std::string::npos);
}

TEST_CASE("a finished init is not repeated") {
  Machine machine;
  REQUIRE(machine.create().ok());
  CHECK(code(machine.create()) == "keys_already_present");
}

TEST_CASE("an init broken off at any call to the disk is completed by the next one") {
  for (const io::Fault fault : {io::Fault::io_error, io::Fault::power_loss, io::Fault::torn_write}) {
    for (std::uint64_t k = 1;; ++k) {
      Machine machine;
      machine.files.faults().fail_call(k, fault);
      const auto made = machine.create();
      if (machine.files.faults().delivered() == 0) {
        CHECK(made.ok());
        CHECK(k > 20);
        break;
      }
      CHECK_FALSE(made.ok());
      machine.files.crash();
      auto again = machine.create();
      // The fault may have hit after the last key was in place.
      if (!again.ok()) {
        CHECK(code(again) == "keys_already_present");
        CHECK(machine.load().ok());
      } else {
        const auto loaded = machine.load();
        REQUIRE(loaded.ok());
        CHECK(all_keys(*loaded) == all_keys(*again));
      }
    }
  }
}

TEST_CASE("a missing key file is named") {
  for (const char* name : {"fingerprint", "idempotency-scope", "leaf-blinding", "log-signing", "token-mac"}) {
    Machine machine;
    REQUIRE(machine.create().ok());
    const std::string path = std::string("/data/keys/") + name + ".1.sealed";
    REQUIRE(machine.files.remove(path).ok());
    const auto loaded = machine.load();
    REQUIRE(code(loaded) == "sealed_key_missing");
    CHECK(loaded.error().message.find(path) != std::string::npos);
  }
  Machine machine;
  CHECK(code(machine.load()) == "sealed_key_missing");
}

TEST_CASE("a directory from before there was a key for rails gets it, once") {
  Machine machine;
  REQUIRE(machine.create().ok());
  REQUIRE(machine.files.remove("/data/keys/rail-signing.1.sealed").ok());
  auto older = machine.load();
  REQUIRE(older.ok());
  CHECK(older->rail_signer() == nullptr);
  CHECK(older->newest_version(Purpose::rail_signing) == 0);
  machine.files.faults().fail_next_sync();
  CHECK_FALSE(older->make_missing(machine.files, machine.random, machine.master).ok());
  CHECK(older->rail_signer() == nullptr);
  REQUIRE(older->make_missing(machine.files, machine.random, machine.master).ok());
  const std::string made = all_keys(*older);
  REQUIRE(older->make_missing(machine.files, machine.random, machine.master).ok());
  CHECK(all_keys(*older) == made);
  machine.files.crash(io::CrashMode::lose_all);
  const auto loaded = machine.load();
  REQUIRE(loaded.ok());
  CHECK(all_keys(*loaded) == made);
}

TEST_CASE("a key file put in the place of another, or changed, is refused with its name") {
  Machine machine;
  REQUIRE(machine.create().ok());
  const auto token = io::read_whole_file(machine.files, "/data/keys/token-mac.1.sealed", 4096);
  REQUIRE(token.ok());
  REQUIRE(io::replace_file(machine.files, "/data/keys/leaf-blinding.1.sealed", *token).ok());
  const auto loaded = machine.load();
  REQUIRE(code(loaded) == "sealed_record_of_another_name");
  CHECK(loaded.error().message.find("leaf-blinding.1.sealed") != std::string::npos);

  Machine flipped;
  REQUIRE(flipped.create().ok());
  REQUIRE(flipped.files.flip_bit("/data/keys/token-mac.1.sealed", 150, 3));
  CHECK(code(flipped.load()) == "sealed_record_not_authentic");
}

TEST_CASE("a key of the wrong length is refused") {
  Machine machine;
  REQUIRE(machine.create().ok());
  const auto record = custody::seal_record(machine.master, machine.random, {"fingerprint", 1, Purpose::fingerprint},
                                           base::as_bytes("fifteen bytes.."));
  REQUIRE(record.ok());
  REQUIRE(io::replace_file(machine.files, "/data/keys/fingerprint.1.sealed", *record).ok());
  CHECK(code(machine.load()) == "sealed_key_size_wrong");
}

TEST_CASE("new versions are durable before they are used, and the old ones stay") {
  Machine machine;
  auto keyring = machine.create();
  REQUIRE(keyring.ok());
  const std::string old_fingerprint = base::to_hex(*keyring->fingerprint(1));
  custody::Signer* const old_signer = keyring->log_signer(1);
  for (const Purpose purpose : {Purpose::fingerprint, Purpose::token_mac, Purpose::log_signing}) {
    for (std::uint32_t version = 2; version <= 12; ++version) {
      const auto added = keyring->add_version(purpose, machine.files, machine.random, machine.master);
      REQUIRE(added.ok());
      CHECK(*added == version);
    }
    CHECK(keyring->newest_version(purpose) == 12);
  }
  CHECK(base::to_hex(*keyring->fingerprint(1)) == old_fingerprint);
  CHECK(keyring->log_signer(1) == old_signer);
  machine.files.crash(io::CrashMode::lose_all);
  const auto loaded = machine.load();
  REQUIRE(loaded.ok());
  CHECK(all_keys(*loaded) == all_keys(*keyring));

  REQUIRE(machine.files.remove("/data/keys/token-mac.5.sealed").ok());
  CHECK(code(machine.load()) == "sealed_key_missing");
}

TEST_CASE("a version that could not be written is not used") {
  Machine machine;
  auto keyring = machine.create();
  REQUIRE(keyring.ok());
  machine.files.faults().fail_next_sync();
  CHECK(code(keyring->add_version(Purpose::fingerprint, machine.files, machine.random, machine.master)) ==
        "file_sync_failed");
  CHECK(keyring->newest_version(Purpose::fingerprint) == 1);
}

TEST_CASE("files of other names in the directory are no keys") {
  Machine machine;
  const auto made = machine.create();
  REQUIRE(made.ok());
  for (const char* name : {"fingerprint.2.sealed.new", "fingerprint.02.sealed", "fingerprint.x.sealed", "fingerprint.",
                           "fingerprint.0.sealed", "fingerprints.2.sealed", "README"}) {
    REQUIRE(io::replace_file(machine.files, std::string("/data/keys/") + name, {}).ok());
  }
  const auto loaded = machine.load();
  REQUIRE(loaded.ok());
  CHECK(all_keys(*loaded) == all_keys(*made));
}

TEST_CASE("the log's signer signs what its public key verifies") {
  Machine machine;
  const auto keyring = machine.create();
  REQUIRE(keyring.ok());
  custody::Signer* const signer = keyring->log_signer(1);
  REQUIRE(signer != nullptr);
  CHECK(signer->algorithm() == custody::SigningAlgorithm::ed25519);
  crypto::Ed25519PublicKey public_key;
  REQUIRE(signer->public_key().size() == public_key.size());
  std::ranges::copy(signer->public_key(), public_key.begin());
  const auto signature = signer->sign(base::as_bytes("a checkpoint"));
  REQUIRE(signature.ok());
  CHECK(crypto::ed25519_verify(public_key, base::as_bytes("a checkpoint"), *signature));
}
