#pragma once
// What it means for a question to a rail that no reply came.

#include "effects/http/http_client.h"
#include "model/rail.h"

namespace effects {

/// Before the first byte: not sent, with this reason. After it: unknown, with this reason.
constexpr model::RailReason reason_of(HttpFailure failure) {
  using model::RailReason;
  switch (failure) {
    case HttpFailure::too_many_calls:
    case HttpFailure::none:
      return RailReason::rail_busy;
    case HttpFailure::name_not_resolved:
    case HttpFailure::address_not_allowed:
      return RailReason::name_not_resolved;
    case HttpFailure::connect_failed:
    case HttpFailure::connect_timed_out:
      return RailReason::connection_refused;
    case HttpFailure::tls_failed:
      return RailReason::tls_failed;
    case HttpFailure::send_deadline_passed:
      return RailReason::send_deadline_passed;
    case HttpFailure::connection_lost:
      return RailReason::reply_lost;
    case HttpFailure::reply_timed_out:
      return RailReason::reply_timed_out;
    case HttpFailure::reply_malformed:
    case HttpFailure::reply_too_large:
      return RailReason::reply_malformed;
  }
  return RailReason::other;
}

}  // namespace effects
