#include "apps/holdfast/audit_anchor.h"

#include <string_view>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/evm_node.h"
#include "apps/holdfast/offline.h"
#include "audit/policy.h"
#include "base/instant.h"
#include "effects/rails/evm/inclusion_fetch.h"
#include "io/posix_file.h"
#include "io/random.h"
#include "node/anchors.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

constexpr const char* ways[] = {"--tsa-request", "--tsa-response", "--evm-ask", "--evm-transaction"};

// Blocks say what they like.
std::string instant_text(std::uint64_t seconds) {
  constexpr std::uint64_t seconds_max = 9'000'000'000;
  if (seconds > seconds_max) return std::to_string(seconds);
  return base::to_rfc3339({static_cast<std::int64_t>(seconds) * 1'000'000'000});
}

int run_tsa_request(const Arguments& arguments, io::FileSystem& files, const node::DataPlace& place) {
  io::RealRandom random;
  const auto made = node::request_anchor(files, random, place.directory, arguments.value_or("--tsa-policy", ""));
  if (!made.ok()) return fail(made.error());
  const base::Status written = io::replace_file(files, absolute_path(*arguments.value("--tsa-request")), made->request, 0644);
  if (!written.ok()) return fail(written.error());
  print(arguments.json() ? "{\"size\":" + std::to_string(made->size) + "}"
                         : "a request for the checkpoint of " + std::to_string(made->size) +
                               " leaves. Post it to the authority as application/timestamp-query; its answer goes to --tsa-response");
  return exit_done;
}

int run_tsa_response(const Arguments& arguments, io::FileSystem& files, const node::DataPlace& place) {
  constexpr std::uint64_t response_bytes_max = 256u << 10, policy_bytes_max = 1u << 20;
  const auto policy_file = arguments.value("--policy");
  if (!policy_file) return fail({"options_contradict", "this needs --policy FILE with a line #holdfast-tsa NAME SHA256: which authority is believed"});
  const auto policy_text = read_input(std::string(*policy_file), policy_bytes_max);
  if (!policy_text.ok()) return fail(policy_text.error());
  const auto policy = audit::parse_policy(base::as_text(*policy_text));
  if (!policy.ok()) return fail(policy.error());
  const auto response = read_input(std::string(*arguments.value("--tsa-response")), response_bytes_max);
  if (!response.ok()) return fail(response.error());
  const auto stored = node::store_anchor(files, place.directory, *response, *policy);
  if (!stored.ok()) return fail(stored.error());
  const std::string at = instant_text(stored->seconds);
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("size", stored->size);
    json.member("authority", std::string_view(stored->authority));
    json.member("at", std::string_view(at));
    json.end_object();
    print(text);
  } else {
    print("stored: " + stored->authority + " stamped the tree of " + std::to_string(stored->size) + " leaves at " + at +
          ". Evidence made from now on for events in it carries this");
  }
  return exit_done;
}

int run_evm_ask(const Arguments& arguments, io::FileSystem& files, const node::DataPlace& place) {
  const auto made = node::request_evm_anchor(files, place.directory);
  if (!made.ok()) return fail(made.error());
  const std::string calldata = effects::hex_data(made->calldata);
  print(arguments.json() ? "{\"size\":" + std::to_string(made->size) + ",\"calldata\":\"" + calldata + "\"}" : calldata);
  if (!arguments.json()) {
    say("for the checkpoint of " + std::to_string(made->size) +
        " leaves. Send it as the data of a transaction to any account; the transaction's hash goes to --evm-transaction once its block is final");
  }
  return exit_done;
}

int run_evm_transaction(const Arguments& arguments, io::FileSystem& files, const node::DataPlace& place) {
  const auto url = arguments.value("--evm-node");
  if (!url) return fail({"options_contradict", "this needs --evm-node URL: the node that is asked for the transaction's block"});
  const auto hash = effects::parse_hex_word(*arguments.value("--evm-transaction"));
  if (!hash) return fail({"option_value_malformed", "--evm-transaction takes 0x and the 64 hex digits of a transaction's hash"});
  const auto node = EvmNodeClient::open(files, std::string(*url), std::string(arguments.value_or("--ca", "")));
  if (!node.ok()) return fail(node.error());
  const auto token = effects::fetch_evm_inclusion([&](effects::RpcQuestion&& question) { return (*node)->ask(std::move(question)); }, *hash);
  if (!token.ok()) return fail(token.error());
  auto stored = node::store_evm_anchor(files, place.directory, *token);
  if (!stored.ok()) return fail(stored.error());
  stored->block.name = "chain-" + std::to_string(stored->block.chain_id);
  const std::string line = audit::policy_line(stored->block);
  if (arguments.json()) {
    std::string text;
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("size", stored->size);
    json.member("chain_id", std::string_view(std::to_string(stored->block.chain_id)));
    json.member("block", std::string_view(std::to_string(stored->block.number)));
    json.member("block_hash", std::string_view(effects::hex_data(stored->block.hash)));
    json.member("at", std::string_view(instant_text(stored->seconds)));
    json.member("policy_line", std::string_view(line).substr(0, line.size() - 1));
    json.end_object();
    print(text);
    return exit_done;
  }
  print(line);
  say("stored: the tree of " + std::to_string(stored->size) + " leaves is in that block, made at " + instant_text(stored->seconds) +
      ". Evidence made from now on for events in it carries this. The line is for policies of those who find the block in the chain themselves");
  return exit_done;
}

}  // namespace

std::vector<Option> anchor_options() {
  return offline_options({{"--tsa-request", "OUT", "writes the request for a time-stamping authority"},
                          {"--tsa-policy", "OID", "with it: the authority's policy that is wanted"},
                          {"--tsa-response", "IN", "checks the authority's answer and stores it"},
                          {"--policy", "FILE", "with it: which authorities are believed (#holdfast-tsa NAME SHA256)"},
                          {"--evm-ask", "", "prints what has to be the data of a transaction on an EVM chain"},
                          {"--evm-transaction", "HASH", "proves that this transaction is in its block, and stores that"},
                          {"--evm-node", "URL", "with it: a node of the chain (JSON-RPC; http for loopback only)"},
                          {"--ca", "FILE", "with it: PEM of who vouches for the node; default: the system's"}});
}

int run_anchor(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto place = data_place(files, arguments);
  if (!place.ok()) return fail(place.error());
  std::size_t given = 0;
  for (const char* way : ways) given += arguments.has(way) ? 1 : 0;
  if (given != 1) return fail({"options_contradict", "one of --tsa-request OUT, --tsa-response IN, --evm-ask and --evm-transaction HASH"});
  if (arguments.has("--tsa-request")) return run_tsa_request(arguments, files, *place);
  if (arguments.has("--tsa-response")) return run_tsa_response(arguments, files, *place);
  return arguments.has("--evm-ask") ? run_evm_ask(arguments, files, *place) : run_evm_transaction(arguments, files, *place);
}

}  // namespace holdfast
