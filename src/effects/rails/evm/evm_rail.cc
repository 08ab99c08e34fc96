#include "effects/rails/evm/evm_rail.h"

#include <algorithm>
#include <utility>

#include "effects/rails/failure_reason.h"
#include "wire/json_writer.h"

namespace effects {

using model::RailReason;
using model::RailResult;

namespace {

/// Fees above this are nobody's wish, and far from any overflow.
constexpr base::U128 fee_bound = base::U128{1} << 80;

RailAnswer unknown(RailReason reason, std::string detail) { return evm_answer(RailResult::unknown, reason, std::move(detail)); }
RailAnswer not_sent(RailReason reason, std::string detail) { return evm_answer(RailResult::not_sent, reason, std::move(detail)); }

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string call_object(const EvmAddress& from, const EvmTransaction& bare) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("from", std::string_view(to_text(from)));
  json.member("to", std::string_view(to_text(bare.to)));
  json.member("value", std::string_view(hex_quantity(bare.value)));
  if (!bare.data.empty()) json.member("data", std::string_view(hex_data(bare.data)));
  json.end_object();
  return text;
}

RpcQuestion ask_chain() { return {.method = "eth_chainId", .params = "[]"}; }
RpcQuestion ask_block(std::string_view which) { return {.method = "eth_getBlockByNumber", .params = "[" + quoted(which) + ",false]"}; }
RpcQuestion ask_tip() { return {.method = "eth_maxPriorityFeePerGas", .params = "[]"}; }
RpcQuestion ask_count(const EvmAddress& account, std::string_view when) {
  return {.method = "eth_getTransactionCount", .params = "[" + quoted(to_text(account)) + "," + quoted(when) + "]"};
}
RpcQuestion ask_about(std::string_view method, const base::Digest& hash) {
  return {.method = std::string(method), .params = "[" + quoted(hex_data(hash)) + "]"};
}

template <typename Parse>
auto read_text(const RpcOutcome& outcome, Parse parse) -> decltype(parse(std::string_view())) {
  const auto text = outcome.text();
  if (!text) return std::nullopt;
  return parse(*text);
}

/// Why a set of answers is of no use.
struct Useless {
  RailReason reason;
  std::string detail;
};
Useless not_understood(std::string_view what) { return {RailReason::reply_malformed, "the node's answer was not understood: " + std::string(what)}; }

/// All were answered, and by a node of this chain, which the first of them says.
std::optional<Useless> check_answers(const std::vector<RpcOutcome>& outcomes, std::uint64_t chain_id) {
  for (const RpcOutcome& outcome : outcomes) {
    if (outcome.failure != HttpFailure::none) {
      return Useless{reason_of(outcome.failure), "the node was not reached: " + std::string(to_text(outcome.failure))};
    }
    if (!outcome.reply) return not_understood("no JSON-RPC");
  }
  const auto chain = read_text(outcomes.front(), parse_hex_uint64);
  if (!chain) return not_understood("eth_chainId");
  if (*chain != chain_id) return Useless{RailReason::rail_in_maintenance, "the node is of chain " + std::to_string(*chain) + ", not " + std::to_string(chain_id)};
  return std::nullopt;
}

std::optional<EvmMarket> read_market(const std::optional<EvmBlock>& latest, const RpcOutcome& tip) {
  const auto suggested = read_text(tip, parse_hex_quantity);
  if (!latest || !latest->base_fee || !suggested) return std::nullopt;
  return EvmMarket{.base_fee = *latest->base_fee, .tip = *suggested};
}

// The questions of look_ahead(), in this order.
enum Ahead : std::size_t { ahead_chain, ahead_block, ahead_tip, ahead_mined, ahead_pending, ahead_balance, ahead_gas, ahead_token };

// The questions of look_at(), in this order; then one for the receipt of each version.
enum At : std::size_t { at_chain, at_block, at_tip, at_mined, at_waiting, at_receipts };

std::variant<EvmOutlook, Useless> read_outlook(const std::vector<RpcOutcome>& outcomes, std::uint64_t chain_id) {
  if (auto useless = check_answers(outcomes, chain_id)) return *useless;
  const auto block = outcomes[ahead_block].result();
  const auto market = read_market(block ? read_block(*block) : std::nullopt, outcomes[ahead_tip]);
  const auto mined = read_text(outcomes[ahead_mined], parse_hex_uint64), pending = read_text(outcomes[ahead_pending], parse_hex_uint64);
  const auto balance = read_text(outcomes[ahead_balance], parse_hex_balance);
  if (!market) return not_understood("block or fees");
  if (!mined || !pending || !balance) return not_understood("count or balance");
  EvmOutlook outlook{.market = *market, .mined_count = *mined, .pending_count = *pending, .balance = *balance, .token_balance = {}, .gas = {}};
  if (outcomes.size() > ahead_token) {
    const auto word = read_text(outcomes[ahead_token], parse_hex_word);
    if (!word) return not_understood("balance of the token");
    const bool beyond = std::any_of(word->begin(), word->begin() + 16, [](std::uint8_t byte) { return byte != 0; });
    base::U128 held = 0;
    for (std::size_t i = 16; i < word->size(); ++i) held = held << 8 | (*word)[i];
    outlook.token_balance = beyond ? base::amount_max : std::min(held, base::amount_max);
  }
  const RpcReply& gas = *outcomes[ahead_gas].reply;
  if (!gas.is_error) {
    outlook.gas = read_text(outcomes[ahead_gas], parse_hex_uint64);
    if (!outlook.gas) return not_understood("estimate of gas");
  } else {
    const RpcRefusal refusal = meaning_of_rpc_error(gas.error_code, gas.error_message);
    if (refusal == RpcRefusal::insufficient_funds) return Useless{RailReason::insufficient_funds_at_rail, "the account has not enough"};
    if (refusal != RpcRefusal::reverted) return Useless{RailReason::rail_internal_error, "the node gave no estimate of gas"};
  }
  return outlook;
}

RailReason reason_of(RpcRefusal refusal) {
  switch (refusal) {
    case RpcRefusal::nonce_too_low:
    case RpcRefusal::replacement_refused: return RailReason::duplicate_reference;
    case RpcRefusal::insufficient_funds: return RailReason::insufficient_funds_at_rail;
    case RpcRefusal::fee_too_low: return RailReason::rail_busy;
    case RpcRefusal::reverted: return RailReason::beneficiary_refused;
    case RpcRefusal::already_known:
    case RpcRefusal::other: break;
  }
  return RailReason::rail_internal_error;
}

}  // namespace

