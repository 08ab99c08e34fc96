#pragma once
// What a payment or an anchor on an EVM chain becomes before it is signed, what it may cost, and what is made of the answers about one that was.
// Pure: everything that nodes said is an argument.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/instant.h"
#include "effects/rails/evm/json_rpc.h"
#include "effects/rails/evm/outbox.h"
#include "effects/rails/rail.h"

namespace effects {

/// Bounds and rules of one rail. Fees in wei per unit of gas.
struct EvmPolicy {
  std::string asset;                             ///< `ETH/18`: the rail carries this and nothing else
  std::optional<EvmAddress> token;               ///< contract of ERC-20; none: the chain's own coin
  base::U128 fee_max = 200'000'000'000;          ///< most that is offered, tip included; a cancellation may offer twice as much
  base::U128 tip_max = 5'000'000'000;            ///< most of it that goes to the block's proposer; twice as much to cancel
  std::uint64_t gas_limit_max = 200'000;
  std::uint64_t confirmations = 12;              ///< blocks, the transaction's own included, before its fate counts
  base::Duration bump_after = base::seconds(60); ///< not mined for so long: more is offered
};

struct EvmFees {
  base::U128 tip = 0;
  base::U128 fee_max = 0;
  bool operator==(const EvmFees&) const = default;
};
/// What the chain asks for now.
struct EvmMarket {
  base::U128 base_fee = 0;
  base::U128 tip = 0;
};
/// Enough for six full blocks in a row; nothing if not even the next block can be paid for within the bounds.
std::optional<EvmFees> first_fees(const EvmPolicy& policy, const EvmMarket& market);
/// At least an eighth more of both, so that nodes take it as a replacement; nothing if that breaks a bound.
std::optional<EvmFees> raised_fees(const EvmPolicy& policy, const EvmFees& before, const EvmMarket& market, bool cancels);

/// What was said before a payment is signed.
struct EvmOutlook {
  EvmMarket market;
  std::uint64_t mined_count = 0;         ///< of the account's transactions: the first nonce that is not used
  std::uint64_t pending_count = 0;       ///< with those that wait
  base::U128 balance = 0;                ///< of the chain's own coin
  std::optional<base::U128> token_balance;
  std::optional<std::uint64_t> gas;      ///< estimate; none if the payment would be reverted
};

/// The beneficiary of an order, or why it names none that could be paid from `account`.
std::variant<EvmAddress, RailAnswer> beneficiary_of(const SendOrder& order, const EvmPolicy& policy, const EvmAddress& account);
/// The transaction of an order without nonce, fees and gas.
EvmTransaction bare_payment(const SendOrder& order, const EvmPolicy& policy, const EvmAddress& to, std::uint64_t chain_id);
/// The transaction that takes data into the chain, without nonce, fees and gas: a transfer of nothing to ourselves.
EvmTransaction bare_anchor(const base::Digest& data, const EvmAddress& account, std::uint64_t chain_id);
/// The whole transaction, or why there will be none: nothing was signed.
std::variant<EvmTransaction, RailAnswer> plan_payment(EvmTransaction bare, const EvmPolicy& policy, const EvmOutlook& outlook,
                                                      const EvmOutbox& outbox);
/// A transfer of nothing to ourselves, without data, that takes the place of an entry's newest version; nothing if the bounds forbid it.
std::optional<EvmTransaction> plan_cancellation(const OutboxEntry& entry, const EvmPolicy& policy, const EvmMarket& market,
                                                const EvmAddress& account);
/// The newest version once more with higher fees; nothing if the bounds forbid it.
std::optional<EvmTransaction> plan_raise(const OutboxEntry& entry, const EvmPolicy& policy, const EvmMarket& market);

/// Whether another program signs with this key too, or the outbox is an old copy: then nothing may be concluded from it.
bool is_used_elsewhere(const EvmOutbox& outbox, std::uint64_t mined_count, std::uint64_t pending_count);

/// What was said about an entry.
struct EvmSighting {
  EvmBlock latest;
  EvmMarket market;
  std::uint64_t mined_count = 0;
  const OutboxVersion* mined = nullptr;  ///< the version that has a receipt in the chain; none: null
  std::optional<EvmReceipt> receipt;     ///< its
  bool waits_at_node = false;            ///< a node has a payment of it and has not mined it
};
/// What that means for the payment, or the anchor, which is there in its block whether it succeeded or not. `unknown` with
/// `not_found_at_rail`: it may never have arrived anywhere.
RailAnswer judge_sighting(const OutboxEntry& entry, const EvmPolicy& policy, const EvmAddress& account, const EvmSighting& sighting);

/// Answers that drivers give themselves.
RailAnswer evm_answer(model::RailResult result, model::RailReason reason, std::string detail);

}  // namespace effects
