#pragma once
// The records of rails and of transfers over them: fixed size, no pointers, no padding left to chance, because their bytes
// are the snapshot (docs/format/snapshot.md). Memory only: nothing here decides.

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "model/rail.h"
#include "model/transfer.h"

namespace core {

/// A rail by its number: profile, what people set, what routing knows, what is out.
struct RailRecord {
  base::U128 amount_min = 0;
  base::U128 amount_max = 0;
  base::U128 cost_fixed = 0;
  std::int64_t send_window_ns = 0;
  std::int64_t reply_timeout_ns = 0;
  std::int64_t visibility_horizon_ns = 0;
  std::int64_t settle_within_ns = 0;
  std::int64_t inquiry_first_ns = 0;
  std::int64_t inquiry_max_ns = 0;
  std::int64_t maintenance_from_ns = 0;
  std::int64_t maintenance_until_ns = 0;
  std::uint64_t successes = 0;             ///< this and the following ones: model::RailHealth
  std::uint64_t attempts = 0;
  std::uint64_t recent_faults = 0;
  std::uint64_t recent_attempts = 0;
  std::int64_t observed_at_ns = 0;
  std::int64_t latency_ns = 0;
  std::int64_t open_until_ns = 0;
  std::int64_t quiet_since_ns = 0;         ///< attempts are out and nothing was heard since
  std::int64_t last_probe_ns = 0;
  model::EventNumber configured = 0;       ///< by the first event with its number
  char name[32] = {};
  std::uint16_t countries[model::rail_countries_max] = {};
  std::uint32_t cost_basis_points = 0;
  std::uint32_t inquiries_max = 0;
  std::uint32_t in_flight_max = 0;
  std::uint32_t rate_per_second = 0;
  std::uint32_t in_flight = 0;             ///< attempts in `sending`
  std::uint32_t probes = 0;                ///< of them, probes of a half-open breaker
  std::uint32_t rate_second = 0;           ///< second since 1970 in which `rate_count` attempts started
  std::uint32_t rate_count = 0;
  model::TenantNumber tenant = 0;
  model::AssetNumber asset = 0;
  model::AccountNumber clearing = 0;
  model::AccountNumber suspense = 0;
  std::uint16_t faults_in_a_row = 0;
  std::uint16_t openings_in_a_row = 0;
  std::uint16_t capabilities = 0;
  std::uint8_t directions = 0;
  std::uint8_t paused = 0;
  std::uint8_t breaker = 0;                ///< model::Breaker
  std::uint8_t pad8[7] = {};
  std::uint64_t pad64[24] = {};

  bool can(model::RailCapability capability) const { return (capabilities & capability) != 0; }
};
static_assert(sizeof(RailRecord) == 512);
static_assert(std::has_unique_object_representations_v<RailRecord>);

/// A transfer over a rail: its saga while it is open, and what reports that come late are judged by afterwards.
struct TransferRecord {
  base::U128 amount = 0;
  model::EventNumber requested = 0;        ///< its identity; 0 marks a free slot
  model::EventNumber hold = 0;             ///< open hold of a payout
  model::EventNumber original = 0;         ///< what it gives back
  model::EventNumber original_attempt = 0;
  model::EventNumber attempt_event = 0;    ///< AttemptStarted of the newest attempt: its reference for ever
  std::int64_t send_by_ns = 0;
  std::int64_t send_not_after_ns = 0;      ///< of the newest attempt
  std::int64_t since_ns = 0;               ///< in this state
  std::int64_t due_ns = 0;                 ///< next step by itself; 0 none
  std::int64_t alarm_ns = 0;               ///< age alarm; 0 none, or raised
  std::int64_t inquired_at_ns = 0;         ///< newest inquiry or void of this attempt
  std::uint64_t cases[8] = {};             ///< by model::CaseKind: bit n - 1 set, a case is open for attempt n
  model::AccountNumber account = 0;
  model::AssetNumber asset = 0;
  model::PrincipalNumber requester = 0;
  model::PrincipalNumber voters[model::approvals_max] = {};
  std::uint32_t inquiries = 0;             ///< asked within this attempt
  std::uint32_t inquiries_before = 0;      ///< of them, before the present stay in this state
  std::uint32_t next_free = 0;             ///< in a free slot: the next free slot plus one
  model::RailNumber rail = 0;              ///< of the newest attempt, or the one the hold is for
  model::RailNumber wanted = 0;
  model::Country country = 0;
  model::Instrument instrument = 0;
  model::RailNumber refused_by[model::refusals_max] = {};   ///< rails that rejected it and are not asked again
  std::uint8_t kind = 0;                   ///< model::TransferKind
  std::uint8_t state = 0;                  ///< model::TransferState
  std::uint8_t reason = 0;                 ///< model::RailReason of the newest move
  std::uint8_t attempt = 0;                ///< number of the newest attempt, 0 none so far
  std::uint8_t approvals = 0;              ///< people needed
  std::uint8_t votes = 0;                  ///< people who said `vote`
  std::uint8_t vote = 0;                   ///< model::VoteKind
  std::uint8_t probe = 0;                  ///< the attempt in `sending` is a probe
  std::uint8_t void_asked = 0;             ///< the newest inquiry is a void
  std::uint8_t amount_stated = 0;          ///< somebody said of the newest attempt how much it moved
  std::uint8_t pad8[6] = {};
  std::uint64_t pad64[2] = {};

  model::TransferState status() const { return static_cast<model::TransferState>(state); }
  model::TransferKind what() const { return static_cast<model::TransferKind>(kind); }
  bool has_case(model::CaseKind of, std::uint8_t number) const {
    return (cases[static_cast<std::size_t>(of)] >> (number == 0 ? 0 : number - 1) & 1) != 0;
  }
  /// When time alone has something to do here; 0 never.
  std::int64_t wakes_at_ns() const {
    if (due_ns == 0 || alarm_ns == 0) return due_ns + alarm_ns;
    return std::min(due_ns, alarm_ns);
  }
};
static_assert(sizeof(TransferRecord) == 256);
static_assert(std::has_unique_object_representations_v<TransferRecord>);

/// What routing knows of one value of one dimension at one rail.
struct CellRecord {
  std::uint64_t successes = 0;
  std::uint64_t attempts = 0;
  std::int64_t observed_at_ns = 0;
  model::RailNumber rail = 0;
  std::uint16_t value = 0;
  std::uint8_t dimension = 0;              ///< model::Dimension
  std::uint8_t pad8[3] = {};
};
static_assert(sizeof(CellRecord) == 32);
static_assert(std::has_unique_object_representations_v<CellRecord>);

/// What was given back of a transfer. Made by its first refund, kept for ever.
struct RefundRecord {
  base::U128 captured = 0;
  base::U128 pending = 0;
  base::U128 posted = 0;
  model::EventNumber original = 0;
  model::AssetNumber asset = 0;
  std::uint32_t pad = 0;
};
static_assert(sizeof(RefundRecord) == 64);
static_assert(std::has_unique_object_representations_v<RefundRecord>);

model::RailHealth health_of(const RailRecord& rail);
model::RailProfile profile_of(const RailRecord& rail);
inline model::RailName name_of(const RailRecord& rail) {
  model::RailName name;
  std::copy(std::begin(rail.name), std::end(rail.name), name.begin());
  return name;
}

}  // namespace core