base::Result<std::unique_ptr<EvmRail>> EvmRail::open(io::Loop& loop, io::Clock& clock, std::shared_ptr<EvmAccount> account,
                                                     EvmRailOptions options) {
  const EvmPolicy& policy = options.policy;
  if (policy.fee_max == 0 || policy.fee_max > fee_bound || policy.tip_max > policy.fee_max || policy.confirmations == 0 || policy.gas_limit_max < 21'000) {
    return base::Error{"evm_policy_out_of_bounds", "fees must be from 1 to 2^80 wei, the tip at most the fee, confirmations at least 1, gas at least 21,000"};
  }
  return std::unique_ptr<EvmRail>(new EvmRail(loop, clock, std::move(account), std::move(options)));
}

EvmRail::EvmRail(io::Loop& loop, io::Clock& clock, std::shared_ptr<EvmAccount> account, EvmRailOptions options)
    : loop_(loop), clock_(clock), account_(std::move(account)), options_(std::move(options)) {}

// --- sending ------------------------------------------------------------------------------------------------------------------

void EvmRail::send(SendOrder&& order, RailAnswered done) {
  if (in_flight_ >= options_.in_flight_max) return answer_later(std::move(done), not_sent(RailReason::rail_busy, "too many sends are under way"));
  auto to = beneficiary_of(order, options_.policy, account_->address());
  if (auto* refused = std::get_if<RailAnswer>(&to)) return answer_later(std::move(done), std::move(*refused));
  if (account_->outbox().is_tombstone(order.reference)) {
    return answer_later(std::move(done), not_sent(RailReason::tombstoned, "nothing will be signed under the reference"));
  }
  // What the outbox knows was handed to send() before: what became of it is for an inquiry to find out.
  if (account_->outbox().find(order.reference) != nullptr) {
    return answer_later(std::move(done), unknown(RailReason::duplicate_reference, "something was signed under the reference"));
  }
  ++in_flight_;
  Wanted wanted{.reference = order.reference,
                .bare = bare_payment(order, options_.policy, std::get<EvmAddress>(to), account_->chain_id()),
                .send_not_after_boot_ns = order.send_not_after_boot_ns};
  look_ahead(std::move(wanted), [this, done = std::move(done)](RailAnswer&& answer) {
    --in_flight_;
    done(std::move(answer));
  });
}

