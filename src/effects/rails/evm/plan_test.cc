#include "effects/rails/evm/plan.h"

#include "effects/rails/evm/key_for_tests.h"
#include "io/simulated_file.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

using model::RailReason;
using model::RailResult;

constexpr base::U128 gwei = 1'000'000'000;
const EvmAddress us = ExampleSigner().address();

EvmAddress filled(std::uint8_t byte) {
  EvmAddress address;
  address.fill(byte);
  return address;
}

EvmPolicy coin() { return {.asset = "ETH/18", .token = {}, .fee_max = 100 * gwei, .tip_max = 2 * gwei, .gas_limit_max = 100'000, .confirmations = 3}; }
EvmPolicy token() {
  EvmPolicy policy = coin();
  policy.asset = "USDC/6";
  policy.token = filled(0x11);
  return policy;
}

SendOrder order(std::string_view beneficiary, std::string asset = "ETH/18") {
  SendOrder order;
  order.reference = "tr_1";
  order.amount = 5000;
  order.asset = std::move(asset);
  order.beneficiary = beneficiary;
  return order;
}

struct Book {
  io::SimulatedFileSystem disk{1};
  std::unique_ptr<EvmOutbox> outbox;
  ExampleSigner signer;
  Book() {
    EvmOutbox::create(disk, "/o", 1, us).value();
    outbox = EvmOutbox::open(disk, "/o", us).value();
  }
  const OutboxEntry& pay(const std::string& reference, const EvmTransaction& transaction) {
    return *outbox->add_payment(reference, sign_transaction(transaction, signer).value()).value();
  }
  const OutboxEntry& add(const EvmTransaction& transaction) {
    return *outbox->add_version(transaction.nonce, sign_transaction(transaction, signer).value()).value();
  }
};

void is(const RailAnswer& answer, RailResult result, RailReason reason) {
  CHECK_EQ(answer.result, result);
  CHECK_MESSAGE(answer.reason == reason, model::row_of(answer.reason).name, ": ", answer.detail);
}

TEST_CASE("fees cover twice the base fee and the tip, within the bounds") {
  CHECK_EQ(*first_fees(coin(), {10 * gwei, gwei}), EvmFees{gwei, 21 * gwei});
  CHECK_EQ(*first_fees(coin(), {10 * gwei, 9 * gwei}), EvmFees{2 * gwei, 22 * gwei});
  CHECK_EQ(*first_fees(coin(), {60 * gwei, gwei}), EvmFees{gwei, 100 * gwei});
  CHECK_EQ(*first_fees(coin(), {99 * gwei, gwei}), EvmFees{gwei, 100 * gwei});
  CHECK_FALSE(first_fees(coin(), {99 * gwei + 1, gwei}).has_value());
  CHECK_FALSE(first_fees(coin(), {base::u128_max, base::u128_max}).has_value());
}

TEST_CASE("a replacement offers at least an eighth more of both, and stays within the bounds") {
  CHECK_EQ(*raised_fees(coin(), {gwei, 20 * gwei}, {1, 1}, false), EvmFees{gwei * 9 / 8, 20 * gwei * 9 / 8});
  CHECK_EQ(*raised_fees(coin(), {0, 1}, {0, 0}, false), EvmFees{1, 2});
  // The market asks for more than that.
  CHECK_EQ(*raised_fees(coin(), {gwei, 20 * gwei}, {30 * gwei, 2 * gwei}, false), EvmFees{2 * gwei, 62 * gwei});
  CHECK_FALSE(raised_fees(coin(), {gwei, 89 * gwei}, {1, 1}, false).has_value());
  CHECK_FALSE(raised_fees(coin(), {2 * gwei, 20 * gwei}, {1, 1}, false).has_value());
  CHECK_EQ(*raised_fees(coin(), {2 * gwei, 100 * gwei}, {1, 1}, true), EvmFees{2 * gwei * 9 / 8, 100 * gwei * 9 / 8});
  CHECK_FALSE(raised_fees(coin(), {2 * gwei, 190 * gwei}, {1, 1}, true).has_value());
}

TEST_CASE("a beneficiary is an address with a good checksum, and nobody of our own") {
  const auto refusal = [](const SendOrder& one, const EvmPolicy& policy) { return std::get<RailAnswer>(beneficiary_of(one, policy, us)); };
  const auto good = beneficiary_of(order(R"({"address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","name":"x"})"), coin(), us);
  CHECK_EQ(to_text(std::get<EvmAddress>(good)), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
  for (const std::string& text : {std::string("{}"), std::string("[]"), std::string(), std::string(R"({"address":7})"),
                                  std::string(R"({"address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"})"), R"({"address":")" + to_text(us) + R"("})",
                                  R"({"address":")" + to_text(EvmAddress{}) + R"("})"}) {
    is(refusal(order(text), coin()), RailResult::rejected, RailReason::beneficiary_account_invalid);
  }
  is(refusal(order(R"({"address":")" + to_text(filled(0x11)) + R"("})", "USDC/6"), token()), RailResult::rejected, RailReason::beneficiary_account_invalid);
  is(refusal(order("{}", "EUR/2"), coin()), RailResult::rejected, RailReason::asset_not_supported);
  SendOrder collect = order("{}");
  collect.kind = model::TransferKind::collect;
  is(refusal(collect, coin()), RailResult::not_sent, RailReason::request_not_understood);
  SendOrder nothing = order(R"({"address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"})");
  nothing.amount = 0;
  is(refusal(nothing, coin()), RailResult::rejected, RailReason::request_not_understood);
}

EvmOutlook fine() {
  return {.market = {10 * gwei, gwei}, .mined_count = 4, .pending_count = 4, .balance = 1000 * gwei * gwei, .token_balance = {}, .gas = 21'000};
}

TEST_CASE("a plan takes the next nonce of the outbox, and of the chain for the first") {
  Book book;
  const EvmTransaction bare = bare_payment(order("{}"), coin(), filled(0x35), 1);
  const auto first = std::get<EvmTransaction>(plan_payment(bare, coin(), fine(), *book.outbox));
  CHECK_EQ(first, EvmTransaction{.chain_id = 1, .nonce = 4, .tip = gwei, .fee_max = 21 * gwei, .gas_limit = 21'000, .to = filled(0x35), .value = 5000, .data = {}});
  book.pay("tr_1", first);
  CHECK_EQ(std::get<EvmTransaction>(plan_payment(bare, coin(), fine(), *book.outbox)).nonce, 5);
  // The chain has more than we signed: somebody else has the key, or this is an old copy.
  EvmOutlook more = fine();
  more.pending_count = 6;
  is(std::get<RailAnswer>(plan_payment(bare, coin(), more, *book.outbox)), RailResult::not_sent, RailReason::rail_in_maintenance);
}

TEST_CASE("what cannot be paid or is not allowed is refused before anything is signed") {
  Book book;
  const EvmTransaction bare = bare_payment(order("{}"), coin(), filled(0x35), 1);
  const auto refusal = [&](const EvmOutlook& outlook) { return std::get<RailAnswer>(plan_payment(bare, coin(), outlook, *book.outbox)); };
  EvmOutlook outlook = fine();
  outlook.market.base_fee = 101 * gwei;
  is(refusal(outlook), RailResult::not_sent, RailReason::rail_busy);
  outlook = fine();
  outlook.gas = {};
  is(refusal(outlook), RailResult::rejected, RailReason::beneficiary_refused);
  outlook.gas = 100'001;
  is(refusal(outlook), RailResult::rejected, RailReason::beneficiary_refused);
  outlook = fine();
  outlook.balance = 21 * gwei * 21'000 + 4999;
  is(refusal(outlook), RailResult::rejected, RailReason::insufficient_funds_at_rail);
  // Enough for one, not for two: what was signed and not mined counts.
  outlook.balance = 2 * (21 * gwei * 21'000 + 5000) - 1;
  book.pay("tr_1", std::get<EvmTransaction>(plan_payment(bare, coin(), outlook, *book.outbox)));
  is(refusal(outlook), RailResult::rejected, RailReason::insufficient_funds_at_rail);
  outlook.balance += 1;
  CHECK(std::holds_alternative<EvmTransaction>(plan_payment(bare, coin(), outlook, *book.outbox)));
}

TEST_CASE("a token's payment is a call of its contract, from what is left of the token") {
  Book book;
  const EvmTransaction bare = bare_payment(order("{}", "USDC/6"), token(), filled(0x35), 1);
  EvmOutlook outlook = fine();
  outlook.gas = 60'000;
  outlook.token_balance = 9999;
  const auto planned = std::get<EvmTransaction>(plan_payment(bare, token(), outlook, *book.outbox));
  CHECK_EQ(planned.to, filled(0x11));
  CHECK_EQ(planned.value, base::U128{0});
  CHECK_EQ(planned.data, token_transfer_data(filled(0x35), 5000));
  CHECK_EQ(planned.gas_limit, 75'000);
  book.pay("tr_1", planned);
  is(std::get<RailAnswer>(plan_payment(bare, token(), outlook, *book.outbox)), RailResult::rejected, RailReason::insufficient_funds_at_rail);
}

struct Mined {
  Book book;
  const OutboxEntry* entry;
  EvmSighting sighting;
  explicit Mined(const EvmPolicy& policy) {
    EvmTransaction bare = bare_payment(order("{}", policy.asset), policy, filled(0x35), 1);
    bare.nonce = 4;
    bare.gas_limit = 60'000;
    bare.tip = gwei;
    bare.fee_max = 20 * gwei;
    entry = &book.pay("tr_1", bare);
    sighting.latest.number = 12;
    sighting.mined_count = 5;
    sighting.receipt = EvmReceipt{.transaction = entry->newest().hash, .block_number = 10, .block_hash = {}, .succeeded = true, .logs = {}};
    sighting.mined = &entry->newest();
  }
};

TEST_CASE("settled is only what is deep enough; what was mined and is not waits") {
  Mined mined(coin());
  const RailAnswer settled = judge_sighting(*mined.entry, coin(), us, mined.sighting);
  is(settled, RailResult::settled, RailReason::none);
  CHECK_EQ(*settled.amount, base::U128{5000});
  CHECK_EQ(settled.asset, "ETH/18");
  CHECK_EQ(settled.rail_reference, hex_data(mined.entry->newest().hash));
  mined.sighting.latest.number = 11;
  is(judge_sighting(*mined.entry, coin(), us, mined.sighting), RailResult::accepted, RailReason::none);
  mined.sighting.latest.number = 3;   // a node that lags
  is(judge_sighting(*mined.entry, coin(), us, mined.sighting), RailResult::accepted, RailReason::none);
  mined.sighting.receipt->succeeded = false;
  is(judge_sighting(*mined.entry, coin(), us, mined.sighting), RailResult::unknown, RailReason::other);
  mined.sighting.latest.number = 12;
  is(judge_sighting(*mined.entry, coin(), us, mined.sighting), RailResult::rejected, RailReason::beneficiary_refused);
}

TEST_CASE("a token's payment is settled only if the token says so") {
  Mined mined(token());
  is(judge_sighting(*mined.entry, token(), us, mined.sighting), RailResult::unknown, RailReason::reply_contradicts_request);
  const base::Digest amount = abi_word(base::U128{5000});
  mined.sighting.receipt->logs = {{.address = filled(0x11), .topics = {token_transfer_topic(), abi_word(us), abi_word(filled(0x35))}, .data = base::to_bytes(amount)}};
  const RailAnswer settled = judge_sighting(*mined.entry, token(), us, mined.sighting);
  is(settled, RailResult::settled, RailReason::none);
  CHECK_EQ(*settled.amount, base::U128{5000});
}

TEST_CASE("a cancellation that is deep enough proves that the payment never happened") {
  Mined mined(coin());
  const auto cancellation = plan_cancellation(*mined.entry, coin(), {gwei, gwei}, us);
  REQUIRE(cancellation.has_value());
  CHECK_EQ(cancellation->nonce, 4);
  CHECK_EQ(cancellation->value, base::U128{0});
  CHECK(cancellation->fee_max >= mined.entry->newest().transaction.fee_max * 9 / 8);
  const OutboxEntry& entry = mined.book.add(*cancellation);
  mined.sighting.mined = &entry.newest();
  is(judge_sighting(entry, coin(), us, mined.sighting), RailResult::not_sent, RailReason::tombstoned);
  mined.sighting.latest.number = 11;
  is(judge_sighting(entry, coin(), us, mined.sighting), RailResult::unknown, RailReason::other);
  // The payment was faster.
  mined.sighting.latest.number = 12;
  mined.sighting.mined = &entry.versions[0];
  is(judge_sighting(entry, coin(), us, mined.sighting), RailResult::settled, RailReason::none);
}

TEST_CASE("an anchor needs gas and nothing else, and stands in its block whatever came of it there") {
  Book book;
  const base::Digest data = abi_word(base::U128{77});
  EvmOutlook outlook = fine();
  outlook.gas = 22'280;
  outlook.token_balance = 0;
  const auto planned = std::get<EvmTransaction>(plan_payment(bare_anchor(data, us, 1), token(), outlook, *book.outbox));
  CHECK_EQ(planned, EvmTransaction{.chain_id = 1, .nonce = 4, .tip = gwei, .fee_max = 21 * gwei, .gas_limit = 27'850, .to = us, .value = 0, .data = base::to_bytes(data)});
  outlook.balance = 21 * gwei * 27'850 - 1;
  is(std::get<RailAnswer>(plan_payment(bare_anchor(data, us, 1), token(), outlook, *book.outbox)), RailResult::rejected, RailReason::insufficient_funds_at_rail);

  Mined mined(token());
  EvmTransaction next = planned;
  next.nonce = 5;
  mined.entry = &mined.book.pay("anchor-1-77", next);
  mined.sighting.mined = &mined.entry->newest();
  mined.sighting.receipt->succeeded = false;
  is(judge_sighting(*mined.entry, token(), us, mined.sighting), RailResult::settled, RailReason::none);
  mined.sighting.latest.number = 11;
  is(judge_sighting(*mined.entry, token(), us, mined.sighting), RailResult::accepted, RailReason::none);
  const auto raise = plan_raise(*mined.entry, token(), {gwei, gwei});
  REQUIRE(raise.has_value());
  CHECK_EQ(raise->data, base::to_bytes(data));
}

TEST_CASE("what is not mined is accepted if a node has it, not found if none ever said so, and odd if the nonce is gone") {
  Mined mined(coin());
  EvmSighting& sighting = mined.sighting;
  sighting.mined = nullptr;
  sighting.receipt.reset();
  is(judge_sighting(*mined.entry, coin(), us, sighting), RailResult::unknown, RailReason::reply_contradicts_request);
  sighting.mined_count = 4;
  is(judge_sighting(*mined.entry, coin(), us, sighting), RailResult::unknown, RailReason::not_found_at_rail);
  sighting.waits_at_node = true;
  is(judge_sighting(*mined.entry, coin(), us, sighting), RailResult::accepted, RailReason::none);
  sighting.waits_at_node = false;
  mined.book.outbox->acknowledge(4).value();
  is(judge_sighting(*mined.entry, coin(), us, sighting), RailResult::accepted, RailReason::none);
  const auto raise = plan_raise(*mined.entry, coin(), {gwei, gwei});
  REQUIRE(raise.has_value());
  CHECK_EQ(raise->nonce, 4);
  CHECK_EQ(raise->to, filled(0x35));
  CHECK_EQ(raise->value, base::U128{5000});
  const OutboxEntry& entry = mined.book.add(*plan_cancellation(*mined.entry, coin(), {gwei, gwei}, us));
  is(judge_sighting(entry, coin(), us, sighting), RailResult::unknown, RailReason::other);
}

}  // namespace
}  // namespace effects
