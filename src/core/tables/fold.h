#pragma once
// How an event changes the records of rails and transfers: results are taken over, counts are kept, nothing is decided. One
// text for the state itself and for the drafts of decisions that must see their own steps. Memory gives records for writing:
//
//   TransferRecord& transfer(EventNumber), new_transfer(EventNumber); RailRecord& rail(RailNumber), new_rail(RailNumber);
//   CellRecord& cell(RailNumber, Dimension, value); RefundRecord& refund(EventNumber original)

#include <type_traits>
#include <variant>

#include "base/check.h"
#include "core/tables/saga_records.h"
#include "model/event.h"

namespace core {

namespace fold_detail {

inline void put_profile(RailRecord& to, const model::RailProfile& from) {
  to.capabilities = from.capabilities;
  to.directions = from.directions;
  to.amount_min = from.amount_min;
  to.amount_max = from.amount_max;
  to.cost_fixed = from.cost_fixed;
  to.cost_basis_points = from.cost_basis_points;
  to.send_window_ns = from.send_window.ns;
  to.reply_timeout_ns = from.reply_timeout.ns;
  to.visibility_horizon_ns = from.visibility_horizon.ns;
  to.settle_within_ns = from.settle_within.ns;
  to.inquiry_first_ns = from.inquiry_first.ns;
  to.inquiry_max_ns = from.inquiry_max.ns;
  to.inquiries_max = from.inquiries_max;
  to.in_flight_max = from.in_flight_max;
  to.rate_per_second = from.rate_per_second;
  std::copy(from.countries.begin(), from.countries.end(), to.countries);
}

inline void put_health(RailRecord& to, const model::RailHealth& from) {
  to.successes = from.successes;
  to.attempts = from.attempts;
  to.recent_faults = from.recent_faults;
  to.recent_attempts = from.recent_attempts;
  to.observed_at_ns = from.observed_at.ns;
  to.latency_ns = from.latency.ns;
  to.open_until_ns = from.open_until.ns;
  to.faults_in_a_row = from.faults_in_a_row;
  to.openings_in_a_row = from.openings_in_a_row;
  to.breaker = static_cast<std::uint8_t>(from.breaker);
}

template <typename Memory>
void put_cell(Memory& memory, const model::RailObserved& body, model::Dimension dimension, const model::DimensionHealth& from) {
  if (from.attempts == 0) return;
  CellRecord& cell = memory.cell(body.rail, dimension, from.value);
  cell.successes = from.successes;
  cell.attempts = from.attempts;
  cell.observed_at_ns = body.health.observed_at.ns;
}

}  // namespace fold_detail

template <typename Memory, typename Body>
void fold(Memory& memory, const Body& body, model::EventNumber number, base::Instant at) {
  using model::TransferState;
  if constexpr (std::is_same_v<Body, model::RailConfigured>) {
    RailRecord& rail = memory.new_rail(body.number);
    if (rail.configured == 0) rail.configured = number;
    rail.tenant = body.tenant;
    rail.asset = body.asset;
    rail.clearing = body.clearing;
    rail.suspense = body.suspense;
    std::copy(body.name.begin(), body.name.end(), rail.name);
    fold_detail::put_profile(rail, *body.profile);
  } else if constexpr (std::is_same_v<Body, model::RailControlled>) {
    RailRecord& rail = memory.rail(body.rail);
    rail.paused = body.paused;
    rail.maintenance_from_ns = body.maintenance_from.ns;
    rail.maintenance_until_ns = body.maintenance_until.ns;
  } else if constexpr (std::is_same_v<Body, model::RailObserved>) {
    fold_detail::put_health(memory.rail(body.rail), body.health);
    fold_detail::put_cell(memory, body, model::Dimension::country, body.country);
    fold_detail::put_cell(memory, body, model::Dimension::instrument, body.instrument);
  } else if constexpr (std::is_same_v<Body, model::TransferRequested>) {
    TransferRecord& transfer = memory.new_transfer(number);
    transfer.amount = body.amount;
    transfer.original = body.original;
    transfer.original_attempt = body.original_attempt;
    transfer.send_by_ns = body.send_by.ns;
    transfer.since_ns = at.ns;
    transfer.account = body.account;
    transfer.asset = body.asset;
    transfer.requester = body.requester;
    transfer.wanted = body.wanted;
    transfer.country = body.country;
    transfer.instrument = body.instrument;
    transfer.approvals = body.approvals;
    transfer.kind = static_cast<std::uint8_t>(body.kind);
    transfer.state = static_cast<std::uint8_t>(TransferState::requested);
  } else if constexpr (std::is_same_v<Body, model::TransferMoved>) {
    TransferRecord& transfer = memory.transfer(body.transfer);
    CHECK_THAT(transfer.status() == body.from && model::may_move(body.from, body.to), "a saga makes no move outside its table");
    if (body.from == TransferState::sending) {
      RailRecord& rail = memory.rail(transfer.rail);
      CHECK(rail.in_flight > 0);
      --rail.in_flight;
      rail.probes -= transfer.probe;
      transfer.probe = 0;
    }
    if (body.rail != 0) transfer.rail = body.rail;
    if (body.hold != 0) transfer.hold = body.hold;
    if (model::is_final(body.to)) transfer.hold = 0;
    transfer.state = static_cast<std::uint8_t>(body.to);
    transfer.reason = static_cast<std::uint8_t>(body.reason);
    transfer.since_ns = at.ns;
    transfer.due_ns = body.due.ns;
    transfer.alarm_ns = body.alarm_at.ns;
    transfer.inquiries_before = transfer.inquiries;
    transfer.votes = 0;
    transfer.vote = 0;
    std::fill(std::begin(transfer.voters), std::end(transfer.voters), 0u);
  } else if constexpr (std::is_same_v<Body, model::AttemptStarted>) {
    TransferRecord& transfer = memory.transfer(body.transfer);
    CHECK_THAT(transfer.status() == TransferState::sending && body.attempt == transfer.attempt + 1 && body.attempt <= model::attempts_max,
               "an attempt starts where none is under way");
    transfer.attempt = body.attempt;
    transfer.attempt_event = number;
    transfer.rail = body.rail;
    transfer.send_not_after_ns = body.send_not_after.ns;
    transfer.inquired_at_ns = 0;
    transfer.inquiries = 0;
    transfer.inquiries_before = 0;
    transfer.void_asked = 0;
    transfer.amount_stated = 0;
    transfer.probe = body.probe;
    RailRecord& rail = memory.rail(body.rail);
    if (rail.in_flight == 0) rail.quiet_since_ns = at.ns;
    ++rail.in_flight;
    rail.probes += body.probe;
    if (body.probe) rail.last_probe_ns = at.ns;
    const auto second = static_cast<std::uint32_t>(at.ns / 1'000'000'000);
    rail.rate_count = rail.rate_second == second ? rail.rate_count + 1 : 1;
    rail.rate_second = second;
  } else if constexpr (std::is_same_v<Body, model::AttemptReported>) {
    if (body.result == model::RailResult::rejected) {
      for (model::RailNumber& refused : memory.transfer(body.transfer).refused_by) {
        if (refused != 0 && refused != body.rail) continue;
        refused = body.rail;
        break;
      }
    }
    if (body.result == model::RailResult::settled && body.amount) {
      TransferRecord& transfer = memory.transfer(body.transfer);
      if (body.attempt == transfer.attempt) transfer.amount_stated = 1;
    }
    const bool heard = body.result != model::RailResult::unknown && body.source <= model::ReportSource::inquiry;
    if (heard) memory.rail(body.rail).quiet_since_ns = at.ns;
  } else if constexpr (std::is_same_v<Body, model::RouteDecided>) {
    if (body.due.ns != 0) memory.transfer(body.transfer).due_ns = body.due.ns;
  } else if constexpr (std::is_same_v<Body, model::InquiryStarted>) {
    TransferRecord& transfer = memory.transfer(body.transfer);
    transfer.inquiries = body.inquiry;
    transfer.inquired_at_ns = at.ns;
    transfer.void_asked = body.is_void;
    transfer.due_ns = body.due.ns;
  } else if constexpr (std::is_same_v<Body, model::VoteRecorded>) {
    TransferRecord& transfer = memory.transfer(body.transfer);
    const auto vote = static_cast<std::uint8_t>(body.vote);
    if (transfer.vote != vote) std::fill(std::begin(transfer.voters), std::end(transfer.voters), 0u);
    CHECK(body.counted > 0 && body.counted <= model::approvals_max);
    transfer.vote = vote;
    transfer.votes = body.counted;
    transfer.voters[body.counted - 1] = body.person;
  } else if constexpr (std::is_same_v<Body, model::CaseOpened>) {
    TransferRecord& transfer = memory.transfer(body.transfer);
    CHECK_THAT(!transfer.has_case(body.kind, body.attempt), "one case of a kind and attempt");
    transfer.cases[static_cast<std::size_t>(body.kind)] |= std::uint64_t{1} << (body.attempt == 0 ? 0 : body.attempt - 1);
  } else if constexpr (std::is_same_v<Body, model::AgeAlarmRaised>) {
    memory.transfer(body.transfer).alarm_ns = 0;
  } else if constexpr (std::is_same_v<Body, model::RefundCounted>) {
    RefundRecord& refund = memory.refund(body.original);
    refund.captured = body.captured;
    refund.pending = body.pending;
    refund.posted = body.posted;
    refund.asset = body.asset;
  }
}

}  // namespace core
