// Reads of transfers: one, and lists.
#include <algorithm>

#include "node/backend.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

namespace {

store::TransferState stored_state(gate::TransferState state) {
  switch (state) {
    case gate::TransferState::posted: return store::TransferState::settled;
    case gate::TransferState::held: return store::TransferState::held;
    case gate::TransferState::captured: return store::TransferState::captured;
    case gate::TransferState::voided: return store::TransferState::voided;
    case gate::TransferState::expired: return store::TransferState::expired;
  }
  return store::TransferState::settled;
}

}  // namespace

base::Result<edge::TransferReading> Backend::transfer_reading(model::EventNumber created, bool open, model::EventNumber resolved) const {
  edge::TransferReading reading;
  TRY_ASSIGN(reading.created, item_of(created, nullptr));
  if (std::holds_alternative<model::HoldPlaced>(event_of(reading.created).body)) {
    reading.state = gate::TransferState::held;
    if (!open && resolved != 0) {
      TRY_ASSIGN(reading.resolved, item_of(resolved, nullptr));
      const auto* end = std::get_if<model::HoldResolved>(&event_of(*reading.resolved).body);
      if (end == nullptr) return base::Error{"journal_contradicts_state", "a hold is resolved by an event of another kind"};
      switch (end->resolution) {
        case model::HoldResolution::captured: reading.state = gate::TransferState::captured; break;
        case model::HoldResolution::voided: reading.state = gate::TransferState::voided; break;
        case model::HoldResolution::expired: reading.state = gate::TransferState::expired; break;
      }
    }
  }
  return reading;
}

// Steps from the views, what they say from the journal: the core forgets transfers some time after they end.
base::Result<edge::TransferReading> Backend::saga_reading(model::EventNumber requested) const {
  edge::TransferReading reading;
  TRY_ASSIGN(reading.created, item_of(requested, nullptr));
  TRY_ASSIGN(const std::vector<model::EventNumber> steps, queries_->saga_steps(requested));
  const edge::AnswerItem* former = &reading.created;
  reading.steps.reserve(steps.size());
  for (const model::EventNumber event : steps) {
    if (event == requested) continue;
    const model::Entry& entry = former->source->entry;
    if (event - entry.first_event < entry.events.size() && event >= entry.first_event) {
      reading.steps.push_back({.source = former->source, .event_index = static_cast<std::uint32_t>(event - entry.first_event)});
    } else {
      TRY_ASSIGN(edge::AnswerItem item, item_of(event, nullptr));
      reading.steps.push_back(std::move(item));
    }
    former = &reading.steps.back();
  }
  return reading;
}

bool Backend::is_saga(const Answer& answer) const {
  const auto* found = std::get_if<TransferFound>(&answer.finding);
  if (answer.refusal != Outcome::done || found == nullptr || found->open || found->resolved != 0) return false;
  const auto item = item_of(found->created, nullptr);
  return item.ok() && std::holds_alternative<model::TransferRequested>(event_of(*item).body);
}

edge::Reading Backend::read_saga(const gate::Query& query, const Answer& answer, Clock::time_point deadline) {
  const model::EventNumber requested = std::get<TransferFound>(answer.finding).created;
  if (queries_ == nullptr || !wait_for_views(std::max(query.position, answer.position), deadline)) {
    return refused(answer.position, Outcome::view_not_caught_up);
  }
  auto reading = saga_reading(requested);
  if (!reading.ok()) return failed(answer.position, reading.error());
  // A compensation is requested by the core itself, in an entry of its tenant.
  if (reading->created.source->entry.command.tenant != query.tenant) return refused(answer.position, Outcome::transfer_not_found);
  return {answer.position, std::move(*reading)};
}

edge::Reading Backend::read_sagas(const gate::Query& query, const Answer& answer) {
  const auto& list = std::get<gate::ListTransfers>(query.body);
  const auto rows = queries_->sagas({.tenant = query.tenant, .state = *list.saga_state, .after = list.before, .limit = list.limit});
  if (!rows.ok()) return failed(answer.position, rows.error());
  edge::TransfersPage page;
  page.by_age = true;
  for (const store::SagaRow& row : rows->rows) {
    auto reading = saga_reading(row.number);
    if (!reading.ok()) return failed(answer.position, reading.error());
    page.transfers.push_back(std::move(*reading));
  }
  if (!rows->next_cursor.empty()) page.next = rows->rows.back().number;
  return {answer.position, std::move(page)};
}

