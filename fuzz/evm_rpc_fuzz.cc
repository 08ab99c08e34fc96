// rooms: effects intake custody io wire model crypto base
// What a node may answer, and bytes that may be a transaction: nothing crashes, a reply is either a result or an error, and what is read
// as a number or a transaction has only this one form.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "effects/rails/evm/json_rpc.h"
#include "effects/rails/evm/transaction.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_transaction(base::ByteView bytes) {
  const auto read = effects::read_transaction(bytes);
  if (!read) return;
  // The fields stand in the bytes as they are signed, between the header and the signature.
  const base::Bytes fields = effects::signing_bytes(read->transaction);
  require(fields.size() < bytes.size());
  const std::string_view all = base::as_text(bytes), last = base::as_text(base::ByteView(fields).last(24));
  require(all.find(last) != std::string_view::npos);
}

void check_reply(base::ByteView bytes) {
  wire::Response response;
  response.status = 200;
  response.body = base::as_text(bytes);
  const auto reply = effects::read_rpc_reply(response, 7);
  if (!reply) return;
  if (reply->is_error) {
    require(reply->error_message.size() <= 256);
    static_cast<void>(effects::meaning_of_rpc_error(reply->error_code, reply->error_message));
    return;
  }
  const wire::JsonValue result = reply->result();
  if (const auto text = result.string()) {
    if (const auto value = effects::parse_hex_quantity(*text)) require(effects::hex_quantity(*value).size() == text->size());
    if (const auto data = effects::parse_hex_data(*text)) require(effects::hex_data(*data).size() == text->size());
    if (const auto balance = effects::parse_hex_balance(*text)) require(*balance <= base::amount_max);
  }
  static_cast<void>(effects::read_block(result));
  if (const auto receipt = effects::read_receipt(result)) {
    const effects::EvmAddress someone{};
    // Nobody's transfer of this amount from nobody to nobody is in a receipt by chance, unless it says so.
    if (effects::shows_token_transfer(*receipt, someone, someone, someone, 1)) require(!receipt->logs.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const base::ByteView rest(data + 1, size - 1);
  if (data[0] == 't') check_transaction(rest);
  else check_reply(rest);
  return 0;
}
