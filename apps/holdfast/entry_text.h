#pragma once
// Journaled events as lines, for `journal dump`.

#include <string>

#include "model/entry.h"

namespace holdfast {

/// One line for a person: number, instant, what happened, with account and asset numbers as the journal knows them.
std::string event_text(const model::Entry& entry, std::size_t index);
/// The same as one JSON object.
std::string event_json(const model::Entry& entry, std::size_t index);

}  // namespace holdfast
