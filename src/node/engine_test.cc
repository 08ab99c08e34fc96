#include "node/engine.h"

#include "node/world_test.h"

#include <doctest/doctest.h>

using model::Outcome;
using node::World;

TEST_CASE("a transfer moves money and its repetition names the same event") {
  World world;
  world.open_accounts({"a", "b"});
  const auto first = world.now("k1", world.transfer("world/USD", "a", 100)).items.at(0);
  CHECK(first.event != 0);
  CHECK_FALSE(first.replayed);
  const auto again = world.now("k1", world.transfer("world/USD", "a", 100)).items.at(0);
  CHECK(again.event == first.event);
  CHECK(again.replayed);
  CHECK(world.balance("a") == 100);
}

TEST_CASE("the same key with other fields is refused, names the fields, and moves nothing") {
  World world;
  world.open_accounts({"a", "b"});
  world.now("k1", world.transfer("world/USD", "a", 100));
  const auto& answer = world.now("k1", world.transfer("world/USD", "b", 101));
  CHECK(answer.items.at(0).refusal == Outcome::idempotency_key_reused_with_different_body);
  CHECK(std::popcount(answer.items.at(0).differing_fields) == 2);
  CHECK(world.balance("a") == 100);
  CHECK(world.balance("b") == 0);
}

TEST_CASE("a duplicate of a transfer that is not durable yet waits for it and gets its answer") {
  World world;
  world.open_accounts({"a"});
  const auto first = world.submit("k1", world.transfer("world/USD", "a", 100));
  const auto second = world.submit("k1", world.transfer("world/USD", "a", 100));
  CHECK(world.engine->parked_count() == 1);
  world.commit();
  CHECK(world.engine->parked_count() == 0);
  CHECK(world.answer(second).items.at(0).event == world.answer(first).items.at(0).event);
  CHECK(world.answer(second).items.at(0).replayed);
  CHECK(world.balance("a") == 100);
}

TEST_CASE("a refusal that depends on state sticks to its key") {
  World world;
  world.open_accounts({"a", "b"});
  CHECK(world.outcome(world.now("k1", world.transfer("a", "b", 5))) == Outcome::exceeds_available_balance);
  world.now("fund", world.transfer("world/USD", "a", 100));
  const auto& answer = world.now("k1", world.transfer("a", "b", 5));
  CHECK(answer.items.at(0).replayed);
  CHECK(world.outcome(answer) == Outcome::exceeds_available_balance);
  CHECK(world.balance("b") == 0);
}

TEST_CASE("a key can be cancelled before use, and only before") {
  World world;
  world.open_accounts({"a"});
  CHECK(world.outcome(world.now("c1", gate::KeyCancellation{model::Operation::create_transfer, "k1"})) == Outcome::done);
  CHECK(world.outcome(world.now("k1", world.transfer("world/USD", "a", 5))) == Outcome::idempotency_key_cancelled);
  world.now("k2", world.transfer("world/USD", "a", 5));
  CHECK(world.outcome(world.now("c2", gate::KeyCancellation{model::Operation::create_transfer, "k2"})) ==
        Outcome::idempotency_key_already_used);
  CHECK(world.balance("a") == 5);
}

TEST_CASE("a batch answers each item, and its own key replays the whole reply") {
  World world;
  world.open_accounts({"a", "b"});
  world.now("old", world.transfer("world/USD", "a", 7));
  const std::vector<gate::TransferRequest> items{world.transfer("world/USD", "a", 10, "i1"), world.transfer("b", "a", 10, "i2"),
                                                 world.transfer("world/USD", "a", 7, "old"),
                                                 world.transfer("world/USD", "b", 8, "old2")};
  const auto batch = [&] { return std::move(std::get<model::Admitted>(world.gate.admit_transfers(world.sender, items, "batch"))); };
  const auto first_token = world.submit(batch());
  world.commit();
  const node::Answer first = world.answer(first_token);
  REQUIRE(first.items.size() == 4);
  CHECK(world.outcome(first, 0) == Outcome::done);
  CHECK(world.outcome(first, 1) == Outcome::exceeds_available_balance);
  CHECK(first.items[2].replayed);
  CHECK(first.batch != 0);
  CHECK_FALSE(first.batch_replayed);
  const auto second_token = world.submit(batch());
  world.commit();
  const node::Answer& second = world.answer(second_token);
  CHECK(second.batch_replayed);
  CHECK(second.batch == first.batch);
  REQUIRE(second.items.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(second.items[i].event == first.items[i].event);
    CHECK(second.items[i].replayed == first.items[i].replayed);
  }
  CHECK(world.balance("a") == 17);
}

