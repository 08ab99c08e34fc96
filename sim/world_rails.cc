// Rails in the false world: what is sent and heard while the story goes on, and what must hold once the faults have ended and every
// deadline has passed.

#include <algorithm>

#include "core/transfer/effects.h"
#include "sim/comparison.h"
#include "sim/places.h"
#include "sim/world.h"

namespace sim {

using model::TransferState;

namespace {

constexpr std::int64_t step_max_ns = 4 * ns_per_second;
constexpr std::int64_t sync_ns = 150 * ns_per_ms;
constexpr int quiet_rounds_max = 4'000;

}  // namespace

void World::start_outside() {
  outside_->process_started();
  std::vector<node::EffectOrder> open;
  node::append_orders(process_->state(), core::open_effects(process_->state()), open);
  for (const node::EffectOrder& order : open) outside_->carry(order, 0);
}

// A little of everything beyond the process: what arrived is heard, something is asked for, time passes until more happens.
void World::live_with_rails() {
  if (story_.rows.is_all() && rail_random_.below(300) == 0) outside_->set_weather(FaultSet::from_bits(static_cast<std::uint32_t>(rail_random_.next() & rail_random_.next())));
  hear(4);
  if (violation_ || process_ == nullptr) return;
  const std::uint64_t dice = rail_random_.below(100);
  if (dice < story_.rails_percent || !rail_workload_.is_founded()) return send(rail_workload_.next(twin_, *outside_, process_->timekeeper().now()), true);
  if (dice < story_.rails_percent + 14) return let_time_pass();
  if (outside_->weather().has(Row::G10) && rail_random_.below(60) == 0) outside_->publish_statement(rail_random_.below(outside_->sites().size()), false);
}

void World::hear(int most) {
  outside_->pass();
  if (outside_->violation()) return violate(*outside_->violation());
  for (int i = 0; i < most && !violation_ && process_ != nullptr; ++i) {
    auto heard = outside_->hear();
    if (!heard) return;
    auto request = std::make_shared<Request>();
    request->kind = Kind::report;
    request->principal = 0;
    request->report = std::move(heard->report);
    callbacks_[trace_ + 1] = heard->callback;
    send(std::move(request), true);
  }
}

void World::let_time_pass() {
  const auto& deadlines = process_->state().sagas().deadlines();
  std::int64_t wait_ns = std::min(outside_->next_in_ns(), step_max_ns);
  if (!deadlines.empty()) wait_ns = std::min(wait_ns, deadlines.begin()->first - process_->timekeeper().now().ns + ns_per_ms);
  // A disk is slow, but not so slow that most orders are too old when they may leave.
  if (!process_->idle() && rail_random_.below(20) != 0) wait_ns = std::min(wait_ns, sync_ns);
  clock_.advance(std::max<std::int64_t>(wait_ns, ns_per_ms));
  check_clock();
  if (!violation_) after(process_->tick());
}

// A bank that is not told 200 tries again by itself; what our own runner could not bring in is asked for again by time.
void World::report_answered(std::uint64_t trace, bool taken) {
  const auto found = callbacks_.extract(trace);
  const std::uint64_t callback = found.empty() ? 0 : found.mapped();
  if (taken && callback != 0) outside_->taken(callback);
}

// --- the end --------------------------------------------------------------------------------------------------------------------

bool World::is_quiet() const {
  if (outside_->next_in_ns() < 3'600 * ns_per_second) return false;
  return std::none_of(twin_.sagas().transfers.begin(), twin_.sagas().transfers.end(), [](const auto& one) {
    const TransferState state = one.second.state;
    // A full refund that failed has left it settled; one under way is a transfer of its own.
    return state != TransferState::reversing && state != TransferState::manual_review && !model::is_final(state);
  });
}

// Time passes without faults until nothing moves any more.
void World::quiet_down() {
  for (int round = 0; !violation_ && process_ != nullptr; ++round) {
    if (round > quiet_rounds_max) return violate("transfers stay open although the faults have ended and the deadlines have passed: " + open_transfers());
    hear(64);
    if (!violation_) after(process_->drain());
    // What other threads of the process do meanwhile: without the next segment there is no room for a tick.
    if (!violation_) after(process_->prepare_next());
    if (!violation_) after(process_->flush_keys());
    if (violation_ || process_ == nullptr) return;
    take_entries(model::event_number_max);
    if (process_->timekeeper().suspended()) confirm_clock();
    if (violation_ || is_quiet()) return;
    const auto& deadlines = process_->state().sagas().deadlines();
    std::int64_t wait_ns = std::min<std::int64_t>(outside_->next_in_ns(), 60 * ns_per_second);
    if (!deadlines.empty()) wait_ns = std::min(wait_ns, deadlines.begin()->first - process_->timekeeper().now().ns);
    clock_.advance(std::max<std::int64_t>(wait_ns, 50 * ns_per_ms));
    if (!violation_) after(process_->tick());
  }
}

std::string World::open_transfers() const {
  std::string text;
  for (const auto& [number, transfer] : twin_.sagas().transfers) {
    if (model::is_final(transfer.state) || transfer.state == TransferState::manual_review) continue;
    text += std::to_string(number) + " " + std::string(model::name_of(transfer.state)) + "; ";
  }
  return text;
}

// The faults end. Rails are resumed, people are at their desks, statements arrive; then the books are compared.
void World::end_of_rails() {
  outside_->set_weather(story_.rows.has(Row::G10) ? FaultSet().with(Row::G10) : FaultSet());
  for (int tries = 0; !violation_ && !rail_workload_.is_founded() && tries < 200; ++tries) {
    send(rail_workload_.next(twin_, *outside_, process_->timekeeper().now()), true);
    if (!violation_) after(process_->drain());
  }
  for (std::size_t i = 0; i < outside_->sites().size() && !violation_; ++i) send(rail_workload_.resume(i), true);
  quiet_down();
  // The second time for what the first statements led to: recalls of late successes.
  for (int statements = 0; statements < 3 && !violation_ && process_ != nullptr; ++statements) {
    for (std::size_t i = 0; i < outside_->sites().size(); ++i) outside_->publish_statement(i, true);
    quiet_down();
  }
  if (!violation_ && process_ != nullptr) audit_rails();
}

void World::audit_rails() {
  const SagaBook& book = twin_.sagas();
  std::map<model::EventNumber, int> paid, ever_moved;
  for (const Site& site : outside_->sites()) {
    for (const auto& [reference, payment] : site.bank.book()) {
      const auto attempt = book.attempts.find(payment.attempt);
      if (attempt == book.attempts.end()) return violate("a bank was sent what no attempt names: " + reference);
      if (payment.moved == 0) continue;
      ++ever_moved[attempt->second.first];
      if (!payment.came_back) ++paid[attempt->second.first];
    }
  }
  for (const auto& [number, transfer] : book.transfers) {
    const std::string who = "transfer " + std::to_string(number) + " (" + std::string(model::name_of(transfer.state)) + ") ";
    if (ever_moved[number] > 1) return violate(who + "was paid " + std::to_string(ever_moved[number]) + " times");
    if (transfer.state == TransferState::manual_review) {
      if (!transfer.asking_used_up) return violate(who + "is with people for no reason");
      if (paid[number] != 0) return violate(who + "is with people although the statement said what became of it");
      continue;
    }
    if (!model::is_final(transfer.state)) return violate(who + "never ended");
    const bool succeeded = transfer.state == TransferState::settled || transfer.state == TransferState::reversing || transfer.state == TransferState::reversed;
    const bool late = transfer.has_case(model::CaseKind::late_success);
    if (succeeded && ever_moved[number] == 0) return violate(who + "moved no money at any bank");
    if (!succeeded && paid[number] != 0 && !late) return violate(who + "moved money at a bank, and nobody knows");
  }
  for (std::size_t i = 0; i < book.rails.size(); ++i) {
    const model::Counters& clearing = twin_.counters_of(book.rails[i].clearing);
    const Bank& bank = outside_->bank_of(book.rails[i].name);
    if (clearing.credits_posted + bank.in() != clearing.debits_posted + bank.out()) {
      return violate("the clearing account of " + book.rails[i].name + " is not the bank's book: credits " + base::to_decimal(clearing.credits_posted) + ", debits " +
                     base::to_decimal(clearing.debits_posted) + "; the bank paid " + base::to_decimal(bank.out()) + ", took " + base::to_decimal(bank.in()));
    }
  }
  note("rails", book.transfers.size());
}

}  // namespace sim
