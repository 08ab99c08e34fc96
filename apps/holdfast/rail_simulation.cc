#include "apps/holdfast/rail_simulation.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/routing/health.h"
#include "core/routing/router.h"
#include "core/tables/saga_tables.h"

namespace holdfast {

namespace {

constexpr model::AssetNumber only_asset = 1;

const LoggedAttempt* attempt_at(const LoggedPayment& payment, std::uint32_t rail) {
  const auto found = std::ranges::find(payment.attempts, rail, &LoggedAttempt::rail);
  return found == payment.attempts.end() ? nullptr : &*found;
}

// By the router's own yardstick, with what really happened in place of what was expected.
std::int64_t worth(const LoggedPayment& payment, const LoggedAttempt& attempt, const core::RoutingPolicy& policy) {
  core::RailRecord rail;
  rail.cost_fixed = attempt.cost;
  rail.latency_ns = attempt.latency.ns;
  return core::expected_value(payment.amount, rail, attempt.success ? core::certain : 0, policy);
}

void count(StrategyResult& result, const LoggedPayment& payment, const LoggedAttempt* attempt, const core::RoutingPolicy& policy) {
  ++result.decided;
  if (attempt == nullptr) return;
  ++result.evidence;
  result.settled += attempt->success;
  result.earned += worth(payment, *attempt, policy);
}

/// The rails as the router sees them while the log goes by: answers arrive when they did, not when the payment was sent.
class RouterWorld {
 public:
  RouterWorld(const RailLog& log, const core::RoutingPolicy& policy) : policy_(policy), under_way_(log.rails.size()) {
    for (std::size_t i = 0; i < log.rails.size(); ++i) {
      model::RailConfigured rail{.number = static_cast<model::RailNumber>(i + 1), .tenant = 1, .asset = only_asset, .name = *model::parse_rail_name(log.rails[i]), .profile = model::RailProfile{}};
      tables_.apply(rail, ++event_, base::Instant{});
      costs_.push_back(0);
    }
  }

  /// The index of the chosen rail; nothing if all are out.
  std::optional<std::uint32_t> choose(const LoggedPayment& payment) {
    hear_until(payment.at);
    for (const LoggedAttempt& attempt : payment.attempts) costs_[attempt.rail] = attempt.cost;
    std::vector<core::RailRecord> rails;
    std::vector<core::RailView> views;
    rails.reserve(costs_.size());
    for (std::uint32_t i = 0; i < costs_.size(); ++i) {
      const auto number = static_cast<model::RailNumber>(i + 1);
      core::RailRecord& rail = rails.emplace_back(*tables_.rail(number));
      rail.cost_fixed = costs_[i];
      rail.in_flight = under_way_[i].in_flight;
      rail.probes = under_way_[i].probes;
      rail.quiet_since_ns = under_way_[i].quiet_since_ns;
      rail.last_probe_ns = under_way_[i].last_probe_ns;
      views.push_back({.number = number, .rail = &rail, .country = cell(number, model::Dimension::country, payment.country),
                       .instrument = cell(number, model::Dimension::instrument, payment.instrument)});
    }
    core::RouteQuestion question;
    question.draw = ++draws_;
    question.amount = payment.amount;
    question.country = payment.country;
    question.instrument = payment.instrument;
    const core::Route route = core::route(question, views, policy_, payment.at);
    if (route.chosen == 0) return std::nullopt;
    probe_ = route.probe;
    return route.chosen - 1u;
  }

  /// The chosen rail got it; its answer comes when it did.
  void sent(const LoggedPayment& payment, const LoggedAttempt& attempt) {
    UnderWay& rail = under_way_[attempt.rail];
    if (rail.in_flight++ == 0) rail.quiet_since_ns = payment.at.ns;
    if (probe_) {
      ++rail.probes;
      rail.last_probe_ns = payment.at.ns;
    }
    answers_.emplace((payment.at + attempt.latency).ns, Answer{attempt, payment.country, payment.instrument, probe_});
  }

