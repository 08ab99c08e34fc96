#include "effects/rails/evm/evm_rail.h"

#include <algorithm>

#include "effects/rails/evm/key_for_tests.h"
#include "effects/rails/evm/node_for_tests.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

using model::RailReason;
using model::RailResult;

struct Stage {
  ScriptedNode node;
  ScriptedServer server{[this](const std::string& request) { return node(request); }};
  std::unique_ptr<io::Loop> loop = io::Loop::open().value();
  io::SimulatedClock clock;
  ExampleSigner signer;
  std::shared_ptr<EvmAccount> account;
  std::unique_ptr<EvmRail> rail;
  EvmRailOptions options{.policy = {.asset = "ETH/18", .token = {}, .confirmations = 3, .bump_after = base::seconds(60)}};

  Stage() {
    EvmOutbox::create(server.disk, "/o", 31337, signer.address()).value();
    restart();
  }
  // What the process forgets, and what it reads again.
  void restart() {
    rail.reset();
    account.reset();
    account = EvmAccount::open(*loop, clock, nullptr, io::TlsOutgoingContext::open(server.disk, {.ca_file = "ca.pem"}).value(), signer, server.disk,
                               {.url = server.url() + "/key", .outbox_file = "/o", .chain_id = 31337, .reply_timeout = base::seconds(3)})
                  .value();
    rail = EvmRail::open(*loop, clock, account, options).value();
  }
  SendOrder order(const std::string& reference = "tr_1") {
    SendOrder order;
    order.reference = reference;
    order.amount = 5000;
    order.asset = options.policy.asset;
    order.beneficiary = R"({"address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"})";
    order.send_not_after_boot_ns = clock.boot_ns() + base::seconds(5).ns;
    return order;
  }
  template <typename Ask>
  RailAnswer ask(Ask question) {
    std::optional<RailAnswer> got;
    question([&](RailAnswer&& answer) { got = std::move(answer); });
    CHECK_FALSE(got.has_value());
    CHECK(turn_until(*loop, [&] { return got.has_value(); }));
    return got.value_or(RailAnswer{});
  }
  RailAnswer send(const std::string& reference = "tr_1") {
    return ask([&](RailAnswered done) { rail->send(order(reference), std::move(done)); });
  }
  RailAnswer inquire(const std::string& reference = "tr_1") {
    return ask([&](RailAnswered done) { rail->inquire(reference, {}, std::move(done)); });
  }
  RailAnswer void_payment(const std::string& reference = "tr_1") {
    return ask([&](RailAnswered done) { rail->void_payment(reference, {}, std::move(done)); });
  }
  const OutboxEntry& entry(const std::string& reference = "tr_1") { return *account->outbox().find(reference); }
  // Bytes that a question made the driver send: they leave after the answer.
  std::vector<std::string> taken(std::size_t count) {
    CHECK(turn_until(*loop, [&] {
      const std::lock_guard lock(node.mutex);
      return node.taken.size() >= count;
    }));
    const std::lock_guard lock(node.mutex);
    return node.taken;
  }
  // Whatever else arrived before or after: several connections carry what is sent.
  bool took(const std::string& bytes) {
    return turn_until(*loop, [&] {
      const std::lock_guard lock(node.mutex);
      return std::ranges::find(node.taken, bytes) != node.taken.end();
    });
  }
};

void is(const RailAnswer& answer, RailResult result, RailReason reason) {
  CHECK_EQ(answer.result, result);
  CHECK_MESSAGE(answer.reason == reason, model::row_of(answer.reason).name, " instead of ", model::row_of(reason).name, ": ", answer.detail);
}

