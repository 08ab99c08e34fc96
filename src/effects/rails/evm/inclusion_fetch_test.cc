#include "effects/rails/evm/inclusion_fetch.h"

#include <map>
#include <mutex>

#include "base/text.h"
#include "crypto/evm/inclusion.h"
#include "crypto/keccak.h"
#include "effects/http/scripted_server_for_tests.h"
#include "effects/rails/evm/block.h"
#include "effects/rails/evm/mined_for_tests.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace effects {
namespace {

base::Bytes raw_of(const std::string& json) { return raw_transaction(wire::parse_json(base::as_bytes(json))->root()).value(); }

/// Answers from a table, by method: members of the reply; none is no answer.
struct Node {
  std::map<std::string, std::string> says;
  std::vector<std::string> questions;

  Node() {
    std::string transactions;
    for (const std::string& one : mined_transactions) transactions += (transactions.empty() ? "" : ",") + one;
    says["eth_getTransactionByHash"] = R"("result":{"blockHash":")" + block_hash() + "\"}";
    says["eth_getBlockByHash"] = R"("result":{)" + header_members + R"(,"transactions":[)" + transactions + "]}";
  }
  static std::string block_hash() {
    const std::size_t at = header_members.find("\"hash\":\"") + 8;
    return header_members.substr(at, 66);
  }
  std::string members_of(std::string_view method) const {
    const auto answer = says.find(std::string(method));
    return answer == says.end() ? R"("error":{"code":-32601,"message":"no such method"})" : answer->second;
  }
  base::Result<base::Bytes> fetch(const base::Digest& transaction) {
    return fetch_evm_inclusion([this](RpcQuestion&& question) {
      questions.push_back(question.method + question.params);
      RpcOutcome outcome;
      const std::string members = members_of(question.method);
      wire::Response response;
      response.body = R"({"jsonrpc":"2.0","id":1,)" + members + "}";
      if (members.empty()) outcome.failure = HttpFailure::connect_failed;
      else outcome.reply = read_rpc_reply(response, 1);
      return outcome;
    }, transaction);
  }
  std::string code(const base::Digest& transaction) {
    const auto fetched = fetch(transaction);
    return fetched.ok() ? "" : fetched.error().code;
  }
  void replace(const std::string& method, std::string_view what, std::string_view by) {
    std::string& text = says[method];
    const std::size_t at = text.find(what);
    REQUIRE_MESSAGE(at != std::string::npos, what);
    text.replace(at, what.size(), by);
  }
};

const base::Bytes wanted = raw_of(mined_transactions[3]);
const base::Digest name = crypto::keccak256(wanted);

TEST_CASE("the proof comes from a node's words, checked") {
  Node node;
  const auto token = node.fetch(name);
  REQUIRE_MESSAGE(token.ok(), (token.ok() ? std::string() : token.error().message));
  const auto verified = crypto::verify_evm_inclusion(*token);
  REQUIRE(verified.ok());
  CHECK_EQ(verified->transaction, wanted);
  CHECK_EQ(verified->index, 3);
  CHECK_EQ(hex_data(verified->block.hash), Node::block_hash());
  CHECK_EQ(node.questions.size(), 2);
  CHECK_EQ(node.questions[1], "eth_getBlockByHash[\"" + Node::block_hash() + "\",true]");
}

TEST_CASE("what the JSON does not hold is asked for raw") {
  Node node;
  node.replace("eth_getBlockByHash", R"("type":"0x2")", R"("type":"0x7e")");
  CHECK_EQ(node.code(name), "evm_block_not_reproduced");
  CHECK(node.questions.back().starts_with("eth_getRawTransactionByBlockHashAndIndex[\"" + Node::block_hash() + "\",\"0x0\""));
  const std::string first = R"("result":")" + hex_data(raw_of(mined_transactions[0])) + "\"";
  node.says["eth_getRawTransactionByBlockHashAndIndex"] = first;
  CHECK_EQ(node.code(name), "");
  node.says.erase("eth_getRawTransactionByBlockHashAndIndex");
  node.says["debug_getRawTransaction"] = first;
  CHECK_EQ(node.code(name), "");
  node.says["debug_getRawTransaction"] = R"("result":")" + hex_data(wanted) + "\"";
  CHECK_EQ(node.code(name), "evm_block_not_reproduced");

  Node other;
  const auto document = wire::parse_json(base::as_bytes("{" + header_members + "}"));
  const auto header = header_of_block(document->root());
  REQUIRE(header.has_value());
  other.replace("eth_getBlockByHash", R"("requestsHash")", R"("somethingNew")");
  CHECK_EQ(other.code(name), "evm_block_not_reproduced");
  other.says["debug_getRawHeader"] = R"("result":")" + hex_data(*header) + "\"";
  CHECK_EQ(other.code(name), "");
}