void EvmRail::anchor(const std::string& reference, const base::Digest& data, RailAnswered done) {
  if (account_->outbox().find(reference) != nullptr) {
    return answer_later(std::move(done), unknown(RailReason::duplicate_reference, "something was signed under the reference"));
  }
  look_ahead({.reference = reference, .bare = bare_anchor(data, account_->address(), account_->chain_id())}, std::move(done));
}

void EvmRail::look_ahead(Wanted wanted, RailAnswered done) {
  const EvmAddress& us = account_->address();
  std::vector<RpcQuestion> questions = {ask_chain(),
                                        ask_block("latest"),
                                        ask_tip(),
                                        ask_count(us, "latest"),
                                        ask_count(us, "pending"),
                                        {.method = "eth_getBalance", .params = "[" + quoted(to_text(us)) + ",\"latest\"]"},
                                        {.method = "eth_estimateGas", .params = "[" + call_object(us, wanted.bare) + "]"}};
  if (options_.policy.token) {
    const EvmTransaction balance{.to = *options_.policy.token, .data = token_balance_data(us)};
    questions.push_back({.method = "eth_call", .params = "[" + call_object(us, balance) + ",\"latest\"]"});
  }
  for (RpcQuestion& question : questions) question.send_not_after_boot_ns = wanted.send_not_after_boot_ns;
  account_->node().ask_all(std::move(questions), [this, alive = std::weak_ptr<bool>(alive_), wanted = std::move(wanted),
                                                  done = std::move(done)](Outcomes&& outcomes) mutable {
    if (alive.expired()) return;
    auto read = read_outlook(outcomes, account_->chain_id());
    if (const auto* useless = std::get_if<Useless>(&read)) return done(not_sent(useless->reason, useless->detail));
    const EvmOutlook& outlook = std::get<EvmOutlook>(read);
    if (clock_.boot_ns() >= wanted.send_not_after_boot_ns) return done(not_sent(RailReason::send_deadline_passed, "the time for sending has passed"));
    if (account_->outbox().is_tombstone(wanted.reference)) return done(not_sent(RailReason::tombstoned, "it was voided before it was signed"));
    if (account_->outbox().find(wanted.reference) != nullptr) return done(unknown(RailReason::duplicate_reference, "it was signed meanwhile"));
    auto planned = plan_payment(wanted.bare, options_.policy, outlook, account_->outbox());
    if (auto* refused = std::get_if<RailAnswer>(&planned)) return done(std::move(*refused));
    sign_and_send(wanted, std::get<EvmTransaction>(planned), outlook.market, std::move(done));
  });
}

