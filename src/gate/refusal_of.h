#pragma once
// Making refusals. Private to this room.

#include <string>

#include "gate/refusal.h"
#include "gate/schema.h"

namespace gate {

inline Refusal refusal(model::Outcome outcome, std::string detail, const base::Tag128& trace) {
  return {
      .outcome = outcome, .detail = std::move(detail), .fields = {}, .allow = {}, .retry_after = {}, .trace = trace};
}

/// From what is wrong with fields: the outcome of the gravest (unknown, then missing, then invalid), all of them named.
Refusal refusal(Problems problems, const base::Tag128& trace);

}  // namespace gate
