#pragma once
// Reconciliation: what a rail says it booked, beside what our books say (docs/reconciliation.md).
//
// - A line that a reference ties to an attempt is a report like any other: money that was not known to have moved has moved. The
//   amount of a line never moves money by itself: the saga settles as it was asked, and the difference is an exception.
// - A line without a reference may stand for an attempt that is known to have settled, by amount and date, if each is the only
//   one for the other. Such a tie is loosened when a reference says otherwise or when it is no longer the only one.
// - What is tied to what is a function of the set of lines, attempts and references alone: files may come in any order, overlap
//   and be repeated, and lead to the same exceptions and the same money. Decisions of people are not undone by files.
// - What should be on a statement and is not becomes an exception once complete statements cover the time of its settlement
//   and the rail's visibility horizon after it.

#include "core/transfer/draft.h"

namespace core {

/// Takes a part of a statement. Refuses, or emits StatementRecorded and what its lines lead to.
void decide(Draft& draft, const model::RecordStatement& body);
/// A person's word. Refuses, or emits ExceptionVoted and, with the last voice, what was decided.
void decide(Draft& draft, const model::ResolveException& body);
/// What somebody says of an attempt. One that names none is judged by the rail's own reference, or kept as an orphan.
void decide(Draft& draft, const model::ReportRail& body);
/// Compares the books with complete statements, a bounded piece at a time.
void sweep_statements(Draft& draft);

}  // namespace core
