// What rails say of payments, by whatever reference: judged where the attempt is known, kept where it is not.

#include "core/reconciliation/matching.h"
#include "core/transfer/saga.h"

namespace core {

using model::Outcome;

namespace {

// What a rail says by itself under a reference that nobody knows. The second word about the same payment is no news until the
// first one found its place.
bool keep(Draft& draft, const model::ReportRail& body) {
  const ReconciliationTables& tables = draft.state().reconciliation();
  const RailRecord* rail = draft.state().sagas().rail(body.rail);
  if (body.source != model::ReportSource::callback || rail == nullptr || rail->tenant != draft.command().tenant) return false;
  const bool named = body.rail_reference_key != base::Tag128{};
  if (named && tables.orphan_by_rail_reference(body.rail_reference_key) != nullptr) return false;
  const ReconciliationBounds& bounds = draft.limits().reconciliation;
  if (tables.open_orphans() >= bounds.orphans_max || tables.open_exceptions() >= bounds.open_exceptions_max) return false;
  // Money in another asset is not a payment over this rail, whosever it is.
  const bool other_asset = body.asset && *body.asset != draft.state().asset(rail->asset)->asset();
  const base::U128 amount = other_asset ? 0 : body.amount.value_or(0);
  Desk desk(draft);
  const model::EventNumber orphan = desk.emit(model::OrphanRecorded{.rail = body.rail,
                                                                    .source = body.source,
                                                                    .result = other_asset ? model::RailResult::unknown : body.result,
                                                                    .reason = other_asset ? model::RailReason::reply_contradicts_request : body.reason,
                                                                    .amount = amount,
                                                                    .rail_reference_key = body.rail_reference_key,
                                                                    .rail_reference = body.rail_reference,
                                                                    .body = body.body});
  desk.emit(model::ExceptionOpened{.rail = body.rail,
                                   .kind = model::ExceptionKind::missing_here,
                                   .party = model::ExceptionParty::rail,
                                   .statement = 0,
                                   .line = 0,
                                   .orphan = orphan,
                                   .attempt = 0,
                                   .belongs_to = 0,
                                   .expected = 0,
                                   .stated = amount,
                                   .credit = false});
  return true;
}

}  // namespace

void decide(Draft& draft, const model::ReportRail& body) {
  if (draft.find_transfer(body.transfer) != nullptr) {
    Desk desk(draft);
    desk.take(body);
    if (body.rail_reference_key == base::Tag128{} || desk.attempt(body.reference) == nullptr) return;
    desk.learn(body.reference, body.rail_reference_key);
    return Matching(desk, 0).claim(body.rail_reference_key, body.reference);
  }
  const AttemptRecord* attempt = draft.state().reconciliation().attempt_by_rail_reference(body.rail_reference_key);
  if (attempt != nullptr && attempt->rail == body.rail && draft.find_transfer(attempt->transfer) != nullptr) {
    model::ReportRail report = body;
    report.reference = attempt->started;
    report.transfer = attempt->transfer;
    report.attempt = attempt->attempt;
    Desk desk(draft);
    return desk.take(report);
  }
  if (!keep(draft, body)) draft.refuse(Outcome::transfer_not_found, {.subject = body.transfer});
}

}  // namespace core
