#pragma once
// What the replies of the rail protocol (docs/rail-protocol.md) mean. Pure: bytes in, one of five results out. Whatever is not
// understood is `unknown`; no text, however odd, becomes anything better by accident.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "effects/rails/rail.h"
#include "wire/http_message.h"
#include "wire/json_value.h"

namespace effects {

/// What was asked.
enum class RailQuestion : std::uint8_t { send, inquire, void_payment };

/// States of a payment at a rail.
enum class RailPaymentState : std::uint8_t { accepted, settled, rejected, returned, voided };
std::string_view to_text(RailPaymentState state);
std::optional<RailPaymentState> parse_rail_payment_state(std::string_view text);

/// A payment as the rail states it, read strictly: `reference`, `kind`, `state`, `amount`, `asset`; `payment` and `reason` may be
/// null or absent. Members nobody here knows are passed over.
struct RailPayment {
  std::string reference;
  std::string payment;                   ///< the rail's own reference; empty if there is none (yet)
  model::TransferKind kind = model::TransferKind::payout;
  RailPaymentState state = RailPaymentState::accepted;
  std::string reason;                    ///< of rejected and returned; empty for none
  base::U128 amount = 0;
  std::string asset;
};
/// Nothing if it is not a payment.
std::optional<RailPayment> read_rail_payment(wire::JsonValue value);
/// The inverse: appends the object.
void write_rail_payment(const RailPayment& payment, std::string& out);

std::string_view to_text(model::TransferKind kind);
std::optional<model::TransferKind> parse_transfer_kind(std::string_view text);

/// The result and reason of a state.
RailAnswer answer_of(const RailPayment& payment);

/// What a refusal with this code means for a send; nothing for a code the protocol does not have.
struct RefusalMeaning {
  std::string_view code;
  model::RailResult result;
  model::RailReason reason;
};
std::optional<RefusalMeaning> meaning_of_refusal(std::string_view code);

/// The whole judgement of a complete HTTP reply. `latency` and nothing else is left to the caller.
RailAnswer judge_reply(RailQuestion question, const std::string& reference, const Rail::Expected& expected, const wire::Response& response);

}  // namespace effects
