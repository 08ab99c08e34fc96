#pragma once
// A node of an EVM chain: questions by JSON-RPC over pooled HTTP connections, each answered once.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "effects/http/http_client.h"
#include "effects/rails/evm/json_rpc.h"

namespace effects {

struct RpcQuestion {
  std::string method;
  std::string params;                                   ///< a JSON array
  std::int64_t send_not_after_boot_ns = INT64_MAX;      ///< looked at right before the first byte
};

/// What came of a question.
struct RpcOutcome {
  std::optional<RpcReply> reply;             ///< none: no answer, or none that is understood
  HttpFailure failure = HttpFailure::none;   ///< why there is no answer
  bool sent = false;                         ///< a byte may have left
  base::Duration latency{};
  std::optional<base::Digest> body;          ///< SHA-256 of the raw answer
  /// The result; nothing if there is none, or an error instead.
  std::optional<wire::JsonValue> result() const;
  /// The result, a text.
  std::optional<std::string_view> text() const;
};

/// Belongs to one loop's thread.
class EvmNode {
 public:
  /// As HttpClient.
  EvmNode(io::Loop& loop, io::Clock& clock, io::Resolver* resolver, HttpOrigin origin, std::shared_ptr<const io::TlsOutgoingContext> tls,
          base::Duration reply_timeout, HttpClientOptions options);

  /// `done` is called on the loop, never from within ask(). A kept-alive connection may be found dead just as it is used: then
  /// the same bytes go out once more, which to a node is the same question, or the same transaction.
  void ask(RpcQuestion&& question, std::function<void(RpcOutcome&&)> done);
  /// All at once; answers in the order of the questions.
  void ask_all(std::vector<RpcQuestion>&& questions, std::function<void(std::vector<RpcOutcome>&&)> done);

 private:
  struct Asked;
  void put(std::shared_ptr<Asked> asked);

  const std::string path_;
  const base::Duration reply_timeout_;
  std::uint64_t next_id_ = 1;
  HttpClient client_;
};

}  // namespace effects
