#include "effects/rails/evm/inclusion_fetch.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "crypto/evm/inclusion.h"
#include "crypto/keccak.h"
#include "effects/rails/evm/block.h"

namespace effects {

namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::optional<base::Digest> word_of(wire::JsonValue object, std::string_view name) {
  const auto member = object.is_object() ? object.find(name) : std::nullopt;
  return member && member->string() ? parse_hex_word(*member->string()) : std::nullopt;
}

/// Bytes of a hash, if the node gave them; not every node knows the methods that do.
std::optional<base::Bytes> raw_in(const RpcOutcome& outcome, const base::Digest& hash) {
  const auto text = outcome.text();
  auto bytes = text ? parse_hex_data(*text) : std::nullopt;
  return bytes && crypto::keccak256(*bytes) == hash ? bytes : std::nullopt;
}

/// The questions and what their answers come to, one at a time, whoever asks them.
class InclusionFetch {
 public:
  explicit InclusionFetch(const base::Digest& transaction) : wanted_(transaction) {}

  /// The next question, as long as there is no result.
  RpcQuestion question() const;
  /// The answer to it.
  void take(const RpcOutcome& outcome);
  std::optional<base::Result<base::Bytes>>& result() { return result_; }

 private:
  /// What is asked for, in this order; from the third on only what the block's JSON does not hold.
  enum class Step : std::uint8_t { transaction, block, raw_header, raw_transaction, raw_by_index, none };
  /// A transaction of the block that its JSON does not give back.
  struct Gap {
    std::size_t index;
    base::Digest hash;
  };

  base::Status take_answer(const RpcOutcome& outcome);
  base::Status take_place(const RpcOutcome& outcome);
  base::Status take_block(const RpcOutcome& outcome);
  base::Status take_raw_transaction(const RpcOutcome& outcome);
  base::Status take_transactions(wire::JsonValue block);
  base::Result<base::Bytes> prove() const;
  Step next_gap() const { return gaps_.empty() ? Step::none : Step::raw_transaction; }
  base::Error no_answer(const RpcOutcome& outcome) const;
  base::Error not_reproduced(const std::string& what) const;

