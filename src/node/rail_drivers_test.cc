#include "node/rail_drivers.h"

#include "effects/signing/message_keys.h"
#include "io/random.h"
#include "io/simulated_file.h"
#include "node/chain_keys.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

struct World {
  io::SimulatedFileSystem files{1};
  io::SimulatedRandom random{7};
  io::SimulatedClock clock;
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  io::Resolver resolver;
  effects::OwnEd25519Signer signer{io::SecretMemory::copy_of(base::Bytes(32, 5)).value()};
  node::DataPlace place{.directory = "/data", .mode = store::DataMode::standard, .master_key_file = "/master.key"};
  node::RailDrivers drivers;

  World() {
    REQUIRE(node::DataDirectory::create(files, random, place).ok());
    REQUIRE(node::make_chain_key(files, random, place, "hot", 5, "").ok());
  }
  base::Status add(const node::RailSettings& settings) {
    return drivers.add({.files = files, .clock = clock, .random = random, .loop = *loop, .resolver = resolver, .rail_signer = signer, .place = place}, settings);
  }
  static node::RailSettings evm(std::string_view name) {
    node::RailSettings settings;
    settings.name = *model::parse_rail_name(name);
    settings.url = "http://127.0.0.1:8545";
    settings.evm = node::EvmRailSettings{.chain_id = 5, .key = "hot", .policy = {.asset = "ETH/18", .token = {}}};
    return settings;
  }
  std::string refused(const node::RailSettings& settings) { return add(settings).error().code; }
};

}  // namespace

TEST_CASE("each rail has the driver that the file names, and rails of one account share it") {
  World world;
  CHECK(world.add(World::evm("ether")).ok());
  CHECK(world.add(World::evm("token")).ok());
  node::RailSettings bank;
  bank.name = *model::parse_rail_name("bank-a");
  bank.url = "http://127.0.0.1:9000";
  bank.signing_key_id = "us";
  CHECK(world.add(bank).ok());
  const effects::Rail* const ether = world.drivers.find(1, *model::parse_rail_name("ether"));
  REQUIRE(ether != nullptr);
  CHECK_EQ(ether->capabilities(), model::idempotent_reference | model::inquiry_supported | model::void_supported);
  CHECK(world.drivers.find(1, *model::parse_rail_name("bank-a")) != nullptr);
  CHECK(world.drivers.find(2, *model::parse_rail_name("ether")) == nullptr);

  const auto beyond = [&](std::string_view rail) { return world.drivers.beyond(1, *model::parse_rail_name(rail), model::all_rail_capabilities); };
  CHECK_EQ(beyond("ether"), model::expiry_honoured);   // what a chain cannot do and nothing is concluded from does not matter
  CHECK_EQ(beyond("bank-a"), 0);
  CHECK_EQ(beyond("nowhere"), 0);
  CHECK_EQ(world.drivers.beyond(1, *model::parse_rail_name("ether"), ether->capabilities()), 0);
}

TEST_CASE("a rail that anchors says what came of it") {
  World world;
  CHECK(world.add(World::evm("ether")).ok());
  CHECK(world.drivers.anchoring().empty());
  node::RailSettings anchors = World::evm("token");
  anchors.evm->anchor_every_seconds = 60;
  CHECK(world.add(anchors).ok());
  world.drivers.start_anchoring();
  const auto rails = world.drivers.anchoring();
  REQUIRE_EQ(rails.size(), 1);
  CHECK_EQ(std::string(model::to_text(rails[0].rail)), "token");
  CHECK_EQ(rails[0].stats.stored, 0);
  CHECK_FALSE(rails[0].stats.newest.has_value());
}

TEST_CASE("rails of one account name the same node and chain, and the chain that the account is on") {
  World world;
  CHECK(world.add(World::evm("ether")).ok());
  node::RailSettings other = World::evm("other");
  other.url = "http://127.0.0.1:8546";
  CHECK_EQ(world.refused(other), "evm_rails_disagree");
  other = World::evm("other");
  other.evm->chain_id = 6;
  CHECK_EQ(world.refused(other), "evm_rails_disagree");
  World fresh;
  CHECK_EQ(fresh.refused(other), "evm_outbox_of_another_account");
  other = World::evm("other");
  other.evm->key = "cold";
  CHECK_EQ(fresh.refused(other), "chain_key_missing");
  other = World::evm("other");
  other.evm->policy.confirmations = 0;
  CHECK_EQ(World().refused(other), "evm_policy_out_of_bounds");
  World lost;
  REQUIRE(lost.files.remove(node::evm_outbox_file("/data", "hot")).ok());
  CHECK_EQ(lost.refused(World::evm("ether")), "evm_outbox_missing");
}

TEST_CASE("a rail keeps its account: another one would not know what the first has signed") {
  World world;
  REQUIRE(node::make_chain_key(world.files, world.random, world.place, "spare", 5, "").ok());
  CHECK(world.add(World::evm("ether")).ok());
  node::RailSettings moved = World::evm("ether");
  moved.evm->key = "spare";
  CHECK_EQ(world.refused(moved), "evm_rail_account_changed");
  node::RailSettings second = World::evm("second");
  second.evm->key = "spare";
  CHECK(world.add(second).ok());
}
