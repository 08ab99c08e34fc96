// What the twin says of answers, and where it agrees with a state and a directory.

#include <algorithm>

#include "core/ledger/records.h"
#include "sim/twin.h"
#include "sim/twin_words.h"

namespace sim {

using model::EventNumber;
using model::Outcome;

Complaint Twin::take_answer(std::uint64_t trace, const node::Answer& answer, bool reads_may_fail) {
  const auto found = pending_.find(trace);
  if (found == pending_.end()) return "an answer to request " + number(trace) + ", which was answered before or never sent";
  Pending pending = std::move(found->second);
  pending_.erase(found);
  const std::string of = "answer to request " + number(trace) + ": ";
  if (answer.position > position()) return of + "it saw event " + number(answer.position) + ", which is not durable";
  const bool untouched = !pending.started;
  if (answer.refusal == Outcome::disk_space_short || answer.refusal == Outcome::journal_read_failed) {
    if (answer.refusal == Outcome::journal_read_failed && !reads_may_fail) return of + "a record could not be read, but nothing was damaged";
    const bool done_something = std::any_of(answer.items.begin(), answer.items.end(), [](const node::ItemAnswer& item) { return item.event != 0; });
    if (!untouched || done_something) return of + "refused as a whole, but something was done";
    return std::nullopt;
  }
  start(pending);
  if (pending.batch_seen) {
    if (!untouched) return of + "a batch answered before had effects again";
    const Memory& memory = *pending.batch_seen;
    if (reads_may_fail && answer.refusal != Outcome::done) return std::nullopt;
    if (memory.cancelled) {
      if (answer.refusal != Outcome::idempotency_key_cancelled) return of + "the batch's key was cancelled";
      return std::nullopt;
    }
    bool equal = memory.request->movements.size() == pending.request->movements.size();
    for (std::size_t i = 0; equal && i < pending.request->movements.size(); ++i) {
      equal = memory.request->movements[i].key == pending.request->movements[i].key && memory.request->movements[i].group == pending.request->movements[i].group &&
              fields_of(*memory.request, i) == fields_of(*pending.request, i);
    }
    if (!equal) {
      if (answer.refusal != Outcome::idempotency_key_reused_with_different_body) return of + "the batch's key belongs to another batch";
      return std::nullopt;
    }
    const auto& items = batches_.at(batch_key_of(*pending.request)).items;
    if (!answer.batch_replayed || answer.batch != memory.event || answer.items.size() != items.size()) return of + "not the replay of the batch that was recorded";
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!same(items[i], answer.items[i])) return of + "item " + number(i) + " replayed as " + describe(answer.items[i]) + ", was " + describe(items[i]);
    }
    return std::nullopt;
  }
  if (answer.refusal != Outcome::done) return of + "refused as a whole: " + name_of(answer.refusal);
  pass_parts_seen_before(pending);
  // What is left was refused for a passing reason, without an entry.
  for (; pending.next_part < pending.parts.size(); pass_parts_seen_before(pending)) {
    const Part& part = pending.parts[pending.next_part];
    for (std::size_t i = 0; i < part.count; ++i) {
      const Outcome outcome = pending.expected.size() < answer.items.size() ? answer.items[pending.expected.size()].refusal : Outcome::done;
      const bool full = (outcome == Outcome::too_many_accounts && accounts_.size() >= bounds_.accounts_max) ||
                        (outcome == Outcome::too_many_open_holds && open_holds_ + part.count > bounds_.open_holds_max) ||
                        (outcome == Outcome::too_many_accounts && pending.request->kind == Kind::configure_rail && accounts_.size() + 2 > bounds_.accounts_max) ||
                        (outcome == Outcome::atomic_group_refused && part.count > 1) ||
                        (outcome == Outcome::journal_read_failed && reads_may_fail);
      if (!full) return of + "no entry for item " + number(part.first + i) + ", answered as " + name_of(outcome);
      pending.expected.push_back({.refusal = outcome});
    }
    ++pending.next_part;
  }
  if (answer.items.size() != pending.expected.size()) return of + number(answer.items.size()) + " items where " + number(pending.expected.size()) + " must be";
  for (std::size_t i = 0; i < answer.items.size(); ++i) {
    if (same(answer.items[i], pending.expected[i])) continue;
    if (reads_may_fail && answer.items[i].refusal == Outcome::journal_read_failed) continue;
    return of + "item " + number(i) + " is " + describe(answer.items[i]) + ", must be " + describe(pending.expected[i]);
  }
  if (answer.batch != pending.batch) return of + "another batch record than was journaled";
  return std::nullopt;
}

