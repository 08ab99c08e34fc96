#include "sim/rail_workload.h"

#include <algorithm>

namespace sim {

using model::TransferState;

namespace {

constexpr std::size_t remembered_max = 60;
constexpr std::size_t looked_back = 40;

bool is_waiting(const SagaTransfer& transfer) { return transfer.state == TransferState::reviewing; }
bool is_with_people(const SagaTransfer& transfer) { return transfer.state == TransferState::manual_review; }
bool is_refundable(const SagaTransfer& transfer) {
  return transfer.original == 0 && (transfer.state == TransferState::settled || transfer.state == TransferState::reversing);
}
bool is_any(const SagaTransfer&) { return true; }

}  // namespace

std::shared_ptr<Request> RailWorkload::begin(Kind kind) {
  auto request = std::make_shared<Request>();
  request->kind = kind;
  request->principal = static_cast<model::PrincipalNumber>(1 + random_.below(5));
  request->key = "rail-" + std::to_string(++serial_);
  request->asset = asset();
  return request;
}

std::shared_ptr<const Request> RailWorkload::founding() {
  std::size_t step = founded_++;
  if (step == 0) return begin(Kind::register_asset);
  if (--step < 3) {
    auto request = begin(Kind::create_client);
    request->name = "person " + std::to_string(step);
    request->person = true;
    request->scopes = model::transfers_review | model::transfers_resolve;
    return request;
  }
  if ((step -= 3) < sites_.size()) {
    auto request = begin(Kind::configure_rail);
    request->name = sites_[step].name;
    request->profile = sites_[step].profile;
    return request;
  }
  step -= sites_.size();
  const std::string name = "shops/" + std::to_string(step / 2);
  auto request = begin(step % 2 == 0 ? Kind::open_account : Kind::transfer);
  request->name = name;
  if (step % 2 == 1) {
    request->movements.push_back({.key = std::exchange(request->key, {}), .debit = "world/USD", .credit = name, .asset = asset(), .amount = funds, .reference = {}, .note = {}});
  }
  return request;
}

model::EventNumber RailWorkload::any_transfer(const Twin& twin, bool (*wanted)(const SagaTransfer&)) {
  const auto& recent = twin.sagas().recent;
  if (recent.empty()) return 0;
  const std::size_t back = std::min(recent.size(), looked_back), start = random_.below(back);
  for (std::size_t i = 0; i < back; ++i) {
    const model::EventNumber number = recent[recent.size() - 1 - (start + i) % back];
    if (wanted(twin.sagas().transfers.at(number))) return number;
  }
  return 0;
}

// People: reviews as they like; outcomes as the bank says on the telephone, once nothing is on its way to it any more.
std::shared_ptr<const Request> RailWorkload::decide(const Twin& twin, const Outside& outside) {
  const auto people = twin.people();
  const model::EventNumber waiting = any_transfer(twin, is_waiting), unknown = any_transfer(twin, is_with_people);
  auto request = begin(unknown != 0 && percent(70) ? Kind::resolve : Kind::review);
  request->transfer = std::max<model::EventNumber>(request->kind == Kind::resolve ? unknown : waiting, 1);
  request->approve = percent(80);
  request->reason = "asked by telephone";
  if (!people.empty() && percent(90)) request->principal = people[random_.below(people.size())];
  const auto found = twin.sagas().transfers.find(request->transfer);
  if (request->kind != Kind::resolve || found == twin.sagas().transfers.end() || found->second.attempts.empty()) return request;
  const SagaAttempt& attempt = found->second.attempts.back();
  const auto& book = outside.bank_of(twin.sagas().rails[attempt.rail - 1u].name).book();
  const auto payment = book.find(model::transfer_id(0, attempt.reference));
  if (outside.may_arrive(attempt.reference) || (payment != book.end() && payment->second.next_at_ns != 0)) request->kind = Kind::review;
  request->verdict = payment != book.end() && payment->second.moved != 0 && !payment->second.came_back ? model::Verdict::settled : model::Verdict::failed;
  return request;
}

std::shared_ptr<const Request> RailWorkload::resume(std::size_t site) {
  auto request = begin(Kind::control_rail);
  request->name = sites_[site].name;
  request->rail_action = gate::RailAction::resume;
  return request;
}

void RailWorkload::answered(std::shared_ptr<const Request> request) {
  sent_.push_back(std::move(request));
  if (sent_.size() > remembered_max) sent_.pop_front();
}

std::shared_ptr<const Request> RailWorkload::next(const Twin& twin, const Outside& outside, base::Instant now) {
  if (!unanswered_.empty() && (percent(40) || !is_founded())) {
    auto request = unanswered_.front();
    unanswered_.pop_front();
    return request;
  }
  if (!is_founded()) return founding();
  if (!sent_.empty() && percent(6)) {
    const auto& former = sent_[random_.below(sent_.size())];
    if (percent(70)) return former;
    auto changed = std::make_shared<Request>(*former);
    if (changed->amount) *changed->amount += 1;
    return changed;
  }
  const std::uint64_t dice = random_.below(100);
  if (dice < 66) {
    auto request = begin(dice < 52 ? Kind::payout : Kind::collect);
    request->name = percent(92) ? customer() : "users/0";
    request->amount = 1 + random_.below(percent(5) ? 2'000'000 : 1'000);
    if (percent(15)) request->rail = percent(95) ? sites_[random_.below(sites_.size())].name : "nowhere";
    if (percent(25)) request->send_within_seconds = static_cast<std::int64_t>(1 + random_.below(60));
    if (percent(30)) request->reference = "order " + std::to_string(random_.below(200));
    if (const auto people = twin.people(); percent(10) && !people.empty()) request->principal = people[0];
    return request;
  }
  if (dice < 78) {
    auto request = begin(Kind::refund);
    request->transfer = std::max<model::EventNumber>(any_transfer(twin, percent(90) ? is_refundable : is_any), 1);
    if (percent(15)) request->transfer = 1 + random_.below(twin.position() + 2);
    if (percent(60)) request->amount = random_.below(600);
    return request;
  }
  if (dice < 83) {
    auto request = begin(Kind::cancel_transfer);
    request->transfer = std::max<model::EventNumber>(any_transfer(twin, is_any), 1);
    return request;
  }
  if (dice < 94) return decide(twin, outside);
  auto request = begin(dice < 99 ? Kind::control_rail : Kind::change_flags);
  const std::string& site = sites_[random_.below(sites_.size())].name;
  request->name = dice < 99 ? site : percent(50) ? "rails/" + site + "/clearing" : customer();
  request->rail_action = percent(70) ? gate::RailAction::resume : percent(60) ? gate::RailAction::pause : gate::RailAction::maintenance;
  if (request->rail_action == gate::RailAction::maintenance) {
    request->from = now;
    request->until = now + base::seconds(5);
  }
  request->action = percent(35) ? gate::FlagAction::freeze : percent(95) ? gate::FlagAction::unfreeze : gate::FlagAction::close;
  return request;
}

}  // namespace sim
