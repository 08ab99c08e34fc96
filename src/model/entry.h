#pragma once
// Entries: a command with the events it led to, and their canonical bytes (docs/format/entry.md). An entry is what the
// journal keeps, what a replay reads and what a stored reply is rendered from.

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/command.h"
#include "model/event.h"

namespace model {

constexpr std::uint8_t entry_version = 1;

struct Entry {
  EventNumber first_event = 0;   ///< number of events[0]; known from the place in the journal, not in the bytes
  base::Instant at{};
  Command command;
  std::vector<Event> events;     ///< never empty
  bool operator==(const Entry&) const = default;
};

/// Where the canonical bytes of one event lie, relative to the start of the buffer they were appended to.
struct ByteRange {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// Appends the canonical bytes of an entry to `out` and the range of each event (its leaf content) to `ranges`.
void encode_entry(base::Bytes& out, std::vector<ByteRange>& ranges, base::Instant at, const Command& command,
                  std::span<const Event> events);

/// Reads exactly one entry. `ranges`, if given, receives the place of each event within `bytes`.
/// Errors: `entry_malformed` (not the canonical bytes of an entry), `entry_version_unknown`.
base::Result<Entry> decode_entry(base::ByteView bytes, EventNumber first_event,
                                 std::vector<ByteRange>* ranges = nullptr);

/// The canonical bytes of one event, and back. Errors: `event_malformed`.
void encode_event(base::Bytes& out, const Event& event);
base::Result<Event> decode_event(base::ByteView bytes);

/// What a value in the private section belongs to. Numbers are part of the format.
enum class PrivateField : std::uint8_t {
  tenant_name = 1,
  account_name = 2,
  account_metadata = 3,
  transfer_reference = 4,
  transfer_metadata = 5,
  client_name = 6,
  world_account_name = 7,
  transfer_beneficiary = 8,   ///< or payer: what the rail is told of them
  vote_reason = 9,            ///< of a review or a resolution
  rail_reference = 10,        ///< what a rail calls a payment
  rail_report = 11,           ///< the bytes of a report as they came in; their digest is in the event
  statement_name = 12,        ///< what a rail calls a statement
  webhook_url = 20,
  import_findings = 21,       ///< of the doctor, as JSON
  key_responsible = 22,       ///< who answers for a key
  key_certificate = 23,       ///< that a key came in, and those that came with it, as PEM
};

/// A personal value on its way to the private section: bound to the event whose commitment covers it.
struct PrivateValue {
  EventNumber event = 0;
  PrivateField field = PrivateField::account_name;
  base::Tag128 salt{};
  base::Bytes value;
};

}  // namespace model
