#pragma once
// A node that says what a test wants: a few numbers, what it takes, and one odd answer at a time. For tests only.

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/text.h"
#include "effects/http/scripted_server_for_tests.h"
#include "effects/rails/evm/json_rpc.h"
#include "effects/rails/evm/transaction.h"

namespace effects {

class ScriptedNode {
 public:
  // To be set between questions.
  std::uint64_t chain_id = 31337, block = 100, mined_count = 0, pending_count = 0;
  std::string gas = R"("result":"0x5208")";
  std::string token_balance = std::string(64, '0');
  /// By method: members of the reply instead of the usual ones, or no reply if empty.
  std::map<std::string, std::string> instead;
  /// By hash: receipts of what was mined, without braces of their own hash.
  std::map<std::string, std::string> receipts;
  std::set<std::string> waiting;       ///< hashes of what it has and did not mine
  std::vector<std::string> taken;      ///< raw bytes, in order, what it refused too
  std::string fork = std::string(64, 'b');   ///< hash of every block

  ScriptedReply operator()(const std::string& request) {
    const std::lock_guard lock(mutex);
    const auto document = wire::parse_json(base::as_bytes(std::string_view(request).substr(request.find("\r\n\r\n") + 4)));
    const std::string method(*document->root().find("method")->string());
    const std::uint64_t id = *document->root().find("id")->uint64();
    const wire::JsonValue params = *document->root().find("params");
    std::string first;
    for (const wire::JsonValue one : params.elements()) {
      if (first.empty() && one.string()) first = *one.string();
    }
    const auto odd = instead.find(method);
    if (method == "eth_sendRawTransaction") taken.push_back(first);
    if (odd != instead.end() && odd->second.empty()) return {.bytes = {}, .end = ScriptedReply::End::close};
    const std::string members = odd != instead.end() ? odd->second : usual(method, first, request);
    return {.bytes = http_reply(200, "application/json", R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + "," + members + "}")};
  }
  /// A receipt of a transaction, `depth` blocks deep now.
  void mine(const base::Digest& hash, std::uint64_t depth, bool succeeded = true, const std::string& logs = "") {
    const std::lock_guard lock(mutex);
    receipts[hex_data(hash)] = R"("blockNumber":")" + hex_quantity(block - depth + 1) + R"(","blockHash":"0x)" + fork + R"(","status":")" +
                               (succeeded ? "0x1" : "0x0") + R"(","logs":[)" + logs + "]";
    waiting.erase(hex_data(hash));
  }

  std::mutex mutex;

 private:
  static std::string result(const std::string& text) { return R"("result":")" + text + "\""; }
  std::string usual(const std::string& method, const std::string& first, const std::string& request) {
    if (method == "eth_chainId") return result(hex_quantity(chain_id));
    if (method == "eth_getBlockByNumber") {
      const std::string number = first == "latest" ? hex_quantity(block) : first;
      return R"("result":{"number":")" + number + R"(","hash":"0x)" + fork + R"(","baseFeePerGas":"0x3b9aca00"})";
    }
    if (method == "eth_maxPriorityFeePerGas") return result("0x3b9aca00");
    if (method == "eth_getTransactionCount") return result(hex_quantity(request.find("pending") != std::string::npos ? pending_count : mined_count));
    if (method == "eth_getBalance") return result("0x56bc75e2d63100000");
    if (method == "eth_estimateGas") return gas;
    if (method == "eth_call") return result("0x" + token_balance);
    if (method == "eth_getTransactionByHash") return waiting.contains(first) ? R"("result":{"hash":")" + first + R"("})" : R"("result":null)";
    if (method == "eth_getTransactionReceipt") {
      const auto found = receipts.find(first);
      return found == receipts.end() ? R"("result":null)" : R"("result":{"transactionHash":")" + first + R"(",)" + found->second + "}";
    }
    if (method == "eth_sendRawTransaction") {
      const std::string hash = hex_data(transaction_hash(*parse_hex_data(first)));
      waiting.insert(hash);
      return result(hash);
    }
    return R"("error":{"code":-32601,"message":"no such method"})";
  }
};

}  // namespace effects
