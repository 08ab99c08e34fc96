#pragma once
// What an operator may set about transfers over rails. Journaled nowhere: events carry what came of it.

#include <cstdint>

#include "base/instant.h"
#include "core/tables/reconciliation_records.h"

namespace core {

/// How the router weighs. Money in basis points of the amount sent.
struct RoutingPolicy {
  std::uint32_t margin_basis_points = 300;            ///< what a success is worth
  std::uint32_t latency_basis_points_per_second = 2;  ///< what a second of waiting costs
  std::uint32_t explore_per_10000 = 100;              ///< decisions that try what is little known
  std::uint32_t probe_per_10000 = 1250;               ///< decisions that may probe a half-open rail that others could replace
  std::uint32_t probes_max = 2;                       ///< under way at a half-open rail
  base::Duration probe_distance = base::milliseconds(200);
  std::uint32_t silent_attempts_min = 3;              ///< so many out, nothing heard for silent_after: new ones avoid the rail
  base::Duration silent_after = base::milliseconds(1000);
};

struct SagaBounds {
  std::uint32_t open_transfers_max = 1'000'000;
  base::Duration send_within_default = base::seconds(86'400);
  base::Duration send_within_min = base::seconds(1);
  base::Duration send_within_max = base::seconds(30LL * 86'400);
  base::Duration reply_grace = base::seconds(2);         ///< after the reply timeout, before silence counts as unknown
  std::uint32_t parked_scan_max = 64;                    ///< parked transfers that want the same, looked at in one tick
  /// Stays that raise an alarm, by state.
  base::Duration alarm_reviewing = base::seconds(4 * 3600);
  base::Duration alarm_parked = base::seconds(900);
  base::Duration alarm_sending = base::seconds(60);
  base::Duration alarm_accepted = base::seconds(2LL * 86'400);
  base::Duration alarm_unknown = base::seconds(900);
  base::Duration alarm_manual_review = base::seconds(3600);
  base::Duration alarm_reversing = base::seconds(2LL * 86'400);
  RoutingPolicy routing;
  ReconciliationBounds reconciliation;
};

}  // namespace core
