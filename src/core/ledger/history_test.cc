// Histories: every posting names the one before of both its accounts, and skips over 64 and 4,096.
#include "core/ledger/story_test.h"

#include <doctest/doctest.h>

using namespace core;

namespace {

constexpr std::uint64_t postings = 10'000;

const model::Side* side_of(const model::Event& event, model::AccountNumber account) {
  return std::visit(
      [account](const auto& body) -> const model::Side* {
        if constexpr (requires { body.debit.links; }) {
          if (body.debit.account == account) return &body.debit;
          if (body.credit.account == account) return &body.credit;
        }
        return nullptr;
      },
      event.body);
}

// One busy account with transfers, holds, captures, voids, expiries and groups, beside others that it shares them with.
struct BusyAccount {
  State state;
  std::vector<model::Event> events;
  std::vector<model::EventNumber> own;   // events of account 2, ascending

  BusyAccount() {
    base::Instant now{1};
    std::vector<model::Event> decided;
    const auto run = [&](model::CommandBody body) {
      model::Command command;
      command.body = std::move(body);
      decide(state, command, now, {}, decided);
      for (const model::Event& event : decided) {
        if (side_of(event, 2) != nullptr) own.push_back(state.head().next_event);
        state.apply(event);
        events.push_back(event);
      }
    };
    run(model::OpenTenant{});
    run(model::RegisterAsset{.asset = asset("USD/2"), .world_name = {}});
    model::OpenAccount open;
    open.asset = asset("USD/2");
    open.flags = 0;
    for (int i = 0; i < 3; ++i) run(open);
    for (std::uint64_t i = 0; own.size() < postings; ++i) {
      model::TransferItem item;
      item.asset = asset("USD/2");
      item.debit = i % 5 == 0 ? 3 : 2;
      item.credit = i % 5 == 0 ? 4 : static_cast<model::AccountNumber>(3 + i % 2);
      item.amount = 1 + i % 7;
      item.hold = i % 4 == 1;
      item.hold_for = base::seconds(i % 8 == 1 ? 0 : 1);
      const model::EventNumber number = state.head().next_event;
      if (i % 11 == 0 && own.size() + 3 < postings) {
        model::TransferItem back = item;
        std::swap(back.debit, back.credit);
        run(model::CreateTransfer{{item, back, item}});
      } else {
        run(model::CreateTransfer{{item}});
        if (i % 16 == 1 && own.size() < postings) run(model::CaptureHold{.hold = number, .standing = {}, .amount = 1});
        if (i % 16 == 9 && own.size() < postings) run(model::VoidHold{.hold = number, .standing = {}});
      }
      now.ns += 400'000'000;
      if (own.size() < postings) run(model::Tick{.expiries_max = 1});
    }
  }

  const model::HistoryLinks& links(model::EventNumber number) const { return side_of(events[number - 1], 2)->links; }
};

const BusyAccount& busy() {
  static const BusyAccount account;
  return account;
}

}  // namespace

TEST_CASE("10,000 postings are walked back one by one") {
  const BusyAccount& b = busy();
  REQUIRE_EQ(b.own.size(), postings);
  CHECK_EQ(b.state.account(2)->postings, postings);
  std::size_t at = postings;
  for (model::EventNumber number = b.state.account(2)->last_posting; number != 0; number = b.links(number).previous) {
    REQUIRE(at > 0);
    REQUIRE_EQ(number, b.own[--at]);
  }
  CHECK_EQ(at, 0);
}

TEST_CASE("skips over 64 and 4,096 reach every 64th and 4,096th posting, and no others carry them") {
  const BusyAccount& b = busy();
  std::uint64_t ordinal = postings / 64 * 64;
  for (model::EventNumber number = b.state.account(2)->last_64; number != 0; number = b.links(number).previous_64) {
    REQUIRE_EQ(number, b.own[ordinal - 1]);
    ordinal -= 64;
  }
  CHECK_EQ(ordinal, 0);
  ordinal = postings / 4096 * 4096;
  for (model::EventNumber number = b.state.account(2)->last_4096; number != 0; number = b.links(number).previous_4096) {
    REQUIRE_EQ(number, b.own[ordinal - 1]);
    ordinal -= 4096;
  }
  CHECK_EQ(ordinal, 0);
  for (std::uint64_t i = 1; i <= postings; ++i) {
    const model::HistoryLinks& links = b.links(b.own[i - 1]);
    if (i % 64 != 0) REQUIRE_EQ(links.previous_64, 0);
    if (i % 4096 != 0) REQUIRE_EQ(links.previous_4096, 0);
  }
}

TEST_CASE("any posting is reached in few reads") {
  const BusyAccount& b = busy();
  for (std::uint64_t wanted = 1; wanted <= postings; wanted += 97) {
    // From the newest end: long skips while they do not pass the target, then short ones, then steps.
    const AccountRecord& account = *b.state.account(2);
    const model::EventNumber target = b.own[wanted - 1];
    model::EventNumber at = account.last_posting;
    std::size_t reads = 1;
    if (account.last_4096 >= target) {
      at = account.last_4096;
      for (; b.links(at).previous_4096 >= target; at = b.links(at).previous_4096) ++reads;
    }
    // A 4,096th posting is a 64th one, too; from the head one enters the 64ths.
    if (at == account.last_posting && account.last_64 >= target) at = account.last_64;
    for (; b.links(at).previous_64 >= target; at = b.links(at).previous_64) ++reads;
    for (; at > target; at = b.links(at).previous) ++reads;
    REQUIRE_EQ(at, target);
    REQUIRE(reads <= 3 + 64 + 64);
  }
}
