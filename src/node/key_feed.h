#pragma once
// Which keys of an entry go into the key index: the one place that knows, used when an entry is decided and again when it
// is replayed.

#include "model/entry.h"
#include "store/keys/key_index.h"

namespace node {

inline bool is_refused(const model::Event& event) { return std::holds_alternative<model::Refused>(event.body); }

/// Inserts the keys of event `item` of a command; its number is `number`.
void feed_keys(store::KeyIndex& keys, const model::Command& command, std::size_t item, const model::Event& event,
               model::EventNumber number);

}  // namespace node
