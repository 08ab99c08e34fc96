#pragma once
// How the sandbox rail behaves: what it does by itself, and the faults it commits on purpose. Every decision follows from the
// profile's seed and the reference concerned, so that a drill can be repeated. docs/rail-protocol.md, "The sandbox rail".

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast {

/// What can go wrong, by name.
enum class RailFault : std::uint8_t {
  refuse,               ///< says no before it does anything: `reason`
  lost_request,         ///< ends the connection, nothing done
  lost_reply,           ///< done, then ends the connection without a word
  reset_reply,          ///< done, then resets the connection
  black_hole,           ///< nothing done, never answers
  black_hole_after,     ///< done, never answers
  delay,                ///< done, answers `delay_ms` later
  slow_drip,            ///< done, answers a byte every `delay_ms`
  error,                ///< a 5xx, nothing done
  error_committed,      ///< a 5xx, done
  ok_with_error_body,   ///< a 200 that holds a refusal, nothing done
  truncated_json,       ///< done, half of the JSON text in a complete reply
  truncated_reply,      ///< done, the connection ends in the middle of the reply
  wrong_amount,         ///< carries out one unit more, and says so everywhere
  wrong_asset,          ///< the reply names another asset
  late_success,         ///< refuses with `reason`, and settles all the same
  refuse_after,         ///< accepts, and later refuses with `reason`
  return_after,         ///< settles, and `delay_ms` later gives it back
  never_settle,         ///< accepts, and that is all
  ignore_valid_until,   ///< takes what comes too late
  not_visible,          ///< an inquiry does not find what is there
  lost_callback,
  duplicate_callback,   ///< `times` copies at once, each signed anew
  replayed_callback,    ///< the very same bytes again
  reordered_callback,   ///< the end is told before the beginning
  altered_callback,     ///< the same event again with another amount
  forged_callback,      ///< the same again, signed with a key that is not the rail's
  stale_callback,       ///< the same again, signed ten minutes ago
  statement_missing,    ///< 404
  statement_shuffled,
  statement_line_missing,   ///< these three: `per_million` of the lines
  statement_line_doubled,
  statement_line_altered,
};
std::string_view to_text(RailFault fault);

/// What a fault is looked for at.
enum class RailOperation : std::uint8_t { send, inquire, void_payment, callback, statement };

/// One fault with its probability and schedule; all conditions have to hold.
struct FaultRule {
  RailFault fault = RailFault::refuse;
  RailOperation on = RailOperation::send;
  std::uint32_t per_million = 1'000'000;
  std::uint64_t from = 0;              ///< passes over so many of these operations
  std::uint64_t count = UINT64_MAX;    ///< then looks at so many
  std::int64_t after_ms = 0;           ///< since the profile was set
  std::int64_t until_ms = INT64_MAX;
  std::int64_t period_ms = 0;          ///< with active_ms: on and off in turn; 0 always on
  std::int64_t active_ms = 0;
  std::int64_t delay_ms = 1000;
  std::uint32_t times = 2;
  std::string reason = "rail_busy";
};

struct RailProfileFile {
  std::uint64_t seed = 1;
  std::int64_t settle_after_ms = 200;
  std::int64_t settle_jitter_ms = 0;
  bool settle_at_once = false;         ///< the reply to a send says settled
  bool tell_accepted = false;          ///< a callback for `accepted` too
  std::string callback_url;            ///< empty: no callbacks
  std::vector<FaultRule> faults;
};

/// Errors: `sandbox_profile_malformed` with what and where.
base::Result<RailProfileFile> parse_rail_profile(base::ByteView json);
std::string to_json(const RailProfileFile& profile);

/// Says which faults happen.
class FaultDecider {
 public:
  explicit FaultDecider(RailProfileFile profile) : profile_(std::move(profile)) {}
  const RailProfileFile& profile() const { return profile_; }

  /// The rules that apply to one operation: the `nth` (from 0) with this reference, `elapsed_ms` after the profile was set.
  /// Counts the operation.
  std::vector<const FaultRule*> decide(RailOperation operation, std::string_view reference, std::uint64_t nth, std::int64_t elapsed_ms);
  /// A number below `bound` that belongs to the reference; 0 for bound 0.
  std::uint64_t draw(std::string_view reference, std::uint64_t bound) const;

 private:
  std::uint64_t hash(std::uint64_t salt, std::string_view reference, std::uint64_t nth) const;
  RailProfileFile profile_;
  std::map<RailOperation, std::uint64_t> counts_;
};

}  // namespace holdfast
