// Rails and transfers over them.

#include <algorithm>

#include "base/check.h"
#include "edge/render_parts.h"
#include "gate/rail_names.h"

namespace edge {

using wire::JsonWriter;

namespace {

void write_rail(JsonWriter& json, const Backend& backend, std::string_view name, model::RailNumber rail) {
  if (rail == 0) return;
  const std::string text = backend.rail_name(rail);
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.string(text);
  }
}

void write_reason(JsonWriter& json, model::RailReason reason) {
  if (reason != model::RailReason::none) json.member("reason", model::row_of(reason).name);
}

std::string_view name_of(model::ReportSource source) {
  switch (source) {
    case model::ReportSource::reply: return "reply";
    case model::ReportSource::callback: return "callback";
    case model::ReportSource::inquiry: return "inquiry";
    case model::ReportSource::statement: return "statement";
    case model::ReportSource::operator_decision: return "operator_decision";
    case model::ReportSource::recovery: return "recovery";
  }
  CHECK_THAT(false, "a report has a source");
}

std::string_view name_of(model::MoveCause cause) {
  switch (cause) {
    case model::MoveCause::request: return "request";
    case model::MoveCause::approval: return "approval";
    case model::MoveCause::rejection: return "rejection";
    case model::MoveCause::cancellation: return "cancellation";
    case model::MoveCause::expiry: return "expiry";
    case model::MoveCause::routing: return "routing";
    case model::MoveCause::report: return "report";
    case model::MoveCause::silence: return "silence";
    case model::MoveCause::inquiries_used_up: return "inquiries_used_up";
    case model::MoveCause::resolution: return "resolution";
    case model::MoveCause::refund: return "refund";
  }
  CHECK_THAT(false, "a move has a cause");
}

std::string_view name_of(model::VoteKind vote) {
  switch (vote) {
    case model::VoteKind::approve: return "approve";
    case model::VoteKind::reject: return "reject";
    case model::VoteKind::resolve_settled: return "settled";
    case model::VoteKind::resolve_failed: return "failed";
  }
  CHECK_THAT(false, "a vote is about something");
}

void write_country(JsonWriter& json, model::Country country) {
  const char text[2] = {static_cast<char>(country >> 8), static_cast<char>(country & 0xff)};
  json.string(std::string_view(text, 2));
}

// What of a saga's steps its resource shows, gathered in one walk.
struct Gathered {
  model::TransferState state = model::TransferState::requested;
  model::MoveCause cause = model::MoveCause::request;
  model::RailReason reason = model::RailReason::none;
  base::Instant since{};
  base::Instant due{};
  model::RailNumber rail = 0;
  model::EventNumber hold = 0;
  const model::RefundCounted* refunds = nullptr;
  const model::Side* side = nullptr;   // of its account, after the newest movement
};

// A movement of this saga's money in the entry of one of its steps: the hold by its number, a posting as what stands before
// the step that settled it.
const model::Side* side_moved(const EventAt& step, model::AccountNumber account, model::EventNumber hold) {
  const auto& events = step.source.entry.events;
  const model::EventNumber first = step.source.entry.first_event;
  const auto of_account = [account](const auto& moved) { return moved.debit.account == account ? &moved.debit : &moved.credit; };
  for (std::size_t i = events.size(); hold != 0 && i-- > 0;) {
    if (const auto* end = std::get_if<model::HoldResolved>(&events[i].body); end != nullptr && end->hold == hold) return of_account(*end);
    if (const auto* placed = std::get_if<model::HoldPlaced>(&events[i].body); placed != nullptr && first + i == hold) {
      return of_account(*placed);
    }
  }
  const auto* move = std::get_if<model::TransferMoved>(&step.event.body);
  if (move == nullptr || move->to != model::TransferState::settled) return nullptr;
  for (auto i = static_cast<std::size_t>(step.number - first); i-- > 0;) {
    const auto* posted = std::get_if<model::TransferPosted>(&events[i].body);
    if (posted != nullptr && posted->credit.account == account) return &posted->credit;
    if (std::holds_alternative<model::TransferMoved>(events[i].body)) break;
  }
  return nullptr;
}

Gathered gather(std::span<const EventAt> steps, const model::TransferRequested& request) {
  Gathered found;
  found.since = steps[0].event.at;
  for (const EventAt& step : steps) {
    if (const auto* move = std::get_if<model::TransferMoved>(&step.event.body)) {
      found.state = move->to;
      found.cause = move->cause;
      found.reason = move->reason;
      found.since = step.event.at;
      found.due = move->due;
      if (move->rail != 0) found.rail = move->rail;
      if (move->hold != 0) found.hold = move->hold;
    }
    if (const auto* started = std::get_if<model::AttemptStarted>(&step.event.body)) found.rail = started->rail;
    if (const auto* counted = std::get_if<model::RefundCounted>(&step.event.body)) found.refunds = counted;
    if (const model::Side* side = side_moved(step, request.account, found.hold)) found.side = side;
  }
  return found;
}

// The raw JSON object that the gate made canonical; left out once it was erased.
void write_party(JsonWriter& json, const EventAt& at, model::TransferKind kind) {
  const auto value = private_value(at.source, at.number, model::PrivateField::transfer_beneficiary);
  if (!value) return;
  json.key(kind == model::TransferKind::payout ? "beneficiary" : "payer");
  json.raw(base::as_text(*value));
}

void write_report(JsonWriter& json, const EventAt& at, const model::AttemptReported& report) {
  json.begin_object();
  json.member("source", name_of(report.source));
  json.member("result", name_of(report.result));
  write_reason(json, report.reason);
  if (report.amount) write_amount(json, "amount", *report.amount);
  if (const auto value = private_value(at.source, at.number, model::PrivateField::rail_reference)) {
    json.member("rail_reference", base::as_text(*value));
  }
  if (report.latency.ns > 0) json.member("latency_us", static_cast<std::uint64_t>(report.latency.ns / 1000));
  write_instant(json, "at", at.event.at);
  json.end_object();
}

void write_attempts(JsonWriter& json, const Backend& backend, std::span<const EventAt> steps) {
  json.key("attempts");
  json.begin_array();
  for (const EventAt& step : steps) {
    const auto* started = std::get_if<model::AttemptStarted>(&step.event.body);
    if (started == nullptr) continue;
    json.begin_object();
    json.member("number", std::uint64_t{started->attempt});
    json.member("reference", std::string_view(backend.epochs().reference(backend.partition(), step.number)));
    write_rail(json, backend, "rail", started->rail);
    write_instant(json, "started_at", step.event.at);
    write_instant(json, "send_not_after", started->send_not_after);
    json.key("reports");
    json.begin_array();
    std::uint64_t inquiries = 0, ignored = 0;
    for (const EventAt& other : steps) {
      if (const auto* report = std::get_if<model::AttemptReported>(&other.event.body); report != nullptr && report->attempt == started->attempt) {
        write_report(json, other, *report);
      }
      if (const auto* asked = std::get_if<model::InquiryStarted>(&other.event.body)) inquiries += asked->attempt == started->attempt ? 1 : 0;
      if (const auto* passed = std::get_if<model::ReportIgnored>(&other.event.body)) ignored += passed->attempt == started->attempt ? 1 : 0;
    }
    json.end_array();
    if (inquiries != 0) json.member("inquiries", inquiries);
    if (ignored != 0) json.member("reports_ignored", ignored);
    json.end_object();
  }
  json.end_array();
}

void write_routing(JsonWriter& json, const Backend& backend, std::span<const EventAt> steps) {
  json.key("routing");
  json.begin_array();
  for (const EventAt& step : steps) {
    const auto* decided = std::get_if<model::RouteDecided>(&step.event.body);
    if (decided == nullptr) continue;
    json.begin_object();
    write_instant(json, "at", step.event.at);
    json.key("rails");
    json.begin_array();
    for (const model::RouteChoice& choice : decided->choices) {
      json.begin_object();
      write_rail(json, backend, "rail", choice.rail);
      json.member("verdict", model::name_of(choice.verdict));
      if (model::was_eligible(choice.verdict)) {
        json.key("success_in_65535");
        json.uint(choice.success);
        json.key("value_in_10000");
        json.sint(choice.value);
      }
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_history(JsonWriter& json, std::span<const EventAt> steps) {
  json.key("history");
  json.begin_array();
  for (const EventAt& step : steps) {
    const auto* move = std::get_if<model::TransferMoved>(&step.event.body);
    if (move == nullptr) continue;
    json.begin_object();
    json.member("from", model::name_of(move->from));
    json.member("to", model::name_of(move->to));
    json.member("cause", name_of(move->cause));
    write_reason(json, move->reason);
    write_instant(json, "at", step.event.at);
    json.end_object();
  }
  json.end_array();
}

void write_vote(JsonWriter& json, const EventAt& at, const model::VoteRecorded& vote) {
  json.begin_object();
  json.member("person", std::string_view(model::client_id(vote.person)));
  json.member("vote", name_of(vote.vote));
  json.member("counted", std::uint64_t{vote.counted});
  json.member("needed", std::uint64_t{vote.needed});
  if (const auto value = private_value(at.source, at.number, model::PrivateField::vote_reason)) {
    json.member("reason", base::as_text(*value));
  }
  write_instant(json, "at", at.event.at);
  json.end_object();
}

void write_people(JsonWriter& json, const Backend& backend, std::span<const EventAt> steps) {
  const auto has = [&](auto matches) { return std::any_of(steps.begin(), steps.end(), [&](const EventAt& step) { return matches(step.event.body); }); };
  if (has([](const model::EventBody& body) { return std::holds_alternative<model::VoteRecorded>(body); })) {
    json.key("votes");
    json.begin_array();
    for (const EventAt& step : steps) {
      if (const auto* vote = std::get_if<model::VoteRecorded>(&step.event.body)) write_vote(json, step, *vote);
    }
    json.end_array();
  }
  if (!has([](const model::EventBody& body) { return std::holds_alternative<model::CaseOpened>(body); })) return;
  json.key("cases");
  json.begin_array();
  for (const EventAt& step : steps) {
    const auto* opened = std::get_if<model::CaseOpened>(&step.event.body);
    if (opened == nullptr) continue;
    json.begin_object();
    json.member("kind", model::name_of(opened->kind));
    json.member("attempt", std::uint64_t{opened->attempt});
    write_rail(json, backend, "rail", opened->rail);
    write_amount(json, "amount", opened->amount);
    if (opened->posting != 0) write_transfer_id(json, backend, "posting", opened->posting);
    write_instant(json, "at", step.event.at);
    json.end_object();
  }
  json.end_array();
}

// The steps of one transfer within one entry, which its request or another of its steps belongs to.
std::vector<EventAt> steps_in(const EventAt& at, model::EventNumber transfer) {
  std::vector<EventAt> steps;
  const model::Entry& entry = at.source.entry;
  for (std::size_t i = 0; i < entry.events.size(); ++i) {
    const model::EventNumber number = entry.first_event + i;
    if (saga_of(entry.events[i].body, number) == transfer) steps.push_back({at.source, entry.events[i], number});
  }
  return steps;
}

void write_profile(JsonWriter& json, const model::RailProfile& profile) {
  json.key("capabilities");
  json.begin_array();
  for (const auto& [bit, name] : gate::rail_capability_names) {
    if ((profile.capabilities & bit) != 0) json.string(name);
  }
  json.end_array();
  json.key("directions");
  json.begin_array();
  for (const auto& [bit, name] : gate::rail_direction_names) {
    if ((profile.directions & bit) != 0) json.string(name);
  }
  json.end_array();
  write_amount(json, "amount_min", profile.amount_min);
  if (profile.amount_max != 0) write_amount(json, "amount_max", profile.amount_max);
  write_amount(json, "cost_fixed", profile.cost_fixed);
  json.member("cost_basis_points", std::uint64_t{profile.cost_basis_points});
  const auto milliseconds = [&json](std::string_view name, base::Duration duration) {
    json.member(name, static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.ns / 1'000'000)));
  };
  milliseconds("send_window_ms", profile.send_window);
  milliseconds("reply_timeout_ms", profile.reply_timeout);
  milliseconds("visibility_horizon_ms", profile.visibility_horizon);
  milliseconds("settle_within_ms", profile.settle_within);
  milliseconds("inquiry_first_ms", profile.inquiry_first);
  milliseconds("inquiry_max_ms", profile.inquiry_max);
  json.member("inquiries_max", std::uint64_t{profile.inquiries_max});
  json.member("in_flight_max", std::uint64_t{profile.in_flight_max});
  json.member("rate_per_second", std::uint64_t{profile.rate_per_second});
  json.key("countries");
  json.begin_array();
  for (const model::Country country : profile.countries) {
    if (country != 0) write_country(json, country);
  }
  json.end_array();
}

}  // namespace

model::EventNumber saga_of(const model::EventBody& body, model::EventNumber number) {
  if (std::holds_alternative<model::TransferRequested>(body)) return number;
  if (const auto* counted = std::get_if<model::RefundCounted>(&body)) return counted->original;
  return std::visit(
      [](const auto& step) -> model::EventNumber {
        if constexpr (requires { step.transfer; }) return step.transfer;
        return 0;
      },
      body);
}

void write_saga(JsonWriter& json, const Backend& backend, std::span<const EventAt> steps) {
  const EventAt& created = steps[0];
  const auto* request = std::get_if<model::TransferRequested>(&created.event.body);
  CHECK_THAT(request != nullptr, "a transfer over a rail begins with its request");
  const Gathered now = gather(steps, *request);
  const bool payout = request->kind == model::TransferKind::payout;
  write_transfer_id(json, backend, "id", created.number);
  json.member("kind", model::name_of(request->kind));
  json.member("state", model::name_of(now.state));
  json.member("cause", name_of(now.cause));
  write_reason(json, now.reason);
  write_amount(json, "amount", request->amount);
  write_asset(json, backend, "asset", request->asset);
  write_account(json, backend, payout ? "debit_account" : "credit_account", request->account);
  write_rail(json, backend, "rail", now.rail);
  write_rail(json, backend, "wanted_rail", request->wanted);
  if (request->country != 0) {
    json.key("country");
    write_country(json, request->country);
  }
  if (request->instrument != 0) json.member("instrument", std::uint64_t{request->instrument});
  write_party(json, created, request->kind);
  if (request->original != 0) write_transfer_id(json, backend, "refund_of", request->original);
  if (now.hold != 0) write_transfer_id(json, backend, "hold", now.hold);
  if (const auto value = private_value(created.source, created.number, model::PrivateField::transfer_reference)) {
    json.member("reference", base::as_text(*value));
  }
  if (const auto value = private_value(created.source, created.number, model::PrivateField::transfer_metadata)) {
    write_metadata(json, *value);
  }
  if (request->approvals != 0) json.member("approvals_needed", std::uint64_t{request->approvals});
  write_instant(json, "send_by", request->send_by);
  write_instant(json, "created_at", created.event.at);
  write_instant(json, "state_since", now.since);
  write_attempts(json, backend, steps);
  write_routing(json, backend, steps);
  write_people(json, backend, steps);
  write_history(json, steps);
  if (now.refunds != nullptr) {
    write_amount(json, "refunded_pending", now.refunds->pending);
    write_amount(json, "refunded_posted", now.refunds->posted);
  }
  if (now.side != nullptr) {
    json.key("balance");
    json.begin_object();
    write_counters(json, now.side->after);
    json.end_object();
  }
}

void write_requested(JsonWriter& json, const Backend& backend, const EventAt& at) {
  const std::vector<EventAt> steps = steps_in(at, at.number);
  write_saga(json, backend, steps);
}

void write_decision(JsonWriter& json, const Backend& backend, const EventAt& at, model::EventNumber transfer) {
  write_transfer_id(json, backend, "id", transfer);
  const model::TransferMoved* last = nullptr;
  const std::vector<EventAt> steps = steps_in(at, transfer);
  for (const EventAt& step : steps) {
    if (const auto* move = std::get_if<model::TransferMoved>(&step.event.body)) last = move;
  }
  if (last != nullptr) {
    json.member("state", model::name_of(last->to));
    write_reason(json, last->reason);
  } else {
    // A voice that decides nothing yet leaves the transfer where it waits for people.
    const bool review = std::holds_alternative<model::ReviewTransfer>(at.source.entry.command.body);
    json.member("state", model::name_of(review ? model::TransferState::reviewing : model::TransferState::manual_review));
  }
  for (const EventAt& step : steps) {
    const auto* vote = std::get_if<model::VoteRecorded>(&step.event.body);
    if (vote == nullptr) continue;
    json.key("vote");
    write_vote(json, step, *vote);
  }
  write_instant(json, "at", at.event.at);
}

void write_rail_configured(JsonWriter& json, const Backend& backend, const EventAt& at, const model::RailConfigured& rail) {
  json.member("name", model::to_text(rail.name));
  write_asset(json, backend, "asset", rail.asset);
  write_account(json, backend, "clearing_account", rail.clearing);
  write_account(json, backend, "suspense_account", rail.suspense);
  write_profile(json, *rail.profile);
  write_instant(json, "configured_at", at.event.at);
}

void write_rail_controlled(JsonWriter& json, const Backend& backend, const EventAt& at, const model::RailControlled& rail) {
  write_rail(json, backend, "name", rail.rail);
  json.member("paused", rail.paused);
  if (rail.maintenance_until.ns != 0) {
    write_instant(json, "maintenance_from", rail.maintenance_from);
    write_instant(json, "maintenance_until", rail.maintenance_until);
  }
  write_instant(json, "changed_at", at.event.at);
}

void write_rail_reading(JsonWriter& json, const Backend& backend, const RailReading& rail) {
  json.begin_object();
  json.member("name", std::string_view(rail.name));
  write_asset(json, backend, "asset", rail.asset);
  write_account(json, backend, "clearing_account", rail.clearing);
  write_account(json, backend, "suspense_account", rail.suspense);
  write_profile(json, rail.profile);
  json.member("paused", rail.paused);
  if (rail.maintenance_until.ns != 0) {
    write_instant(json, "maintenance_from", rail.maintenance_from);
    write_instant(json, "maintenance_until", rail.maintenance_until);
  }
  json.key("health");
  json.begin_object();
  json.member("breaker", rail.health.breaker == model::Breaker::closed ? "closed" : "open");
  if (rail.health.breaker == model::Breaker::open) write_instant(json, "open_until", rail.health.open_until);
  json.member("faults_in_a_row", std::uint64_t{rail.health.faults_in_a_row});
  json.member("in_flight", std::uint64_t{rail.in_flight});
  if (rail.health.observed_at.ns != 0) {
    write_instant(json, "observed_at", rail.health.observed_at);
    json.member("latency_us", static_cast<std::uint64_t>(std::max<std::int64_t>(0, rail.health.latency.ns / 1000)));
  }
  json.end_object();
  json.end_object();
}

}  // namespace edge