void EvmRail::sign_and_send(const Wanted& wanted, const EvmTransaction& transaction, const EvmMarket& market, RailAnswered done) {
  const auto entry = account_->sign_payment(wanted.reference, transaction);
  if (!entry.ok()) return done(not_sent(RailReason::rail_in_maintenance, std::string("it could not be signed and written down: ") + entry.error().code));
  RpcQuestion question = EvmAccount::sending(**entry);
  question.send_not_after_boot_ns = wanted.send_not_after_boot_ns;
  account_->node().ask(std::move(question), [this, alive = std::weak_ptr<bool>(alive_), entry = *entry, market, done = std::move(done)](RpcOutcome&& outcome) {
    if (alive.expired()) return;
    RailAnswer answer = judge_sent(*entry, outcome);
    answer.latency = outcome.latency;
    answer.body = outcome.body;
    // Nothing but its nonce was used: later ones wait for it. An anchor still may use it itself.
    if (answer.result == RailResult::not_sent && !entry->anchors && sign_cancellation(*entry, market)) account_->push(*entry, options_.policy, market);
    done(std::move(answer));
  });
}

RailAnswer EvmRail::judge_sent(const OutboxEntry& entry, const RpcOutcome& outcome) {
  if (outcome.failure != HttpFailure::none) {
    RailAnswer answer = unknown(reason_of(outcome.failure), "no answer to the signed bytes: " + std::string(to_text(outcome.failure)));
    if (!outcome.sent) answer.result = RailResult::not_sent;
    return answer;
  }
  if (!outcome.reply) return unknown(RailReason::reply_malformed, "the answer to the signed bytes was not understood");
  const RpcReply& reply = *outcome.reply;
  const RpcRefusal refusal = reply.is_error ? meaning_of_rpc_error(reply.error_code, reply.error_message) : RpcRefusal::already_known;
  if (refusal != RpcRefusal::already_known) {
    // Not taken, it says. But it has seen bytes that stay good until the nonce is used up.
    return unknown(reason_of(refusal), "the node did not take the signed bytes");
  }
  if (!reply.is_error && read_text(outcome, parse_hex_word) != entry.newest().hash) {
    return unknown(RailReason::reply_contradicts_request, "the node speaks of another transaction");
  }
  if (!entry.cancelled()) static_cast<void>(account_->outbox().acknowledge(entry.nonce).ok());
  RailAnswer answer = evm_answer(RailResult::accepted, RailReason::none, "the node has it");
  answer.rail_reference = hex_data(entry.newest().hash);
  return answer;
}

// --- asking -------------------------------------------------------------------------------------------------------------------

void EvmRail::inquire(const std::string& reference, const Expected&, RailAnswered done) {
  if (account_->outbox().is_tombstone(reference)) {
    return answer_later(std::move(done), not_sent(RailReason::tombstoned, "nothing was or will be signed under the reference"));
  }
  const OutboxEntry* const entry = account_->outbox().find(reference);
  if (entry == nullptr) return answer_later(std::move(done), unknown(RailReason::not_found_at_rail, "nothing was signed under the reference"));
  look_at(*entry, [this, entry, done = std::move(done)](const EvmSighting* sighting, RailAnswer&& answer) {
    if (sighting != nullptr) move_along(*entry, *sighting);
    done(std::move(answer));
  });
}

void EvmRail::void_payment(const std::string& reference, const Expected&, RailAnswered done) {
  if (account_->outbox().is_tombstone(reference)) {
    return answer_later(std::move(done), not_sent(RailReason::tombstoned, "nothing was or will be signed under the reference"));
  }
  const OutboxEntry* const entry = account_->outbox().find(reference);
  if (entry == nullptr) return bury(reference, std::move(done));
  // First of all, and for good: nodes may be away now, and nobody may ask again.
  const base::Status renounced = account_->outbox().renounce(entry->nonce);
  if (!renounced.ok()) return answer_later(std::move(done), unknown(RailReason::rail_in_maintenance, renounced.error().code));
  look_at(*entry, [this, entry, done = std::move(done)](const EvmSighting* sighting, RailAnswer&& answer) {
    const bool open = sighting != nullptr && sighting->mined == nullptr && sighting->mined_count <= entry->nonce;
    if (open && !entry->cancelled() && sign_cancellation(*entry, sighting->market)) {
      answer = unknown(RailReason::other, "a transfer of nothing takes its nonce");
    }
    if (sighting != nullptr) move_along(*entry, *sighting);
    done(std::move(answer));
  });
}

