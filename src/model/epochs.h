#pragma once
// The epochs of a log, and the names by which the world outside knows its events. A restore may go back to an earlier
// time: then numbers of events are given out a second time, and a bank that was paid under the first one would take the second
// for a repetition. So what leaves for rails and webhooks names the epoch too, once there was a restore.

#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"

namespace model {

/// The first event of an epoch after the first.
struct EpochStart {
  Epoch epoch = 0;
  EventNumber first = 0;
  bool operator==(const EpochStart&) const = default;
};

/// A value; what it says of an event never changes.
class Epochs {
 public:
  /// `epoch` and `first` are greater than all before (CHECK).
  void begin(Epoch epoch, EventNumber first);
  /// The epoch that an event is of: 1 before any restore.
  Epoch of(EventNumber event) const;
  const std::vector<EpochStart>& later() const { return later_; }

  /// Our reference of an attempt at a rail: its transfer_id(), and from the second epoch on a hyphen and the epoch in decimal:
  /// `tr_0000000000041`, `tr_0000000000041-2`. `event` is that of its AttemptStarted.
  std::string reference(PartitionNumber partition, EventNumber event) const;
  /// The event of a reference; 0 for what is none, or of another partition, or names an event of a history that a restore undid.
  EventNumber event_of_reference(PartitionNumber partition, std::string_view reference) const;

  /// The same for messages of webhooks: webhook_message_id(), and the epoch.
  std::string message_id(PartitionNumber partition, EventNumber event) const;
  EventNumber event_of_message(PartitionNumber partition, std::string_view id) const;

  bool operator==(const Epochs&) const = default;

 private:
  std::vector<EpochStart> later_;   // ascending; restores are few
};

}  // namespace model