TEST_CASE("an atomic group that was partly seen before is refused whole") {
  World world;
  world.open_accounts({"a", "b"});
  world.now("seen", world.transfer("world/USD", "a", 1));
  std::vector<gate::TransferRequest> items{world.transfer("world/USD", "a", 1, "seen"), world.transfer("world/USD", "b", 2, "new")};
  for (auto& item : items) item.group = 1;
  const auto token = world.submit(std::move(std::get<model::Admitted>(world.gate.admit_transfers(world.sender, items))));
  world.commit();
  for (const auto& item : world.answer(token).items) CHECK(item.refusal == Outcome::atomic_group_partly_seen);
  CHECK(world.balance("b") == 0);
}

TEST_CASE("an atomic group seen before as a whole is replayed as a whole") {
  World world;
  world.open_accounts({"a", "b"});
  std::vector<gate::TransferRequest> items{world.transfer("world/USD", "a", 5, "g1"), world.transfer("a", "b", 3, "g2")};
  for (auto& item : items) item.group = 1;
  const auto send = [&] {
    const auto token = world.submit(std::move(std::get<model::Admitted>(world.gate.admit_transfers(world.sender, items))));
    world.commit();
    return world.answer(token);
  };
  const node::Answer first = send(), second = send();
  REQUIRE(second.items.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(second.items[i].replayed);
    CHECK(second.items[i].event == first.items[i].event);
  }
  CHECK(world.balance("b") == 3);
}

