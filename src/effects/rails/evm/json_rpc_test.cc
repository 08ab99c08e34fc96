#include "effects/rails/evm/json_rpc.h"

#include "base/text.h"

#include <doctest/doctest.h>

namespace effects {
namespace {

std::optional<RpcReply> reply_of(std::string body, unsigned status = 200) {
  wire::Response response;
  response.status = static_cast<std::uint16_t>(status);
  response.body = std::move(body);
  return read_rpc_reply(response, 7);
}

TEST_CASE("a request is one line of JSON") {
  CHECK_EQ(rpc_request(7, "eth_chainId", "[]"), R"({"jsonrpc":"2.0","id":7,"method":"eth_chainId","params":[]})");
}

TEST_CASE("results and errors are told apart; anything else is no reply") {
  const auto result = reply_of(R"({"jsonrpc":"2.0","id":7,"result":"0x1"})");
  REQUIRE(result.has_value());
  CHECK_FALSE(result->is_error);
  CHECK_EQ(*result->result().string(), "0x1");
  CHECK(reply_of(R"({"jsonrpc":"2.0","id":7,"result":null})")->result().is_null());
  CHECK(reply_of(R"({"jsonrpc":"2.0","id":7,"result":"0x1","error":null})").has_value());
  const auto error = reply_of(R"({"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"nonce too low","data":"0x"}})");
  REQUIRE(error.has_value());
  CHECK(error->is_error);
  CHECK_EQ(error->error_code, -32000);
  CHECK_EQ(error->error_message, "nonce too low");
  for (const char* body : {"", "[]", "nonsense", R"({"jsonrpc":"2.0","id":7})", R"({"jsonrpc":"2.0","id":8,"result":"0x1"})",
                           R"({"jsonrpc":"2.0","id":"7","result":"0x1"})", R"({"jsonrpc":"1.0","id":7,"result":"0x1"})", R"({"id":7,"result":"0x1"})",
                           R"({"jsonrpc":"2.0","id":7,"result":"0x1","error":{"code":1,"message":""}})", R"({"jsonrpc":"2.0","id":7,"error":"no"})",
                           R"({"jsonrpc":"2.0","id":7,"error":{"code":"1","message":""}})", R"({"jsonrpc":"2.0","id":7,"error":{"code":1}})"}) {
    CHECK_MESSAGE(!reply_of(body).has_value(), body);
  }
  CHECK_FALSE(reply_of(R"({"jsonrpc":"2.0","id":7,"result":"0x1"})", 500).has_value());
}

TEST_CASE("numbers have one form") {
  CHECK_EQ(hex_quantity(0), "0x0");
  CHECK_EQ(hex_quantity(1024), "0x400");
  CHECK_EQ(*parse_hex_quantity("0x0"), base::U128{0});
  CHECK_EQ(*parse_hex_quantity("0x4A0"), base::U128{1184});
  CHECK_EQ(*parse_hex_quantity(hex_quantity(base::u128_max)), base::u128_max);
  for (const char* text : {"", "0x", "400", "0x0400", "0x00", "0xg", "0x-1", "0x 1", "0x100000000000000000000000000000000"}) {
    CHECK_MESSAGE(!parse_hex_quantity(text).has_value(), text);
  }
  CHECK_EQ(*parse_hex_uint64("0xffffffffffffffff"), UINT64_MAX);
  CHECK_FALSE(parse_hex_uint64("0x10000000000000000").has_value());
  CHECK_EQ(base::to_hex(*parse_hex_number("0x" + std::string(64, 'f'))), std::string(64, 'f'));
  CHECK_EQ(base::to_hex(*parse_hex_number("0xabc")), "0abc");
  CHECK(parse_hex_number("0x0")->empty());
  for (const char* text : {"", "0x", "0x00", "0x01", "12", "0xg"}) CHECK_FALSE(parse_hex_number(text).has_value());
  CHECK_FALSE(parse_hex_number("0x" + std::string(65, 'f')).has_value());
  CHECK_EQ(*parse_hex_balance("0x" + std::string(64, 'f')), base::amount_max);
  CHECK_EQ(*parse_hex_balance("0x5"), base::U128{5});
  CHECK_FALSE(parse_hex_balance("0x" + std::string(65, 'f')).has_value());
  CHECK_FALSE(parse_hex_word("0x" + std::string(63, 'f')).has_value());
  CHECK_FALSE(parse_hex_data("00").has_value());
}

wire::JsonDocument document(std::string_view text) { return wire::parse_json(base::as_bytes(text)).value(); }

