#pragma once
// A rail as the service sees it: four questions, asked without waiting, each answered once. Drivers differ in how they ask;
// none of them decides anything. What an answer means for a transfer is the core's business.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "base/result.h"
#include "intake/wiped.h"
#include "model/rail.h"
#include "model/transfer.h"

namespace effects {

/// One attempt. The intention is durable before this is handed over.
struct SendOrder {
  std::string reference;       ///< ours; the same for the same attempt for ever
  model::TransferKind kind = model::TransferKind::payout;
  base::U128 amount = 0;       ///< in the asset's smallest unit
  std::string asset;           ///< `USD/2`
  bool may_repeat = false;     ///< the rail takes a reference once only: what may have got lost can go out again
  std::string original;        ///< our reference of the payment that this gives back or recalls; empty for none
  /// A JSON object: what the rail needs to know of beneficiary or payer; empty where the original has it. Personal:
  /// overwritten after use, never in a log or an error.
  intake::Text beneficiary;
  base::Instant valid_until;   ///< told to the rail: it refuses what arrives later
  /// On the boot clock, looked at right before the first byte is written.
  std::int64_t send_not_after_boot_ns = 0;
};

/// What a rail said of one payment, or what its silence means.
///
/// To a send: `not_sent` if no byte left this machine or the rail says that it never will act; `rejected` only with a reason
/// the protocol documents; `unknown` for everything that is not understood. To an inquiry or a void the result speaks about
/// the payment, not about the question: a question that could not be asked is `unknown` with the reason why, a payment the
/// rail does not know is `unknown` with `not_found_at_rail`, one it will never carry out is `not_sent` with `tombstoned`. A
/// payment that came back is `rejected` with `returned_by_beneficiary_bank`.
struct RailAnswer {
  model::RailResult result = model::RailResult::unknown;
  model::RailReason reason = model::RailReason::none;
  std::string rail_reference;                ///< the rail's own; empty if it gave none
  std::optional<base::U128> amount;          ///< as the rail states it
  std::string asset;                         ///< as the rail states it; empty if it did not
  std::optional<base::Digest> body;          ///< SHA-256 of the raw reply, if there was one
  base::Duration latency{};                  ///< from the first byte to the answer; 0 not measured
  std::string detail;                        ///< one sentence for people; nothing personal
};

/// Called once, on the loop of the driver, never from within the question.
using RailAnswered = std::function<void(RailAnswer&&)>;
/// A statement as the rail gave it out.
using StatementFetched = std::function<void(base::Result<base::Bytes>)>;

/// One rail. Everything belongs to one loop's thread; whoever lives on another posts to that loop.
class Rail {
 public:
  virtual ~Rail() = default;

  /// What the driver can make good of what a rail is registered with.
  virtual model::RailCapabilities capabilities() const = 0;
  /// Sends once. The caller has made sure that nothing else was or will be sent for the transfer meanwhile.
  virtual void send(SendOrder&& order, RailAnswered done) = 0;
  /// What was sent under a reference: an answer that contradicts it says so.
  struct Expected {
    model::TransferKind kind = model::TransferKind::payout;
    base::U128 amount = 0;
    std::string asset;
  };
  /// Asks under our reference.
  virtual void inquire(const std::string& reference, const Expected& expected, RailAnswered done) = 0;
  /// Asks that the payment never be carried out, known to the rail or not: what arrives later under the reference is refused.
  virtual void void_payment(const std::string& reference, const Expected& expected, RailAnswered done) = 0;
  /// What was booked from `from` (included) to `until` (excluded). Errors: `statement_not_available` and the reason.
  virtual void statement(base::Instant from, base::Instant until, StatementFetched done) = 0;
};

}  // namespace effects
