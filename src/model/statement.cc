#include "model/statement.h"

#include "base/check.h"

namespace model {

std::string_view name_of(StatementFormat format) {
  switch (format) {
    case StatementFormat::csv: return "csv";
    case StatementFormat::camt053: return "camt.053";
    case StatementFormat::mt940: return "mt940";
  }
  CHECK_THAT(false, "a format without a name");
}

std::string_view name_of(LineResult result) {
  switch (result) {
    case LineResult::matched: return "matched";
    case LineResult::missing_here: return "missing_here";
    case LineResult::amount_differs: return "amount_differs";
    case LineResult::currency_differs: return "currency_differs";
    case LineResult::duplicate: return "duplicate";
  }
  CHECK_THAT(false, "a result without a name");
}

std::string_view name_of(MatchedBy by) {
  switch (by) {
    case MatchedBy::our_reference: return "our_reference";
    case MatchedBy::rail_reference: return "rail_reference";
    case MatchedBy::amount_and_date: return "amount_and_date";
    case MatchedBy::person: return "person";
  }
  CHECK_THAT(false, "a way of matching without a name");
}

std::string_view name_of(ExceptionKind kind) {
  switch (kind) {
    case ExceptionKind::missing_at_rail: return "missing_at_rail";
    case ExceptionKind::missing_here: return "missing_here";
    case ExceptionKind::amount_differs: return "amount_differs";
    case ExceptionKind::currency_differs: return "currency_differs";
    case ExceptionKind::duplicate: return "duplicate";
  }
  CHECK_THAT(false, "a kind without a name");
}

std::string_view name_of(ExceptionParty party) {
  switch (party) {
    case ExceptionParty::rail: return "rail";
    case ExceptionParty::operator_: return "operator";
    case ExceptionParty::holdfast: return "holdfast";
  }
  CHECK_THAT(false, "a party without a name");
}

std::string_view name_of(ExceptionEnd end) {
  switch (end) {
    case ExceptionEnd::accepted: return "accepted";
    case ExceptionEnd::written_off: return "written_off";
    case ExceptionEnd::linked: return "linked";
    case ExceptionEnd::waiting: return "waiting";
    case ExceptionEnd::explained: return "explained";
  }
  CHECK_THAT(false, "an end without a name");
}

}  // namespace model
