#include "node/evm_anchoring.h"

#include "audit/checkpoint.h"
#include "crypto/evm/block_for_tests.h"
#include "crypto/evm/inclusion.h"
#include "crypto/hash.h"
#include "crypto/keccak.h"
#include "effects/rails/evm/key_for_tests.h"
#include "effects/rails/evm/node_for_tests.h"
#include "node/audit_log.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

constexpr std::uint64_t chain = 31337, wall_seconds = 1'800'000'000;

// A published checkpoint, an account with a rail and a node that a test plays.
struct Stage {
  effects::ScriptedNode node;
  effects::ScriptedServer server{[this](const std::string& request) { return node(request); }};
  io::FileSystem& files = server.disk;
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  io::SimulatedClock clock;
  effects::ExampleSigner signer;
  std::shared_ptr<effects::EvmAccount> account;
  std::unique_ptr<effects::EvmRail> rail;
  std::unique_ptr<node::EvmAnchoring> anchoring;

  Stage() {
    REQUIRE(files.make_dir("/data").ok());
    REQUIRE(files.make_dir("/data/audit").ok());
    REQUIRE(effects::EvmOutbox::create(files, "/o", chain, signer.address()).ok());
    node.gas = R"("result":"0x5708")";
    publish(40);
    restart();
  }
  void publish(std::uint64_t size) {
    const std::string text = audit::checkpoint_text({.origin = "log.example", .size = size, .root = {}, .extensions = {}});
    const std::string note = audit::make_note(text, audit::signature_line("log.example", 1, base::Bytes(64, 1)));
    REQUIRE(io::replace_file(files, "/data/audit/checkpoint", base::as_bytes(note)).ok());
  }
  // What a process that died forgets, and what it reads again.
  void restart() {
    anchoring.reset();
    rail.reset();
    account.reset();
    account = effects::EvmAccount::open(*loop, clock, nullptr, io::TlsOutgoingContext::open(files, {.ca_file = "ca.pem"}).value(), signer, files,
                                        {.url = server.url(), .outbox_file = "/o", .chain_id = chain, .reply_timeout = base::seconds(3)})
                  .value();
    rail = effects::EvmRail::open(*loop, clock, account, {.policy = {.asset = "ETH/18", .token = {}, .confirmations = 3}}).value();
    anchoring = std::make_unique<node::EvmAnchoring>(files, clock, *loop, *account, *rail,
                                                     node::EvmAnchoringOptions{.directory = "/data",
                                                                               .every = base::seconds(3600),
                                                                               .look_pause = base::milliseconds(2),
                                                                               .retry_pause = base::milliseconds(2),
                                                                               .looks_in_vain_max = 5});
    anchoring->start();
  }
  template <typename Condition>
  bool turn(Condition condition) {
    return effects::turn_until(*loop, condition);
  }
  // Some looks more, in which nothing may happen.
  void idle() {
    for (int i = 0; i < 20; ++i) loop->run_once(base::milliseconds(3));
  }
  const effects::OutboxEntry* newest() { return account->outbox().newest_anchor(); }
  bool sent() {
    return turn([this] { return newest() != nullptr && newest()->acknowledged; });
  }
  std::uint64_t failures(std::string_view reason) {
    const auto failures = anchoring->stats().failures;
    const auto found = failures.find(reason);
    return found == failures.end() ? 0 : found->second;
  }
  bool stored(std::uint64_t count = 1) {
    return turn([&] { return anchoring->stats().stored == count; });
  }
  // The block with the newest anchor, alone in it, so many deep now. Its JSON says little: the rest is asked for raw.
  void mine(std::uint64_t depth) {
    const effects::OutboxVersion& version = newest()->newest();
    const base::Bytes header = crypto::test_header({version.raw}, 100, wall_seconds);
    const std::string hash = effects::hex_data(crypto::keccak256(header)), name = effects::hex_data(version.hash);
    {
      const std::lock_guard lock(node.mutex);
      node.fork = hash.substr(2);
      node.mined_count = node.pending_count = newest()->nonce + 1;
      node.instead["eth_getTransactionByHash"] = R"("result":{"hash":")" + name + R"(","blockHash":")" + hash + "\"}";
      node.instead["eth_getBlockByHash"] = R"("result":{"hash":")" + hash + R"(","transactions":[{"type":"0x7e","hash":")" + name + "\"}]}";
      node.instead["debug_getRawHeader"] = R"("result":")" + effects::hex_data(header) + "\"";
      node.instead["debug_getRawTransaction"] = R"("result":")" + effects::hex_data(version.raw) + "\"";
    }
    node.mine(version.hash, depth);
  }
  // The chain forgets that block, and the node the transaction.
  void reorganise() {
    const std::lock_guard lock(node.mutex);
    node.receipts.clear();
    node.instead.clear();
    node.fork = std::string(64, 'd');
    node.mined_count = node.pending_count = newest()->nonce;
  }
  void deepen(std::uint64_t blocks) {
    const std::lock_guard lock(node.mutex);
    node.block += blocks;
  }
  std::size_t taken() {
    const std::lock_guard lock(node.mutex);
    return node.taken.size();
  }
  std::size_t files_stored() { return node::stored_anchors(files, "/data")->size(); }
};

}  // namespace

