#include "effects/rails/evm/node.h"

#include <utility>

#include "base/check.h"
#include "crypto/hash.h"

namespace effects {

std::optional<wire::JsonValue> RpcOutcome::result() const {
  if (!reply || reply->is_error) return std::nullopt;
  return reply->result();
}

std::optional<std::string_view> RpcOutcome::text() const {
  const auto value = result();
  return value ? value->string() : std::nullopt;
}

EvmNode::EvmNode(io::Loop& loop, io::Clock& clock, io::Resolver* resolver, HttpOrigin origin,
                 std::shared_ptr<const io::TlsOutgoingContext> tls, base::Duration reply_timeout, HttpClientOptions options)
    : path_(origin.path.empty() ? "/" : origin.path),
      reply_timeout_(reply_timeout),
      client_(loop, clock, resolver, std::move(origin), std::move(tls), options) {}

struct EvmNode::Asked {
  RpcQuestion question;
  std::uint64_t id;
  std::function<void(RpcOutcome&&)> done;
  bool repeated = false;
};

void EvmNode::ask(RpcQuestion&& question, std::function<void(RpcOutcome&&)> done) {
  put(std::make_shared<Asked>(Asked{std::move(question), next_id_++, std::move(done)}));
}

void EvmNode::put(std::shared_ptr<Asked> asked) {
  HttpCall call;
  call.request.method = "POST";
  call.request.path = path_;
  call.request.headers.add("content-type", "application/json");
  call.request.body = rpc_request(asked->id, asked->question.method, asked->question.params);
  call.wiped = true;   // it may say who is paid
  call.reply_timeout = reply_timeout_;
  call.send_not_after_boot_ns = asked->question.send_not_after_boot_ns;
  call.done = [this, asked = std::move(asked)](HttpReply&& reply) {
    if (reply.failure == HttpFailure::connection_lost && !reply.fresh && !reply.reply_begun && !asked->repeated) {
      asked->repeated = true;
      return put(asked);
    }
    RpcOutcome outcome;
    outcome.failure = reply.failure;
    outcome.sent = reply.sent || asked->repeated;
    outcome.latency = reply.latency;
    if (reply.failure == HttpFailure::none) {
      outcome.reply = read_rpc_reply(reply.response, asked->id);
      outcome.body = crypto::sha256(base::as_bytes(reply.response.body));
    }
    asked->done(std::move(outcome));
  };
  client_.call(std::move(call));
}

void EvmNode::ask_all(std::vector<RpcQuestion>&& questions, std::function<void(std::vector<RpcOutcome>&&)> done) {
  CHECK(!questions.empty());
  struct Gathered {
    std::vector<RpcOutcome> outcomes;
    std::size_t open;
    std::function<void(std::vector<RpcOutcome>&&)> done;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{std::vector<RpcOutcome>(questions.size()), questions.size(), std::move(done)});
  for (std::size_t i = 0; i < questions.size(); ++i) {
    ask(std::move(questions[i]), [gathered, i](RpcOutcome&& outcome) {
      gathered->outcomes[i] = std::move(outcome);
      if (--gathered->open == 0) gathered->done(std::move(gathered->outcomes));
    });
  }
}

}  // namespace effects
