#include "core/transfer/draft.h"

#include <utility>

#include "base/check.h"

namespace core {

using model::Outcome;

Draft::Draft(const State& state, const model::Command& command, base::Instant at, const LedgerBounds& bounds,
             std::vector<model::Event>& events)
    : state_(state), command_(command), at_(at), bounds_(bounds), events_(events), memory_{state, {}, {}, {}, {}} {
  model::EventNumber number = state.head().next_event;
  for (const model::Event& event : events) {
    // Of a Tick the ledger has resolved holds, and nothing else.
    const auto* resolved = std::get_if<model::HoldResolved>(&event.body);
    CHECK(resolved != nullptr);
    follow_side(account(resolved->debit.account), resolved->debit, number);
    follow_side(account(resolved->credit.account), resolved->credit, number);
    ++number;
  }
}

void Draft::refuse(Outcome outcome, model::Refused particulars) {
  particulars.outcome = outcome;
  particulars.operation = model::operation_of(command_.body);
  particulars.trace = command_.trace;
  events_.push_back({at_, particulars});
}

// --- records ----------------------------------------------------------------------------------------------------------------

TransferRecord& Draft::Memory::transfer(model::EventNumber requested) {
  const auto found = transfers.find(requested);
  if (found != transfers.end()) return found->second;
  const TransferRecord* record = state.sagas().transfer(requested);
  CHECK(record != nullptr);
  return transfers.emplace(requested, *record).first->second;
}

TransferRecord& Draft::Memory::new_transfer(model::EventNumber requested) {
  TransferRecord& record = transfers[requested];
  record.requested = requested;
  return record;
}

RailRecord& Draft::Memory::rail(model::RailNumber number) {
  const auto found = rails.find(number);
  if (found != rails.end()) return found->second;
  const RailRecord* record = state.sagas().rail(number);
  CHECK(record != nullptr);
  return rails.emplace(number, *record).first->second;
}

RailRecord& Draft::Memory::new_rail(model::RailNumber number) {
  return state.sagas().rail(number) == nullptr ? rails[number] : rail(number);
}

CellRecord& Draft::Memory::cell(model::RailNumber rail, model::Dimension dimension, std::uint16_t value) {
  const std::uint64_t key = std::uint64_t{rail} << 32 | std::uint64_t{static_cast<std::uint8_t>(dimension)} << 16 | value;
  const auto found = cells.find(key);
  if (found != cells.end()) return found->second;
  const CellRecord* known = state.sagas().cell(rail, dimension, value);
  return cells.emplace(key, known == nullptr ? CellRecord{} : *known).first->second;
}

RefundRecord& Draft::Memory::refund(model::EventNumber original) {
  const auto found = refunds.find(original);
  if (found != refunds.end()) return found->second;
  const RefundRecord* known = state.sagas().refund(original);
  return refunds.emplace(original, known == nullptr ? RefundRecord{} : *known).first->second;
}

const TransferRecord* Draft::find_transfer(model::EventNumber requested) {
  const auto found = memory_.transfers.find(requested);
  const TransferRecord* record = found != memory_.transfers.end() ? &found->second : state_.sagas().transfer(requested);
  return record != nullptr && tenant_of(*record) == command_.tenant ? record : nullptr;
}

const TransferRecord& Draft::transfer(model::EventNumber requested) { return memory_.transfer(requested); }

const RailRecord& Draft::rail(model::RailNumber number) {
  const auto found = memory_.rails.find(number);
  if (found != memory_.rails.end()) return found->second;
  const RailRecord* record = state_.sagas().rail(number);
  CHECK(record != nullptr);
  return *record;
}

RefundRecord Draft::refunds_of(model::EventNumber original) {
  const auto found = memory_.refunds.find(original);
  if (found != memory_.refunds.end()) return found->second;
  const RefundRecord* known = state_.sagas().refund(original);
  return known == nullptr ? RefundRecord{} : *known;
}

// --- money ------------------------------------------------------------------------------------------------------------------

AccountView& Draft::account(model::AccountNumber number) {
  const auto found = accounts_.find(number);
  return found != accounts_.end() ? found->second : accounts_.emplace(number, view_of(state_, number)).first->second;
}

Outcome Draft::check_movement(const model::TransferItem& item) {
  const Outcome outcome = check_shape(state_, command_.tenant, item);
  if (outcome != Outcome::done) return outcome;
  AccountView debit = account(item.debit), credit = account(item.credit);
  const Outcome moved = move(item, at_, bounds_, debit, credit);
  if (moved != Outcome::done) return moved;
  return item.hold && state_.head().open_holds >= bounds_.open_holds_max ? Outcome::too_many_open_holds : Outcome::done;
}

model::EventNumber Draft::place_hold(const model::TransferItem& item) {
  AccountView& debit = account(item.debit);
  AccountView& credit = account(item.credit);
  CHECK_THAT(move(item, at_, bounds_, debit, credit) == Outcome::done, "what is held was checked");
  const model::EventNumber number = next_event();
  model::Side debit_side = take_side(debit, number), credit_side = take_side(credit, number);
  events_.push_back({at_, model::HoldPlaced{.amount = item.amount,
                                            .asset = debit.record.asset,
                                            .debit = debit_side,
                                            .credit = credit_side,
                                            .expires_at = {},
                                            .group = 0,
                                            .reference = {},
                                            .metadata = {}}});
  return number;
}

model::EventNumber Draft::post(const model::TransferItem& item) {
  AccountView& debit = account(item.debit);
  AccountView& credit = account(item.credit);
  CHECK_THAT(move(item, at_, bounds_, debit, credit) == Outcome::done, "what is posted was checked");
  const model::EventNumber number = next_event();
  model::Side debit_side = take_side(debit, number), credit_side = take_side(credit, number);
  events_.push_back({at_, model::TransferPosted{.amount = item.amount,
                                                .asset = debit.record.asset,
                                                .debit = debit_side,
                                                .credit = credit_side,
                                                .group = 0,
                                                .reference = item.reference,
                                                .metadata = item.metadata}});
  return number;
}

// A hold of a transfer was placed by an earlier command, and within one decision it is redirected or resolved, never both.
const HoldRecord& Draft::hold_of(const TransferRecord& transfer) {
  const HoldRecord* hold = state_.open_hold(transfer.hold);
  CHECK_THAT(hold != nullptr && hold->transfer == transfer.requested, "an open payout keeps its hold");
  return *hold;
}

void Draft::resolve(const TransferRecord& transfer, model::HoldResolution resolution, base::U128 captured) {
  const HoldRecord& hold = hold_of(transfer);
  AccountView& debit = account(hold.debit);
  AccountView& credit = account(hold.credit);
  events_.push_back({at_, resolve_hold(hold, resolution, captured, debit, credit, next_event())});
}

void Draft::capture(const TransferRecord& transfer) { resolve(transfer, model::HoldResolution::captured, transfer.amount); }
void Draft::release(const TransferRecord& transfer) { resolve(transfer, model::HoldResolution::voided, 0); }

void Draft::redirect(const TransferRecord& transfer, model::AccountNumber to) {
  // A hold placed by this very command was placed for the rail that the command chose.
  if (state_.open_hold(transfer.hold) == nullptr) return;
  const HoldRecord& hold = hold_of(transfer);
  if (hold.credit == to) return;
  AccountView& former = account(hold.credit);
  AccountView& credit = account(to);
  CHECK(former.record.counters.credits_pending >= hold.amount);
  former.record.counters.credits_pending -= hold.amount;
  credit.record.counters.credits_pending += hold.amount;   // the router saw that there is room
  const model::EventNumber number = next_event();
  model::Side former_side = take_side(former, number), credit_side = take_side(credit, number);
  events_.push_back({at_, model::HoldRedirected{.hold = hold.placed,
                                                .amount = hold.amount,
                                                .asset = hold.asset,
                                                .debit = former_side,
                                                .credit = credit_side}});
}

model::EventNumber Draft::post_fact(model::AccountNumber debit, model::AccountNumber credit, base::U128 amount) {
  AccountView& from = account(debit);
  AccountView& to = account(credit);
  model::Counters& debited = from.record.counters;
  model::Counters& credited = to.record.counters;
  if (((from.record.flags | to.record.flags) & model::closed) != 0) return 0;
  // Sums of posted and pending fit the type: each is at most 2^127 - 1.
  if (!base::checked_add(debited.debits_posted + debited.debits_pending, amount)) return 0;
  if (!base::checked_add(credited.credits_posted + credited.credits_pending, amount)) return 0;
  if ((from.record.flags & model::debits_must_not_exceed_credits) != 0 && amount > available_balance(debited)) return 0;
  if ((to.record.flags & model::credits_must_not_exceed_debits) != 0 &&
      credited.credits_posted + credited.credits_pending + amount > credited.debits_posted) {
    return 0;
  }
  debited.debits_posted += amount;
  credited.credits_posted += amount;
  count_daily_debit(from.record, at_, amount);
  const model::EventNumber number = next_event();
  model::Side debit_side = take_side(from, number), credit_side = take_side(to, number);
  events_.push_back({at_, model::TransferPosted{.amount = amount,
                                                .asset = from.record.asset,
                                                .debit = debit_side,
                                                .credit = credit_side,
                                                .group = 0,
                                                .reference = {},
                                                .metadata = {}}});
  return number;
}

}  // namespace core