// Nothing was signed under the reference, if this outbox is the whole truth about the account: then nothing ever will be.
void EvmRail::bury(const std::string& reference, RailAnswered done) {
  std::vector<RpcQuestion> questions = {ask_chain(), ask_count(account_->address(), "latest"), ask_count(account_->address(), "pending")};
  account_->node().ask_all(std::move(questions), [this, alive = std::weak_ptr<bool>(alive_), reference, done = std::move(done)](Outcomes&& outcomes) {
    if (alive.expired()) return;
    if (const auto useless = check_answers(outcomes, account_->chain_id())) return done(unknown(useless->reason, useless->detail));
    const auto mined = read_text(outcomes[1], parse_hex_uint64), pending = read_text(outcomes[2], parse_hex_uint64);
    if (!mined || !pending) return done(unknown(RailReason::reply_malformed, "the node's answer was not understood: count"));
    EvmOutbox& outbox = account_->outbox();
    if (is_used_elsewhere(outbox, *mined, *pending)) {
      return done(unknown(RailReason::rail_in_maintenance, "the account has transactions that its outbox does not know"));
    }
    if (outbox.find(reference) != nullptr) return done(unknown(RailReason::other, "it was signed meanwhile"));
    const base::Status buried = outbox.add_tombstone(reference);
    if (!buried.ok()) return done(unknown(RailReason::rail_in_maintenance, buried.error().code));
    done(not_sent(RailReason::tombstoned, "nothing was or will be signed under the reference"));
  });
}

struct EvmRail::Sighted {
  EvmSighting sighting;
  std::size_t version = 0;   ///< of the receipt
};

void EvmRail::look_at(const OutboxEntry& entry, Seen done) {
  std::vector<RpcQuestion> questions = {ask_chain(), ask_block("latest"), ask_tip(), ask_count(account_->address(), "latest"),
                                        ask_about("eth_getTransactionByHash", entry.newest().hash)};
  for (const OutboxVersion& version : entry.versions) questions.push_back(ask_about("eth_getTransactionReceipt", version.hash));
  account_->node().ask_all(std::move(questions), [this, alive = std::weak_ptr<bool>(alive_), &entry, done = std::move(done)](Outcomes&& outcomes) {
    if (alive.expired()) return;
    auto read = read_sighting(entry, outcomes);
    if (auto* useless = std::get_if<RailAnswer>(&read)) return done(nullptr, std::move(*useless));
    Sighted& seen = std::get<Sighted>(read);
    if (seen.sighting.receipt) return look_at_block(entry, std::move(seen), done);
    conclude(entry, seen, done);
  });
}

std::variant<EvmRail::Sighted, RailAnswer> EvmRail::read_sighting(const OutboxEntry& entry, const Outcomes& outcomes) const {
  if (const auto useless = check_answers(outcomes, account_->chain_id())) return unknown(useless->reason, useless->detail);
  const RailAnswer strange = unknown(RailReason::reply_malformed, "the node's answer was not understood");
  const auto block = outcomes[at_block].result();
  const auto latest = block ? read_block(*block) : std::nullopt;
  const auto market = read_market(latest, outcomes[at_tip]);
  const auto mined = read_text(outcomes[at_mined], parse_hex_uint64);
  const auto waiting = outcomes[at_waiting].result();
  if (!market || !mined || !waiting) return strange;
  Sighted seen{.sighting = {.latest = *latest, .market = *market, .mined_count = *mined, .mined = nullptr, .receipt = {},
                            .waits_at_node = waiting->is_object() && !entry.cancelled()}};
  for (std::size_t i = at_receipts; i < outcomes.size(); ++i) {
    const auto result = outcomes[i].result();
    if (!result) return strange;
    if (result->is_null()) continue;
    auto receipt = read_receipt(*result);
    const std::size_t version = i - at_receipts;
    // A nonce is mined once: two receipts are two chains.
    if (!receipt || receipt->transaction != entry.versions[version].hash || seen.sighting.receipt) return strange;
    seen.sighting.receipt = std::move(receipt);
    seen.version = version;
  }
  return seen;
}

