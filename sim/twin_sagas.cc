// The rules that the twin holds sagas to. Each is a sentence of docs/transfers.md, none is taken from core.

#include "sim/twin_sagas.h"

#include <algorithm>

#include "sim/twin_words.h"

namespace sim {

using model::EventNumber;
using model::RailReason;
using model::RailResult;
using model::ReportSource;
using model::TransferKind;
using model::TransferState;
using model::VoteKind;

namespace {

bool is_open_with_rail(TransferState state) {
  return state == TransferState::sending || state == TransferState::accepted || state == TransferState::outcome_unknown || state == TransferState::manual_review;
}

TransferState ready_state(const SagaTransfer& transfer) { return transfer.kind == TransferKind::payout ? TransferState::held : TransferState::requested; }

bool is_ended(TransferState state) { return static_cast<int>(state) >= static_cast<int>(TransferState::settled); }

}  // namespace

Complaint SagaReader::read(std::size_t from) {
  for (std::size_t i = from; i < entry_.events.size(); ++i) {
    at_event_ = entry_.first_event + i;
    const Complaint complaint = std::visit(
        [&](const auto& event) -> Complaint {
          if constexpr (requires { take(event); }) return take(event);
          return "an event that no transfer over a rail leads to";
        },
        entry_.events[i].body);
    if (complaint) return "event " + number(at_event_) + ": " + *complaint;
  }
  return finish();
}

SagaTransfer* SagaReader::find(EventNumber transfer) {
  const auto found = book_.transfers.find(transfer);
  if (found == book_.transfers.end()) return nullptr;
  touched_.insert(transfer);
  return &found->second;
}

// --- rails --------------------------------------------------------------------------------------------------------------------

Complaint SagaReader::take(const model::AccountOpened& event) {
  const auto* configured = std::get_if<model::ConfigureRail>(&entry_.command.body);
  if (configured == nullptr) return "an account is opened by something else than a rail";
  const std::string name(model::to_text(configured->name));
  const bool first = event.name == configured->clearing_name;
  if (!first && !(event.name == configured->suspense_name)) return "a rail opens an account with another name than its own two";
  const model::AccountNumber opened =
      twin_.open_account({.tenant = entry_.command.tenant, .name = first ? "rails/" + name + "/clearing" : "suspense/" + name, .asset = event.asset,
                          .flags = 0, .limits = {}, .counters = {}, .postings = {}, .open_holds = {}, .opened = at_event_});
  const model::AccountOpened expected{opened, entry_.command.tenant, twin_.find_asset(entry_.command.tenant, configured->asset.code), event.name, 0, {}, {}};
  if (!(event == expected)) return "a rail's account with other particulars";
  return std::nullopt;
}

Complaint SagaReader::take(const model::RailConfigured& event) {
  const auto* configured = std::get_if<model::ConfigureRail>(&entry_.command.body);
  if (configured == nullptr || !(event.profile == configured->profile) || event.name != configured->name) return "a rail with another profile than was sent";
  if (event.number == 0 || event.number > book_.rails.size() + 1) return "a rail with a number out of order";
  const std::string name(model::to_text(event.name));
  if (event.number == book_.rails.size() + 1) {
    book_.rails.push_back({.name = name, .asset = event.asset, .clearing = event.clearing, .suspense = event.suspense, .profile = {}});
    if (event.clearing != twin_.account_number(1, "rails/" + name + "/clearing") || event.suspense != twin_.account_number(1, "suspense/" + name)) {
      return "a rail with the accounts of somebody else";
    }
  }
  SagaRail& rail = book_.rail(event.number);
  if (rail.name != name || rail.asset != event.asset || rail.clearing != event.clearing) return "a rail changes what stays";
  rail.profile = *event.profile;
  return std::nullopt;
}

Complaint SagaReader::take(const model::RailControlled& event) {
  const auto* control = std::get_if<model::ControlRail>(&entry_.command.body);
  if (control == nullptr || event.rail == 0 || event.rail > book_.rails.size()) return "a rail steered that was not named";
  SagaRail& rail = book_.rail(event.rail);
  // A window leaves a pause as it is, a pause leaves a window as it is; a window that is over is none.
  const bool window = control->maintenance_from.ns != 0 || control->maintenance_until.ns != 0;
  if (window) {
    rail.maintenance_from = control->maintenance_from;
    rail.maintenance_until = control->maintenance_until;
  }
  if (rail.maintenance_until <= entry_.at) rail.maintenance_from = rail.maintenance_until = {};
  rail.paused = control->paused || (window && rail.paused);
  const bool as_asked = event.paused == rail.paused && event.maintenance_from == rail.maintenance_from && event.maintenance_until == rail.maintenance_until;
  if (!as_asked) return "a rail steered otherwise than was asked";
  return std::nullopt;
}

// --- the saga's steps -----------------------------------------------------------------------------------------------------------

Complaint SagaReader::take(const model::TransferRequested& event) {
  SagaTransfer transfer{.kind = event.kind,
                        .account = event.account,
                        .requester = event.requester,
                        .asset = event.asset,
                        .amount = event.amount,
                        .wanted = event.wanted,
                        .approvals = event.approvals,
                        .send_by = event.send_by,
                        .original = event.original,
                        .original_attempt = event.original_attempt,
                        .attempts = {},
                        .cases = {},
                        .voters = {}};
  if (const auto* refund = std::get_if<model::RefundTransfer>(&entry_.command.body)) {
    const SagaTransfer* original = find(refund->original);
    if (original == nullptr || event.original != refund->original || event.account != original->account) return "a refund of something else";
    if ((event.kind == TransferKind::payout) != (original->kind == TransferKind::collect)) return "a refund in the wrong direction";
    if (original->attempts.empty() || event.wanted != original->attempts.back().rail || event.original_attempt != original->attempts.back().reference) {
      return "a refund on another rail than carried the money";
    }
  } else if (report() != nullptr) {
    const SagaTransfer* original = find(event.original);
    if (original == nullptr || event.requester != 0 || event.kind != TransferKind::recall) return "a report starts a transfer that is no compensation";
    for (const auto& [known, other] : book_.transfers) {
      if (other.requester == 0 && other.original_attempt == event.original_attempt) return "a second compensation for one attempt";
    }
    if (!original->has_case(model::CaseKind::late_success)) return "a compensation without a late success";
  } else if (event.original != 0) {
    return "a transfer of its own right that gives something back";
  }
  book_.transfers.emplace(at_event_, std::move(transfer));
  book_.recent.push_back(at_event_);
  touched_.insert(at_event_);
  return std::nullopt;
}

Complaint SagaReader::take(const model::TransferMoved& event) {
  SagaTransfer* transfer = find(event.transfer);
  if (transfer == nullptr) return "a transfer moves that nobody asked for";
  if (event.from != transfer->state) return "it moves from a state it is not in";
  if (auto complaint = judge_move(event.transfer, *transfer, event)) {
    return "transfer " + number(event.transfer) + " from " + std::string(model::name_of(event.from)) + " to " + std::string(model::name_of(event.to)) + ": " + *complaint;
  }
  if (event.from == TransferState::sending) {
    SagaRail& rail = book_.rail(transfer->attempts.back().rail);
    --rail.in_flight;
    rail.probes -= transfer->attempts.back().probe ? 1u : 0u;
  }
  if (event.hold != 0) {
    const auto placed = placed_.find(event.hold);
    if (placed == placed_.end() || placed->second != 0) return "it takes a hold that was not placed for it";
    placed->second = event.transfer;
    transfer->hold = event.hold;
    twin_.holds_.at(event.hold).transfer = event.transfer;
  }
  transfer->asking_used_up = event.to == TransferState::manual_review && event.cause == model::MoveCause::inquiries_used_up;
  transfer->state = event.to;
  transfer->due = event.due;
  transfer->alarm = event.alarm_at;
  transfer->voters.clear();
  if (is_ended(event.to)) transfer->hold = 0;
  return std::nullopt;
}

// A report of the newest attempt.
bool SagaReader::reports(EventNumber transfer, const SagaTransfer& of) const {
  return report() != nullptr && report()->transfer == transfer && !of.attempts.empty() && report()->attempt == of.attempts.size();
}

bool SagaReader::decided_by_people(const SagaTransfer& transfer, VoteKind vote) const { return transfer.vote == vote && transfer.voters.size() >= 2; }

Complaint SagaReader::judge_move(EventNumber number_of, const SagaTransfer& t, const model::TransferMoved& event) {
  const TransferState from = t.state, ready = ready_state(t);
  const bool unresolved = from == TransferState::outcome_unknown || from == TransferState::manual_review;
  const bool told = reports(number_of, t);
  if (is_ended(event.to) && t.hold != 0 && !resolved_.contains(number_of)) return "it ends and keeps its hold";
  switch (event.to) {
    case TransferState::reviewing:
      return from == TransferState::requested && t.approvals != 0 ? Complaint() : "nobody asked for a review";
    case TransferState::requested:
    case TransferState::held:
      if (event.to != ready) return "not the state in which it is ready";
      if (from == TransferState::requested) return std::nullopt;
      if (from == TransferState::reviewing) return t.voters.size() >= t.approvals ? Complaint() : "too few people approved";
      if (from != TransferState::sending && !unresolved) return "out of order";
      return !t.attempts.empty() && t.attempts.back().over ? Complaint() : "its attempt may still pay somebody";
    case TransferState::parked:
      return from == ready ? Complaint() : "out of order";
    case TransferState::sending:
      return from == ready || from == TransferState::parked ? Complaint() : "out of order";
    case TransferState::accepted:
      if (!told || report()->result != RailResult::accepted) return "no rail said so";
      return from == TransferState::sending || unresolved || from == TransferState::parked ? Complaint() : "out of order";
    case TransferState::outcome_unknown:
      if (from == TransferState::accepted) return is_tick() && is_due(t) ? Complaint() : "asked enough without having asked";
      if (from != TransferState::sending) return "out of order";
      return told || (is_tick() && is_due(t)) ? Complaint() : "before its time";
    case TransferState::manual_review:
      return from == TransferState::outcome_unknown && is_tick() && is_due(t) ? Complaint() : "before its time";
    case TransferState::settled:
      if (from == TransferState::reversing) return std::nullopt;
      if (from == TransferState::manual_review && decided_by_people(t, VoteKind::resolve_settled)) return explain_credit(t);
      if (!told || report()->result != RailResult::settled) return "no rail said so, nor two people";
      return is_open_with_rail(from) || from == TransferState::parked ? explain_credit(t) : Complaint("out of order");
    case TransferState::failed:
      if (from == ready || from == TransferState::parked) return std::nullopt;
      if (from == TransferState::manual_review && decided_by_people(t, VoteKind::resolve_failed)) return std::nullopt;
      if (!told) return "no rail said so, nor two people";
      return report()->result == RailResult::rejected || t.attempts.back().over ? Complaint() : "it may still pay somebody";
    case TransferState::returned:
      return told && report()->reason == RailReason::returned_by_beneficiary_bank && is_open_with_rail(from) ? Complaint() : "no rail said so";
    case TransferState::rejected:
      return from == TransferState::reviewing ? Complaint() : "out of order";
    case TransferState::cancelled:
      return from == TransferState::reviewing || from == TransferState::parked ? Complaint() : "it may have been sent";
    case TransferState::reversing:
    case TransferState::reversed: {
      const SagaRefunds& refunds = book_.refunds[number_of];
      const bool all = event.to == TransferState::reversed ? refunds.posted == t.amount : refunds.pending + refunds.posted == t.amount;
      return all ? Complaint() : "not all of it is given back";
    }
  }
  return "to no state at all";
}

// What comes in is credited in the same commit, or a case says why it could not be.
Complaint SagaReader::explain_credit(const SagaTransfer& transfer) {
  if (transfer.kind == TransferKind::payout) return std::nullopt;
  const SagaRail& rail = book_.rail(transfer.attempts.back().rail);
  for (Posting& posting : postings_) {
    if (posting.explained || posting.debit != rail.clearing || posting.credit != transfer.account || posting.amount != transfer.amount) continue;
    posting.explained = true;
    return std::nullopt;
  }
  return transfer.has_case(model::CaseKind::account_unusable) ? Complaint() : "settled without a credit";
}

Complaint SagaReader::take(const model::RouteDecided& event) {
  SagaTransfer* transfer = find(event.transfer);
  if (transfer == nullptr) return "a route for nothing";
  if (event.due.ns != 0) transfer->due = event.due;
  model::RailNumber last = 0;
  for (const model::RouteChoice& choice : event.choices) {
    if (choice.rail <= last || choice.rail > book_.rails.size()) return "rails of a decision out of order";
    last = choice.rail;
    if (!model::is_chosen(choice.verdict)) continue;
    if (chosen_.contains(event.transfer)) return "two rails chosen";
    chosen_[event.transfer] = choice.rail;
    const SagaRail& rail = book_.rail(choice.rail);
    const bool in_maintenance = entry_.at >= rail.maintenance_from && entry_.at < rail.maintenance_until;
    if (rail.paused || in_maintenance) return "a rail chosen that is out of service";
    if (rail.asset != transfer->asset || (transfer->wanted != 0 && transfer->wanted != choice.rail)) return "a rail chosen that cannot carry it";
    if (rail.in_flight >= rail.profile.in_flight_max) return "a rail chosen that is full";
  }
  return std::nullopt;
}

Complaint SagaReader::take(const model::AttemptStarted& event) {
  SagaTransfer* transfer = find(event.transfer);
  if (transfer == nullptr || transfer->state != TransferState::sending) return "an attempt of something that is not to be sent";
  const auto chosen = chosen_.extract(event.transfer);
  if (chosen.empty() || chosen.mapped() != event.rail) return "an attempt on a rail that was not chosen";
  for (const SagaAttempt& former : transfer->attempts) {
    if (!former.over) return "transfer " + number(event.transfer) + " is sent again while attempt " + number(former.reference) + " may still pay somebody";
  }
  if (event.attempt != transfer->attempts.size() + 1 || event.amount != transfer->amount || event.kind != transfer->kind) return "an attempt to send something else";
  if (event.send_not_after > transfer->send_by) return "an attempt that may leave after the transfer's own time";
  SagaRail& rail = book_.rail(event.rail);
  if (event.send_not_after > entry_.at + rail.profile.send_window) return "an attempt that may leave later than the rail's window";
  transfer->attempts.push_back({.rail = event.rail, .reference = at_event_, .send_not_after = event.send_not_after, .probe = event.probe});
  book_.attempts[at_event_] = {event.transfer, event.attempt};
  ++rail.in_flight;
  rail.probes += event.probe ? 1u : 0u;
  if (rail.probes > probes_out_max) return "more probes at one rail than may be out";
  return std::nullopt;
}

// docs/transfers.md, "Reports". Nothing but this leads on to another attempt.
bool SagaReader::proves_absence(const SagaTransfer& transfer, const SagaAttempt& attempt) const {
  const model::ReportRail& said = *report();
  const SagaRail& rail = book_.rail(attempt.rail);
  if (said.result == RailResult::rejected) return transfer.state == TransferState::sending && model::row_of(said.reason).reroutable;
  if (said.result != RailResult::not_sent) return false;
  if (said.reason == RailReason::tombstoned) return rail.can(model::void_supported) && said.source <= ReportSource::inquiry;
  if (said.source == ReportSource::reply) return said.reason != RailReason::not_found_at_rail;
  return said.source == ReportSource::inquiry && said.reason == RailReason::not_found_at_rail && !rail.can(model::void_supported) &&
         rail.can(model::expiry_honoured) && said.inquiry != 0 && said.inquiry == attempt.asked &&
         attempt.asked_at >= attempt.send_not_after + rail.profile.visibility_horizon;
}

Complaint SagaReader::take(const model::AttemptReported& event) {
  SagaTransfer* transfer = find(event.transfer);
  if (transfer == nullptr || report() == nullptr) return "a report that nobody made";
  const model::ReportRail& said = *report();
  const bool fits = event.transfer == said.transfer && event.attempt == said.attempt && event.rail == said.rail && event.source == said.source &&
                    event.reason == said.reason && event.result == said.result && event.amount == said.amount;
  const bool other_asset = said.asset && event.result == RailResult::unknown && event.reason == RailReason::reply_contradicts_request;
  if (!fits && !other_asset) return "a report that says something else than was said";
  if (event.attempt == 0 || event.attempt > transfer->attempts.size()) return "a report of an attempt that never was";
  SagaAttempt& attempt = transfer->attempts[event.attempt - 1u];
  if (!other_asset && event.attempt == transfer->attempts.size() && proves_absence(*transfer, attempt)) attempt.over = true;
  return std::nullopt;
}

Complaint SagaReader::take(const model::ReportIgnored& event) {
  if (report() == nullptr || event.transfer != report()->transfer) return "nobody said what is ignored";
  return std::nullopt;
}

Complaint SagaReader::take(const model::InquiryStarted& event) {
  SagaTransfer* transfer = find(event.transfer);
  if (transfer == nullptr || transfer->attempts.empty() || event.attempt != transfer->attempts.size()) return "a question about no attempt";
  SagaAttempt& attempt = transfer->attempts.back();
  if (event.inquiry != attempt.asked + 1 || event.rail != attempt.rail) return "a question with another number than comes next";
  const SagaRail& rail = book_.rail(attempt.rail);
  const bool past_horizon = entry_.at >= attempt.send_not_after + rail.profile.visibility_horizon;
  const bool people_decided = std::holds_alternative<model::ResolveUnknown>(entry_.command.body);
  if (event.is_void && (!rail.can(model::void_supported) || (!past_horizon && !people_decided))) return "a void that the rail does not know, or too early";
  if (!event.is_void && !rail.can(model::inquiry_supported)) return "a question to a rail that answers none";
  if (is_tick() && !is_due(*transfer)) return "a question before its time";
  attempt.asked = event.inquiry;
  attempt.asked_at = entry_.at;
  transfer->due = event.due;
  return std::nullopt;
}

Complaint SagaReader::take(const model::VoteRecorded& event) {
  SagaTransfer* transfer = find(event.transfer);
  const model::PrincipalNumber person = entry_.command.principal;
  if (transfer == nullptr || event.person != person) return "somebody else's voice";
  if (person == 0 || person > twin_.clients_.size() || !twin_.clients_[person - 1].person) return "the voice of something that is no person";
  if (person == transfer->requester) return "the requester has a voice";
  if (event.vote != transfer->vote) transfer->voters.clear();
  transfer->vote = event.vote;
  if (!transfer->voters.insert(person).second) return "one person counts twice";
  if (event.counted != transfer->voters.size()) return "voices miscounted";
  return std::nullopt;
}

Complaint SagaReader::take(const model::CaseOpened& event) {
  SagaTransfer* transfer = find(event.transfer);
  if (transfer == nullptr) return "a case of nothing";
  if (!transfer->cases.insert({event.kind, event.attempt}).second) return "the same case twice";
  if (event.posting == 0) return std::nullopt;
  if (postings_.empty() || postings_.back().event != event.posting || postings_.back().amount != event.amount) return "a case with money that did not move";
  Posting& posting = postings_.back();
  const SagaRail& rail = book_.rail(event.rail);
  const bool to_suspense = posting.debit == rail.clearing && posting.credit == rail.suspense;
  const bool from_suspense = posting.debit == rail.suspense && posting.credit == rail.clearing;
  if (!to_suspense && !from_suspense) return "a case whose money is neither in clearing nor in suspense";
  const bool payout = transfer->kind == TransferKind::payout;
  if (event.kind == model::CaseKind::late_success && from_suspense != payout) return "a late success booked the wrong way round";
  if (event.kind == model::CaseKind::return_after_settlement && to_suspense != payout) return "a return booked the wrong way round";
  posting.explained = true;
  return std::nullopt;
}

Complaint SagaReader::take(const model::AgeAlarmRaised& event) {
  SagaTransfer* transfer = find(event.transfer);
  if (transfer == nullptr || transfer->alarm.ns == 0 || transfer->alarm > entry_.at || transfer->state != event.state) return "an alarm before its time, or a second one";
  transfer->alarm = {};
  return std::nullopt;
}

Complaint SagaReader::take(const model::Refused&) { return entry_.events.size() == 1 ? Complaint() : "a refusal beside other events"; }

}  // namespace sim
