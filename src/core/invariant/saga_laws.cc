#include <map>

#include "core/invariant/laws.h"

namespace core {

using model::TransferState;

namespace {

std::string text_of(const TransferRecord& transfer) {
  return "transfer " + std::to_string(transfer.requested) + " (" + std::string(model::name_of(transfer.status())) + ")";
}

// The transfer that an event is about; 0 if none.
model::EventNumber transfer_of(const model::Event& event) {
  return std::visit(
      [](const auto& body) -> model::EventNumber {
        if constexpr (requires { body.transfer; }) return body.transfer;
        return 0;
      },
      event.body);
}

bool needs_hold(const TransferRecord& transfer) {
  if (transfer.what() != model::TransferKind::payout) return false;
  switch (transfer.status()) {
    case TransferState::held:
    case TransferState::parked:
    case TransferState::sending:
    case TransferState::accepted:
    case TransferState::outcome_unknown:
    case TransferState::manual_review: return true;
    default: return false;
  }
}

}  // namespace

// --- sagas keep their holds -------------------------------------------------------------------------------------------------

std::optional<Violation> SagasKeepTheirHolds::judge(const State& state, const TransferRecord& transfer) const {
  const auto broken = [&](const char* what) { return Violation{name(), text_of(transfer) + " " + what, transfer.account}; };
  if (!needs_hold(transfer)) {
    if (transfer.hold != 0) return broken("keeps a hold that it has no use for");
    return std::nullopt;
  }
  const HoldRecord* hold = state.open_hold(transfer.hold);
  if (hold == nullptr || hold->transfer != transfer.requested) return broken("has lost its hold");
  if (hold->amount != transfer.amount || hold->debit != transfer.account) return broken("holds other money than its own");
  if (hold->expires_at_ns != 0) return broken("keeps a hold that expires by itself");
  if (transfer.attempt != 0 && hold->credit != state.sagas().rail(transfer.rail)->clearing) return broken("holds money for another rail");
  return std::nullopt;
}

std::optional<Violation> SagasKeepTheirHolds::check(const State& state) {
  const SagaTables& tables = state.sagas();
  std::map<model::RailNumber, std::uint32_t> out, probes;
  std::size_t kept = 0;
  for (std::uint32_t slot = 0; slot < tables.slot_count(); ++slot) {
    const TransferRecord& transfer = tables.slot(slot);
    if (transfer.requested == 0) continue;
    if (auto violation = judge(state, transfer)) return violation;
    kept += transfer.hold != 0;
    if (transfer.status() != TransferState::sending) continue;
    ++out[transfer.rail];
    probes[transfer.rail] += transfer.probe;
  }
  for (std::uint32_t slot = 0; slot < state.hold_slot_count(); ++slot) {
    const HoldRecord& hold = state.hold_slot(slot);
    if (hold.placed != 0 && hold.transfer != 0) --kept;
  }
  if (kept != 0) return Violation{name(), "a hold is kept by no transfer", 0};
  for (model::RailNumber number = 1; number <= tables.rail_count(); ++number) {
    const RailRecord& rail = *tables.rail(number);
    if (rail.in_flight != out[number] || rail.probes != probes[number]) {
      return Violation{name(), "rail " + std::to_string(number) + " miscounts what is out", rail.clearing};
    }
  }
  return std::nullopt;
}

std::optional<Violation> SagasKeepTheirHolds::check_touched(const State& state, std::span<const model::Event> events) {
  for (const model::Event& event : events) {
    const TransferRecord* transfer = state.sagas().transfer(transfer_of(event));
    if (transfer == nullptr) continue;
    if (auto violation = judge(state, *transfer)) return violation;
  }
  return std::nullopt;
}

// --- one attempt at a time ----------------------------------------------------------------------------------------------------

std::optional<Violation> OneAttemptAtATime::check(const State& state) {
  out_.clear();
  for (std::uint32_t slot = 0; slot < state.sagas().slot_count(); ++slot) {
    const TransferRecord& transfer = state.sagas().slot(slot);
    if (transfer.requested != 0 && model::is_with_rail(transfer.status())) out_.insert(transfer.requested);
  }
  return std::nullopt;
}

std::optional<Violation> OneAttemptAtATime::check_touched(const State& state, std::span<const model::Event> events) {
  for (const model::Event& event : events) {
    if (const auto* started = std::get_if<model::AttemptStarted>(&event.body)) {
      if (!out_.insert(started->transfer).second) {
        const TransferRecord* transfer = state.sagas().transfer(started->transfer);
        return Violation{name(), "transfer " + std::to_string(started->transfer) + " is sent again while an attempt may be with a rail",
                         transfer == nullptr ? 0 : transfer->account};
      }
    } else if (const auto* reported = std::get_if<model::AttemptReported>(&event.body)) {
      const bool over = reported->result == model::RailResult::not_sent || reported->result == model::RailResult::rejected;
      const TransferRecord* transfer = state.sagas().transfer(reported->transfer);
      if (over && transfer != nullptr && reported->attempt >= transfer->attempt) out_.erase(reported->transfer);
      // The newest attempt of these events may be younger than the reported one: then the report is of the one before it.
      if (over && transfer != nullptr && reported->attempt + 1 == transfer->attempt) out_.erase(reported->transfer);
    }
  }
  return std::nullopt;
}

// --- refunds ------------------------------------------------------------------------------------------------------------------

std::optional<Violation> RefundsWithinCaptured::judge(const RefundRecord& refund) const {
  const auto sum = base::checked_add(refund.pending, refund.posted);
  if (sum && *sum <= refund.captured) return std::nullopt;
  return Violation{name(), "refunds of transfer " + std::to_string(refund.original) + " exceed what it moved", 0};
}

std::optional<Violation> RefundsWithinCaptured::check(const State& state) {
  const SagaTables& tables = state.sagas();
  std::map<model::EventNumber, base::U128> open;
  for (std::uint32_t slot = 0; slot < tables.slot_count(); ++slot) {
    const TransferRecord& transfer = tables.slot(slot);
    const bool counts = transfer.requested != 0 && transfer.original != 0 && transfer.requester != 0 && !model::is_final(transfer.status());
    if (counts) open[transfer.original] += transfer.amount;
  }
  for (std::size_t i = 0; i < tables.refund_count(); ++i) {
    const RefundRecord& refund = tables.refund_at(i);
    if (auto violation = judge(refund)) return violation;
    if (refund.pending != open[refund.original]) {
      return Violation{name(), "refunds of transfer " + std::to_string(refund.original) + " are miscounted", 0};
    }
  }
  return std::nullopt;
}

std::optional<Violation> RefundsWithinCaptured::check_touched(const State& state, std::span<const model::Event> events) {
  for (const model::Event& event : events) {
    const auto* counted = std::get_if<model::RefundCounted>(&event.body);
    if (counted == nullptr) continue;
    if (auto violation = judge(*state.sagas().refund(counted->original))) return violation;
  }
  return std::nullopt;
}

}  // namespace core
