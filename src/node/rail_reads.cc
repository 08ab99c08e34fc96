// Reads of rails, and their names for rendering.
#include <algorithm>

#include "core/ledger/state.h"
#include "node/backend.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

namespace {

edge::RailReading reading_of(const core::RailRecord& record) {
  edge::RailReading reading;
  reading.name = std::string(model::to_text(core::name_of(record)));
  reading.asset = record.asset;
  reading.clearing = record.clearing;
  reading.suspense = record.suspense;
  reading.profile = {.capabilities = record.capabilities,
                     .directions = record.directions,
                     .amount_min = record.amount_min,
                     .amount_max = record.amount_max,
                     .cost_fixed = record.cost_fixed,
                     .cost_basis_points = record.cost_basis_points,
                     .send_window = {record.send_window_ns},
                     .reply_timeout = {record.reply_timeout_ns},
                     .visibility_horizon = {record.visibility_horizon_ns},
                     .settle_within = {record.settle_within_ns},
                     .inquiry_first = {record.inquiry_first_ns},
                     .inquiry_max = {record.inquiry_max_ns},
                     .inquiries_max = record.inquiries_max,
                     .in_flight_max = record.in_flight_max,
                     .rate_per_second = record.rate_per_second,
                     .countries = {}};
  std::copy(std::begin(record.countries), std::end(record.countries), reading.profile.countries.begin());
  reading.paused = record.paused != 0;
  reading.maintenance_from = {record.maintenance_from_ns};
  reading.maintenance_until = {record.maintenance_until_ns};
  reading.health.observed_at = {record.observed_at_ns};
  reading.health.latency = {record.latency_ns};
  reading.health.open_until = {record.open_until_ns};
  reading.health.faults_in_a_row = record.faults_in_a_row;
  reading.health.breaker = static_cast<model::Breaker>(record.breaker);
  reading.in_flight = record.in_flight;
  return reading;
}

}  // namespace

// A rail that is new since the last look costs one question to the core: once in the life of a process.
std::string Backend::rail_name(model::RailNumber number) const {
  if (number == 0) return {};
  if (number > rails_.size()) {
    const auto answer = ask_now(AskState{});
    const auto* found = answer ? std::get_if<StateFound>(&answer->finding) : nullptr;
    if (found == nullptr) return {};
    const auto& rails = found->state->sagas.rails;
    for (std::size_t i = rails_.size(); i < rails.size(); ++i) rails_.emplace_back(model::to_text(core::name_of(rails[i])));
  }
  return number <= rails_.size() ? rails_[number - 1u] : std::string();
}

edge::Reading Backend::read_rails(const gate::Query& query, const Answer& answer) {
  if (answer.refusal != Outcome::done) return refused(answer.position, answer.refusal);
  const auto* found = std::get_if<StateFound>(&answer.finding);
  if (found == nullptr) return refused(answer.position, Outcome::overloaded);
  const auto* wanted = std::get_if<gate::GetRail>(&query.body);
  edge::RailsReading all;
  const auto& rails = found->state->sagas.rails;
  for (std::size_t i = 0; i < rails.size(); ++i) {
    const core::RailRecord& record = rails[i];
    if (record.tenant != query.tenant) continue;
    if (wanted == nullptr) {
      all.rails.push_back(reading_of(record));
    } else if (model::to_text(core::name_of(record)) == wanted->name) {
      return {answer.position, reading_of(record)};
    }
  }
  if (wanted != nullptr) return refused(answer.position, Outcome::rail_not_found);
  return {answer.position, std::move(all)};
}

}  // namespace node