TEST_CASE("a payment is written down, sent, mined, and settled when it is deep enough") {
  Stage stage;
  const RailAnswer sent = stage.send();
  is(sent, RailResult::accepted, RailReason::none);
  CHECK_EQ(sent.rail_reference, hex_data(stage.entry().newest().hash));
  CHECK(sent.body.has_value());
  CHECK(stage.entry().acknowledged);
  CHECK_EQ(stage.taken(1)[0], hex_data(stage.entry().newest().raw));
  is(stage.inquire(), RailResult::accepted, RailReason::none);
  stage.node.mined_count = 1;
  stage.node.mine(stage.entry().newest().hash, 2);
  is(stage.inquire(), RailResult::accepted, RailReason::none);
  stage.node.block += 1;
  const RailAnswer settled = stage.inquire();
  is(settled, RailResult::settled, RailReason::none);
  CHECK_EQ(*settled.amount, base::U128{5000});
}

TEST_CASE("before anything is signed every trouble is not_sent, and uses no nonce") {
  const std::pair<const char*, const char*> odd[] = {
      {"eth_getBalance", R"("result":"5")"}, {"eth_getTransactionCount", R"("result":null)"}, {"eth_maxPriorityFeePerGas", R"("error":{"code":1,"message":"x"})"},
      {"eth_getBlockByNumber", R"("result":{"number":"0x1"})"}, {"eth_chainId", R"("result":"0x01")"}, {"eth_chainId", R"("nothing":1)"},
      {"eth_estimateGas", R"("error":{"code":-32000,"message":"odd"})"}, {"eth_estimateGas", R"("result":"many")"}};
  for (const auto& [method, members] : odd) {
    Stage stage;
    stage.node.instead[method] = members;
    CHECK_EQ(stage.send().result, RailResult::not_sent);
    CHECK_FALSE(stage.account->outbox().next_nonce().has_value());
    CHECK(stage.node.taken.empty());
  }
  Stage stage;
  stage.node.instead["eth_getBalance"] = "";
  is(stage.send(), RailResult::not_sent, RailReason::reply_lost);
  stage.node.instead.clear();
  stage.node.chain_id = 1;
  is(stage.send(), RailResult::not_sent, RailReason::rail_in_maintenance);
  stage.node.chain_id = 31337;
  stage.node.gas = R"("error":{"code":3,"message":"execution reverted","data":"0x"})";
  is(stage.send(), RailResult::rejected, RailReason::beneficiary_refused);
  stage.node.gas = R"("error":{"code":-32000,"message":"insufficient funds for transfer"})";
  is(stage.send(), RailResult::not_sent, RailReason::insufficient_funds_at_rail);
  stage.node.gas = R"("result":"0x5208")";
  stage.signer.fails = true;
  is(stage.send(), RailResult::not_sent, RailReason::rail_in_maintenance);
  stage.signer.fails = false;
  CHECK(stage.node.taken.empty());
  is(stage.send(), RailResult::accepted, RailReason::none);
  CHECK_EQ(stage.entry().nonce, 0);
}

TEST_CASE("a sender that wakes up too late signs nothing") {
  Stage stage;
  SendOrder late = stage.order();
  stage.clock.advance(base::seconds(5).ns);
  is(stage.ask([&](RailAnswered done) { stage.rail->send(std::move(late), std::move(done)); }), RailResult::not_sent, RailReason::send_deadline_passed);
  CHECK_FALSE(stage.account->outbox().next_nonce().has_value());
}

