#include "effects/rails/evm/block.h"

#include <string>
#include <string_view>

#include "crypto/evm/rlp.h"
#include "crypto/keccak.h"
#include "effects/rails/evm/json_rpc.h"

namespace effects {

namespace {

constexpr unsigned type_max = 4;

/// Puts members of one object into a list, by their kind; good as long as each was there and of its kind.
class Encoder {
 public:
  explicit Encoder(wire::JsonValue object) : object_(object) {}

  void data(std::string_view name) { put(name, parse_hex_data); }
  void number(std::string_view name) { put(name, parse_hex_number); }
  /// As they are, or null: of a transaction that makes a contract.
  void data_or_null(std::string_view name) {
    const auto member = object_.find(name);
    if (!member || member->is_null()) out_.string({});
    else data(name);
  }
  bool has(std::string_view name) const {
    const auto member = object_.find(name);
    return member && !member->is_null();
  }
  /// A list whose items are put by `put_item(item, encoder of the list)`.
  template <typename PutItem>
  void list(std::string_view name, PutItem put_item) {
    const auto member = object_.find(name);
    if (!member || !member->is_array()) {
      good_ = false;
      return;
    }
    crypto::RlpWriter items;
    for (const wire::JsonValue item : member->elements()) good_ = put_item(item, items) && good_;
    out_.raw(items.list());
  }
  std::optional<base::Bytes> encoded() const {
    if (!good_) return std::nullopt;
    return out_.list();
  }

 private:
  template <typename Parse>
  void put(std::string_view name, Parse parse) {
    const auto member = object_.find(name);
    const auto text = member ? member->string() : std::nullopt;
    const auto value = text ? parse(*text) : std::nullopt;
    if (value) out_.string(*value);
    else good_ = false;
  }

  const wire::JsonValue object_;
  crypto::RlpWriter out_;
  bool good_ = true;
};

bool put_word(wire::JsonValue value, crypto::RlpWriter& into) {
  const auto word = value.string() ? parse_hex_word(*value.string()) : std::nullopt;
  if (word) into.string(*word);
  return word.has_value();
}

bool put_encoded(const Encoder& item, crypto::RlpWriter& into) {
  const auto bytes = item.encoded();
  if (bytes) into.raw(*bytes);
  return bytes.has_value();
}

bool put_access(wire::JsonValue value, crypto::RlpWriter& into) {
  if (!value.is_object()) return false;
  Encoder access(value);
  access.data("address");
  access.list("storageKeys", put_word);
  return put_encoded(access, into);
}

/// EIP-7702.
bool put_authorization(wire::JsonValue value, crypto::RlpWriter& into) {
  if (!value.is_object()) return false;
  Encoder authorization(value);
  authorization.number("chainId");
  authorization.data("address");
  authorization.number("nonce");
  authorization.number("yParity");
  authorization.number("r");
  authorization.number("s");
  return put_encoded(authorization, into);
}

void put_fields(Encoder& out, unsigned type) {
  if (type != 0) out.number("chainId");
  out.number("nonce");
  if (type < 2) {
    out.number("gasPrice");
  } else {
    out.number("maxPriorityFeePerGas");
    out.number("maxFeePerGas");
  }
  out.number("gas");
  out.data_or_null("to");
  out.number("value");
  out.data("input");
  if (type != 0) out.list("accessList", put_access);
  if (type == 3) {
    out.number("maxFeePerBlobGas");
    out.list("blobVersionedHashes", put_word);
  }
  if (type == 4) out.list("authorizationList", put_authorization);
  out.number(type != 0 && out.has("yParity") ? "yParity" : "v");
  out.number("r");
  out.number("s");
}

/// Whether the object calls itself by the hash of these bytes.
bool is_named(wire::JsonValue object, base::ByteView bytes) {
  const auto name = object.find("hash");
  return name && name->string() && parse_hex_word(*name->string()) == crypto::keccak256(bytes);
}

}  // namespace

std::optional<base::Bytes> header_of_block(wire::JsonValue block) {
  if (!block.is_object()) return std::nullopt;
  Encoder out(block);
  for (const char* name : {"parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"}) out.data(name);
  for (const char* name : {"difficulty", "number", "gasLimit", "gasUsed", "timestamp"}) out.number(name);
  for (const char* name : {"extraData", "mixHash", "nonce"}) out.data(name);
  // What forks appended, in their order.
  if (out.has("baseFeePerGas")) out.number("baseFeePerGas");
  if (out.has("withdrawalsRoot")) out.data("withdrawalsRoot");
  for (const char* name : {"blobGasUsed", "excessBlobGas"}) {
    if (out.has(name)) out.number(name);
  }
  for (const char* name : {"parentBeaconBlockRoot", "requestsHash"}) {
    if (out.has(name)) out.data(name);
  }
  auto header = out.encoded();
  return header && is_named(block, *header) ? header : std::nullopt;
}

std::optional<base::Bytes> raw_transaction(wire::JsonValue transaction) {
  if (!transaction.is_object()) return std::nullopt;
  // Nodes from before EIP-2718 say no type.
  const auto stated = transaction.find("type");
  const auto type = !stated ? std::optional<std::uint64_t>(0) : stated->string() ? parse_hex_uint64(*stated->string()) : std::nullopt;
  if (!type || *type > type_max) return std::nullopt;
  Encoder out(transaction);
  put_fields(out, static_cast<unsigned>(*type));
  const auto fields = out.encoded();
  if (!fields) return std::nullopt;
  base::Bytes raw;
  if (*type != 0) raw.push_back(static_cast<std::uint8_t>(*type));
  base::append(raw, *fields);
  return is_named(transaction, raw) ? std::optional(std::move(raw)) : std::nullopt;
}

}  // namespace effects
