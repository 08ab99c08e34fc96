#pragma once
// What rails say, on its way to the core: reports of our own runner of effects, and callbacks that rails send by themselves.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/int128.h"
#include "model/account.h"
#include "model/ids.h"
#include "model/outcome.h"
#include "model/rail.h"
#include "wire/http_message.h"

namespace gate {

constexpr std::size_t rail_report_bytes_max = std::size_t{64} << 10;

/// What somebody heard a rail say of one attempt. Nothing of it is believed yet: the core decides.
struct RailReport {
  model::TenantNumber tenant = 1;
  /// The AttemptStarted event that our reference names; 0 for a reference that is none of ours, which is recorded all the same.
  model::EventNumber reference = 0;
  std::string rail;                        ///< who is heard, where a rail speaks for itself: it is believed of its own attempts only
  std::string rail_name;                   ///< whose reference `rail_reference` is; that of `rail` unless given
  model::ReportSource source = model::ReportSource::reply;
  model::RailResult result = model::RailResult::unknown;
  model::RailReason reason = model::RailReason::none;
  std::uint32_t inquiry = 0;               ///< the question this answers; 0 with other sources
  base::Duration latency{};                ///< 0 not measured
  std::optional<base::U128> amount;        ///< as the rail states it
  std::optional<model::Asset> asset;
  std::string rail_reference;              ///< what the rail calls the payment; empty if it did not say
  std::optional<base::Digest> body;        ///< SHA-256 of the raw bytes; taken from `raw` if not given
  /// The bytes as they came in, to be kept beside the journal. Of more than rail_report_bytes_max only the digest is kept.
  base::Bytes raw;
  base::Tag128 trace{};
};

/// A callback that is not taken: callback_signature_invalid, callback_too_old, callback_replayed, rail_not_found,
/// request_malformed...
struct VoiceRefused {
  model::Outcome outcome = model::Outcome::callback_signature_invalid;
  std::string detail;   ///< one sentence; nothing secret
};

/// Knows the rails' keys and ways of speaking. Asked on the gate's thread; must not wait.
class RailVoices {
 public:
  virtual ~RailVoices() = default;
  /// Verifies who sent a callback, then reads it. `now` is wall time.
  virtual std::variant<RailReport, VoiceRefused> hear(std::string_view rail, const wire::Request& request,
                                                      base::Instant now) = 0;
};

}  // namespace gate
