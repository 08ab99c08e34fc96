#pragma once
// What an event is about: which transfer over a rail, which import, which version of a key. One place, so that whoever lists
// the events of an item and whoever checks such a list agree.

#include <optional>

#include "model/event.h"

namespace model {

/// A version of a key, wherever it came from.
struct KeyVersionName {
  KeyNumber key = 0;
  KeyVersion version = 0;
  bool operator==(const KeyVersionName&) const = default;
};

/// The transfer over a rail that an event is a step of; 0 if it is none. `number` is the event's own.
EventNumber transfer_of(const EventBody& body, EventNumber number);
/// The import that an event names; 0 if it names none, as what happens to a version of a key later does.
EventNumber import_of(const EventBody& body, EventNumber number);
/// The version of a key that an event names, if any.
std::optional<KeyVersionName> version_of(const EventBody& body);

}  // namespace model
