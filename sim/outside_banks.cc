// The banks' end: what they do with what arrives, what they tell by themselves, what others tell in their names.

#include <algorithm>

#include "base/check.h"
#include "sim/outside.h"
#include "sim/places.h"

namespace sim {

using effects::RailPayment;
using effects::RailPaymentState;

namespace {

constexpr int tries_max = 6;

}  // namespace

// Windows of four seconds, in half of which nothing gets through as it should.
bool Outside::is_flapping(std::size_t site) {
  if (!weather_.has(Row::G9)) return false;
  const bool bad = (static_cast<std::uint64_t>(now_ns_ / (4 * ns_per_second)) + site) % 2 == 0;
  faults_ += bad ? 1u : 0u;
  return bad;
}

Fate Outside::fate() {
  if (strikes(Row::G8, 35)) {
    constexpr Fate errs[] = {Fate::returned_after_settling, Fate::settled_for_less, Fate::settled_after_refusing, Fate::settle_later};
    return errs[random_.below(4)];
  }
  const std::uint64_t dice = random_.below(100);
  if (dice < 35) return Fate::settle_at_once;
  if (dice < 75) return Fate::settle_later;
  if (dice < 82) return Fate::busy;
  if (dice < 89) return Fate::refused;
  return dice < 95 ? Fate::rejected_later : Fate::returned_before_settling;
}

wire::Response Outside::act(const Question& question) {
  const std::size_t site = *site_of(question.order);
  Bank& bank = sites_[site].bank;
  const std::string& reference = question.out.reference;
  const effects::Rail::Expected expected{.kind = question.order.kind, .amount = question.order.amount, .asset = model::to_text(question.order.asset)};
  switch (question.kind) {
    case effects::RailQuestion::inquire: return bank.inquire(reference);
    case effects::RailQuestion::void_payment: return bank.void_payment(reference, expected);
    case effects::RailQuestion::send: break;
  }
  const bool known = bank.book().contains(reference);
  const Fate will = is_flapping(site) && percent(50) ? Fate::busy : fate();
  const auto settle_after_ns = static_cast<std::int64_t>(50 + random_.below(4'000)) * ns_per_ms;
  wire::Response response = bank.receive(question.out, will, now_ns_, true_wall(), settle_after_ns);
  const auto payment = bank.book().find(reference);
  if (known || payment == bank.book().end()) return response;
  if (payment->second.told.state == RailPaymentState::settled || strikes(Row::G5, 50)) tell(site, payment->second.told);
  // A bank that pays after all has refused as any other does.
  if (will == Fate::settled_after_refusing) return problem_reply(422, "beneficiary_refused");
  return response;
}

// What the bank said is not what arrives.
void Outside::spoil(wire::Response& response) {
  if (!strikes(Row::G8, 25)) return;
  switch (random_.below(4)) {
    case 0:
      response.status = percent(50) ? 500 : 503;
      return;
    case 1:
      if (response.status < 300) response.body = "{\"code\":\"rail_busy\"}";
      return;
    case 2:
      response.body.resize(random_.below(response.body.size()));
      return;
    default:
      if (const std::size_t place = response.body.find("USD/"); place != std::string::npos) response.body.replace(place, 3, "GBP");
      return;
  }
}

void Outside::arrive(std::uint64_t number, const Question& question, bool answer_wanted, bool connection_breaks) {
  if (question.kind == effects::RailQuestion::send) on_the_wire_.erase(question.key.reference);
  wire::Response response = act(question);
  if (!answer_wanted) return;
  if (connection_breaks) {
    later(ns_per_ms, [this, number] { fail(number, model::RailResult::unknown, model::RailReason::reply_lost); }, true);
    return;
  }
  spoil(response);
  later(latency(), [this, number, said = std::move(response)] { reply(number, said); }, true);
}

// --- what banks tell by themselves --------------------------------------------------------------------------------------------

void Outside::tell(std::size_t site, const RailPayment& payment) {
  if ((sites_[site].profile.capabilities & model::callback_supported) == 0) return;
  const std::uint64_t number = ++numbers_;
  deliveries_.emplace(number, Delivery{.site = site, .payment = payment});
  // In order, after the reply; or at once, or long after.
  const std::uint64_t delay_ms = strikes(Row::G5, 60) ? random_.below(6'000) * random_.below(2) : 100 + random_.below(300);
  later(static_cast<std::int64_t>(delay_ms) * ns_per_ms, [this, number] { deliver(number); });
  if (strikes(Row::G6, 30)) {
    for (std::uint64_t more = 1 + random_.below(11); more > 0; --more) {
      later(static_cast<std::int64_t>(random_.below(5'000)) * ns_per_ms, [this, site, payment] { call(site, payment, Forgery::none, 0); });
    }
    later(300 * ns_per_ms, [this, site, payment] { call(site, payment, Forgery::altered_body, 0); });
  }
  if (strikes(Row::G7, 30)) {
    const Forgery forgery = percent(50) ? Forgery::wrong_key : Forgery::stale;
    RailPayment lie = payment;
    lie.state = RailPaymentState::settled;
    later(static_cast<std::int64_t>(random_.below(500)) * ns_per_ms, [this, site, lie, forgery] { call(site, lie, forgery, 0); });
  }
}

void Outside::deliver(std::uint64_t callback) {
  const auto found = deliveries_.find(callback);
  if (found == deliveries_.end() || found->second.done) return;
  Delivery& delivery = found->second;
  if (delivery.tries >= tries_max) {
    deliveries_.erase(found);   // given up: the statement will say it
    return;
  }
  later(ns_per_second << delivery.tries, [this, callback] { deliver(callback); });
  ++delivery.tries;
  call(delivery.site, RailPayment(delivery.payment), Forgery::none, callback);
}

void Outside::taken(std::uint64_t callback) {
  const auto found = deliveries_.find(callback);
  if (found == deliveries_.end()) return;
  Delivery delivery = std::move(found->second);
  deliveries_.erase(found);
  // The same event besides with another amount, well signed: a bank that contradicts itself.
  if (delivery.payment.state == RailPaymentState::settled && !delivery.altered && strikes(Row::G6, 10)) {
    delivery.payment.amount += 1;
    delivery.altered = true;
    delivery.tries = 0;
    const std::uint64_t number = ++numbers_;
    deliveries_.emplace(number, std::move(delivery));
    later(200 * ns_per_ms, [this, number] { deliver(number); });
  }
}

wire::Request Outside::signed_callback(std::size_t site, const RailPayment& payment, Forgery forgery) {
  wire::Request request;
  request.method = "POST";
  request.path = "/v1/rails/" + sites_[site].name + "/callbacks";
  request.authority = "holdfast.example";
  request.headers.add("content-type", "application/json");
  request.body = R"({"event":"ev-)" + payment.payment + "-" + std::string(effects::to_text(payment.state)) + R"(","occurred_at":")" +
                 base::to_rfc3339(true_wall()) + R"(","payment":)";
  effects::write_rail_payment(payment, request.body);
  request.body += "}";
  const base::Instant signed_at = forgery == Forgery::stale ? true_wall() + base::seconds(-600) : true_wall();
  custody::Signer& signer = forgery == Forgery::wrong_key ? *foreign_key_ : *bank_key_;
  const base::Status done = effects::sign_request(request, "https", signer, {.key_id = "bank", .tag = "holdfast-rail"}, signed_at, random_);
  CHECK_THAT(done.ok(), "a bank can sign");
  if (forgery == Forgery::altered_body) {
    char& digit = request.body[request.body.find("\"amount\":\"") + 10];
    digit = digit == '9' ? '8' : '9';
  }
  return request;
}

void Outside::call(std::size_t site, const RailPayment& payment, Forgery forgery, std::uint64_t callback) {
  const wire::Request request = signed_callback(site, payment, forgery);
  const bool clocks_agree = std::abs((clock_.wall() - true_wall()).ns) < 30 * ns_per_second;
  auto heard = ears_->hear(sites_[site].name, request, clock_.wall());
  if (auto* report = std::get_if<gate::RailReport>(&heard)) {
    if (forgery != Forgery::none && (forgery != Forgery::stale || clocks_agree)) {
      violation_ = "a forged callback was believed: " + request.body;
    }
    heard_.push_back({std::move(*report), callback});
  } else {
    ++refused_callbacks_;
  }
  if (forgery != Forgery::none || !strikes(Row::G7, 10)) return;
  // The very same bytes again: refused by whoever remembers them.
  auto again = ears_->hear(sites_[site].name, request, clock_.wall());
  if (std::holds_alternative<gate::RailReport>(again)) violation_ = "a replayed callback was believed: " + request.body;
}

// --- statements ----------------------------------------------------------------------------------------------------------------------

void Outside::publish_statement(std::size_t site, bool whole) {
  std::vector<gate::RailReport> lines;
  const auto line = [&](const BankPayment& payment, model::RailResult result, model::RailReason reason) {
    gate::RailReport report;
    report.reference = payment.attempt;
    report.rail = sites_[site].name;
    report.source = model::ReportSource::statement;
    report.result = result;
    report.reason = reason;
    report.amount = payment.moved;
    report.asset = model::parse_asset(payment.told.asset);
    const std::uint64_t copies = strikes(Row::G10, 20) ? 2 + random_.below(3) : 1;
    for (std::uint64_t i = 0; i < copies; ++i) lines.push_back(report);
  };
  for (const auto& [reference, payment] : sites_[site].bank.book()) {
    if (payment.moved == 0 || (!whole && percent(70))) continue;
    line(payment, model::RailResult::settled, model::RailReason::none);
    if (payment.came_back) line(payment, model::RailResult::rejected, model::RailReason::returned_by_beneficiary_bank);
  }
  if (weather_.has(Row::G10)) {
    for (std::size_t i = lines.size(); i > 1; --i) std::swap(lines[i - 1], lines[random_.below(i)]);
  }
  for (gate::RailReport& one : lines) heard_.push_back({std::move(one)});
}

}  // namespace sim
