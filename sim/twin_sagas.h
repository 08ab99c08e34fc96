#pragma once
// Reads the events of one entry about rails and transfers over them, and says what is wrong with them.

#include <map>
#include <string>
#include <vector>

#include "sim/twin.h"

namespace sim {

class SagaReader {
 public:
  SagaReader(Twin& twin, const model::Entry& entry) : twin_(twin), book_(twin.sagas_), entry_(entry) {}

  /// From the event at `from` on: of a tick the ledger's expiries come first. Everything is taken over by the twin.
  Complaint read(std::size_t from);

 private:
  struct Posting {
    model::EventNumber event = 0;
    model::AccountNumber debit = 0, credit = 0;
    base::U128 amount = 0;
    bool explained = false;
  };
  enum class Resolved { captured, released };

  // One for each kind of event; each complains or takes it over.
  Complaint take(const model::AccountOpened& event);
  Complaint take(const model::RailConfigured& event);
  Complaint take(const model::RailControlled& event);
  Complaint take(const model::TransferRequested& event);
  Complaint take(const model::TransferMoved& event);
  Complaint take(const model::RouteDecided& event);
  Complaint take(const model::AttemptStarted& event);
  Complaint take(const model::AttemptReported& event);
  Complaint take(const model::ReportIgnored& event);
  Complaint take(const model::InquiryStarted& event);
  Complaint take(const model::VoteRecorded& event);
  Complaint take(const model::CaseOpened& event);
  Complaint take(const model::AgeAlarmRaised& event);
  Complaint take(const model::HoldPlaced& event);
  Complaint take(const model::HoldResolved& event);
  Complaint take(const model::HoldRedirected& event);
  Complaint take(const model::TransferPosted& event);
  Complaint take(const model::RefundCounted& event);
  Complaint take(const model::RailObserved&) { return std::nullopt; }
  Complaint take(const model::Refused& event);

  Complaint judge_move(model::EventNumber number, const SagaTransfer& transfer, const model::TransferMoved& event);
  Complaint finish();
  Complaint check_hold(model::EventNumber number, const SagaTransfer& transfer) const;
  Complaint explain_credit(const SagaTransfer& transfer);
  bool proves_absence(const SagaTransfer& transfer, const SagaAttempt& attempt) const;
  bool reports(model::EventNumber transfer, const SagaTransfer& of) const;
  bool decided_by_people(const SagaTransfer& transfer, model::VoteKind vote) const;
  bool is_due(const SagaTransfer& transfer) const { return transfer.due.ns != 0 && transfer.due <= entry_.at; }
  SagaTransfer* find(model::EventNumber number);
  const model::ReportRail* report() const { return std::get_if<model::ReportRail>(&entry_.command.body); }
  bool is_tick() const { return std::holds_alternative<model::Tick>(entry_.command.body); }

  Twin& twin_;
  SagaBook& book_;
  const model::Entry& entry_;
  model::EventNumber at_event_ = 0;
  std::vector<Posting> postings_;
  std::map<model::EventNumber, Resolved> resolved_;        // by transfer
  std::map<model::EventNumber, model::EventNumber> placed_;  // hold -> transfer, 0 until it is said
  std::set<model::EventNumber> touched_;
  std::map<model::EventNumber, model::RailNumber> chosen_; // by transfer, until the attempt starts
};

}  // namespace sim
