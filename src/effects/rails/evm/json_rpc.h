#pragma once
// JSON-RPC 2.0 as Ethereum's nodes speak it: requests, replies and the few shapes that are read from them. Pure; strict, because
// whatever is not understood must stay unknown.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/int128.h"
#include "effects/rails/evm/address.h"
#include "wire/http_message.h"
#include "wire/json_value.h"

namespace effects {

/// `0x` and hex digits of a byte string.
std::string hex_data(base::ByteView bytes);
/// `0x` and hex digits of a number, without leading zeros.
std::string hex_quantity(base::U128 value);
/// Inverses: of any number of whole bytes; of exactly 32 bytes; of a number within its type. Strict: nothing for another form.
std::optional<base::Bytes> parse_hex_data(std::string_view text);
std::optional<base::Digest> parse_hex_word(std::string_view text);
std::optional<base::U128> parse_hex_quantity(std::string_view text);
std::optional<std::uint64_t> parse_hex_uint64(std::string_view text);
/// A number of up to 256 bits: its bytes, big-endian, without leading zeros.
std::optional<base::Bytes> parse_hex_number(std::string_view text);
/// A balance: what exceeds an amount is the largest amount. Nothing for another form, or more than 256 bits.
std::optional<base::U128> parse_hex_balance(std::string_view text);

/// Text of a request. `params` is a JSON array.
std::string rpc_request(std::uint64_t id, std::string_view method, std::string_view params);

/// Of a reply that is read at all: a block with all its transactions in full. Who asks for less bounds what it takes further.
constexpr std::size_t rpc_reply_bytes_max = 32u << 20;

/// What a node answered: a result, or an error in its own words.
struct RpcReply {
  std::optional<wire::JsonDocument> document;
  bool is_error = false;
  std::int64_t error_code = 0;
  std::string error_message;      ///< at most 256 bytes
  /// The result (CHECK: there is one).
  wire::JsonValue result() const;
};
/// Nothing for what is no reply to the request with this id: another status than 200, no JSON, another id or version, result and
/// error both or neither.
std::optional<RpcReply> read_rpc_reply(const wire::Response& response, std::uint64_t id);

/// Of a block: what fees and depth need.
struct EvmBlock {
  std::uint64_t number = 0;
  base::Digest hash{};
  std::optional<base::U128> base_fee;   ///< none before EIP-1559
};
std::optional<EvmBlock> read_block(wire::JsonValue value);

struct EvmLog {
  EvmAddress address{};
  std::vector<base::Digest> topics;
  base::Bytes data;
};

/// Of a transaction that was mined.
struct EvmReceipt {
  base::Digest transaction{};
  std::uint64_t block_number = 0;
  base::Digest block_hash{};
  bool succeeded = false;
  std::vector<EvmLog> logs;
};
std::optional<EvmReceipt> read_receipt(wire::JsonValue value);

/// Whether a token says in a receipt that it moved exactly this.
bool shows_token_transfer(const EvmReceipt& receipt, const EvmAddress& token, const EvmAddress& from, const EvmAddress& to, base::U128 amount);

/// What a node's refusal of a transaction means, by what the common nodes say (they agree on no codes).
enum class RpcRefusal : std::uint8_t {
  already_known,         ///< it has these very bytes
  nonce_too_low,         ///< something with this nonce was mined
  replacement_refused,   ///< it has another one with this nonce, and the fees of this one are not enough above
  insufficient_funds,
  fee_too_low,
  reverted,              ///< it would fail if it were carried out
  other,
};
RpcRefusal meaning_of_rpc_error(std::int64_t code, std::string_view message);

}  // namespace effects