const std::string token = "0x" + std::string(40, '1'), from = "0x" + std::string(40, '2'), to = "0x" + std::string(40, '3');
const std::string word_of_from = "0x" + std::string(24, '0') + std::string(40, '2'), word_of_to = "0x" + std::string(24, '0') + std::string(40, '3');

std::string receipt_text(const std::string& status, const std::string& logs) {
  return R"({"transactionHash":"0x)" + std::string(64, 'a') + R"(","blockNumber":"0x10","blockHash":"0x)" + std::string(64, 'b') + R"(","status":")" +
         status + R"(","logs":[)" + logs + "]}";
}
std::string log_text(const std::string& address, const std::string& second, const std::string& third, unsigned amount) {
  return R"({"address":")" + address + R"(","topics":["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",")" + second + R"(",")" + third +
         R"("],"data":"0x)" + std::string(62, '0') + (amount < 16 ? "0" : "") + hex_quantity(amount).substr(2) + R"("})";
}

TEST_CASE("a receipt shows a token's transfer only if contract, both sides and the amount are those") {
  const auto shown = [](const std::string& log) {
    const auto text = document(receipt_text("0x1", log));
    const auto receipt = read_receipt(text.root());
    REQUIRE(receipt.has_value());
    CHECK_EQ(receipt->block_number, 16);
    return shows_token_transfer(*receipt, *parse_evm_address(token), *parse_evm_address(from), *parse_evm_address(to), 5);
  };
  CHECK(shown(log_text(token, word_of_from, word_of_to, 5)));
  CHECK(shown(log_text(to, word_of_from, word_of_to, 5) + "," + log_text(token, word_of_from, word_of_to, 5)));
  CHECK_FALSE(shown(""));
  CHECK_FALSE(shown(log_text(to, word_of_from, word_of_to, 5)));
  CHECK_FALSE(shown(log_text(token, word_of_to, word_of_to, 5)));
  CHECK_FALSE(shown(log_text(token, word_of_from, word_of_from, 5)));
  CHECK_FALSE(shown(log_text(token, word_of_from, word_of_to, 4)));
}

TEST_CASE("a receipt or block that lacks something is none") {
  CHECK_FALSE(read_receipt(document(receipt_text("0x2", "")).root()).has_value());
  CHECK_FALSE(read_receipt(document(receipt_text("0x1", "{}")).root()).has_value());
  CHECK_FALSE(read_receipt(document("null").root()).has_value());
  CHECK_FALSE(read_receipt(document(R"({"status":"0x1"})").root()).has_value());
  CHECK_FALSE(read_receipt(document(receipt_text("0x0", "")).root())->succeeded);
  const auto block = read_block(document(R"({"number":"0x10","hash":"0x)" + std::string(64, 'c') + R"(","baseFeePerGas":"0x7"})").root());
  REQUIRE(block.has_value());
  CHECK_EQ(*block->base_fee, base::U128{7});
  CHECK_FALSE(read_block(document(R"({"number":"0x10","hash":"0x)" + std::string(64, 'c') + R"("})").root())->base_fee.has_value());
  CHECK_FALSE(read_block(document(R"({"number":"0x10"})").root()).has_value());
}

TEST_CASE("what common nodes say is understood; the rest is other") {
  const std::pair<const char*, RpcRefusal> said[] = {
      {"unknown transaction type 2", RpcRefusal::other},
      {"already known", RpcRefusal::already_known},                                           // geth, reth
      {"transaction already imported", RpcRefusal::already_known},                            // anvil
      {"AlreadyKnown", RpcRefusal::already_known},                                            // Nethermind
      {"Known transaction", RpcRefusal::already_known},                                       // Besu
      {"nonce too low: address 0x, tx: 0 state: 1", RpcRefusal::nonce_too_low},
      {"replacement transaction underpriced", RpcRefusal::replacement_refused},
      {"insufficient funds for gas * price + value", RpcRefusal::insufficient_funds},
      {"Insufficient funds for gas * price + value", RpcRefusal::insufficient_funds},
      {"Upfront cost exceeds account balance: insufficient balance", RpcRefusal::insufficient_funds},
      {"max fee per gas less than block base fee", RpcRefusal::fee_too_low},
      {"execution reverted: paused", RpcRefusal::reverted},
      {"internal error", RpcRefusal::other},
      {"", RpcRefusal::other}};
  for (const auto& [message, meaning] : said) CHECK_MESSAGE(meaning_of_rpc_error(-32000, message) == meaning, message);
  CHECK_EQ(meaning_of_rpc_error(3, "call failed"), RpcRefusal::reverted);
}

}  // namespace
}  // namespace effects
