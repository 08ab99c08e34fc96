#include "apps/holdfast/evm_node.h"

#include <optional>
#include <utility>

#include "io/process.h"

namespace holdfast {

namespace {

constexpr base::Duration patience = base::seconds(30);

}  // namespace

base::Result<std::unique_ptr<EvmNodeClient>> EvmNodeClient::open(io::FileSystem& files, const std::string& url, const std::string& ca_file) {
  io::ignore_broken_pipes();
  std::unique_ptr<EvmNodeClient> client(new EvmNodeClient());
  TRY_ASSIGN(effects::HttpOrigin origin, effects::parse_origin(url));
  TRY_ASSIGN(client->clock_, io::RealClock::open());
  TRY_ASSIGN(client->loop_, io::Loop::open());
  TRY_ASSIGN(auto tls, io::TlsOutgoingContext::open(files, {.ca_file = ca_file}));
  effects::HttpClientOptions options;
  options.body_bytes_max = effects::rpc_reply_bytes_max;
  client->resolver_ = std::make_unique<io::Resolver>();
  client->node_ = std::make_unique<effects::EvmNode>(*client->loop_, *client->clock_, client->resolver_.get(), std::move(origin), std::move(tls), patience,
                                                     options);
  return client;
}

effects::RpcOutcome EvmNodeClient::ask(effects::RpcQuestion&& question) {
  std::optional<effects::RpcOutcome> answer;
  node_->ask(std::move(question), [&answer](effects::RpcOutcome&& outcome) { answer = std::move(outcome); });
  while (!answer) loop_->run_once(base::milliseconds(100));
  return *std::move(answer);
}

}  // namespace holdfast
