#pragma once
// Stories: the ledger's tests in table language. A story is a list of lines, each a command and the answer it must get
// (`done` where nothing is said), or a look at an account. After every command all laws are asked, touched accounts and
// whole state alike. Plays the pipeline's part: resolves names, knows what became of holds, applies events.
//
//   tenant 2                              opens a tenant and goes on in it
//   asset EUR/2                           registers it in the tenant, with world/EUR
//   open a EUR/2 free daily=50            flags: (default) debits limited | free | credits-limited
//                                         limits: single=N daily=N balance=N; asset USD/2 unless named
//   limits a single=5                     replaces all limits
//   move a b 10                           `world` is the world account of the other side's asset
//   hold a b 10 30s as h                  without a duration it does not expire
//   capture h 4                           without an amount all of it
//   void h
//   group move a b 1; hold b c 2 as g -> done done
//   freeze a debits credits | unfreeze a debits | close a
//   wait 30s                              s, h or d; time alone resolves nothing
//   tick 2 -> 1                           at most 2 holds expire (256 unless said); 1 did
//   a: 30/100 pending 5/0                 debits/credits

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/invariant/invariant.h"
#include "core/ledger/decide.h"
#include "core/ledger/state.h"

namespace core {

class Story {
 public:
  /// Tenant 1 with asset USD/2, at 2026-01-01T00:00:00Z.
  Story();

  /// Runs the lines; what does not come as told fails the test at that line.
  void tell(std::string_view lines);

  /// Decides and applies one command of the current tenant, asks all laws, gives the events.
  std::vector<model::Event> run(model::CommandBody body);
  /// The outcome of a command of one event or more: that of the first.
  model::Outcome outcome_of(model::CommandBody body);

  model::AccountNumber account(const std::string& name) const;
  const model::Counters& counters(const std::string& name) const;
  model::HoldStanding standing_of(model::EventNumber hold) const;
  model::TransferItem item(const std::string& debit, const std::string& credit, base::U128 amount) const;
  model::Asset asset_of(model::AccountNumber number) const;

  State state;
  LedgerBounds bounds;
  base::Instant now;
  model::TenantNumber tenant = 1;
  model::PrincipalNumber principal = 1;
  std::map<std::string, model::EventNumber> holds;   // by the name a story gave them
  std::vector<model::Event> events;                  // all of them; number n at index n - 1

 private:
  void tell_line(std::string_view line);
  std::string answer(const std::vector<std::string>& words);
  std::string look(const std::string& name) const;
  void keep_holds(const std::vector<model::Event>& decided, const std::vector<std::string>& names);

  std::map<std::pair<model::TenantNumber, std::string>, model::AccountNumber> accounts_;
  std::map<model::EventNumber, model::HoldStanding> standings_;
  std::vector<std::unique_ptr<Law>> laws_ = all_laws();
};

/// The outcome an event stands for: of a refusal its own, otherwise done.
model::Outcome outcome_of(const model::Event& event);
/// An asset from text that must be one.
model::Asset asset(std::string_view text);
base::U128 amount(const std::string& text);

}  // namespace core
