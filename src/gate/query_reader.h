#pragma once
// Parameters of reads. Private to this room.

#include <string>
#include <variant>
#include <vector>

#include "gate/keys.h"
#include "gate/query.h"
#include "gate/refusal.h"
#include "gate/routes.h"
#include "wire/http_message.h"

namespace gate {

/// `query` has tenant, principal and trace; its body and position are filled in from the request. `scopes` are the
/// caller's.
std::variant<Query, Refusal> read_query(Query query, const RouteMatch& match, const wire::Request& request,
                                        const GateKeys& keys, model::Scopes scopes);

}  // namespace gate