// --- comparing ----------------------------------------------------------------------------------------------------------------

Complaint Twin::compare_account(const core::AccountRecord& record, model::AccountNumber account) const {
  if (account == 0 || account > accounts_.size()) return "an account " + number(account) + " that nobody opened";
  const Account& mine = accounts_[account - 1];
  const EventNumber last = mine.postings.empty() ? 0 : mine.postings.back();
  const char* wrong = !(record.counters == mine.counters)              ? "counters"
                      : record.flags != mine.flags                     ? "flags"
                      : record.postings != mine.postings.size()        ? "number of postings"
                      : record.last_posting != last                    ? "last posting"
                      : record.open_holds != mine.open_holds.size()    ? "number of open holds"
                      : record.asset != mine.asset || record.opened != mine.opened ? "origin"
                                                                       : nullptr;
  if (wrong != nullptr) return "account " + number(account) + " has other " + wrong + " than it must";
  return std::nullopt;
}

Complaint Twin::compare(const core::State& state, const node::Directory& directory) const {
  if (state.head().next_event != next_event_) return "the state is at event " + number(state.head().next_event) + ", must be at " + number(next_event_);
  if (state.account_count() != accounts_.size() || directory.size() != accounts_.size()) return "another number of accounts";
  if (state.asset_count() != assets_.size() || state.tenant_count() != tenants_.size()) return "another number of assets or tenants";
  if (state.client_count() != clients_.size()) return "another number of clients";
  for (model::AccountNumber i = 1; i <= accounts_.size(); ++i) {
    const Account& mine = accounts_[i - 1];
    if (auto complaint = compare_account(*state.account(i), i)) return complaint;
    if (state.tenant_of(*state.account(i)) != mine.tenant) return "account " + number(i) + " is of another tenant";
    if (directory.find(mine.tenant, mine.name, model::account_name_hash(mine.tenant, mine.name)) != i || directory.name_of(i) != mine.name) {
      return "account " + number(i) + " is not found by its id";
    }
    const core::LimitsRecord* limits = state.limits_of(*state.account(i));
    model::AccountLimits theirs;
    if (limits != nullptr && limits->has_debit_amount_max) theirs.debit_amount_max = limits->debit_amount_max;
    if (limits != nullptr && limits->has_daily_debits_max) theirs.daily_debits_max = limits->daily_debits_max;
    if (limits != nullptr && limits->has_balance_max) theirs.balance_max = limits->balance_max;
    if (!(theirs == mine.limits)) return "account " + number(i) + " has other limits than were set";
    if (state.account(i)->day != (mine.day & 0xffff) || state.account(i)->debited_on_day != mine.debited_on_day) {
      return "account " + number(i) + " has another sum of the day's debits";
    }
  }
  if (state.head().open_holds != open_holds_ || state.open_hold_slots().size() != open_holds_) return "another number of open holds";
  for (const auto& [event, hold] : holds_) {
    const core::HoldRecord* record = state.open_hold(event);
    if ((record != nullptr) == hold.resolution.has_value()) return "hold " + number(event) + (record ? " is open, was resolved" : " is lost");
    if (record != nullptr && (record->amount != hold.amount || record->debit != hold.debit || record->credit != hold.credit || record->expires_at_ns != hold.expires_at_ns)) {
      return "hold " + number(event) + " has other fields than it must";
    }
  }
  for (std::uint32_t i = 1; i <= clients_.size(); ++i) {
    if (state.client(i)->generation != clients_[i - 1].generation || (state.client(i)->revoked != 0) != clients_[i - 1].revoked) return "client " + number(i) + " differs";
  }
  return compare_sagas(state);
}

