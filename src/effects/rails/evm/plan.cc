#include "effects/rails/evm/plan.h"

#include <algorithm>
#include <utility>

#include "wire/json_value.h"

namespace effects {

using model::RailReason;
using model::RailResult;

namespace {

constexpr std::uint64_t plain_transfer_gas = 21'000;
constexpr std::size_t token_transfer_bytes = 4 + 32 + 32;

/// No sum of fees overflows: both bounds are checked to be below this when the rail is opened.
constexpr base::U128 cancel_factor = 2;

base::U128 raised(base::U128 fee) { return fee + std::max<base::U128>((fee + 7) / 8, 1); }

bool is_token_transfer(const EvmTransaction& transaction) { return transaction.data.size() == token_transfer_bytes; }

base::U128 amount_of(const EvmTransaction& transaction) {
  if (!is_token_transfer(transaction)) return transaction.value;
  base::U128 amount = 0;
  for (std::size_t i = token_transfer_bytes - sizeof amount; i < token_transfer_bytes; ++i) amount = amount << 8 | transaction.data[i];
  return amount;
}

EvmAddress recipient_of(const EvmTransaction& transaction) {
  if (!is_token_transfer(transaction)) return transaction.to;
  EvmAddress to;
  std::copy_n(transaction.data.begin() + 16, to.size(), to.begin());
  return to;
}

/// What entries that are not mined yet may still take, of the coin and of a token.
struct Promised {
  base::U128 coin = 0, token = 0;
};
Promised promised_by(const EvmOutbox& outbox, std::uint64_t mined_count, const EvmAddress& token) {
  Promised sum;
  const auto add = [](base::U128& to, base::U128 more) { to = base::checked_add(to, more).value_or(base::amount_max); };
  for (const OutboxEntry* entry : outbox.open_from(mined_count)) {
    const EvmTransaction& newest = entry->newest().transaction;
    add(sum.coin, newest.cost_max().value_or(base::amount_max));
    if (is_token_transfer(newest) && newest.to == token) add(sum.token, amount_of(newest));
  }
  return sum;
}

RailAnswer rejected(RailReason reason, std::string detail) { return evm_answer(RailResult::rejected, reason, std::move(detail)); }

RailAnswer judge_mined(const OutboxEntry& entry, const EvmPolicy& policy, const EvmAddress& account, const EvmSighting& sighting) {
  const EvmReceipt& receipt = *sighting.receipt;
  const EvmTransaction& mined = sighting.mined->transaction;
  const bool deep = sighting.latest.number >= receipt.block_number &&
                    sighting.latest.number - receipt.block_number + 1 >= policy.confirmations;
  if (sighting.mined->cancels) {
    if (deep) return evm_answer(RailResult::not_sent, RailReason::tombstoned, "its nonce was used up by a transfer of nothing");
    return evm_answer(RailResult::unknown, RailReason::other, "a transfer of nothing with its nonce waits for confirmations");
  }
  if (!receipt.succeeded && !entry.anchors) {
    if (deep) return rejected(RailReason::beneficiary_refused, "the chain reverted it");
    return evm_answer(RailResult::unknown, RailReason::other, "it was reverted, which waits for confirmations");
  }
  RailAnswer answer;
  answer.rail_reference = hex_data(sighting.mined->hash);
  answer.amount = amount_of(mined);
  answer.asset = policy.asset;
  if (!deep) {
    answer.result = RailResult::accepted;
    answer.detail = "it was mined and waits for confirmations";
    return answer;
  }
  if (policy.token && !entry.anchors && !shows_token_transfer(receipt, *policy.token, account, recipient_of(mined), amount_of(mined))) {
    return evm_answer(RailResult::unknown, RailReason::reply_contradicts_request, "it was mined, and the token shows no such transfer");
  }
  answer.result = RailResult::settled;
  answer.detail = "it was mined and confirmed";
  return answer;
}

}  // namespace

RailAnswer evm_answer(RailResult result, RailReason reason, std::string detail) {
  RailAnswer answer;
  answer.result = result;
  answer.reason = reason;
  answer.detail = std::move(detail);
  return answer;
}

std::optional<EvmFees> first_fees(const EvmPolicy& policy, const EvmMarket& market) {
  const base::U128 tip = std::min(market.tip, policy.tip_max);
  if (market.base_fee > policy.fee_max || tip > policy.fee_max - market.base_fee) return std::nullopt;
  // A full block raises the base fee by an eighth: six of them double it.
  return EvmFees{.tip = tip, .fee_max = std::min(2 * market.base_fee + tip, policy.fee_max)};
}

std::optional<EvmFees> raised_fees(const EvmPolicy& policy, const EvmFees& before, const EvmMarket& market, bool cancels) {
  const base::U128 factor = cancels ? cancel_factor : 1;
  const base::U128 tip_max = policy.tip_max * factor, fee_max = policy.fee_max * factor;
  const EvmFees least{.tip = raised(before.tip), .fee_max = raised(before.fee_max)};
  if (least.tip > tip_max || least.fee_max > fee_max || least.tip > fee_max) return std::nullopt;
  const base::U128 tip = std::max(least.tip, std::min(market.tip, tip_max));
  const base::U128 wanted = 2 * std::min(market.base_fee, fee_max) + tip;
  return EvmFees{.tip = tip, .fee_max = std::max(std::min(wanted, fee_max), std::max(least.fee_max, tip))};
}

std::variant<EvmAddress, RailAnswer> beneficiary_of(const SendOrder& order, const EvmPolicy& policy, const EvmAddress& account) {
  if (order.kind != model::TransferKind::payout || order.reference.empty() || order.reference.size() > outbox_reference_bytes_max) {
    return evm_answer(RailResult::not_sent, RailReason::request_not_understood, "a chain carries payouts only");
  }
  if (order.asset != policy.asset) return rejected(RailReason::asset_not_supported, "the rail carries " + policy.asset);
  const auto document = wire::parse_json(base::as_bytes(std::string_view(order.beneficiary)));
  const auto member = document.ok() && document->root().is_object() ? document->root().find("address") : std::nullopt;
  const auto text = member ? member->string() : std::nullopt;
  const auto address = text ? parse_evm_address(*text) : std::nullopt;
  if (!address) return rejected(RailReason::beneficiary_account_invalid, "the beneficiary's address is missing, malformed or fails its checksum");
  if (*address == EvmAddress{} || *address == account || address == policy.token) {
    return rejected(RailReason::beneficiary_account_invalid, "nobody can be paid at that address");
  }
  if (order.amount == 0 || order.amount > base::amount_max) return rejected(RailReason::request_not_understood, "that is no amount");
  return *address;
}

EvmTransaction bare_payment(const SendOrder& order, const EvmPolicy& policy, const EvmAddress& to, std::uint64_t chain_id) {
  EvmTransaction bare;
  bare.chain_id = chain_id;
  bare.to = policy.token.value_or(to);
  if (policy.token) bare.data = token_transfer_data(to, order.amount);
  else bare.value = order.amount;
  return bare;
}

EvmTransaction bare_anchor(const base::Digest& data, const EvmAddress& account, std::uint64_t chain_id) {
  EvmTransaction bare;
  bare.chain_id = chain_id;
  bare.to = account;
  bare.data = base::to_bytes(data);
  return bare;
}

std::variant<EvmTransaction, RailAnswer> plan_payment(EvmTransaction bare, const EvmPolicy& policy, const EvmOutlook& outlook,
                                                      const EvmOutbox& outbox) {
  if (is_used_elsewhere(outbox, outlook.mined_count, outlook.pending_count)) {
    return evm_answer(RailResult::not_sent, RailReason::rail_in_maintenance, "the account has transactions that its outbox does not know");
  }
  const auto fees = first_fees(policy, outlook.market);
  if (!fees) return evm_answer(RailResult::not_sent, RailReason::rail_busy, "the chain asks for more than the rail may offer");
  const Promised promised = promised_by(outbox, outlook.mined_count, bare.to);
  if (policy.token && base::checked_add(promised.token, amount_of(bare)).value_or(base::u128_max) > outlook.token_balance.value_or(0)) {
    return rejected(RailReason::insufficient_funds_at_rail, "the account has not enough of the token");
  }
  if (!outlook.gas) return rejected(RailReason::beneficiary_refused, "the chain would revert it");
  if (*outlook.gas > policy.gas_limit_max) return rejected(RailReason::beneficiary_refused, "it would need more gas than the rail may use");
  const bool exact = *outlook.gas == plain_transfer_gas;
  bare.gas_limit = exact ? plain_transfer_gas : std::min(*outlook.gas + *outlook.gas / 4, policy.gas_limit_max);
  bare.tip = fees->tip;
  bare.fee_max = fees->fee_max;
  bare.nonce = outbox.next_nonce().value_or(outlook.pending_count);
  const auto cost = bare.cost_max();
  if (!cost || base::checked_add(promised.coin, *cost).value_or(base::u128_max) > outlook.balance) {
    return rejected(RailReason::insufficient_funds_at_rail, "the account has not enough for the amount and its gas");
  }
  return bare;
}

std::optional<EvmTransaction> plan_cancellation(const OutboxEntry& entry, const EvmPolicy& policy, const EvmMarket& market,
                                                const EvmAddress& account) {
  const EvmTransaction& before = entry.newest().transaction;
  const auto fees = raised_fees(policy, {before.tip, before.fee_max}, market, true);
  if (!fees) return std::nullopt;
  return EvmTransaction{.chain_id = before.chain_id, .nonce = entry.nonce, .tip = fees->tip, .fee_max = fees->fee_max,
                        .gas_limit = plain_transfer_gas, .to = account, .value = 0, .data = {}};
}

std::optional<EvmTransaction> plan_raise(const OutboxEntry& entry, const EvmPolicy& policy, const EvmMarket& market) {
  EvmTransaction next = entry.newest().transaction;
  const auto fees = raised_fees(policy, {next.tip, next.fee_max}, market, entry.cancelled());
  if (!fees) return std::nullopt;
  next.tip = fees->tip;
  next.fee_max = fees->fee_max;
  return next;
}

bool is_used_elsewhere(const EvmOutbox& outbox, std::uint64_t mined_count, std::uint64_t pending_count) {
  const auto next = outbox.next_nonce();
  return next && (mined_count > *next || pending_count > *next);
}

RailAnswer judge_sighting(const OutboxEntry& entry, const EvmPolicy& policy, const EvmAddress& account, const EvmSighting& sighting) {
  if (sighting.mined != nullptr) return judge_mined(entry, policy, account, sighting);
  if (sighting.mined_count > entry.nonce) {
    return evm_answer(RailResult::unknown, RailReason::reply_contradicts_request, "its nonce was used by something that we did not sign, or the node lags");
  }
  if (entry.cancelled()) return evm_answer(RailResult::unknown, RailReason::other, "a transfer of nothing with its nonce is on its way");
  if (!entry.acknowledged && !sighting.waits_at_node) {
    return evm_answer(RailResult::unknown, RailReason::not_found_at_rail, "no node says that it has it");
  }
  RailAnswer answer = evm_answer(RailResult::accepted, RailReason::none, "it waits to be mined");
  answer.rail_reference = hex_data(entry.newest().hash);
  answer.amount = amount_of(entry.newest().transaction);
  answer.asset = policy.asset;
  return answer;
}

}  // namespace effects