edge::Reading Backend::read_transfer(const gate::Query& query, const Answer& answer) const {
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  const auto* found = std::get_if<TransferFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::transfer_not_found);
  auto reading = transfer_reading(found->created, found->open, found->resolved);
  if (!reading.ok()) return failed(answer.position, reading.error());
  const model::Event& event = event_of(reading->created);
  const bool is_transfer = std::holds_alternative<model::TransferPosted>(event.body) || std::holds_alternative<model::HoldPlaced>(event.body);
  if (!is_transfer || reading->created.source->entry.command.tenant != query.tenant) {
    return refused(answer.position, Outcome::transfer_not_found);
  }
  return {answer.position, std::move(*reading)};
}

// By key or reference: the index named the events.
edge::Reading Backend::read_events(const gate::Query& query, const Answer& answer) {
  const auto& list = std::get<gate::ListTransfers>(query.body);
  std::vector<model::EventNumber> events = std::get<EventsFound>(answer.finding).events;
  // The index goes upwards and the newest are wanted: many transfers of one reference are crossed piece by piece.
  std::size_t piece = events.size();
  while (list.reference_key && piece == references_at_once && events.back() < (list.before == 0 ? UINT64_MAX : list.before)) {
    const auto more = ask_now(AskReference{*list.reference_key, events.back(), references_at_once});
    const auto* found = more ? std::get_if<EventsFound>(&more->finding) : nullptr;
    if (found == nullptr) return refused(answer.position, Outcome::shutting_down);
    piece = found->events.size();
    if (events.size() > list.limit) events.erase(events.begin(), events.end() - list.limit - 1);
    events.insert(events.end(), found->events.begin(), found->events.end());
  }
  std::sort(events.rbegin(), events.rend());
  edge::TransfersPage page;
  for (const model::EventNumber event : events) {
    if (list.before != 0 && event >= list.before) continue;
    if (page.transfers.size() == list.limit) {
      page.next = page.transfers.back().created.source->entry.first_event + page.transfers.back().created.event_index;
      break;
    }
    auto item = item_of(event, nullptr);
    if (!item.ok()) return failed(answer.position, item.error());
    if (item->source->entry.command.tenant != query.tenant) continue;
    const model::Event& created = event_of(*item);
    if (std::holds_alternative<model::TransferRequested>(created.body)) {
      auto saga = saga_reading(event);
      if (!saga.ok()) return failed(answer.position, saga.error());
      page.transfers.push_back(std::move(*saga));
      continue;
    }
    model::EventNumber resolved = 0;
    bool open = false;
    if (std::holds_alternative<model::HoldPlaced>(created.body) && queries_ != nullptr) {
      auto row = queries_->transfer(event);
      if (row.ok() && row->has_value()) resolved = (*row)->resolved_event;
      open = resolved == 0;
    }
    auto reading = transfer_reading(event, open, resolved);
    if (!reading.ok()) return failed(answer.position, reading.error());
    page.transfers.push_back(std::move(*reading));
  }
  return {answer.position, std::move(page)};
}

edge::Reading Backend::read_transfers(const gate::Query& query, const Answer& answer, Clock::time_point deadline) {
  const auto& list = std::get<gate::ListTransfers>(query.body);
  if (queries_ == nullptr || !wait_for_views(std::max(query.position, answer.position), deadline)) {
    return refused(answer.position, Outcome::view_not_caught_up);
  }
  if (std::holds_alternative<EventsFound>(answer.finding)) return read_events(query, answer);
  if (list.saga_state) return read_sagas(query, answer);
  store::TransferQuery wanted{.tenant = query.tenant, .state = {}, .account = {}, .reference = {}, .cursor = {}, .limit = list.limit};
  wanted.before = list.before;
  if (list.state) wanted.state = stored_state(*list.state);
  if (!list.account.empty()) {
    const auto* account = std::get_if<AccountFound>(&answer.finding);
    if (account == nullptr) return refused(answer.position, Outcome::account_not_found);
    wanted.account = account->number;
  }
  auto rows = queries_->transfers(wanted);
  if (!rows.ok()) {
    if (std::string_view(rows.error().code) == "view_filter_not_indexed") {
      return refused(answer.position, Outcome::filter_not_indexed, rows.error().message);
    }
    return failed(answer.position, rows.error());
  }
  edge::TransfersPage page;
  for (const store::TransferRow& row : rows->rows) {
    auto reading = transfer_reading(row.number, row.resolved_event == 0, row.resolved_event);
    if (!reading.ok()) return failed(answer.position, reading.error());
    page.transfers.push_back(std::move(*reading));
  }
  if (!rows->next_cursor.empty() && !rows->rows.empty()) page.next = rows->rows.back().number;
  return {answer.position, std::move(page)};
}

}  // namespace node
