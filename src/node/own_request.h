#pragma once
// A request of the process itself, waited for: what `--dev`, the offline commands and the watch over certificates need of the running
// pipeline.

#include <string>

#include "base/result.h"
#include "gate/gate.h"
#include "node/service.h"

namespace node {

struct OwnAnswer {
  model::EventNumber event = 0;   ///< the journaled answer
  model::Event content;
  std::string secret;             ///< of a new client or a rotation: only here, only now
};

/// Sends one body as principal 0 of a tenant, without an idempotency key, and waits until the answer is durable.
/// Any thread but those of the service. Errors: `request_refused`, with the outcome's code and advice in the message; those of
/// reading the journal.
base::Result<OwnAnswer> ask_service(Service& service, gate::Gate& gate, const gate::RequestBody& body, model::TenantNumber tenant = 1);

}  // namespace node
