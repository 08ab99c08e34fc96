#pragma once
// What the operator address serves: GET /healthz and /readyz for everybody, GET /metrics with the scope metrics:read
// (unless opened), POST /clock/confirm with the scope operate. Pausing, resuming and maintenance windows of rails go to the API as they
// are: the same requests with the same credentials and keys as there.

#include "edge/backend.h"
#include "edge/server.h"
#include "gate/gate.h"
#include "io/clock.h"

namespace edge {

struct OperatorOptions {
  bool metrics_open = false;  ///< /metrics without credentials; for a loopback address only
};

/// For one loop; its thread. All references outlive it, and it outlives the servers that use it.
class OperatorApi final : public Handler {
 public:
  OperatorApi(io::Clock& clock, OperatorBackend& backend, gate::Gate& gate, Handler& api, OperatorOptions options = {});

  void handle(Server& server, Exchange exchange, wire::Request&& request) override;

 private:
  wire::Response answer(const wire::Request& request);
  /// The refusal of a caller without this scope; nothing if the caller has it.
  std::optional<wire::Response> refuse_caller(const wire::Request& request, model::Scope scope,
                                              const base::Tag128& trace);

  io::Clock& clock_;
  OperatorBackend& backend_;
  gate::Gate& gate_;
  Handler& api_;
  const OperatorOptions options_;
};

}  // namespace edge
