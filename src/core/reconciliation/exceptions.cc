// What people decide about exceptions. Whatever may move money takes two of them.

#include "base/check.h"
#include "core/reconciliation/matching.h"
#include "core/transfer/saga.h"

namespace core {

using model::ExceptionEnd;
using model::ExceptionKind;
using model::LineResult;
using model::MatchedBy;
using model::Outcome;

namespace {

class Resolution {
 public:
  Resolution(Draft& draft, const model::ResolveException& body, const ExceptionRecord& exception)
      : draft_(draft), desk_(draft), body_(body), exception_(exception) {}

  void run() {
    const Outcome outcome = check();
    if (outcome != Outcome::done) return draft_.refuse(outcome, {.amount = exception_.stated, .subject = body_.exception});
    const bool needs_two = body_.end == ExceptionEnd::written_off || body_.end == ExceptionEnd::linked;
    const bool last = !needs_two || is_seconded();
    desk_.emit(model::ExceptionVoted{.exception = body_.exception,
                                     .person = draft_.command().principal,
                                     .end = body_.end,
                                     .belongs_to = body_.transfer,
                                     .counted = static_cast<std::uint8_t>(last && needs_two ? 2 : 1),
                                     .needed = static_cast<std::uint8_t>(needs_two ? 2 : 1),
                                     .reason = body_.reason});
    if (!last) return;
    switch (body_.end) {
      case ExceptionEnd::accepted: return end(0);
      case ExceptionEnd::written_off: return write_off();
      case ExceptionEnd::linked: return exception_.line != 0 ? link_line() : desk_.adopt(*desk_.orphan(exception_.orphan), *target(), ExceptionEnd::linked);
      case ExceptionEnd::waiting:
      case ExceptionEnd::explained: return;
    }
  }

 private:
  Outcome check() {
    if (!exception_.is_open()) return Outcome::exception_already_resolved;
    const ClientRecord* client = draft_.state().client(draft_.command().principal);
    if (client == nullptr || client->kind != static_cast<std::uint8_t>(model::PrincipalKind::person)) return Outcome::approver_must_be_a_person;
    if (exception_.voter == draft_.command().principal && says_the_same()) return Outcome::approver_counted_already;
    if (body_.end == ExceptionEnd::written_off && !can_write_off()) return Outcome::exception_cannot_be_written_off;
    if (body_.end == ExceptionEnd::linked) return check_link();
    return Outcome::done;
  }

  bool says_the_same() const {
    return exception_.vote == static_cast<std::uint8_t>(body_.end) && exception_.voted_transfer == body_.transfer;
  }
  bool is_seconded() const { return exception_.vote != 0 && says_the_same() && exception_.voter != draft_.command().principal; }

  // --- write off ------------------------------------------------------------------------------------------------------------

  // Of what a rail told by itself nobody knows which way the money went, and another asset has no place in the rail's accounts.
  bool can_write_off() {
    if (exception_.orphan != 0 || exception_.what() == ExceptionKind::currency_differs || exception_.stated == exception_.expected) return false;
    if (exception_.line != 0 && desk_.line(exception_.line).other_asset != 0) return false;
    const auto [debit, credit] = sides();
    return ((draft_.account_now(debit).flags | draft_.account_now(credit).flags) & model::closed) == 0;
  }
  // What the rail booked beyond our books is booked here as well, against suspense.
  std::pair<model::AccountNumber, model::AccountNumber> sides() {
    const RailRecord& rail = draft_.rail(exception_.rail);
    const bool more = exception_.stated > exception_.expected;
    const bool came_in = (exception_.credit != 0) == more;
    return came_in ? std::pair(rail.clearing, rail.suspense) : std::pair(rail.suspense, rail.clearing);
  }
  void write_off() {
    const auto [debit, credit] = sides();
    const base::U128 difference = exception_.stated > exception_.expected ? exception_.stated - exception_.expected : exception_.expected - exception_.stated;
    const model::EventNumber posting = draft_.post_fact(debit, credit, difference);
    // A counter at its maximum: the voices stand, the exception stays.
    if (posting != 0) end(posting);
  }

  void end(model::EventNumber posting) {
    desk_.emit(model::ExceptionResolved{.exception = body_.exception, .end = body_.end, .posting = posting, .attempt = 0});
  }

  // --- link -----------------------------------------------------------------------------------------------------------------

  const AttemptRecord* target() {
    const TransferRecord* transfer = draft_.find_transfer(body_.transfer);
    return transfer == nullptr || transfer->attempt_event == 0 ? nullptr : desk_.attempt(transfer->attempt_event);
  }
  Outcome check_link() {
    if (exception_.what() != ExceptionKind::missing_here) return Outcome::exception_cannot_be_linked;
    if (draft_.find_transfer(body_.transfer) == nullptr) return Outcome::transfer_not_found;
    const AttemptRecord* attempt = target();
    if (attempt == nullptr || attempt->rail != exception_.rail) return Outcome::exception_cannot_be_linked;
    if (exception_.line == 0) return Outcome::done;
    const LineRecord& line = desk_.line(exception_.line);
    const bool forward = line.credit == attempt->inbound;
    const bool taken = forward ? attempt->line != 0 && attempt->resembles == 0 : attempt->return_line != 0;
    return line.other_asset != 0 || taken ? Outcome::exception_cannot_be_linked : Outcome::done;
  }
  void link_line() {
    const AttemptRecord attempt = *target();
    const LineRecord line = desk_.line(exception_.line);
    desk_.emit(model::ExceptionResolved{.exception = body_.exception, .end = ExceptionEnd::linked, .posting = 0, .attempt = attempt.started});
    Matching matching(desk_, exception_.statement);
    matching.tie(facts_of(line), attempt.started, [&](LineResult result) {
      desk_.emit(model::LineLinked{.line = line.recorded,
                                   .result = result,
                                   .attempt = attempt.started,
                                   .belongs_to = attempt.transfer,
                                   .matched_by = static_cast<std::uint8_t>(MatchedBy::person)});
      return line.recorded;
    });
    matching.claim(line.rail_reference_key, attempt.started);
  }

  Draft& draft_;
  Desk desk_;
  const model::ResolveException& body_;
  const ExceptionRecord exception_;
};

}  // namespace

void decide(Draft& draft, const model::ResolveException& body) {
  const ExceptionRecord* exception = draft.state().reconciliation().exception(body.exception);
  const RailRecord* rail = exception == nullptr ? nullptr : draft.state().sagas().rail(exception->rail);
  if (rail == nullptr || rail->tenant != draft.command().tenant) return draft.refuse(Outcome::exception_not_found, {.subject = body.exception});
  Resolution(draft, body, *exception).run();
}

}  // namespace core
