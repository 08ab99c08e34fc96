#include "effects/rails/evm/inclusion_fetch.h"

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/evm/inclusion.h"
#include "crypto/keccak.h"
#include "effects/rails/evm/block.h"

namespace effects {

namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

base::Error no_answer(const std::string& method, const RpcOutcome& outcome) {
  std::string why = "an answer that is not understood";
  if (outcome.failure != HttpFailure::none) why = std::string(to_text(outcome.failure));
  else if (outcome.reply && outcome.reply->is_error) why = outcome.reply->error_message;
  return {"evm_node_gave_no_answer", method + ": " + why};
}

/// The answer to a question that a node has to have one for.
base::Result<RpcOutcome> asked(const AskNode& ask, const std::string& method, const std::string& params) {
  RpcOutcome outcome = ask({.method = method, .params = "[" + params + "]"});
  if (!outcome.result()) return no_answer(method, outcome);
  return outcome;
}

/// Bytes of a hash, if the node gives them; not every node knows these methods.
std::optional<base::Bytes> asked_raw(const AskNode& ask, const std::string& method, const std::string& params, const base::Digest& hash) {
  const RpcOutcome outcome = ask({.method = method, .params = "[" + params + "]"});
  const auto text = outcome.text();
  auto bytes = text ? parse_hex_data(*text) : std::nullopt;
  return bytes && crypto::keccak256(*bytes) == hash ? bytes : std::nullopt;
}

std::optional<base::Digest> word_of(wire::JsonValue object, std::string_view name) {
  const auto member = object.is_object() ? object.find(name) : std::nullopt;
  return member && member->string() ? parse_hex_word(*member->string()) : std::nullopt;
}

std::optional<base::Bytes> header_of(const AskNode& ask, wire::JsonValue block, const base::Digest& hash) {
  if (auto header = header_of_block(block); header && crypto::keccak256(*header) == hash) return header;
  return asked_raw(ask, "debug_getRawHeader", quoted(hex_data(hash)), hash);
}

std::optional<base::Bytes> raw_of(const AskNode& ask, wire::JsonValue transaction, const base::Digest& block, std::size_t index) {
  if (auto raw = raw_transaction(transaction)) return raw;
  const auto hash = word_of(transaction, "hash");
  if (!hash) return std::nullopt;
  if (auto raw = asked_raw(ask, "debug_getRawTransaction", quoted(hex_data(*hash)), *hash)) return raw;
  return asked_raw(ask, "eth_getRawTransactionByBlockHashAndIndex", quoted(hex_data(block)) + "," + quoted(hex_quantity(index)), *hash);
}

/// Where the node says that the transaction is.
base::Result<base::Digest> block_with(const AskNode& ask, const base::Digest& transaction) {
  const std::string name = hex_data(transaction);
  TRY_ASSIGN(const RpcOutcome found, asked(ask, "eth_getTransactionByHash", quoted(name)));
  if (found.result()->is_null()) return base::Error{"evm_transaction_not_known", "the node has no transaction " + name};
  const auto block = word_of(*found.result(), "blockHash");
  if (!block) return base::Error{"evm_transaction_not_mined", "the transaction " + name + " is in no block yet"};
  return *block;
}

}  // namespace

base::Result<base::Bytes> fetch_evm_inclusion(const AskNode& ask, const base::Digest& transaction) {
  TRY_ASSIGN(const base::Digest hash, block_with(ask, transaction));
  TRY_ASSIGN(const RpcOutcome found, asked(ask, "eth_getBlockByHash", quoted(hex_data(hash)) + ",true"));
  const wire::JsonValue block = *found.result();
  const auto not_reproduced = [&](const std::string& what) {
    return base::Error{"evm_block_not_reproduced", what + " of block " + hex_data(hash) + " cannot be made from what the node says"};
  };
  const auto header = block.is_object() ? header_of(ask, block, hash) : std::nullopt;
  if (!header) return not_reproduced("the header");
  const auto listed = block.find("transactions");
  if (!listed || !listed->is_array()) return not_reproduced("the transactions");
  std::vector<base::Bytes> raw;
  for (const wire::JsonValue one : listed->elements()) {
    auto bytes = raw_of(ask, one, hash, raw.size());
    if (!bytes) return not_reproduced("transaction " + std::to_string(raw.size()));
    raw.push_back(std::move(*bytes));
  }
  const auto at = std::ranges::find(raw, transaction, [](const base::Bytes& bytes) { return crypto::keccak256(bytes); });
  if (at == raw.end()) return not_reproduced("the transaction");
  return crypto::prove_evm_inclusion(*header, raw, static_cast<std::uint64_t>(at - raw.begin()));
}

}  // namespace effects