TEST_CASE("whatever a node says against signed bytes leaves the outcome open") {
  const std::pair<const char*, RailReason> said[] = {
      {"nonce too low", RailReason::duplicate_reference},   {"replacement transaction underpriced", RailReason::duplicate_reference},
      {"insufficient funds", RailReason::insufficient_funds_at_rail}, {"max fee per gas less than block base fee", RailReason::rail_busy},
      {"execution reverted", RailReason::beneficiary_refused}, {"something odd", RailReason::rail_internal_error}};
  for (const auto& [message, reason] : said) {
    Stage stage;
    stage.node.instead["eth_sendRawTransaction"] = R"("error":{"code":-32000,"message":")" + std::string(message) + "\"}";
    is(stage.send(), RailResult::unknown, reason);
    CHECK_FALSE(stage.entry().acknowledged);
    is(stage.inquire(), RailResult::unknown, RailReason::not_found_at_rail);
  }
  Stage stage;
  stage.node.instead["eth_sendRawTransaction"] = "";
  is(stage.send("tr_1"), RailResult::unknown, RailReason::reply_lost);
  stage.node.instead["eth_sendRawTransaction"] = R"("result":"0x)" + std::string(64, '7') + "\"";
  is(stage.send("tr_2"), RailResult::unknown, RailReason::reply_contradicts_request);
  stage.node.instead["eth_sendRawTransaction"] = R"("nothing":0)";
  is(stage.send("tr_3"), RailResult::unknown, RailReason::reply_malformed);
  stage.node.instead["eth_sendRawTransaction"] = R"("error":{"code":-32000,"message":"already known"})";
  is(stage.send("tr_4"), RailResult::accepted, RailReason::none);
  CHECK_EQ(stage.entry("tr_4").nonce, 3);
}

TEST_CASE("what was signed is never signed again under the same reference, and never under another nonce") {
  Stage stage;
  is(stage.send(), RailResult::accepted, RailReason::none);
  is(stage.send(), RailResult::unknown, RailReason::duplicate_reference);
  stage.restart();
  is(stage.send(), RailResult::unknown, RailReason::duplicate_reference);
  CHECK_EQ(stage.taken(1).size(), 1);
  CHECK_EQ(*stage.account->outbox().next_nonce(), 1);
}

TEST_CASE("a payment that a node has is sent again unchanged; one that is stuck gets higher fees and keeps its nonce") {
  Stage stage;
  stage.send();
  stage.node.waiting.clear();   // the node forgot
  is(stage.inquire(), RailResult::accepted, RailReason::none);
  CHECK_EQ(stage.taken(2)[1], stage.taken(1)[0]);
  stage.restart();
  is(stage.inquire(), RailResult::accepted, RailReason::none);
  CHECK_EQ(stage.taken(3)[2], stage.taken(1)[0]);
  stage.clock.advance(base::seconds(61).ns);
  is(stage.inquire(), RailResult::accepted, RailReason::none);
  const auto raised = read_transaction(*parse_hex_data(stage.taken(4)[3]))->transaction;
  const EvmTransaction first = stage.entry().versions[0].transaction;
  CHECK_EQ(raised.nonce, first.nonce);
  CHECK_EQ(raised.to, first.to);
  CHECK_EQ(raised.value, first.value);
  CHECK(raised.fee_max * 8 >= first.fee_max * 9);
  CHECK(raised.tip * 8 >= first.tip * 9);
  // It was the first that was mined after all.
  stage.node.mined_count = 1;
  stage.node.mine(stage.entry().versions[0].hash, 3);
  const RailAnswer settled = stage.inquire();
  is(settled, RailResult::settled, RailReason::none);
  CHECK_EQ(settled.rail_reference, hex_data(stage.entry().versions[0].hash));
  CHECK_EQ(stage.taken(4).size(), 4);
}

TEST_CASE("a receipt that a reorganisation takes away is none") {
  Stage stage;
  stage.send();
  stage.node.mined_count = 1;
  stage.node.mine(stage.entry().newest().hash, 3);
  stage.node.fork = std::string(64, 'c');   // the block at its height is another one
  is(stage.inquire(), RailResult::unknown, RailReason::other);
  stage.node.receipts.clear();
  stage.node.mined_count = 0;
  is(stage.inquire(), RailResult::accepted, RailReason::none);
  CHECK_EQ(stage.taken(2)[1], stage.taken(1)[0]);
}

