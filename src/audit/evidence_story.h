#pragma once
// What the events of a bundle say of its item, once each of them is known to be in the log's tree; and whether each has a part
// in it. Indices are places in the list of events.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "audit/evidence.h"
#include "base/result.h"
#include "model/event.h"

namespace audit {

/// An account, named if the bundle tells.
struct NamedAccount {
  std::uint32_t number = 0;
  std::string name;                      ///< empty if not disclosed
};

/// A transfer between accounts: posted at once, or a hold and what became of it.
struct MovementStory {
  std::size_t created = 0;               ///< TransferPosted or HoldPlaced
  std::optional<std::size_t> resolved;   ///< HoldResolved
  std::optional<model::Asset> asset;
  NamedAccount debit, credit;
  std::string reference;                 ///< empty if not disclosed
};

/// One rail's part in a transfer over rails.
struct AttemptStory {
  std::size_t started = 0;               ///< AttemptStarted
  std::optional<std::size_t> reported;   ///< the newest AttemptReported of it
  std::string rail_reference;            ///< what the rail calls it; empty if it never said, or if not disclosed
};

/// A transfer over rails.
struct RailStory {
  std::size_t requested = 0;             ///< TransferRequested
  std::vector<std::size_t> moves;        ///< TransferMoved, all of them
  std::vector<AttemptStory> attempts;
  std::optional<model::Asset> asset;
  NamedAccount account;
  std::string beneficiary, reference;    ///< empty if not disclosed
};

/// An import of a key.
struct ImportStory {
  std::size_t received = 0;                     ///< ImportReceived
  std::optional<std::size_t> moved;             ///< the newest ImportMoved
  std::optional<std::size_t> added;             ///< KeyVersionAdded: the version that came of it
  std::vector<std::size_t> version_moves;       ///< KeyVersionMoved, all of them
  std::string findings, responsible;            ///< empty if not disclosed
};

using Story = std::variant<MovementStory, RailStory, ImportStory>;

/// `events` are those of the bundle, decoded, in its order. Error: event_not_of_this_item, with the event's number.
base::Result<Story> read_story(const Evidence& evidence, std::span<const model::Event> events);

}  // namespace audit
