#pragma once
// Stories of transfers over rails, for tests: three rails of USD/2, people and a service, an account with money. After every
// command all laws are asked (Story does that).

#include <string>
#include <vector>

#include "core/ledger/story_test.h"
#include "core/transfer/effects.h"
#include "core/transfer/saga.h"

#include <doctest/doctest.h>

namespace core {

/// What a test says of a report; the rest is the newest attempt's.
struct Said {
  model::RailResult result = model::RailResult::unknown;
  model::RailReason reason = model::RailReason::none;
  model::ReportSource source = model::ReportSource::reply;
  std::optional<base::U128> amount = {};
  std::optional<model::Asset> asset = {};
  std::uint8_t attempt = 0;            ///< 0: the newest
};

class RailStory : public Story {
 public:
  static constexpr model::PrincipalNumber requester = 1, ann = 2, bob = 3, service = 4;

  /// Rails `first`, `second`, `third` with every capability; the cheaper the earlier. No exploration.
  explicit RailStory(int rails = 3, model::RailCapabilities capabilities = model::all_rail_capabilities) {
    for (int i = 1; i <= 4; ++i) {
      run(model::CreateClient{.kind = i == service ? model::PrincipalKind::service : model::PrincipalKind::person,
                              .scopes = model::all_scopes,
                              .name = {},
                              .secret_hash = {}});
    }
    bounds.sagas.routing.explore_per_10000 = 0;
    tell("open a\nopen b\nmove world a 1000");
    const char* const names[] = {"first", "second", "third"};
    for (int i = 0; i < rails; ++i) {
      model::RailProfile profile = plain(capabilities);
      profile.cost_fixed = static_cast<unsigned>(i);
      configure(names[i], profile);
    }
  }

  static model::RailProfile plain(model::RailCapabilities capabilities = model::all_rail_capabilities) {
    model::RailProfile profile;
    profile.capabilities = capabilities;
    profile.directions = model::payouts | model::collects;
    return profile;
  }

  model::RailNumber configure(std::string_view name, const model::RailProfile& profile) {
    model::ConfigureRail body;
    body.name = *model::parse_rail_name(name);
    body.asset = core::asset("USD/2");
    body.profile = profile;
    run(body);
    return rail(name);
  }
  model::RailNumber rail(std::string_view name) const { return state.sagas().rail_by_name(1, *model::parse_rail_name(name)); }
  const RailRecord& record(std::string_view name) const { return *state.sagas().rail(rail(name)); }

  model::RailRequest request(base::U128 amount = 100) const {
    model::RailRequest request;
    request.account = account("a");
    request.asset = core::asset("USD/2");
    request.amount = amount;
    return request;
  }
  model::EventNumber start(model::CommandBody body) {
    const model::EventNumber number = state.head().next_event;
    const auto decided = run(std::move(body));
    REQUIRE(!decided.empty());
    REQUIRE_MESSAGE(std::holds_alternative<model::TransferRequested>(decided[0].body), model::code_of(core::outcome_of(decided[0])));
    return number;
  }
  model::EventNumber pay(base::U128 amount = 100, std::uint8_t approvals = 0) {
    model::RailRequest wanted = request(amount);
    wanted.approvals = approvals;
    return start(model::CreatePayout{wanted});
  }
  model::EventNumber collect(base::U128 amount = 100) { return start(model::CreateCollect{request(amount)}); }
  model::EventNumber refund(model::EventNumber original, std::optional<base::U128> amount = {}) {
    return start(model::RefundTransfer{.original = original, .standing = {}, .amount = amount, .reference = {}, .metadata = {}});
  }

  const TransferRecord& transfer(model::EventNumber number) const {
    const TransferRecord* record = state.sagas().transfer(number);
    REQUIRE(record != nullptr);
    return *record;
  }
  std::string at(model::EventNumber number) const { return std::string(model::name_of(transfer(number).status())); }

  model::ReportRail report_of(model::EventNumber number, const Said& said) const {
    const TransferRecord& record = transfer(number);
    model::ReportRail report;
    report.transfer = number;
    report.attempt = said.attempt == 0 ? record.attempt : said.attempt;
    report.rail = record.rail;
    report.reference = record.attempt_event;
    report.source = said.source;
    report.result = said.result;
    report.reason = said.reason;
    report.amount = said.amount;
    report.asset = said.asset;
    if (said.source == model::ReportSource::inquiry) report.inquiry = record.inquiries;
    // An earlier attempt is found in the events, as the pipeline finds it in the journal.
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto* started = std::get_if<model::AttemptStarted>(&events[i].body);
      if (started == nullptr || started->transfer != number || started->attempt != report.attempt) continue;
      report.rail = started->rail;
      report.reference = i + 1;
    }
    return report;
  }
  std::vector<model::Event> report(model::EventNumber number, const Said& said) { return run(report_of(number, said)); }
  std::string after(model::EventNumber number, const Said& said) {
    report(number, said);
    return at(number);
  }

  /// Time passes in steps of a second, with ticks until nothing is left to do.
  void pass(base::Duration duration) {
    const base::Instant until = now + duration;
    while (now < until) {
      now = std::min(until, now + base::seconds(1));
      while (!run(model::Tick{}).empty()) {}
    }
  }
  model::Outcome by(model::PrincipalNumber person, model::CommandBody body) {
    principal = person;
    const model::Outcome outcome = outcome_of(std::move(body));
    principal = requester;
    return outcome;
  }
  template <typename Body>
  std::size_t count() const {
    std::size_t found = 0;
    for (const model::Event& event : events) found += std::holds_alternative<Body>(event.body);
    return found;
  }
  /// Posted credits minus posted debits, as text.
  std::string balance(model::AccountNumber number) const {
    const model::Counters& c = state.account(number)->counters;
    return c.credits_posted >= c.debits_posted ? base::to_decimal(c.credits_posted - c.debits_posted)
                                               : "-" + base::to_decimal(c.debits_posted - c.credits_posted);
  }
  std::string clearing(std::string_view name) const { return balance(record(name).clearing); }
  std::string suspense(std::string_view name) const { return balance(record(name).suspense); }
  std::string customer() const { return balance(account("a")); }
};

}  // namespace core