Complaint Twin::compare_sagas(const core::State& state) const {
  const core::SagaTables& tables = state.sagas();
  if (tables.rail_count() != sagas_.rails.size()) return "another number of rails";
  for (std::size_t i = 0; i < sagas_.rails.size(); ++i) {
    const core::RailRecord& theirs = *tables.rail(static_cast<model::RailNumber>(i + 1));
    const SagaRail& mine = sagas_.rails[i];
    if (theirs.in_flight != mine.in_flight || theirs.probes != mine.probes || (theirs.paused != 0) != mine.paused) return "rail " + mine.name + " differs";
  }
  for (const auto& [event, mine] : sagas_.transfers) {
    const core::TransferRecord* theirs = tables.transfer(event);
    if (theirs == nullptr) return "transfer " + number(event) + " is lost";
    const char* wrong = theirs->status() != mine.state                 ? "state"
                        : theirs->attempt != mine.attempts.size()      ? "number of attempts"
                        : theirs->amount != mine.amount                ? "amount"
                        : theirs->hold != mine.hold                    ? "hold"
                        : theirs->due_ns != mine.due.ns                ? "next step"
                        : theirs->alarm_ns != mine.alarm.ns            ? "alarm"
                        : theirs->votes != mine.voters.size()          ? "number of voices"
                                                                       : nullptr;
    if (wrong != nullptr) return "transfer " + number(event) + " has another " + wrong + " than it must";
  }
  for (const auto& [original, mine] : sagas_.refunds) {
    const core::RefundRecord* theirs = tables.refund(original);
    if (theirs == nullptr || theirs->pending != mine.pending || theirs->posted != mine.posted) return "refunds of " + number(original) + " differ";
  }
  return std::nullopt;
}

Complaint Twin::check_answer_to(const node::Question& question, const node::Answer& answer) const {
  // What was asked is compared only where nothing more became durable since; otherwise the twin is ahead of the answer.
  if (answer.position > position()) return "a read saw event " + number(answer.position) + ", which is not durable";
  if (answer.position != position()) return std::nullopt;
  if (const auto* ask = std::get_if<node::AskAccount>(&question)) {
    const auto* found = std::get_if<node::AccountFound>(&answer.finding);
    const model::AccountNumber mine = account_number(ask->tenant, ask->name);
    if ((found == nullptr) != (mine == 0)) return "an account is found that is not there, or the other way round";
    if (found != nullptr) return found->number != mine ? Complaint("another account than was asked for") : compare_account(found->record, mine);
  } else if (const auto* ask_transfer = std::get_if<node::AskTransfer>(&question)) {
    const auto* found = std::get_if<node::TransferFound>(&answer.finding);
    const auto hold = holds_.find(ask_transfer->event);
    if (hold != holds_.end()) {
      if (found == nullptr || found->open == hold->second.resolution.has_value() || found->resolved != hold->second.resolved_by) return "hold " + number(hold->first) + " reads as something else than it is";
    }
  }
  return std::nullopt;
}

void Twin::for_each_key(const std::function<void(const KeyName&, EventNumber)>& visit) const {
  for (const auto& [key, memory] : keys_) visit(key, memory.event);
}

std::map<EventNumber, EventNumber> Twin::resolutions() const {
  std::map<EventNumber, EventNumber> result;
  for (const auto& [event, hold] : holds_) {
    if (hold.resolution) result[event] = hold.resolved_by;
  }
  return result;
}

std::vector<model::PrincipalNumber> Twin::people() const {
  std::vector<model::PrincipalNumber> people;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (clients_[i].person) people.push_back(static_cast<model::PrincipalNumber>(i + 1));
  }
  return people;
}

bool Twin::any_due(base::Instant at) const { return !due_.empty() && due_.begin()->first <= at.ns; }

}  // namespace sim