TEST_CASE("nobody has to wait for it") {
  Node node;
  node.replace("eth_getBlockByHash", R"("type":"0x2")", R"("type":"0x7e")");
  node.says["eth_getRawTransactionByBlockHashAndIndex"] = R"("result":")" + hex_data(raw_of(mined_transactions[0])) + "\"";
  std::mutex mutex;   // the server has a thread of its own
  ScriptedServer server([&](const std::string& request) -> ScriptedReply {
    const std::lock_guard lock(mutex);
    const auto document = wire::parse_json(base::as_bytes(std::string_view(request).substr(request.find("\r\n\r\n") + 4)));
    const std::string members = node.members_of(*document->root().find("method")->string());
    if (members.empty()) return {.bytes = {}, .end = ScriptedReply::End::close};
    const std::string id = std::to_string(*document->root().find("id")->uint64());
    return {.bytes = http_reply(200, "application/json", R"({"jsonrpc":"2.0","id":)" + id + "," + members + "}")};
  });
  const auto loop = io::Loop::open().value();
  io::SimulatedClock clock;
  EvmNode over(*loop, clock, nullptr, parse_origin(server.url()).value(), io::TlsOutgoingContext::open(server.disk, {.ca_file = "ca.pem"}).value(),
               base::seconds(3), {});
  const auto fetched = [&] {
    std::optional<base::Result<base::Bytes>> token;
    fetch_evm_inclusion(over, name, [&](base::Result<base::Bytes> got) { token = std::move(got); });
    CHECK_FALSE(token.has_value());
    REQUIRE(turn_until(*loop, [&] { return token.has_value(); }));
    return *std::move(token);
  };
  const auto token = fetched();
  REQUIRE_MESSAGE(token.ok(), (token.ok() ? std::string() : token.error().message));
  CHECK_EQ(*token, node.fetch(name).value());
  {
    const std::lock_guard lock(mutex);
    node.says["eth_getBlockByHash"] = "";
  }
  CHECK_EQ(std::string(fetched().error().code), "evm_node_gave_no_answer");
}

TEST_CASE("a node that does not answer, does not know or does not say the truth gives nothing") {
  const auto with = [](const std::string& method, const std::string& members) {
    Node node;
    node.says[method] = members;
    return node.code(name);
  };
  for (const char* method : {"eth_getTransactionByHash", "eth_getBlockByHash"}) {
    CHECK_EQ(with(method, ""), "evm_node_gave_no_answer");
    CHECK_EQ(with(method, R"("result":1,"error":{})"), "evm_node_gave_no_answer");
    CHECK_EQ(with(method, R"("error":{"code":-1,"message":"later"})"), "evm_node_gave_no_answer");
  }
  CHECK_EQ(with("eth_getTransactionByHash", R"("result":null)"), "evm_transaction_not_known");
  CHECK_EQ(with("eth_getTransactionByHash", R"("result":{"blockHash":null})"), "evm_transaction_not_mined");
  CHECK_EQ(with("eth_getTransactionByHash", R"("result":{"blockHash":"0x)" + std::string(64, '1') + "\"}"), "evm_block_not_reproduced");
  CHECK_EQ(with("eth_getBlockByHash", R"("result":null)"), "evm_block_not_reproduced");
  CHECK_EQ(with("eth_getBlockByHash", R"("result":{)" + header_members + "}"), "evm_block_not_reproduced");
  CHECK_EQ(with("eth_getBlockByHash", R"("result":{)" + header_members + R"(,"transactions":["0x11"]})"), "evm_block_not_reproduced");
  CHECK_EQ(with("eth_getBlockByHash", R"("result":{)" + header_members + R"(,"transactions":[]})"), "evm_block_not_reproduced");
  CHECK_EQ(with("eth_getBlockByHash", R"("result":{)" + header_members + R"(,"transactions":[)" + mined_transactions[3] + "]}"),
           "evm_transactions_root_differs");
}

}  // namespace
}  // namespace effects
