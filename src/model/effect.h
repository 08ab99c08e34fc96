#pragma once
// Effects: what the outside world is asked to do once the events that decided it are durable. They are derived from events
// and state (core/transfer/effects.h), never stored: after a crash the open ones are a function of the state. What comes of
// an effect re-enters as a command, ReportRail.

#include <variant>

#include "base/instant.h"
#include "base/int128.h"
#include "model/event.h"

namespace model {

/// The attempt that an effect is about. `reference` is the number of its AttemptStarted event: with partition and epoch it is
/// the reference the rail knows the attempt by, the same for ever (Epochs::reference gives its text).
struct AttemptKey {
  EventNumber transfer = 0;
  std::uint8_t attempt = 0;
  EventNumber reference = 0;
  RailNumber rail = 0;
  bool operator==(const AttemptKey&) const = default;
};

/// Send, once. Not one byte leaves after `send_not_after`, checked on the boot clock right before the first; it is also the
/// rail's `valid_until` where it has one. What the rail needs to know of the beneficiary is the private value
/// `transfer_beneficiary` of event `about`.
struct SendToRail {
  AttemptKey key;
  TransferKind kind = TransferKind::payout;
  AssetNumber asset = 0;
  base::U128 amount = 0;
  EventNumber about = 0;              ///< the transfer, or the original that it gives back
  EventNumber original_attempt = 0;   ///< reference of the attempt whose money it gives back; 0 otherwise
  base::Instant send_not_after{};
  base::Duration reply_timeout{};
  bool operator==(const SendToRail&) const = default;
};

/// Ask under our reference. The report names `inquiry`.
struct InquireAtRail {
  AttemptKey key;
  std::uint32_t inquiry = 0;
  bool operator==(const InquireAtRail&) const = default;
};

/// Leave a tombstone under our reference, so that what arrives later is refused. Confirmed: `not_sent` with `tombstoned`;
/// too late: what the rail says of the payment.
struct VoidAtRail {
  AttemptKey key;
  std::uint32_t inquiry = 0;
  bool operator==(const VoidAtRail&) const = default;
};

/// The process died while a send was open: report it unknown, source recovery, reason process_died.
struct ReportInterrupted {
  AttemptKey key;
  bool operator==(const ReportInterrupted&) const = default;
};

using Effect = std::variant<SendToRail, InquireAtRail, VoidAtRail, ReportInterrupted>;

}  // namespace model
