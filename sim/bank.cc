#include "sim/bank.h"

namespace sim {

using effects::RailPayment;
using effects::RailPaymentState;
using model::TransferKind;

namespace {

constexpr std::int64_t valid_until_ahead_max_ns = 600'000'000'000;

wire::Response payment_reply(const RailPayment& payment, std::uint16_t status = 200) {
  wire::Response response;
  response.status = status;
  response.headers.add("content-type", "application/json");
  effects::write_rail_payment(payment, response.body);
  return response;
}

}  // namespace

wire::Response problem_reply(std::uint16_t status, const std::string& code) {
  wire::Response response;
  response.status = status;
  response.headers.add("content-type", "application/problem+json");
  response.body = "{\"code\":\"" + code + "\"}";
  return response;
}

bool Bank::may_give_back(const BankOrder& order) const {
  const auto original = book_.find(order.original);
  if (original == book_.end() || !can(model::recall_supported)) return false;
  const BankPayment& given = original->second;
  return given.moved != 0 && !given.came_back && given.given_back + order.amount <= given.moved;
}

wire::Response Bank::receive(const BankOrder& order, Fate fate, std::int64_t now_ns, base::Instant wall, std::int64_t settle_after_ns) {
  if (tombstones_.contains(order.reference)) return problem_reply(409, "reference_voided");
  if (const auto known = book_.find(order.reference); known != book_.end()) {
    return can(model::idempotent_reference) ? payment_reply(known->second.told) : problem_reply(409, "reference_reused");
  }
  if (can(model::expiry_honoured)) {
    if (wall > order.valid_until) return problem_reply(409, "valid_until_passed");
    // A promise never to act later than that would be worth nothing: somebody's clock is wrong.
    if ((order.valid_until - wall).ns > valid_until_ahead_max_ns) return problem_reply(422, "request_not_understood");
  }
  if (fate == Fate::busy) return problem_reply(429, "rail_busy");
  if (fate == Fate::refused) return problem_reply(422, "beneficiary_account_invalid");
  if (!order.original.empty() && !may_give_back(order)) return problem_reply(409, "original_not_refundable");

  BankPayment payment{.told = {.reference = order.reference,
                               .payment = "pay-" + std::to_string(order.attempt),
                               .kind = order.kind,
                               .state = RailPaymentState::accepted,
                               .reason = {},
                               .amount = order.amount,
                               .asset = order.asset},
                      .attempt = order.attempt,
                      .original = order.original,
                      .fate = fate,
                      .next_at_ns = now_ns + settle_after_ns};
  if (!order.original.empty()) book_.at(order.original).given_back += order.amount;
  if (fate == Fate::settle_at_once) {
    settle(payment);
    payment.next_at_ns = 0;
  }
  if (fate == Fate::settled_after_refusing) {
    payment.told.state = RailPaymentState::rejected;
    payment.told.reason = "beneficiary_refused";
  }
  if (payment.next_at_ns != 0) due_.insert({payment.next_at_ns, order.reference});
  return payment_reply(book_.emplace(order.reference, std::move(payment)).first->second.told, 201);
}

void Bank::settle(BankPayment& payment) {
  payment.moved = payment.told.amount;
  if (payment.fate == Fate::settled_for_less && payment.original.empty()) payment.moved = (payment.moved + 1) / 2;
  payment.told.amount = payment.moved;
  payment.told.state = RailPaymentState::settled;
  payment.told.reason.clear();
  (payment.told.kind == TransferKind::payout ? out_ : in_) += payment.moved;
}

wire::Response Bank::inquire(const std::string& reference) const {
  const auto known = book_.find(reference);
  if (known != book_.end()) return payment_reply(known->second.told);
  return tombstones_.contains(reference) ? problem_reply(409, "reference_voided") : problem_reply(404, "payment_not_found");
}

wire::Response Bank::void_payment(const std::string& reference, const effects::Rail::Expected& expected) {
  const auto known = book_.find(reference);
  if (known != book_.end()) return payment_reply(known->second.told);   // too late: it says what became of it
  tombstones_.insert(reference);
  return payment_reply({.reference = reference,
                        .payment = {},
                        .kind = expected.kind,
                        .state = RailPaymentState::voided,
                        .reason = {},
                        .amount = expected.amount,
                        .asset = expected.asset});
}

std::vector<RailPayment> Bank::pass(std::int64_t now_ns) {
  std::vector<RailPayment> changed;
  while (!due_.empty() && due_.begin()->first <= now_ns) {
    const auto [at_ns, reference] = *due_.begin();
    due_.erase(due_.begin());
    BankPayment& payment = book_.at(reference);
    payment.next_at_ns = 0;
    const bool settled = payment.moved != 0;
    if (settled && payment.given_back != 0) continue;   // what was asked back already does not come back by itself
    if (payment.fate == Fate::rejected_later) {
      payment.told.state = RailPaymentState::rejected;
      payment.told.reason = "beneficiary_account_closed";
    } else if (payment.fate == Fate::returned_before_settling || settled) {
      payment.told.state = RailPaymentState::returned;
      payment.told.reason = "beneficiary_account_closed";
      payment.came_back = settled;
      if (settled) (payment.told.kind == TransferKind::payout ? out_ : in_) -= payment.moved;
    } else {
      settle(payment);
      if (payment.fate == Fate::returned_after_settling) {
        payment.next_at_ns = at_ns + 3'000'000'000;
        due_.insert({payment.next_at_ns, reference});
      }
    }
    // An order that gives back and fails leaves the original as it was.
    if (!payment.original.empty() && payment.told.state != RailPaymentState::settled) book_.at(payment.original).given_back -= payment.told.amount;
    changed.push_back(payment.told);
  }
  return changed;
}

std::int64_t Bank::next_at_ns() const { return due_.empty() ? INT64_MAX : due_.begin()->first; }

}  // namespace sim