// A receipt counts if its block is still the one at its height.
void EvmRail::look_at_block(const OutboxEntry& entry, Sighted&& seen, const Seen& done) {
  const std::uint64_t number = seen.sighting.receipt->block_number;
  std::vector<RpcQuestion> questions = {ask_chain(), ask_block(hex_quantity(number))};
  account_->node().ask_all(std::move(questions), [this, alive = std::weak_ptr<bool>(alive_), &entry, seen = std::move(seen), done](Outcomes&& outcomes) {
    if (alive.expired()) return;
    if (const auto useless = check_answers(outcomes, account_->chain_id())) return done(nullptr, unknown(useless->reason, useless->detail));
    const auto result = outcomes[1].result();
    const auto block = result ? read_block(*result) : std::nullopt;
    if (!block || block->number != seen.sighting.receipt->block_number || block->hash != seen.sighting.receipt->block_hash) {
      return done(nullptr, unknown(RailReason::other, "the chain is being reorganised"));
    }
    conclude(entry, seen, done);
  });
}

void EvmRail::conclude(const OutboxEntry& entry, const Sighted& seen, const Seen& done) {
  EvmSighting sighting = seen.sighting;
  // Versions may have been added meanwhile; those that were there stand where they stood.
  if (sighting.receipt) sighting.mined = &entry.versions[seen.version];
  if (sighting.waits_at_node && !entry.cancelled()) static_cast<void>(account_->outbox().acknowledge(entry.nonce).ok());
  done(&sighting, judge_sighting(entry, options_.policy, account_->address(), sighting));
}

// --- moving along -------------------------------------------------------------------------------------------------------------

// What is not mined is sent again; and what stands before it.
void EvmRail::move_along(const OutboxEntry& entry, const EvmSighting& sighting) {
  if (sighting.mined != nullptr || sighting.mined_count > entry.nonce) return;
  const auto push = [&](const OutboxEntry& one) {
    if (one.renounced && !one.cancelled() && !sign_cancellation(one, sighting.market)) return;
    if (one.cancelled() || one.acknowledged || one.anchors) account_->push(one, options_.policy, sighting.market);
  };
  push(entry);
  const OutboxEntry* const first = sighting.mined_count < entry.nonce ? account_->outbox().find(sighting.mined_count) : nullptr;
  if (first == nullptr) return;
  // Nobody may ever ask about one that perhaps never left; all later ones wait for it.
  const bool forlorn = !first->cancelled() && !first->acknowledged && account_->has_waited(*first, options_.policy.bump_after);
  if (forlorn) static_cast<void>(sign_cancellation(*first, sighting.market));
  push(*first);
}

// From here on nothing that pays is signed or sent with the nonce. False if the bounds or the disk forbid it.
bool EvmRail::sign_cancellation(const OutboxEntry& entry, const EvmMarket& market) {
  const auto transaction = plan_cancellation(entry, options_.policy, market, account_->address());
  return transaction && account_->sign_version(entry, *transaction).ok();
}

void EvmRail::statement(base::Instant, base::Instant, StatementFetched done) {
  loop_.post([done = std::move(done)] { done(base::Error{"statement_not_available", "a chain gives out no statements"}); });
}

void EvmRail::answer_later(RailAnswered done, RailAnswer&& answer) {
  auto kept = std::make_shared<RailAnswer>(std::move(answer));
  loop_.post([alive = std::weak_ptr<bool>(alive_), done = std::move(done), kept] {
    if (!alive.expired()) done(std::move(*kept));
  });
}

}  // namespace effects
