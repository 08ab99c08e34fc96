#include "effects/rails/evm/outbox.h"

#include "effects/rails/evm/key_for_tests.h"
#include "io/simulated_file.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

constexpr const char* path = "/evm-hot.outbox";
constexpr std::uint64_t chain = 31337;

EvmTransaction payment(std::uint64_t nonce, base::U128 fee = 100) {
  EvmAddress to;
  to.fill(0x35);
  return {.chain_id = chain, .nonce = nonce, .tip = 1, .fee_max = fee, .gas_limit = 21'000, .to = to, .value = 1000 + nonce, .data = {}};
}

EvmTransaction cancellation(std::uint64_t nonce) {
  return {.chain_id = chain, .nonce = nonce, .tip = 9, .fee_max = 900, .gas_limit = 21'000, .to = ExampleSigner().address(), .value = 0, .data = {}};
}

base::Bytes signed_by_us(const EvmTransaction& transaction) {
  ExampleSigner signer;
  return sign_transaction(transaction, signer).value();
}

struct Stage {
  io::SimulatedFileSystem disk{1};
  std::unique_ptr<EvmOutbox> outbox;
  explicit Stage(std::uint64_t seed = 1) : disk(seed) {
    EvmOutbox::create(disk, path, chain, ExampleSigner().address()).value();
    outbox = reopened().value();
  }
  base::Result<std::unique_ptr<EvmOutbox>> reopened() { return EvmOutbox::open(disk, path, ExampleSigner().address()); }
};

// What all the tests below write.
base::Status write_some(EvmOutbox& outbox) {
  TRY(outbox.add_payment("tr_1", signed_by_us(payment(7))));
  TRY(outbox.acknowledge(7));
  TRY(outbox.add_tombstone("tr_2"));
  TRY(outbox.add_version(7, signed_by_us(payment(7, 200))));
  TRY(outbox.add_payment("tr_3", signed_by_us(payment(8))));
  TRY(outbox.renounce(8));
  TRY(outbox.add_version(8, signed_by_us(cancellation(8))));
  return base::ok();
}

// How far a file of write_some() goes; each step is there only with those before it.
int steps_in(const EvmOutbox& outbox) {
  const OutboxEntry* const one = outbox.find("tr_1");
  const OutboxEntry* const three = outbox.find("tr_3");
  const bool steps[] = {one != nullptr, one && one->acknowledged, outbox.is_tombstone("tr_2"), one && one->versions.size() == 2,
                        three != nullptr, three && three->renounced, three && three->cancelled()};
  int count = 0;
  while (count < 7 && steps[count]) ++count;
  for (int later = count; later < 7; ++later) CHECK_FALSE(steps[later]);
  return count;
}

TEST_CASE("what was written is there after a loss of power, and goes on") {
  Stage stage;
  CHECK_FALSE(stage.outbox->next_nonce().has_value());
  CHECK(write_some(*stage.outbox).ok());
  stage.disk.crash(io::CrashMode::lose_all);
  const auto outbox = stage.reopened().value();
  CHECK_EQ(steps_in(*outbox), 7);
  CHECK_EQ(outbox->chain_id(), chain);
  CHECK_EQ(*outbox->next_nonce(), 9);
  const OutboxEntry& one = *outbox->find("tr_1");
  CHECK_EQ(one.nonce, 7);
  CHECK_EQ(one.versions[0].raw, signed_by_us(payment(7)));
  CHECK_EQ(one.newest().transaction, payment(7, 200));
  CHECK_EQ(one.newest().hash, transaction_hash(one.newest().raw));
  CHECK_FALSE(one.cancelled());
  CHECK_EQ(outbox->open_from(8).size(), 1);
  CHECK_EQ(outbox->open_from(8)[0]->reference, "tr_3");
  CHECK_EQ(outbox->find("tr_2"), nullptr);
  CHECK(outbox->add_payment("tr_4", signed_by_us(payment(9))).ok());
}

TEST_CASE("whatever call of the disk fails, what was confirmed is there afterwards, and nothing is confirmed after a failure") {
  for (const io::Fault fault : {io::Fault::io_error, io::Fault::disk_full, io::Fault::torn_write, io::Fault::power_loss}) {
    for (const io::CrashMode mode : {io::CrashMode::lose_all, io::CrashMode::keep_all, io::CrashMode::random}) {
      for (std::uint64_t call = 1;; ++call) {
        Stage stage(call);
        stage.disk.faults().fail_call(call, fault);
        const base::Status written = write_some(*stage.outbox);
        const int confirmed = steps_in(*stage.outbox);
        if (!written.ok()) CHECK_EQ(std::string(stage.outbox->add_tombstone("tr_9").error().code), "evm_outbox_broken");
        const bool delivered = stage.disk.faults().delivered() != 0;
        stage.disk.crash(mode);
        const auto outbox = stage.reopened();
        REQUIRE_MESSAGE(outbox.ok(), outbox.error().message);
        const int there = steps_in(**outbox);
        // The one that failed may be there; nothing before it may be missing.
        CHECK(there >= confirmed);
        CHECK(there <= confirmed + 1);
        CHECK((*outbox)->add_tombstone("tr_9").ok());
        if (!delivered) break;
      }
    }
  }
}

TEST_CASE("no bit can change and no slot move without being noticed") {
  Stage stage;
  CHECK(write_some(*stage.outbox).ok());
  stage.outbox.reset();
  const base::Bytes good = io::read_whole_file(stage.disk, path, 1 << 20).value();
  REQUIRE_EQ(good.size(), 8 * outbox_slot_bytes);
  const auto opened = [&](const base::Bytes& bytes) {
    io::replace_file(stage.disk, path, bytes).value();
    return stage.reopened();
  };
  for (std::size_t at = 0; at < good.size(); at += 13) {
    base::Bytes changed = good;
    changed[at] ^= 4;
    const auto outcome = opened(changed);
    REQUIRE_FALSE(outcome.ok());
    CHECK_EQ(std::string(outcome.error().code), "evm_outbox_damaged");
  }
  base::Bytes swapped = good;
  std::swap_ranges(swapped.begin() + 1 * 512, swapped.begin() + 2 * 512, swapped.begin() + 2 * 512);
  CHECK_FALSE(opened(swapped).ok());
  base::Bytes hole = good;
  std::fill_n(hole.begin() + 3 * 512, 512, std::uint8_t{0});
  CHECK_EQ(std::string(opened(hole).error().code), "evm_outbox_damaged");
  CHECK_EQ(std::string(opened({}).error().code), "evm_outbox_damaged");
}

TEST_CASE("a write that never finished is taken back") {
  for (const std::size_t extra : {std::size_t{1}, std::size_t{511}, outbox_slot_bytes, 3 * outbox_slot_bytes + 5}) {
    Stage stage;
    CHECK(write_some(*stage.outbox).ok());
    base::Bytes bytes = io::read_whole_file(stage.disk, path, 1 << 20).value();
    bytes.resize(bytes.size() + extra);
    io::replace_file(stage.disk, path, bytes).value();
    auto outbox = stage.reopened().value();
    CHECK_EQ(steps_in(*outbox), 7);
    CHECK(outbox->add_tombstone("tr_9").ok());
    CHECK(stage.reopened().value()->is_tombstone("tr_9"));
  }
}

TEST_CASE("a full outbox takes no more payments, and whatever ends those that are there") {
  Stage stage;
  CHECK(write_some(*stage.outbox).ok());
  const auto full = EvmOutbox::open(stage.disk, path, ExampleSigner().address(), 8 * outbox_slot_bytes).value();
  CHECK_EQ(std::string(full->add_payment("tr_4", signed_by_us(payment(9))).error().code), "evm_outbox_full");
  CHECK(full->add_version(7, signed_by_us(cancellation(7))).ok());
  CHECK(full->acknowledge(8).ok());
  CHECK(full->add_tombstone("tr_4").ok());
}

TEST_CASE("what carries data to ourselves is an anchor, and no cancellation") {
  const auto anchor = [](base::U128 fee) {
    EvmTransaction transaction = cancellation(8);
    transaction.fee_max = fee;
    transaction.data = base::Bytes(32, 0x77);
    return transaction;
  };
  Stage stage;
  CHECK_EQ(stage.outbox->newest_anchor(), nullptr);
  REQUIRE(stage.outbox->add_payment("tr_1", signed_by_us(payment(7))).ok());
  REQUIRE(stage.outbox->add_payment("anchor-9-77", signed_by_us(anchor(900))).ok());
  REQUIRE(stage.outbox->add_version(8, signed_by_us(anchor(1900))).ok());
  REQUIRE(stage.outbox->add_payment("tr_2", signed_by_us(payment(9))).ok());
  stage.disk.crash(io::CrashMode::lose_all);
  const auto outbox = stage.reopened().value();
  const OutboxEntry& entry = *outbox->find("anchor-9-77");
  CHECK(entry.anchors);
  CHECK_FALSE(entry.cancelled());
  CHECK_EQ(entry.versions.size(), 2);
  CHECK_FALSE(outbox->find("tr_1")->anchors);
  CHECK_EQ(outbox->newest_anchor(), &entry);
  EvmTransaction rid = cancellation(8);
  rid.fee_max = 4000;
  REQUIRE(outbox->add_version(8, signed_by_us(rid)).ok());
  CHECK(outbox->find(std::uint64_t{8})->cancelled());
  CHECK(stage.reopened().value()->newest_anchor()->cancelled());
}

TEST_CASE("the outbox of another account, or none, is not opened") {
  Stage stage;
  CHECK_EQ(std::string(EvmOutbox::open(stage.disk, path, EvmAddress{}).error().code), "evm_outbox_of_another_account");
  CHECK_EQ(std::string(EvmOutbox::open(stage.disk, "/other", EvmAddress{}).error().code), "evm_outbox_missing");
  CHECK_EQ(std::string(EvmOutbox::create(stage.disk, path, chain, EvmAddress{}).error().code), "file_exists");
}

}  // namespace
}  // namespace effects
