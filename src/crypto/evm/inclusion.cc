#include "crypto/evm/inclusion.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/check.h"
#include "crypto/evm/rlp.h"
#include "crypto/evm/trie.h"
#include "crypto/keccak.h"

namespace crypto {

namespace {

// Places in a header and in transactions (yellow paper section 4.4; EIP-2930, 1559, 4844, 7702).
constexpr std::size_t header_fields_min = 15, root_field = 4, number_field = 8, seconds_field = 11;
constexpr std::size_t legacy_fields = 9, legacy_data_field = 5, legacy_v_field = 6;
constexpr std::size_t data_field_of_type[] = {0, 6, 7, 7, 7};
constexpr std::uint8_t list_base = 0xc0;
constexpr base::U128 protected_v_min = 35;   // EIP-155

/// The fields of a list; nothing if it is none.
std::optional<std::vector<RlpReader::Item>> fields_of(base::ByteView list) {
  std::vector<RlpReader::Item> fields;
  for (RlpReader in(list); !in.finished();) {
    const auto field = in.item();
    if (!field) return std::nullopt;
    fields.push_back(*field);
  }
  return fields;
}

std::optional<base::U128> number_in(const RlpReader::Item& field) {
  const base::ByteView digits = field.content;
  if (field.is_list || digits.size() > sizeof(base::U128) || (!digits.empty() && digits[0] == 0)) return std::nullopt;
  base::U128 value = 0;
  for (const std::uint8_t byte : digits) value = value << 8 | byte;
  return value;
}

std::optional<std::uint64_t> uint64_in(const RlpReader::Item& field) {
  const auto value = number_in(field);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return base::low64(*value);
}

base::Error malformed_transaction(const char* why) { return {"evm_transaction_malformed", why}; }

base::Result<EvmCall> read_legacy_call(base::ByteView raw) {
  const auto fields = fields_of(raw);
  if (!fields || fields->size() != legacy_fields) return malformed_transaction("not the nine fields of a legacy transaction");
  const RlpReader::Item& data = (*fields)[legacy_data_field];
  const auto v = number_in((*fields)[legacy_v_field]);
  if (data.is_list || !v) return malformed_transaction("a field of another kind");
  EvmCall call{.chain_id = {}, .data = base::to_bytes(data.content)};
  if (*v >= protected_v_min) call.chain_id = (*v - protected_v_min) / 2;
  return call;
}

base::Result<EvmCall> read_typed_call(base::ByteView raw) {
  const std::size_t type = raw[0];
  if (type == 0 || type >= std::size(data_field_of_type)) return malformed_transaction("a type that is not known here");
  const std::size_t at = data_field_of_type[type];
  const auto fields = fields_of(raw.subspan(1));
  if (!fields || fields->size() <= at) return malformed_transaction("not the fields of its type");
  const auto chain = number_in(fields->front());
  const RlpReader::Item& data = (*fields)[at];
  if (!chain || data.is_list) return malformed_transaction("a field of another kind");
  return EvmCall{.chain_id = *chain, .data = base::to_bytes(data.content)};
}

struct Token {
  base::ByteView header;
  std::uint64_t index = 0;
  std::vector<base::ByteView> nodes;
};
std::optional<Token> read_token(base::ByteView bytes) {
  if (bytes.size() > evm_token_bytes_max) return std::nullopt;
  RlpReader in(bytes);
  const auto header = in.list();
  const auto index = in.integer();
  const auto path = in.list();
  if (!path || !in.finished() || header->size() > evm_header_bytes_max || *index >= trie_items_max) return std::nullopt;
  Token token{.header = *header, .index = base::low64(*index), .nodes = {}};
  for (RlpReader nodes(*path); !nodes.finished();) {
    const auto node = nodes.list();
    if (!node || token.nodes.size() == trie_path_max) return std::nullopt;
    token.nodes.push_back(*node);
  }
  return token;
}

}  // namespace

base::Result<EvmHeader> read_evm_header(base::ByteView rlp) {
  const base::Error malformed{"evm_header_malformed", "not the header of a block"};
  const auto fields = fields_of(rlp);
  if (!fields || fields->size() < header_fields_min || std::ranges::any_of(*fields, &RlpReader::Item::is_list)) return malformed;
  const base::ByteView root = (*fields)[root_field].content;
  const auto number = uint64_in((*fields)[number_field]), seconds = uint64_in((*fields)[seconds_field]);
  EvmHeader header;
  if (root.size() != header.transactions_root.size() || !number || !seconds) return malformed;
  std::ranges::copy(root, header.transactions_root.begin());
  header.hash = keccak256(rlp);
  header.number = *number;
  header.seconds = *seconds;
  return header;
}

base::Result<EvmCall> read_evm_call(base::ByteView raw) {
  if (raw.empty()) return malformed_transaction("nothing");
  return raw[0] >= list_base ? read_legacy_call(raw) : read_typed_call(raw);
}

base::Result<EvmInclusion> verify_evm_inclusion(base::ByteView bytes) {
  const auto token = read_token(bytes);
  if (!token) return base::Error{"evm_token_malformed", "not a header, an index and the nodes of a trie"};
  TRY_ASSIGN(EvmHeader header, read_evm_header(token->header));
  const auto raw = item_on_trie_path(header.transactions_root, token->index, token->nodes);
  if (!raw.ok()) return base::Error{"evm_inclusion_wrong", raw.error().message};
  TRY_ASSIGN(EvmCall call, read_evm_call(*raw));
  return EvmInclusion{.block = header, .index = token->index, .transaction = base::to_bytes(*raw), .call = std::move(call)};
}

base::Result<base::Bytes> prove_evm_inclusion(base::ByteView header, std::span<const base::Bytes> transactions, std::uint64_t index) {
  TRY_ASSIGN(const EvmHeader read, read_evm_header(header));
  const base::Error differs{"evm_transactions_root_differs", "the header is of a block with other transactions"};
  if (transactions.size() > trie_items_max || index >= transactions.size()) return differs;
  const TriePath path = trie_path(transactions, index);
  if (path.root != read.transactions_root) return differs;
  RlpWriter nodes, token;
  for (const base::Bytes& node : path.nodes) nodes.raw(node);
  token.raw(header);
  token.integer(index);
  token.raw(nodes.list());
  base::Bytes made = token.list();
  TRY(verify_evm_inclusion(made));
  return made;
}

}  // namespace crypto