TEST_CASE("a hold that was resolved says how, whether its resolution is durable or on its way") {
  World world;
  world.open_accounts({"a", "b"});
  world.now("fund", world.transfer("world/USD", "a", 100));
  gate::TransferRequest hold = world.transfer("a", "b", 40);
  hold.hold = true;
  const model::EventNumber placed = world.now("h1", hold).items.at(0).event;
  const auto first = world.submit("v1", gate::Voiding{{0, placed}});
  const auto second = world.submit("v2", gate::Capture{{0, placed}, {}});
  world.commit();
  CHECK(world.outcome(world.answer(first)) == Outcome::done);
  CHECK(world.outcome(world.answer(second)) == Outcome::hold_already_voided);
  CHECK(world.outcome(world.now("v3", gate::Voiding{{0, placed}})) == Outcome::hold_already_voided);
  const model::EventNumber plain = world.now("p", world.transfer("a", "b", 1)).items.at(0).event;
  CHECK(world.outcome(world.now("v4", gate::Voiding{{0, plain}})) == Outcome::transfer_is_not_a_hold);
  CHECK(world.outcome(world.now("v5", gate::Voiding{{0, 999'999}})) == Outcome::transfer_not_found);
}

TEST_CASE("holds expire with a tick, on the core's time only, and free their money") {
  World world;
  world.open_accounts({"a", "b"});
  world.now("fund", world.transfer("world/USD", "a", 100));
  gate::TransferRequest hold = world.transfer("a", "b", 40);
  hold.hold = true;
  hold.hold_for = base::seconds(10);
  const model::EventNumber placed = world.now("h1", hold).items.at(0).event;
  world.clock.advance(base::seconds(9).ns);
  CHECK_FALSE(world.engine->tick(world.clock.wall()));
  CHECK(world.balance("a") == 60);
  world.clock.advance(base::seconds(2).ns);
  CHECK(world.engine->tick(world.clock.wall()));
  world.commit();
  CHECK(world.balance("a") == 100);
  CHECK(world.outcome(world.now("c", gate::Capture{{0, placed}, {}})) == Outcome::hold_expired);
}

TEST_CASE("a large submission is cut into groups and still answered once") {
  World world;
  world.close();
  world.engine_options.group_bytes_max = 16 * 1024;
  world.open();
  world.open_accounts({"a"});
  std::vector<std::string> keys;
  std::vector<gate::TransferRequest> items;
  for (int i = 0; i < 300; ++i) keys.push_back("k" + std::to_string(i));
  for (const std::string& key : keys) items.push_back(world.transfer("world/USD", "a", 1, key));
  const auto token = world.submit(std::move(std::get<model::Admitted>(world.gate.admit_transfers(world.sender, items))));
  CHECK(world.engine->group_full());
  world.commit();
  CHECK(world.answer(token).items.size() == 300);
  CHECK(world.balance("a") == 300);
}

TEST_CASE("references find their transfers, also after reopening without snapshots") {
  World world;
  world.open_accounts({"a"});
  gate::TransferRequest transfer = world.transfer("world/USD", "a", 1);
  transfer.reference = "invoice 7";
  const model::EventNumber first = world.now("r1", transfer).items.at(0).event;
  const model::EventNumber second = world.now("r2", transfer).items.at(0).event;
  const auto entry = world.entries->read_entry(first);
  REQUIRE(entry.ok());
  const base::Tag128 key = std::get<model::CreateTransfer>(entry->command.body).items[0].reference_key;
  for (int round = 0; round < 2; ++round) {
    const auto token = world.ask(node::AskReference{key, 0, 10});
    world.commit();
    CHECK(std::get<node::EventsFound>(world.answer(token).finding).events == std::vector<model::EventNumber>{first, second});
    world.close();
    world.open();
  }
}

TEST_CASE("the world account answers to its asset's full name too") {
  World world;
  world.open_accounts({"a"});
  CHECK(world.outcome(world.now("k1", world.transfer("world/USD/2", "a", 100))) == Outcome::done);
  CHECK(world.outcome(world.now("k2", world.transfer("world/USD/3", "a", 100))) == Outcome::debit_account_not_found);
  CHECK(world.balance("a") == 100);
}

TEST_CASE("batch answers survive their encoding") {
  const node::ItemAnswer event{.event = 12345, .replayed = true};
  const node::ItemAnswer refusal{.refusal = Outcome::idempotency_key_reused_with_different_body, .differing_fields = 0x8005};
  CHECK(node::decode_batch_answer(node::encode_batch_answer(event)).event == 12345);
  CHECK(node::decode_batch_answer(node::encode_batch_answer(event)).replayed);
  const auto decoded = node::decode_batch_answer(node::encode_batch_answer(refusal));
  CHECK(decoded.event == 0);
  CHECK(decoded.refusal == Outcome::idempotency_key_reused_with_different_body);
  CHECK(decoded.differing_fields == 0x8005);
}

namespace {

// A gate after its fingerprint key was rotated: the World's own key is version 1.
struct Rotated {
  Rotated(node::World& world, bool with_former)
      : keys(world.secret, world.keys.tokens, versions(world, with_former)),
        gate(keys, world.nobody, [&world](std::span<std::uint8_t> out) { world.random.fill(out); }) {}
  static gate::FingerprintKeys versions(node::World& world, bool with_former) {
    gate::FingerprintKeys keys;
    keys.emplace_back(2, std::array<std::uint8_t, 16>{42});
    if (with_former) keys.push_back(world.keys.fingerprints[0]);
    return keys;
  }
  model::Admitted admit(const node::World& world, const std::string& key, const gate::RequestBody& body) {
    return std::move(std::get<model::Admitted>(gate.admit_body(world.sender, key, body)));
  }
  gate::GateKeys keys;
  gate::Gate gate;
};

}  // namespace

TEST_CASE("after the fingerprint key was rotated a repetition is compared with the version its first request was made with") {
  node::World world;
  world.open_accounts({"a", "b"});
  const auto first = world.now("k", world.transfer("world/USD", "a", 5));
  const std::vector<gate::TransferRequest> batch{world.transfer("world/USD", "a", 1, "b1"), world.transfer("world/USD", "b", 2, "b2")};
  const auto send_batch = [&](gate::Gate& gate, const std::vector<gate::TransferRequest>& transfers) -> const node::Answer& {
    auto admitted = std::move(std::get<model::Admitted>(gate.admit_transfers(world.sender, transfers, "batch")));
    const auto token = world.submit(std::move(admitted));
    world.commit();
    return world.answer(token);
  };
  const auto recorded = send_batch(world.gate, batch);

  Rotated rotated(world, true);
  const auto now = [&](const std::string& key, const gate::RequestBody& body) -> const node::Answer& {
    const auto token = world.submit(rotated.admit(world, key, body));
    world.commit();
    return world.answer(token);
  };
  const auto& replay = now("k", world.transfer("world/USD", "a", 5));
  CHECK(replay.items[0].replayed);
  CHECK(replay.items[0].event == first.items[0].event);
  const auto& other = now("k", world.transfer("world/USD", "b", 6));
  CHECK(other.items[0].refusal == model::Outcome::idempotency_key_reused_with_different_body);
  CHECK(gate::field_names(model::Operation::create_transfer, other.items[0].differing_fields) ==
        std::vector<std::string_view>{"credit_account", "amount"});

  CHECK(send_batch(rotated.gate, batch).batch_replayed);
  auto changed = batch;
  changed[1].amount = 3;
  CHECK(send_batch(rotated.gate, changed).refusal == model::Outcome::idempotency_key_reused_with_different_body);
  CHECK(world.balance("a") == 6);
  CHECK(world.balance("b") == 2);

  // What is new is recorded with the new version, and agrees with itself.
  const auto fresh = now("k2", world.transfer("world/USD", "a", 7));
  CHECK(now("k2", world.transfer("world/USD", "a", 7)).items[0].event == fresh.items[0].event);
  CHECK(now("k2", world.transfer("world/USD", "a", 8)).items[0].refusal == model::Outcome::idempotency_key_reused_with_different_body);
  CHECK(world.balance("a") == 13);
}

TEST_CASE("a repetition whose version of the fingerprint key is lost is neither executed nor replayed") {
  node::World world;
  world.open_accounts({"a"});
  world.now("k", world.transfer("world/USD", "a", 5));
  Rotated rotated(world, false);
  const auto token = world.submit(rotated.admit(world, "k", world.transfer("world/USD", "a", 5)));
  world.commit();
  CHECK(world.answer(token).items[0].refusal == model::Outcome::idempotency_key_expired);
  CHECK(world.balance("a") == 5);
}
