#include "effects/rails/evm/json_rpc.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "effects/rails/evm/transaction.h"
#include "wire/json_writer.h"

namespace effects {

namespace {

constexpr std::size_t error_message_bytes_max = 256;
constexpr std::size_t quantity_digits_max = 64;

std::optional<std::string_view> text_of(wire::JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string() : std::nullopt;
}

/// A member that must be there, read by `parse`.
template <typename Parse>
auto member_of(wire::JsonValue object, std::string_view name, Parse parse) -> decltype(parse(std::string_view())) {
  const auto text = text_of(object, name);
  if (!text) return std::nullopt;
  return parse(*text);
}

std::optional<EvmAddress> parse_plain_address(std::string_view text) {
  const auto bytes = parse_hex_data(text);
  if (!bytes || bytes->size() != 20) return std::nullopt;
  EvmAddress address;
  std::ranges::copy(*bytes, address.begin());
  return address;
}

/// Digits of a quantity: at least one, no leading zero but for zero itself.
std::optional<std::string_view> quantity_digits(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  text.remove_prefix(2);
  const bool hex = std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (text.empty() || text.size() > quantity_digits_max || !hex || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  return text;
}

unsigned digit_of(char c) { return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a') + 10; }

std::optional<EvmLog> read_log(wire::JsonValue value) {
  const auto address = member_of(value, "address", parse_plain_address);
  auto data = member_of(value, "data", parse_hex_data);
  const auto topics = value.find("topics");
  if (!address || !data || !topics || !topics->is_array()) return std::nullopt;
  EvmLog log{.address = *address, .topics = {}, .data = std::move(*data)};
  for (const wire::JsonValue one : topics->elements()) {
    const auto topic = one.string() ? parse_hex_word(*one.string()) : std::nullopt;
    if (!topic) return std::nullopt;
    log.topics.push_back(*topic);
  }
  return log;
}

}  // namespace

std::string hex_data(base::ByteView bytes) { return "0x" + base::to_hex(bytes); }

std::string hex_quantity(base::U128 value) {
  std::string digits;
  do {
    digits.push_back("0123456789abcdef"[static_cast<std::size_t>(value & 15)]);
    value >>= 4;
  } while (value != 0);
  std::ranges::reverse(digits);
  return "0x" + digits;
}

std::optional<base::Bytes> parse_hex_data(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  return base::parse_hex(text.substr(2));
}

std::optional<base::Digest> parse_hex_word(std::string_view text) {
  const auto bytes = parse_hex_data(text);
  base::Digest word;
  if (!bytes || bytes->size() != word.size()) return std::nullopt;
  std::ranges::copy(*bytes, word.begin());
  return word;
}

std::optional<base::U128> parse_hex_quantity(std::string_view text) {
  const auto digits = quantity_digits(text);
  if (!digits || digits->size() > 2 * sizeof(base::U128)) return std::nullopt;
  base::U128 value = 0;
  for (const char c : *digits) value = value << 4 | digit_of(c);
  return value;
}

std::optional<std::uint64_t> parse_hex_uint64(std::string_view text) {
  const auto value = parse_hex_quantity(text);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return base::low64(*value);
}

std::optional<base::Bytes> parse_hex_number(std::string_view text) {
  const auto digits = quantity_digits(text);
  if (!digits) return std::nullopt;
  if (*digits == "0") return base::Bytes();
  return base::parse_hex((digits->size() % 2 == 1 ? "0" : "") + std::string(*digits));
}

std::optional<base::U128> parse_hex_balance(std::string_view text) {
  if (!quantity_digits(text)) return std::nullopt;
  return std::min(parse_hex_quantity(text).value_or(base::amount_max), base::amount_max);
}

std::string rpc_request(std::uint64_t id, std::string_view method, std::string_view params) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object();
  json.member("jsonrpc", "2.0");
  json.member("id", id);
  json.member("method", method);
  json.key("params");
  json.raw(params);
  json.end_object();
  return text;
}

wire::JsonValue RpcReply::result() const {
  CHECK(document && !is_error);
  return *document->root().find("result");
}

std::optional<RpcReply> read_rpc_reply(const wire::Response& response, std::uint64_t id) {
  if (response.status != 200) return std::nullopt;
  auto document = wire::parse_json(base::as_bytes(response.body), {.bytes_max = rpc_reply_bytes_max});
  if (!document.ok() || !document->root().is_object()) return std::nullopt;
  const wire::JsonValue root = document->root();
  const auto stated = root.find("id");
  if (text_of(root, "jsonrpc") != "2.0" || !stated || stated->uint64() != id) return std::nullopt;
  const auto result = root.find("result"), error = root.find("error");
  // Some nodes write the member that is not meant as null.
  const bool is_error = error && !error->is_null();
  if (is_error ? result && !result->is_null() : !result.has_value()) return std::nullopt;
  RpcReply reply;
  reply.is_error = is_error;
  if (is_error) {
    const auto code = error->is_object() ? error->find("code") : std::nullopt;
    const auto message = error->is_object() ? text_of(*error, "message") : std::nullopt;
    if (!code || !code->int64() || !message) return std::nullopt;
    reply.error_code = *code->int64();
    reply.error_message = message->substr(0, error_message_bytes_max);
  }
  reply.document = std::move(*document);
  return reply;
}

std::optional<EvmBlock> read_block(wire::JsonValue value) {
  if (!value.is_object()) return std::nullopt;
  const auto number = member_of(value, "number", parse_hex_uint64);
  const auto hash = member_of(value, "hash", parse_hex_word);
  if (!number || !hash) return std::nullopt;
  return EvmBlock{.number = *number, .hash = *hash, .base_fee = member_of(value, "baseFeePerGas", parse_hex_quantity)};
}

std::optional<EvmReceipt> read_receipt(wire::JsonValue value) {
  if (!value.is_object()) return std::nullopt;
  const auto transaction = member_of(value, "transactionHash", parse_hex_word);
  const auto number = member_of(value, "blockNumber", parse_hex_uint64);
  const auto hash = member_of(value, "blockHash", parse_hex_word);
  const auto status = member_of(value, "status", parse_hex_uint64);
  const auto logs = value.find("logs");
  if (!transaction || !number || !hash || !status || *status > 1 || !logs || !logs->is_array()) return std::nullopt;
  EvmReceipt receipt{.transaction = *transaction, .block_number = *number, .block_hash = *hash, .succeeded = *status == 1, .logs = {}};
  for (const wire::JsonValue one : logs->elements()) {
    auto log = read_log(one);
    if (!log) return std::nullopt;
    receipt.logs.push_back(std::move(*log));
  }
  return receipt;
}

bool shows_token_transfer(const EvmReceipt& receipt, const EvmAddress& token, const EvmAddress& from, const EvmAddress& to, base::U128 amount) {
  const std::vector<base::Digest> topics{token_transfer_topic(), abi_word(from), abi_word(to)};
  return std::ranges::any_of(receipt.logs, [&](const EvmLog& log) {
    return log.address == token && log.topics == topics && std::ranges::equal(log.data, abi_word(amount));
  });
}

RpcRefusal meaning_of_rpc_error(std::int64_t code, std::string_view message) {
  std::string words(message);
  std::ranges::transform(words, words.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto says = [&](std::string_view part) { return words.find(part) != std::string::npos; };
  // As geth, anvil and reth, Nethermind, Besu and Erigon say it; in this order, because some say two things at once.
  if (says("already known") || says("already imported") || says("alreadyknown") || (says("known transaction") && !says("unknown transaction"))) return RpcRefusal::already_known;
  if (says("nonce too low") || says("nonce is too low") || says("oldnonce") || says("nonce_too_low")) return RpcRefusal::nonce_too_low;
  if (says("underpriced") || says("replacementnotallowed") || says("replacement")) return RpcRefusal::replacement_refused;
  if (says("insufficient") && (says("fund") || says("balance"))) return RpcRefusal::insufficient_funds;
  if (says("max fee per gas less") || says("fee too low") || says("feetoolow") || says("gas price below")) return RpcRefusal::fee_too_low;
  // 3 is what an `eth_call` that reverts is answered with.
  if (code == 3 || says("revert")) return RpcRefusal::reverted;
  return RpcRefusal::other;
}

}  // namespace effects
