#pragma once
// A node of an EVM chain, asked by somebody who waits.

#include <memory>
#include <string>

#include "base/result.h"
#include "effects/rails/evm/node.h"
#include "io/clock.h"
#include "io/file.h"

namespace holdfast {

/// One thread.
class EvmNodeClient {
 public:
  /// `https://HOST[:PORT][/PATH]`, or `http` to a loopback address. `ca_file`: PEM, the only anchors then; empty: the system's.
  /// Connects with the first question. Errors: `outgoing_url_malformed`, those of TLS set-up and of the loop.
  static base::Result<std::unique_ptr<EvmNodeClient>> open(io::FileSystem& files, const std::string& url, const std::string& ca_file);

  /// Waits for the answer, half a minute at most.
  effects::RpcOutcome ask(effects::RpcQuestion&& question);

 private:
  EvmNodeClient() = default;

  std::unique_ptr<io::RealClock> clock_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<io::Resolver> resolver_;
  std::unique_ptr<effects::EvmNode> node_;
};

}  // namespace holdfast