TEST_CASE("a reference says which tree is anchored, and only such a one is read") {
  Stage stage;
  REQUIRE(stage.sent());
  const auto asked = node::published_evm_request(stage.files, "/data");
  REQUIRE(asked.ok());
  const effects::OutboxEntry entry = *stage.newest();
  CHECK_EQ(entry.reference, node::evm_anchor_reference(*asked));
  CHECK(entry.reference.starts_with("anchor-40-"));
  CHECK_EQ(entry.reference.size(), std::string("anchor-40-").size() + 16);
  const auto read = node::evm_anchor_in(entry);
  REQUIRE(read.has_value());
  CHECK_EQ(read->size, 40);
  CHECK_EQ(read->calldata, asked->calldata);
  for (const std::string& other : {std::string("tr_0000000000041"), std::string("anchor-"), "anchor-040" + entry.reference.substr(9), entry.reference + "0"}) {
    effects::OutboxEntry odd = entry;
    odd.reference = other;
    CHECK_FALSE(node::evm_anchor_in(odd).has_value());
  }
  effects::OutboxEntry payment = entry;
  payment.anchors = false;
  CHECK_FALSE(node::evm_anchor_in(payment).has_value());
}

TEST_CASE("a checkpoint is sent, waits for its depth, and its proof is stored; the next goes when it is time and the tree has grown") {
  Stage stage;
  REQUIRE(stage.sent());
  stage.mine(2);
  stage.idle();
  CHECK_EQ(stage.files_stored(), 0);
  stage.deepen(1);
  REQUIRE(stage.stored());
  const auto newest = stage.anchoring->stats().newest;
  REQUIRE(newest.has_value());
  CHECK_EQ(newest->size, 40);
  CHECK_EQ(newest->seconds, wall_seconds);
  CHECK_EQ(newest->block.chain_id, chain);
  const auto list = node::stored_anchors(stage.files, "/data");
  REQUIRE_EQ(list->size(), 1);
  const auto inclusion = crypto::verify_evm_inclusion(*node::read_anchor(stage.files, "/data", list->front()));
  REQUIRE(inclusion.ok());
  CHECK_EQ(inclusion->call.data, base::to_bytes(node::published_evm_request(stage.files, "/data")->calldata));

  // It is time, and the tree is what it was; then it has grown, and it is not time.
  stage.clock.advance(base::seconds(3601).ns);
  stage.idle();
  CHECK_EQ(*stage.account->outbox().next_nonce(), 1);
  stage.publish(41);
  REQUIRE(stage.turn([&] { return stage.newest()->nonce == 1; }));
  stage.mine(3);
  REQUIRE(stage.stored(2));
  CHECK_EQ(stage.anchoring->stats().newest->size, 41);
}

TEST_CASE("not before it is time, also after a restart: the time is that of the stored block") {
  Stage stage;
  REQUIRE(stage.sent());
  stage.mine(3);
  REQUIRE(stage.stored());
  stage.publish(50);
  stage.restart();
  REQUIRE(stage.turn([&] { return stage.anchoring->stats().newest.has_value(); }));
  CHECK_EQ(stage.anchoring->stats().newest->size, 40);
  CHECK_EQ(stage.anchoring->stats().stored, 0);
  stage.clock.advance(base::seconds(3590).ns);
  stage.restart();
  stage.idle();
  CHECK_EQ(*stage.account->outbox().next_nonce(), 1);
  stage.clock.jump_wall(base::seconds(11).ns);
  stage.restart();
  CHECK(stage.turn([&] { return stage.newest()->nonce == 1; }));
}