TEST_CASE("a void of what never arrived has something else mined with its nonce; then it is proven absent") {
  Stage stage;
  stage.node.instead["eth_sendRawTransaction"] = R"("error":{"code":-32603,"message":"odd"})";
  is(stage.send(), RailResult::unknown, RailReason::rail_internal_error);
  is(stage.inquire(), RailResult::unknown, RailReason::not_found_at_rail);
  CHECK_EQ(stage.taken(1).size(), 1);   // bytes that nobody confirmed are not sent again
  stage.node.instead.clear();
  is(stage.void_payment(), RailResult::unknown, RailReason::other);
  const auto cancellation = read_transaction(*parse_hex_data(stage.taken(2)[1]))->transaction;
  CHECK_EQ(cancellation.nonce, 0);
  CHECK_EQ(cancellation.to, stage.signer.address());
  CHECK_EQ(cancellation.value, base::U128{0});
  stage.restart();
  is(stage.void_payment(), RailResult::unknown, RailReason::other);
  CHECK_EQ(stage.taken(3)[2], stage.taken(2)[1]);
  CHECK_EQ(stage.entry().versions.size(), 2);
  stage.node.mined_count = 1;
  stage.node.mine(stage.entry().newest().hash, 2);
  is(stage.void_payment(), RailResult::unknown, RailReason::other);
  stage.node.block += 1;
  is(stage.void_payment(), RailResult::not_sent, RailReason::tombstoned);
  is(stage.inquire(), RailResult::not_sent, RailReason::tombstoned);
}

TEST_CASE("a void that no node heard of holds: the payment is never sent again, and whatever waits behind it has it cancelled") {
  Stage stage;
  is(stage.send("tr_1"), RailResult::accepted, RailReason::none);
  is(stage.send("tr_2"), RailResult::accepted, RailReason::none);
  stage.node.instead["eth_blockNumber"] = stage.node.instead["eth_chainId"] = R"("error":{"code":-32603,"message":"away"})";
  CHECK(stage.void_payment("tr_1").result == RailResult::unknown);
  CHECK(stage.entry("tr_1").renounced);
  CHECK_FALSE(stage.entry("tr_1").cancelled());
  stage.restart();
  CHECK(stage.entry("tr_1").renounced);
  stage.node.instead.clear();
  stage.node.waiting.clear();   // they forgot it
  is(stage.inquire("tr_2"), RailResult::accepted, RailReason::none);
  CHECK(stage.entry("tr_1").cancelled());
  const std::size_t payments = stage.taken(2).size();
  CHECK(stage.took(hex_data(stage.entry("tr_1").newest().raw)));
  CHECK(payments >= 2);
}

TEST_CASE("a void that comes too late says that it was paid") {
  Stage stage;
  stage.send();
  stage.node.mined_count = 1;
  stage.node.mine(stage.entry().newest().hash, 3);
  is(stage.void_payment(), RailResult::settled, RailReason::none);
  CHECK_EQ(stage.entry().versions.size(), 1);
}

TEST_CASE("a reference under which nothing was signed is buried, unless the account was used elsewhere") {
  Stage stage;
  is(stage.inquire("tr_9"), RailResult::unknown, RailReason::not_found_at_rail);
  is(stage.void_payment("tr_9"), RailResult::not_sent, RailReason::tombstoned);
  is(stage.send("tr_9"), RailResult::not_sent, RailReason::tombstoned);
  stage.restart();
  is(stage.inquire("tr_9"), RailResult::not_sent, RailReason::tombstoned);
  is(stage.void_payment("tr_9"), RailResult::not_sent, RailReason::tombstoned);
  stage.send("tr_1");
  stage.node.pending_count = 2;
  is(stage.void_payment("tr_8"), RailResult::unknown, RailReason::rail_in_maintenance);
  is(stage.send("tr_2"), RailResult::not_sent, RailReason::rail_in_maintenance);
  stage.node.pending_count = 1;
  stage.node.chain_id = 1;
  is(stage.void_payment("tr_8"), RailResult::unknown, RailReason::rail_in_maintenance);
  is(stage.inquire("tr_1"), RailResult::unknown, RailReason::rail_in_maintenance);
}

