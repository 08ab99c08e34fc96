#include "node/recovery.h"

#include "crypto/hash.h"
#include "node/world_test.h"

#include <doctest/doctest.h>

using node::World;

namespace {

base::Digest digest(const core::State& state) {
  const core::FrozenState frozen = state.freeze();
  crypto::Sha256 hash;
  for (std::size_t section = 0; section < core::state_section_count; ++section) {
    frozen.for_each_piece(static_cast<core::StateSection>(section), [&](base::ByteView piece) { hash.update(piece); });
  }
  return hash.finish();
}

void make_history(World& world) {
  world.open_accounts({"a", "b"});
  for (int i = 0; i < 200; ++i) world.now("t" + std::to_string(i), world.transfer("world/USD", i % 2 ? "a" : "b", 3));
  gate::TransferRequest hold = world.transfer("a", "b", 4);
  hold.hold = true;
  world.now("h", hold);
}

void write_snapshot(World& world) {
  const auto entry = world.partition->reader->read_group(world.engine->position());
  REQUIRE(entry.ok());
  // One more transfer, kept as the sealed group the snapshot belongs to.
  world.submit("snap", world.transfer("world/USD", "a", 1));
  node::OutgoingGroup group = world.engine->seal_group(true);
  auto sealed = world.partition->journal->append(std::move(*group.draft));
  REQUIRE(sealed.ok());
  world.engine->durable_through((*sealed)->header().next_event() - 1);
  base::Bytes head, names;
  auto sections = node::snapshot_sections(*group.frozen, *world.partition->directory, world.partition->tenants->copy(), head, names);
  REQUIRE(store::write_snapshot(world.files, "/data/snapshots", node::snapshot_position(**sealed), std::move(sections)).ok());
}

}  // namespace

TEST_CASE("replay from the first event gives the state byte for byte") {
  World world;
  make_history(world);
  const base::Digest before = digest(world.engine->state());
  world.close();
  world.open();
  CHECK(digest(world.engine->state()) == before);
  CHECK(world.report.snapshot_event == 0);
  CHECK(world.partition->directory->find(1, "a", model::account_name_hash(1, "a")) == 2);
  CHECK(world.now("t7", world.transfer("world/USD", "a", 3)).items.at(0).replayed);
}

TEST_CASE("a snapshot and the journal after it give the same state as the whole journal") {
  World world;
  make_history(world);
  write_snapshot(world);
  for (int i = 0; i < 20; ++i) world.now("u" + std::to_string(i), world.transfer("world/USD", "b", 2));
  const base::Digest before = digest(world.engine->state());
  world.close();
  world.open();
  CHECK(world.report.snapshot_event != 0);
  CHECK(world.report.events_replayed == 20);
  CHECK(digest(world.engine->state()) == before);
  CHECK(world.now("t7", world.transfer("world/USD", "a", 3)).items.at(0).replayed);
  CHECK(world.now("u7", world.transfer("world/USD", "b", 2)).items.at(0).replayed);
}

TEST_CASE("a damaged snapshot is passed over and named") {
  World world;
  make_history(world);
  write_snapshot(world);
  const base::Digest before = digest(world.engine->state());
  world.close();
  const auto names = world.files.list("/data/snapshots");
  REQUIRE(names.ok());
  REQUIRE(names->size() == 1);
  REQUIRE(world.files.flip_bit("/data/snapshots/" + (*names)[0], 300, 3));
  world.open();
  CHECK(world.report.snapshot_event == 0);
  REQUIRE(world.report.snapshots_passed_over.size() == 1);
  CHECK(std::string(world.report.snapshots_passed_over[0].code) == "snapshot_damaged");
  CHECK(digest(world.engine->state()) == before);
}

TEST_CASE("a lost key index is made anew from the journal") {
  World world;
  make_history(world);
  while (world.partition->keys->flush_step(world.engine->position()).value()) {
  }
  world.close();
  REQUIRE(store::KeyIndex::erase(world.files, "/data/keys-index").ok());
  world.open();
  CHECK(world.now("t7", world.transfer("world/USD", "a", 3)).items.at(0).replayed);
  CHECK(world.now("h", [&] { auto hold = world.transfer("a", "b", 4); hold.hold = true; return hold; }()).items.at(0).replayed);
}

TEST_CASE("a flipped byte in the journal refuses to open") {
  World world;
  make_history(world);
  world.close();
  REQUIRE(world.files.flip_bit("/data/journal/00000001.seg", 20'000, 1));
  node::RecoveryReport report;
  const auto recovered = node::recover(world.files, world.clock, world.blinding, world.recovery_options(), report);
  REQUIRE_FALSE(recovered.ok());
  CHECK(std::string(recovered.error().code) == "journal_segment_damaged");
  CHECK(recovered.error().message.find("00000001.seg") != std::string::npos);
}

TEST_CASE("another blinding secret does not open the log") {
  World world;
  make_history(world);
  world.close();
  const std::array<std::uint8_t, 32> other{1};
  const audit::Blinding wrong(other, 0);
  node::RecoveryReport report;
  CHECK_FALSE(node::recover(world.files, world.clock, wrong, world.recovery_options(), report).ok());
}