  const base::Digest wanted_;
  Step step_ = Step::transaction;
  base::Digest block_{};             ///< where the node says that the transaction is
  base::Bytes header_;
  std::vector<base::Bytes> raw_;     ///< the block's transactions
  std::deque<Gap> gaps_;
  std::optional<base::Result<base::Bytes>> result_;
};

RpcQuestion InclusionFetch::question() const {
  const std::string block = quoted(hex_data(block_));
  switch (step_) {
    case Step::transaction: return {.method = "eth_getTransactionByHash", .params = "[" + quoted(hex_data(wanted_)) + "]"};
    case Step::block: return {.method = "eth_getBlockByHash", .params = "[" + block + ",true]"};
    case Step::raw_header: return {.method = "debug_getRawHeader", .params = "[" + block + "]"};
    case Step::raw_transaction: return {.method = "debug_getRawTransaction", .params = "[" + quoted(hex_data(gaps_.front().hash)) + "]"};
    case Step::raw_by_index:
      return {.method = "eth_getRawTransactionByBlockHashAndIndex", .params = "[" + block + "," + quoted(hex_quantity(gaps_.front().index)) + "]"};
    case Step::none: break;
  }
  CHECK_THAT(false, "no question is left once there is a result");
  return {};
}

void InclusionFetch::take(const RpcOutcome& outcome) {
  const base::Status taken = take_answer(outcome);
  if (!taken.ok()) result_ = taken.error();
  else if (step_ == Step::none) result_ = prove();
}

base::Status InclusionFetch::take_answer(const RpcOutcome& outcome) {
  switch (step_) {
    case Step::transaction: return take_place(outcome);
    case Step::block: return take_block(outcome);
    case Step::raw_header: {
      auto header = raw_in(outcome, block_);
      if (!header) return not_reproduced("the header");
      header_ = std::move(*header);
      step_ = next_gap();
      return base::ok();
    }
    case Step::raw_transaction:
    case Step::raw_by_index: return take_raw_transaction(outcome);
    case Step::none: break;
  }
  return base::ok();
}

base::Status InclusionFetch::take_place(const RpcOutcome& outcome) {
  const auto found = outcome.result();
  if (!found) return no_answer(outcome);
  const std::string name = hex_data(wanted_);
  if (found->is_null()) return base::Error{"evm_transaction_not_known", "the node has no transaction " + name};
  const auto block = word_of(*found, "blockHash");
  if (!block) return base::Error{"evm_transaction_not_mined", "the transaction " + name + " is in no block yet"};
  block_ = *block;
  step_ = Step::block;
  return base::ok();
}

base::Status InclusionFetch::take_block(const RpcOutcome& outcome) {
  const auto block = outcome.result();
  if (!block) return no_answer(outcome);
  if (!block->is_object()) return not_reproduced("the header");
  TRY(take_transactions(*block));
  auto header = header_of_block(*block);
  const bool whole = header && crypto::keccak256(*header) == block_;
  if (whole) header_ = std::move(*header);
  step_ = whole ? next_gap() : Step::raw_header;
  return base::ok();
}

base::Status InclusionFetch::take_transactions(wire::JsonValue block) {
  const auto listed = block.find("transactions");
  if (!listed || !listed->is_array()) return not_reproduced("the transactions");
  for (const wire::JsonValue one : listed->elements()) {
    auto raw = raw_transaction(one);
    const auto hash = word_of(one, "hash");
    if (!raw && !hash) return not_reproduced("transaction " + std::to_string(raw_.size()));
    if (!raw) gaps_.push_back({raw_.size(), *hash});
    raw_.push_back(raw ? std::move(*raw) : base::Bytes());
  }
  return base::ok();
}

base::Status InclusionFetch::take_raw_transaction(const RpcOutcome& outcome) {
  const Gap gap = gaps_.front();
  auto raw = raw_in(outcome, gap.hash);
  if (!raw && step_ == Step::raw_by_index) return not_reproduced("transaction " + std::to_string(gap.index));
  if (!raw) {
    step_ = Step::raw_by_index;
    return base::ok();
  }
  raw_[gap.index] = std::move(*raw);
  gaps_.pop_front();
  step_ = next_gap();
  return base::ok();
}

base::Result<base::Bytes> InclusionFetch::prove() const {
  const auto at = std::ranges::find(raw_, wanted_, [](const base::Bytes& bytes) { return crypto::keccak256(bytes); });
  if (at == raw_.end()) return not_reproduced("the transaction");
  return crypto::prove_evm_inclusion(header_, raw_, static_cast<std::uint64_t>(at - raw_.begin()));
}

/// To a question that a node has to have an answer for.
base::Error InclusionFetch::no_answer(const RpcOutcome& outcome) const {
  std::string why = "an answer that is not understood";
  if (outcome.failure != HttpFailure::none) why = std::string(to_text(outcome.failure));
  else if (outcome.reply && outcome.reply->is_error) why = outcome.reply->error_message;
  return {"evm_node_gave_no_answer", question().method + ": " + why};
}

base::Error InclusionFetch::not_reproduced(const std::string& what) const {
  return {"evm_block_not_reproduced", what + " of block " + hex_data(block_) + " cannot be made from what the node says"};
}

/// A fetch that nobody waits for.
struct Begun {
  InclusionFetch fetch;
  std::function<void(base::Result<base::Bytes>)> done;
};

void go_on(EvmNode& node, const std::shared_ptr<Begun>& begun) {
  node.ask(begun->fetch.question(), [&node, begun](RpcOutcome&& outcome) {
    begun->fetch.take(outcome);
    if (!begun->fetch.result()) return go_on(node, begun);
    begun->done(*std::move(begun->fetch.result()));
  });
}

}  // namespace

base::Result<base::Bytes> fetch_evm_inclusion(const AskNode& ask, const base::Digest& transaction) {
  InclusionFetch fetch(transaction);
  while (!fetch.result()) fetch.take(ask(fetch.question()));
  return *std::move(fetch.result());
}

void fetch_evm_inclusion(EvmNode& node, const base::Digest& transaction, std::function<void(base::Result<base::Bytes>)> done) {
  go_on(node, std::make_shared<Begun>(Begun{InclusionFetch(transaction), std::move(done)}));
}

}  // namespace effects