TEST_CASE("what stands before a payment is moved along with it, and one that nobody has is cancelled") {
  Stage stage;
  stage.node.instead["eth_sendRawTransaction"] = R"("error":{"code":-32603,"message":"odd"})";
  stage.send("tr_1");
  stage.node.instead.clear();
  stage.node.waiting.clear();
  is(stage.send("tr_2"), RailResult::accepted, RailReason::none);
  is(stage.inquire("tr_2"), RailResult::accepted, RailReason::none);
  CHECK_FALSE(stage.entry("tr_1").cancelled());
  stage.clock.advance(base::seconds(61).ns);
  is(stage.inquire("tr_2"), RailResult::accepted, RailReason::none);
  CHECK(stage.entry("tr_1").cancelled());
  stage.taken(5);
  CHECK(stage.took(hex_data(stage.entry("tr_1").newest().raw)));
}

const base::Digest anchored = abi_word(base::U128{77});

RailAnswer anchor(Stage& stage, const std::string& reference = "anchor-1-77") {
  return stage.ask([&](RailAnswered done) { stage.rail->anchor(reference, anchored, std::move(done)); });
}

TEST_CASE("an anchor goes the way of a payment: once, with one nonce, raised while it waits, settled when it is deep enough") {
  Stage stage;
  stage.node.gas = R"("result":"0x5708")";
  stage.send();
  is(anchor(stage), RailResult::accepted, RailReason::none);
  const OutboxEntry& entry = stage.entry("anchor-1-77");
  CHECK_EQ(entry.nonce, 1);
  CHECK_EQ(entry.newest().transaction.to, stage.signer.address());
  CHECK_EQ(entry.newest().transaction.data, base::to_bytes(anchored));
  CHECK(entry.acknowledged);
  is(anchor(stage), RailResult::unknown, RailReason::duplicate_reference);
  stage.restart();
  is(anchor(stage), RailResult::unknown, RailReason::duplicate_reference);
  stage.node.mined_count = 1;
  is(stage.inquire("anchor-1-77"), RailResult::accepted, RailReason::none);
  CHECK_EQ(stage.taken(3)[2], stage.taken(2)[1]);
  stage.clock.advance(base::seconds(61).ns);
  is(stage.inquire("anchor-1-77"), RailResult::accepted, RailReason::none);
  const OutboxEntry& raised = stage.entry("anchor-1-77");
  REQUIRE_EQ(raised.versions.size(), 2);
  CHECK_EQ(raised.newest().transaction.data, base::to_bytes(anchored));
  CHECK_FALSE(raised.cancelled());
  stage.taken(4);
  stage.node.mined_count = 2;
  stage.node.mine(raised.versions[0].hash, 3);
  const RailAnswer settled = stage.inquire("anchor-1-77");
  is(settled, RailResult::settled, RailReason::none);
  CHECK_EQ(settled.rail_reference, hex_data(raised.versions[0].hash));
  CHECK_EQ(*stage.account->outbox().next_nonce(), 2);
}

TEST_CASE("an anchor takes no place of a payment, and one that never left is sent when a payment behind it is asked about") {
  Stage stage;
  stage.options.in_flight_max = 1;
  stage.restart();
  std::optional<RailAnswer> payment;
  stage.rail->send(stage.order("tr_1"), [&](RailAnswer&& answer) { payment = std::move(answer); });
  is(anchor(stage, "anchor-1-77"), RailResult::accepted, RailReason::none);
  CHECK(turn_until(*stage.loop, [&] { return payment.has_value(); }));
  is(*payment, RailResult::accepted, RailReason::none);
  stage.node.mined_count = stage.node.pending_count = 2;

  stage.node.instead["eth_sendRawTransaction"] = R"("error":{"code":-32603,"message":"odd"})";
  is(anchor(stage, "anchor-2-77"), RailResult::unknown, RailReason::rail_internal_error);
  stage.node.instead.clear();
  stage.node.waiting.clear();
  is(stage.send("tr_2"), RailResult::accepted, RailReason::none);
  stage.clock.advance(base::seconds(30).ns);
  is(stage.inquire("tr_2"), RailResult::accepted, RailReason::none);
  const OutboxEntry& entry = stage.entry("anchor-2-77");
  CHECK_FALSE(entry.cancelled());
  const std::string bytes = hex_data(entry.newest().raw);
  CHECK(turn_until(*stage.loop, [&] {
    const std::lock_guard lock(stage.node.mutex);
    return std::ranges::count(stage.node.taken, bytes) >= 2;
  }));
}

