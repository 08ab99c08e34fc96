#include "apps/holdfast/sandbox_rail_statement.h"

#include <algorithm>

namespace holdfast {

namespace {

struct Line {
  base::Instant booked_at;
  const BookedPayment* payment = nullptr;
  bool returned = false;
};

/// Where the money went, seen from the account we keep for the service.
std::string_view direction_of(const Line& line) {
  const bool out = line.payment->kind == model::TransferKind::payout;
  return out != line.returned ? "debit" : "credit";
}

std::string to_csv(const Line& line, bool altered) {
  const BookedPayment& payment = *line.payment;
  std::string text = base::to_rfc3339(line.booked_at);
  // References are checked when they come in: no commas, quotes or line ends.
  text.append(",").append(payment.reference).append(",").append(payment.own_reference()).append(",");
  text.append(base::to_decimal(payment.amount + (altered ? 1 : 0))).append(",").append(payment.asset).append(",");
  text.append(direction_of(line)).append(",").append(line.returned ? "returned" : effects::to_text(payment.kind)).append("\n");
  return text;
}

}  // namespace

std::string sandbox_statement(const RailBook& book, base::Instant from, base::Instant until, const std::vector<const FaultRule*>& faults,
                              const FaultDecider& decider) {
  std::vector<Line> lines;
  for (const BookedPayment* const payment : book.in_order()) {
    const auto booked = [&](base::Instant at, bool returned) {
      if (at.ns != 0 && at >= from && at < until) lines.push_back({at, payment, returned});
    };
    booked(payment->settled_at, false);
    booked(payment->returned_at, true);
  }
  std::ranges::stable_sort(lines, {}, &Line::booked_at);
  const auto has = [&](RailFault fault, const Line& line) {
    return std::ranges::any_of(faults, [&](const FaultRule* rule) {
      return rule->fault == fault && decider.draw(line.payment->reference + std::string(to_text(fault)), 1'000'000) < rule->per_million;
    });
  };
  const bool shuffled = std::ranges::any_of(faults, [](const FaultRule* rule) { return rule->fault == RailFault::statement_shuffled; });
  if (shuffled) {
    std::ranges::stable_sort(lines, {}, [&](const Line& line) { return decider.draw(line.payment->reference, UINT64_MAX); });
  }
  std::string text = "booked_at,reference,rail_reference,amount,asset,direction,type\n";
  for (const Line& line : lines) {
    if (has(RailFault::statement_line_missing, line)) continue;
    const std::string csv = to_csv(line, has(RailFault::statement_line_altered, line));
    text += csv;
    if (has(RailFault::statement_line_doubled, line)) text += csv;
  }
  return text;
}

}  // namespace holdfast
