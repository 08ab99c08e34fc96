#pragma once
// What all readings of the backend have in common.

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.h"
#include "edge/backend.h"

namespace node {

/// How many transfers of one reference the core looks up in one go.
constexpr std::size_t references_at_once = 1'000;

/// The answer to a read that gives nothing.
inline edge::Reading refused(model::EventNumber position, model::Outcome outcome, std::string detail = {}) {
  return {position, edge::ReadRefused{outcome, std::move(detail)}};
}

/// What a failed read of stored data means for whoever asked.
inline edge::Reading failed(model::EventNumber position, const base::Error& error) {
  return refused(position, model::Outcome::journal_read_failed, error.code);
}

inline const model::Event& event_of(const edge::AnswerItem& item) { return item.source->entry.events[item.event_index]; }

}  // namespace node
