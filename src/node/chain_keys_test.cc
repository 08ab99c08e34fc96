#include "node/chain_keys.h"

#include "base/text.h"
#include "effects/rails/evm/outbox.h"
#include "io/random.h"
#include "io/simulated_file.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

struct Disk {
  io::SimulatedFileSystem files{1};
  io::SimulatedRandom random{7};
  node::DataPlace place{.directory = "/data", .mode = store::DataMode::standard, .master_key_file = "/master.key"};
  Disk() { REQUIRE(node::DataDirectory::create(files, random, place).ok()); }
  base::Result<effects::EvmAddress> make(std::string_view name, std::uint64_t chain = 1, const std::string& file = "") {
    return node::make_chain_key(files, random, place, name, chain, file);
  }
  void write(std::string_view text, std::uint32_t mode = 0600) { REQUIRE(io::replace_file(files, "/secret", base::as_bytes(text), mode).ok()); }
};

}  // namespace

TEST_CASE("an account is a key and an outbox, made together") {
  Disk disk;
  const effects::EvmAddress address = disk.make("evm-hot", 5).value();
  const auto key = node::open_chain_key(disk.files, disk.place, "evm-hot").value();
  CHECK_EQ(effects::address_of_public_key(key->public_key()), address);
  const auto outbox = effects::EvmOutbox::open(disk.files, node::evm_outbox_file("/data", "evm-hot"), address).value();
  CHECK_EQ(outbox->chain_id(), 5);
  CHECK_EQ(std::string(disk.make("evm-hot").error().code), "chain_key_exists");
  CHECK_EQ(std::string(disk.make("No").error().code), "chain_key_name_malformed");
  CHECK_EQ(std::string(node::open_chain_key(disk.files, disk.place, "other").error().code), "chain_key_missing");
}

TEST_CASE("a key that was made elsewhere is the account that it was") {
  Disk disk;
  disk.write("0x" + std::string(64, '4') + "\n");
  CHECK(disk.make("a", 1, "/secret").ok());
  std::string published;
  for (int i = 0; i < 32; ++i) published += "46";
  disk.write(published);
  CHECK_EQ(effects::to_text(disk.make("old", 1, "/secret").value()), "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
  for (const std::string& text : {std::string(), std::string("0x12"), std::string(64, '0'), std::string(64, 'g'), published + "00"}) {
    disk.write(text);
    CHECK_EQ(std::string(disk.make("bad", 1, "/secret").error().code), "chain_key_file_unusable");
  }
  disk.write(published, 0644);
  CHECK_EQ(std::string(disk.make("bad", 1, "/secret").error().code), "chain_key_file_unusable");
}

TEST_CASE("an outbox that is there is kept if it is the key's, and never given to another") {
  Disk disk;
  std::string published;
  for (int i = 0; i < 32; ++i) published += "46";
  disk.write(published);
  REQUIRE(disk.make("hot", 1, "/secret").ok());
  REQUIRE(disk.files.remove("/data/keys/chain-hot.1.sealed").ok());
  CHECK_EQ(std::string(disk.make("hot", 1).error().code), "evm_outbox_of_another_account");
  CHECK_EQ(std::string(disk.make("hot", 2, "/secret").error().code), "evm_outbox_of_another_account");
  CHECK(disk.make("hot", 1, "/secret").ok());
}
