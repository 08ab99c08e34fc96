#pragma once
// The API: a request goes through the gate to the service behind, and its answer becomes a reply. Besides that the
// documents that need no credentials: GET /openapi.json and GET /problems/CODE.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/backend.h"
#include "edge/render.h"
#include "edge/server.h"
#include "gate/gate.h"
#include "io/clock.h"
#include "io/loop.h"
#include "model/outcome.h"

namespace edge {

struct ApiOptions {
  /// How long the service behind may take; then 504 request_timed_out, and the client asks again under the same key.
  base::Duration answer_timeout = base::seconds(30);
  std::uint32_t outstanding_max = 20'000;  ///< requests waiting for an answer; beyond it 503 overloaded
  gate::RateLimits rate = {};              ///< what the gate enforces, for the RateLimit-Policy header
};

/// One reply, for metrics and logs.
struct ReplyRecord {
  /// What was asked: the name of the operation (`create_transfer`), of the read (`get_account`), `get_access_token`,
  /// `document`, or `refused_at_gate` where it did not get that far. Static storage.
  std::string_view action;
  std::uint16_t status = 0;
  model::Outcome outcome = model::Outcome::done;
  std::int64_t duration_ns = 0;  ///< from the complete request to the reply
  std::size_t items = 1;         ///< of a batch
  bool replayed = false;
};

/// Is told of every reply, on the loop's thread.
class ReplyObserver {
 public:
  virtual ~ReplyObserver() = default;
  virtual void replied(const ReplyRecord& record) = 0;
};

/// Handles the requests of one or more servers on one loop. One thread: the loop's.
class Api final : public Handler, public Receiver {
 public:
  /// All references outlive it, and it outlives the servers that use it. The backend must have answered or dropped
  /// everything before it is destroyed.
  Api(io::Loop& loop, io::Clock& clock, gate::Gate& gate, Backend& backend, ApiOptions options = {},
      ReplyObserver* observer = nullptr);

  void handle(Server& server, Exchange exchange, wire::Request&& request) override;
  void answered(std::uint64_t token, Answer&& answer) override;
  void read(std::uint64_t token, Reading&& reading) override;

  std::size_t outstanding() const { return outstanding_; }

 private:
  /// A request on its way.
  struct Pending {
    Server* server = nullptr;  ///< null: the place is free
    Exchange exchange;
    std::uint32_t generation = 0;
    model::Operation operation = model::Operation::none;
    model::PrincipalNumber principal = 0;
    std::string_view action;
    base::Tag128 trace{};
    std::int64_t began_ns = 0;
    std::string secret;  ///< of a new client; forgotten with the reply
  };
  struct Deadline {
    std::int64_t at_ns = 0;
    std::uint64_t token = 0;
  };

  /// Documents for everybody. False if the path is not one of theirs.
  bool handle_document(const Pending& call, const wire::Request& request);
  std::uint64_t keep(Pending&& call);
  /// Ends the wait for an answer; nothing if it is over already.
  std::optional<Pending> take(std::uint64_t token);
  void refuse(const Pending& call, const gate::Refusal& refusal);
  void refuse(const Pending& call, model::Outcome outcome, std::string_view detail = {});
  void grant(const Pending& call, const gate::AccessTokenGrant& grant);
  /// Adds what every reply carries and sends it.
  void send(const Pending& call, wire::Response& response, const Rendered& rendered, bool replayed = false,
            std::size_t items = 1);
  void add_rate(const Pending& call, wire::Response& response);
  void on_time();

  io::Loop& loop_;
  io::Clock& clock_;
  gate::Gate& gate_;
  Backend& backend_;
  const ApiOptions options_;
  ReplyObserver* const observer_;
  std::string rate_policy_;
  std::vector<Pending> pending_;
  std::vector<std::uint32_t> free_;
  std::deque<Deadline> deadlines_;  ///< ascending: all requests wait equally long
  io::Timer timer_;
  std::size_t outstanding_ = 0;
  std::uint64_t spans_ = 0;  ///< makes the span ids of replies differ
};

}  // namespace edge