TEST_CASE("whatever is under way when the process dies is followed up by the next, with the same nonce") {
  Stage stage;
  stage.node.instead["eth_sendRawTransaction"] = "";   // it got no answer
  REQUIRE(stage.turn([&] { return stage.failures("reply_lost") != 0; }));
  const std::string reference = stage.newest()->reference;
  stage.publish(60);
  {
    const std::lock_guard lock(stage.node.mutex);
    stage.node.instead.clear();
    stage.node.waiting.clear();
  }
  stage.restart();
  REQUIRE(stage.sent());
  CHECK_EQ(stage.newest()->reference, reference);
  stage.restart();
  stage.mine(3);
  stage.restart();
  REQUIRE(stage.stored());
  CHECK_EQ(stage.anchoring->stats().newest->size, 40);
  CHECK_EQ(*stage.account->outbox().next_nonce(), 1);
  CHECK_EQ(stage.newest()->versions.size(), 1);
}

TEST_CASE("a block that the chain forgets is none: the anchor is sent again and waits anew") {
  Stage stage;
  REQUIRE(stage.sent());
  stage.mine(2);
  stage.idle();
  stage.reorganise();
  const std::size_t before = stage.taken();
  REQUIRE(stage.turn([&] { return stage.taken() > before; }));
  stage.deepen(5);
  stage.idle();
  CHECK_EQ(stage.files_stored(), 0);
  stage.mine(3);
  REQUIRE(stage.stored());
  CHECK_EQ(*stage.account->outbox().next_nonce(), 1);
}

TEST_CASE("an anchor that no node wants is voided, so that payments do not wait behind it, and the next goes when it is time") {
  Stage stage;
  stage.node.instead["eth_sendRawTransaction"] = R"("error":{"code":-32000,"message":"not of this kind"})";
  REQUIRE(stage.turn([&] { return stage.newest() != nullptr && stage.newest()->cancelled(); }));
  CHECK(stage.newest()->renounced);
  CHECK(stage.failures("not_found_at_rail") >= 5);
  const effects::OutboxVersion cancellation = stage.newest()->newest();
  stage.restart();   // what was voided stays so
  stage.publish(70);
  {
    const std::lock_guard lock(stage.node.mutex);
    stage.node.instead.clear();
    stage.node.mined_count = stage.node.pending_count = 1;
  }
  stage.node.mine(cancellation.hash, 3);
  REQUIRE(stage.turn([&] { return stage.failures("tombstoned") == 1; }));
  stage.idle();
  CHECK_EQ(*stage.account->outbox().next_nonce(), 1);
  CHECK_EQ(stage.files_stored(), 0);
  stage.clock.advance(base::seconds(3601).ns);
  REQUIRE(stage.turn([&] { return stage.newest()->nonce == 1; }));
  CHECK(stage.newest()->reference.starts_with("anchor-70-"));
}

TEST_CASE("what fails is counted by its reason and tried again") {
  Stage stage;
  stage.node.gas = R"("error":{"code":-32000,"message":"insufficient funds for transfer"})";
  CHECK(stage.turn([&] { return stage.failures("insufficient_funds_at_rail") >= 2; }));
  REQUIRE(io::replace_file(stage.files, "/data/audit/checkpoint", base::as_bytes("nonsense")).ok());
  CHECK(stage.turn([&] { return stage.failures("published_checkpoint_damaged") >= 2; }));
  CHECK_EQ(stage.newest(), nullptr);
  {
    const std::lock_guard lock(stage.node.mutex);
    stage.node.gas = R"("result":"0x5708")";
  }
  stage.publish(40);
  REQUIRE(stage.sent());
  stage.mine(3);
  {
    const std::lock_guard lock(stage.node.mutex);
    stage.node.instead["debug_getRawHeader"] = R"("result":"0x00")";
  }
  CHECK(stage.turn([&] { return stage.failures("evm_block_not_reproduced") >= 2; }));
  CHECK_EQ(stage.files_stored(), 0);
  stage.mine(3);
  CHECK(stage.stored());
}
