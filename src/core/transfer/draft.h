#pragma once
// A decision about transfers in the making: the state with the steps of this decision laid over it, so that each step sees
// the ones before. Events come out; the state is not touched.

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/ledger/decide.h"
#include "core/ledger/movement.h"
#include "core/routing/router.h"
#include "core/tables/fold.h"

namespace core {

class Draft {
 public:
  /// `events` may hold what the ledger decided for the same command already.
  Draft(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds,
        std::vector<model::Event>& events);

  const State& state() const { return state_; }
  const model::Command& command() const { return command_; }
  base::Instant at() const { return at_; }
  const LedgerBounds& bounds() const { return bounds_; }
  const SagaBounds& limits() const { return bounds_.sagas; }
  std::size_t event_count() const { return events_.size(); }
  /// The events from an index on; good until the next one.
  std::span<const model::Event> events_from(std::size_t index) const { return std::span<const model::Event>(events_).subspan(index); }
  model::EventNumber next_event() const { return state_.head().next_event + events_.size(); }

  /// Adds an event and lays it over the state; gives its number.
  template <typename Body>
  model::EventNumber emit(Body body) {
    const model::EventNumber number = next_event();
    fold(memory_, body, number, at_);
    events_.push_back({at_, std::move(body)});
    return number;
  }
  void refuse(model::Outcome outcome, model::Refused particulars = {});

  /// Records as this decision sees them so far. A transfer that is not there, or of another tenant, is null.
  const TransferRecord* find_transfer(model::EventNumber requested);
  const TransferRecord& transfer(model::EventNumber requested);
  /// True if a step of this decision moved the transfer to another state.
  bool transfer_moved(model::EventNumber requested) const {
    const auto found = memory_.transfers.find(requested);
    return found != memory_.transfers.end() && found->second.state != state_.sagas().transfer(requested)->state;
  }
  const RailRecord& rail(model::RailNumber number);
  model::TenantNumber tenant_of(const TransferRecord& transfer) const { return state_.asset(transfer.asset)->tenant; }
  RefundRecord refunds_of(model::EventNumber original);

  // --- money ---
  const AccountRecord& account_now(model::AccountNumber number) const {
    const auto found = accounts_.find(number);
    return found != accounts_.end() ? found->second.record : *state_.account(number);
  }
  AccountView& account(model::AccountNumber number);
  /// What stands in the way of debiting one account and crediting another now; `done` if nothing. Changes nothing.
  model::Outcome check_movement(const model::TransferItem& item);
  /// Holds money whose movement was checked. Gives the hold.
  model::EventNumber place_hold(const model::TransferItem& item);
  /// Posts what was checked.
  model::EventNumber post(const model::TransferItem& item);
  void capture(const TransferRecord& transfer);
  void release(const TransferRecord& transfer);
  /// The open hold is for that account from here on; nothing if it is already.
  void redirect(const TransferRecord& transfer, model::AccountNumber credit);
  /// Posts a fact: whatever flags and limits say. Gives the posting, or 0 where a law of the ledger forbids it (a closed
  /// account, credits limited by debits, a counter past its maximum).
  model::EventNumber post_fact(model::AccountNumber debit, model::AccountNumber credit, base::U128 amount);

 private:
  struct Memory {
    const State& state;
    std::unordered_map<model::EventNumber, TransferRecord> transfers;
    std::unordered_map<model::RailNumber, RailRecord> rails;
    std::unordered_map<std::uint64_t, CellRecord> cells;
    std::unordered_map<model::EventNumber, RefundRecord> refunds;

    TransferRecord& transfer(model::EventNumber requested);
    TransferRecord& new_transfer(model::EventNumber requested);
    RailRecord& rail(model::RailNumber number);
    RailRecord& new_rail(model::RailNumber number);
    CellRecord& cell(model::RailNumber rail, model::Dimension dimension, std::uint16_t value);
    RefundRecord& refund(model::EventNumber original);
  };

  void resolve(const TransferRecord& transfer, model::HoldResolution resolution, base::U128 captured);
  const HoldRecord& hold_of(const TransferRecord& transfer);

  const State& state_;
  const model::Command& command_;
  const base::Instant at_;
  const LedgerBounds& bounds_;
  std::vector<model::Event>& events_;
  Memory memory_;
  std::unordered_map<model::AccountNumber, AccountView> accounts_;
};

}  // namespace core
