#include "custody/soft/chain_key.h"

#include "base/text.h"
#include "crypto/keccak.h"
#include "crypto/secp256k1.h"
#include "custody/soft/test_random.h"
#include "io/simulated_file.h"

#include <doctest/doctest.h>

namespace custody {
namespace {

struct Stage {
  io::SimulatedFileSystem disk{1};
  CountingRandom random{1};
  MasterKey master = MasterKey::create(disk, random, {.path = "/master", .data_directory = "/data"}).value();
  Stage() {
    disk.make_dir("/data").value();
    disk.make_dir("/data/keys").value();
    disk.sync_dir("/").value();
    disk.sync_dir("/data").value();
  }
  base::Result<std::unique_ptr<ChainKey>> create(std::string_view name) {
    return ChainKey::seal(disk, random, master, "/data/keys", name, ChainKey::draw(random).value());
  }
  base::Result<std::unique_ptr<ChainKey>> open(std::string_view name) { return ChainKey::open(disk, master, "/data/keys", name); }
  base::Result<std::unique_ptr<ChainKey>> import(std::string_view name, base::ByteView secret) {
    return ChainKey::seal(disk, random, master, "/data/keys", name, io::SecretMemory::copy_of(secret).value());
  }
};

TEST_CASE("a chain key survives a crash right after it was made, and signs as the same account") {
  Stage stage;
  const base::Bytes before = stage.create("evm-hot").value()->public_key();
  stage.disk.crash(io::CrashMode::lose_all);
  const auto key = stage.open("evm-hot").value();
  CHECK_EQ(key->public_key(), before);
  CHECK_EQ(key->algorithm(), SigningAlgorithm::secp256k1_keccak256);
  const base::Bytes signature = key->sign(base::as_bytes("message")).value();
  REQUIRE_EQ(signature.size(), 65);
  crypto::RecoverableSignature parsed;
  std::copy_n(signature.begin(), 32, parsed.r.begin());
  std::copy_n(signature.begin() + 32, 32, parsed.s.begin());
  parsed.parity = signature[64];
  const auto signer = crypto::secp256k1_recover(crypto::keccak256(base::as_bytes("message")), parsed);
  REQUIRE(signer.has_value());
  CHECK_EQ(base::to_bytes(*signer), before);
}

TEST_CASE("a key that was made elsewhere is taken if it is one, and no key is ever replaced") {
  Stage stage;
  const base::Bytes secret(32, 0x46);
  const auto key = stage.import("old", secret).value();
  CHECK_EQ(base::to_hex(crypto::keccak256(key->public_key())).substr(24), "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
  CHECK_EQ(std::string(stage.import("old", secret).error().code), "chain_key_exists");
  CHECK_EQ(std::string(stage.create("old").error().code), "chain_key_exists");
  CHECK_EQ(std::string(stage.import("zero", base::Bytes(32, 0)).error().code), "chain_key_malformed");
  CHECK_EQ(std::string(stage.import("short", base::Bytes(31, 1)).error().code), "chain_key_malformed");
}

TEST_CASE("what cannot be opened says why") {
  Stage stage;
  CHECK_EQ(std::string(stage.open("absent").error().code), "chain_key_missing");
  for (const char* name : {"", "Upper", "1st", "a/b", "a.b", "abcdefghijklmnopqrstuvwxyz0123456"}) {
    CHECK_EQ(std::string(stage.open(name).error().code), "chain_key_name_malformed");
    CHECK_EQ(std::string(stage.create(name).error().code), "chain_key_name_malformed");
  }
  stage.create("one").value();
  stage.create("two").value();
  const base::Bytes two = io::read_whole_file(stage.disk, "/data/keys/chain-two.1.sealed", 4096).value();
  io::replace_file(stage.disk, "/data/keys/chain-one.1.sealed", two).value();
  CHECK_EQ(std::string(stage.open("one").error().code), "sealed_record_of_another_name");
  const RecordName name{.id = "chain-bad", .version = 1, .purpose = Purpose::chain_signing};
  io::replace_file(stage.disk, "/data/keys/chain-bad.1.sealed", seal_record(stage.master, stage.random, name, base::Bytes(32, 0)).value()).value();
  CHECK_EQ(std::string(stage.open("bad").error().code), "chain_key_malformed");
}

}  // namespace
}  // namespace custody