 private:
  struct UnderWay {
    std::uint32_t in_flight = 0, probes = 0;
    std::int64_t quiet_since_ns = 0, last_probe_ns = 0;
  };
  struct Answer {
    LoggedAttempt attempt;
    model::Country country;
    std::uint16_t instrument;
    bool probe;
  };

  const core::CellRecord* cell(model::RailNumber rail, model::Dimension dimension, std::uint16_t value) const {
    return value == 0 ? nullptr : tables_.cell(rail, dimension, value);
  }

  void hear_until(base::Instant at) {
    while (!answers_.empty() && answers_.begin()->first <= at.ns) {
      hear(answers_.begin()->second, {answers_.begin()->first});
      answers_.erase(answers_.begin());
    }
  }

  // As the law of sagas does it: only successes and the rail's own faults count.
  void hear(const Answer& answer, base::Instant at) {
    UnderWay& rail = under_way_[answer.attempt.rail];
    --rail.in_flight;
    rail.probes -= answer.probe;
    rail.quiet_since_ns = at.ns;
    if (!answer.attempt.success && !answer.attempt.rails_fault) return;
    const auto number = static_cast<model::RailNumber>(answer.attempt.rail + 1);
    const auto narrowed = [&](model::Dimension dimension, std::uint16_t value) -> model::DimensionHealth {
      if (value == 0) return {};
      const core::CellRecord* known = cell(number, dimension, value);
      const core::CellRecord before = known == nullptr ? core::CellRecord{} : *known;
      return core::observed({before.successes, before.attempts, value}, {before.observed_at_ns}, answer.attempt.success, at);
    };
    tables_.apply(model::RailObserved{.rail = number,
                                      .health = core::observed(core::health_of(*tables_.rail(number)), answer.attempt.success, answer.attempt.latency, at),
                                      .country = narrowed(model::Dimension::country, answer.country),
                                      .instrument = narrowed(model::Dimension::instrument, answer.instrument)},
                  ++event_, at);
  }

  const core::RoutingPolicy& policy_;
  core::SagaTables tables_;
  std::vector<UnderWay> under_way_;
  std::vector<base::U128> costs_;                 ///< as last seen in the log
  std::multimap<std::int64_t, Answer> answers_;   ///< on their way, by arrival
  model::EventNumber event_ = 0;
  std::uint64_t draws_ = 0;
  bool probe_ = false;
};

StrategyResult by_router(const RailLog& log, const core::RoutingPolicy& policy) {
  StrategyResult result{.name = "router"};
  RouterWorld world(log, policy);
  for (const LoggedPayment& payment : log.payments) {
    const auto chosen = world.choose(payment);
    if (!chosen) continue;
    const LoggedAttempt* attempt = attempt_at(payment, *chosen);
    count(result, payment, attempt, policy);
    if (attempt != nullptr) world.sent(payment, *attempt);
  }
  return result;
}

}  // namespace

std::vector<StrategyResult> simulate_rails(const RailLog& log, const core::RoutingPolicy& policy) {
  std::vector<StrategyResult> results{by_router(log, policy)};
  for (std::uint32_t rail = 0; rail < log.rails.size(); ++rail) {
    StrategyResult& result = results.emplace_back(StrategyResult{.name = "always " + log.rails[rail]});
    for (const LoggedPayment& payment : log.payments) count(result, payment, attempt_at(payment, rail), policy);
  }
  StrategyResult cheapest{.name = "cheapest"}, in_turn{.name = "in turn"}, best{.name = "best possible"};
  std::uint32_t turn = 0;
  for (const LoggedPayment& payment : log.payments) {
    count(cheapest, payment, &*std::ranges::min_element(payment.attempts, {}, &LoggedAttempt::cost), policy);
    count(in_turn, payment, attempt_at(payment, turn++ % static_cast<std::uint32_t>(log.rails.size())), policy);
    count(best, payment, &*std::ranges::max_element(payment.attempts, {}, [&](const LoggedAttempt& one) { return worth(payment, one, policy); }), policy);
  }
  results.push_back(std::move(in_turn));
  // Of one line for each payment there is nothing to compare.
  if (log.complete()) {
    results.push_back(std::move(cheapest));
    results.push_back(std::move(best));
  }
  return results;
}

}  // namespace holdfast
