#pragma once
// What the twin remembers of rails and of transfers over them: written down from what entries say, judged by rules of its own
// (twin_sagas.cc). It predicts no routing; it knows when money may move, when another attempt may start, and what an ended transfer
// must have left behind.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/event.h"

namespace sim {

struct SagaAttempt {
  model::RailNumber rail = 0;
  model::EventNumber reference = 0;
  base::Instant send_not_after{};
  std::uint32_t asked = 0;          ///< questions, voids included
  base::Instant asked_at{};
  bool probe = false;
  bool over = false;                ///< proven: nobody was paid by it, nobody will be
};

struct SagaTransfer {
  model::TransferKind kind = model::TransferKind::payout;
  model::AccountNumber account = 0;
  model::PrincipalNumber requester = 0;
  model::AssetNumber asset = 0;
  base::U128 amount = 0;
  model::RailNumber wanted = 0;
  std::uint8_t approvals = 0;
  base::Instant send_by{};
  model::EventNumber original = 0, original_attempt = 0;
  model::TransferState state = model::TransferState::requested;
  base::Instant due{}, alarm{};
  model::EventNumber hold = 0;
  std::vector<SagaAttempt> attempts;
  std::set<std::pair<model::CaseKind, std::uint8_t>> cases;
  model::VoteKind vote = model::VoteKind::approve;
  std::set<model::PrincipalNumber> voters;
  bool counted = false;             ///< as a refund under way
  bool asking_used_up = false;      ///< why it is with people
  bool has_case(model::CaseKind kind) const {
    for (const auto& [known, attempt] : cases) {
      if (known == kind) return true;
    }
    return false;
  }
};

struct SagaRail {
  std::string name;
  model::AssetNumber asset = 0;
  model::AccountNumber clearing = 0, suspense = 0;
  model::RailProfile profile;
  bool paused = false;
  base::Instant maintenance_from{}, maintenance_until{};
  std::uint32_t in_flight = 0, probes = 0;
  bool can(model::RailCapability capability) const { return (profile.capabilities & capability) != 0; }
};

struct SagaRefunds {
  base::U128 captured = 0, pending = 0, posted = 0;
};

struct SagaBook {
  std::map<model::EventNumber, SagaTransfer> transfers;
  std::vector<SagaRail> rails;      ///< by number, from 1
  std::map<model::EventNumber, SagaRefunds> refunds;
  std::map<model::EventNumber, std::pair<model::EventNumber, std::uint8_t>> attempts;   ///< by reference: transfer, number
  std::vector<model::EventNumber> recent;   ///< transfers, oldest first
  SagaRail& rail(model::RailNumber number) { return rails.at(number - 1u); }
};

constexpr std::uint32_t probes_out_max = 2;   ///< docs/transfers.md, "Routing"

}  // namespace sim