TEST_CASE("when the outbox cannot be written nothing is sent") {
  Stage stage;
  stage.server.disk.faults().fail_next_sync();
  is(stage.send(), RailResult::not_sent, RailReason::rail_in_maintenance);
  is(stage.send("tr_2"), RailResult::not_sent, RailReason::rail_in_maintenance);
  is(stage.void_payment("tr_3"), RailResult::unknown, RailReason::rail_in_maintenance);
  CHECK(stage.node.taken.empty());
}

TEST_CASE("the bulkhead, statements and bounds") {
  Stage stage;
  stage.options.in_flight_max = 1;
  stage.restart();
  std::optional<RailAnswer> first;
  stage.rail->send(stage.order("tr_1"), [&](RailAnswer&& answer) { first = std::move(answer); });
  is(stage.send("tr_2"), RailResult::not_sent, RailReason::rail_busy);
  CHECK(turn_until(*stage.loop, [&] { return first.has_value(); }));
  is(stage.send("tr_3"), RailResult::accepted, RailReason::none);
  std::string code;
  stage.rail->statement({}, {}, [&](base::Result<base::Bytes> statement) { code = statement.error().code; });
  CHECK(turn_until(*stage.loop, [&] { return !code.empty(); }));
  CHECK_EQ(code, "statement_not_available");
  for (const auto change : {+[](EvmPolicy& p) { p.fee_max = 0; }, +[](EvmPolicy& p) { p.fee_max = base::U128{1} << 81; },
                            +[](EvmPolicy& p) { p.tip_max = p.fee_max + 1; }, +[](EvmPolicy& p) { p.confirmations = 0; },
                            +[](EvmPolicy& p) { p.gas_limit_max = 20'999; }}) {
    EvmRailOptions options;
    change(options.policy);
    CHECK_EQ(std::string(EvmRail::open(*stage.loop, stage.clock, stage.account, options).error().code), "evm_policy_out_of_bounds");
  }
}

TEST_CASE("tokens: what the account has of them counts, and what their receipt shows") {
  Stage stage;
  stage.options.policy.token = *parse_evm_address("0x1111111111111111111111111111111111111111");
  stage.options.policy.asset = "USDC/6";
  stage.restart();
  is(stage.send(), RailResult::rejected, RailReason::insufficient_funds_at_rail);
  stage.node.token_balance = std::string(60, '0') + "1388";   // 5000
  stage.node.gas = R"("result":"0xc350")";
  is(stage.send(), RailResult::accepted, RailReason::none);
  CHECK_EQ(stage.entry().newest().transaction.to, *stage.options.policy.token);
  stage.node.mined_count = 1;
  stage.node.mine(stage.entry().newest().hash, 3);
  is(stage.inquire(), RailResult::unknown, RailReason::reply_contradicts_request);
  const auto word = [](base::ByteView bytes) { return R"("0x)" + base::to_hex(bytes) + "\""; };
  stage.node.mine(stage.entry().newest().hash, 3, true,
                  R"({"address":"0x1111111111111111111111111111111111111111","topics":[)" + word(token_transfer_topic()) + "," +
                      word(abi_word(stage.signer.address())) + "," + word(abi_word(*parse_evm_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"))) +
                      R"(],"data":)" + word(abi_word(base::U128{5000})) + "}");
  const RailAnswer settled = stage.inquire();
  is(settled, RailResult::settled, RailReason::none);
  CHECK_EQ(*settled.amount, base::U128{5000});
}

}  // namespace
}  // namespace effects
