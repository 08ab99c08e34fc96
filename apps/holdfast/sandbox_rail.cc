#include "apps/holdfast/sandbox_rail.h"

#include <algorithm>
#include <utility>

#include "apps/holdfast/sandbox_rail_replies.h"
#include "apps/holdfast/sandbox_rail_statement.h"
#include "effects/rails/http_rail.h"
#include "model/account.h"

namespace holdfast {

using effects::RailPaymentState;
using model::TransferKind;

namespace {

constexpr std::size_t reference_bytes_max = 128;

bool is_reference(std::string_view text) {
  return !text.empty() && text.size() <= reference_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F && c != ',' && c != '"' && c != '\\'; });
}

/// What a reply looks like on the wire, for those that are not sent like others.
std::string raw_bytes(const wire::Response& response) {
  std::string raw = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(wire::reason_phrase(response.status)) + "\r\n";
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    const auto field = response.headers.at(i);
    raw.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  raw.append("content-length: ").append(std::to_string(response.body.size())).append("\r\n\r\n").append(response.body);
  return raw;
}

std::string text_of(wire::JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  const auto text = member ? member->string() : std::nullopt;
  return std::string(text.value_or(""));
}

bool is_open(const BookedPayment& payment) { return payment.state == RailPaymentState::accepted; }

}  // namespace

/// The faults of one operation.
struct SandboxRail::Faults {
  std::vector<const FaultRule*> rules;
  const FaultRule* find(RailFault fault) const {
    const auto found = std::ranges::find(rules, fault, &FaultRule::fault);
    return found == rules.end() ? nullptr : *found;
  }
  bool has(RailFault fault) const { return find(fault) != nullptr; }
  const FaultRule* first_of(std::initializer_list<RailFault> faults) const {
    for (const RailFault fault : faults) {
      if (const FaultRule* const rule = find(fault)) return rule;
    }
    return nullptr;
  }
};

/// A payment order that was understood.
struct SandboxRail::Order {
  std::string reference;
  TransferKind kind = TransferKind::payout;
  base::U128 amount = 0;
  std::string asset;
  std::string original;
  std::optional<base::Instant> valid_until;
  std::string wanted_answer;     ///< `sandbox_answer` of the other side: a refusal somebody asks for

  bool matches(const BookedPayment& booked) const {
    return booked.kind == kind && booked.asked == amount && booked.asset == asset && booked.original == original;
  }
};

base::Result<std::unique_ptr<SandboxRail>> SandboxRail::open(io::Loop& loop, io::Clock& clock, io::Random& random, io::FileSystem& files,
                                                             custody::Signer& signer, SandboxRailOptions options) {
  std::unique_ptr<SandboxRail> rail(new SandboxRail(loop, clock, random, signer, std::move(options)));
  TRY_ASSIGN(rail->book_, RailBook::open(files, rail->options_.book_file));
  rail->profile_set_ns_ = loop.now_ns();
  for (const BookedPayment* const payment : rail->book_->in_order()) {
    if (is_open(*payment)) rail->settle_at(loop.now_ns(), payment->reference, RailFault::delay, {});
  }
  return rail;
}

SandboxRail::SandboxRail(io::Loop& loop, io::Clock& clock, io::Random& random, custody::Signer& signer, SandboxRailOptions options)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      verifier_(options_.clients, std::string(effects::rail_signature_tag), true),
      callbacks_(loop, clock, random, signer, options_.key_id, options_.callback_tls),
      streams_(loop),
      decider_(RailProfileFile{}),
      timer_(loop, [this] { run_due(); }) {}

base::Status SandboxRail::set_profile(RailProfileFile profile) {
  if (profile.callback_url != decider_.profile().callback_url) TRY(callbacks_.set_url(profile.callback_url));
  decider_ = FaultDecider(std::move(profile));
  profile_set_ns_ = loop_.now_ns();
  if (decider_.profile().callback_url.empty() || std::exchange(told_again_, true)) return base::ok();
  for (BookedPayment* const payment : book_->in_order()) {
    if (payment->known && !payment->told && !is_open(*payment) && payment->state != RailPaymentState::voided) tell(*payment);
  }
  return base::ok();
}

std::int64_t SandboxRail::elapsed_ms() const { return (loop_.now_ns() - profile_set_ns_) / 1'000'000; }

SandboxRail::Faults SandboxRail::faults_of(RailOperation operation, const std::string& reference) {
  const std::uint32_t nth = counts_[reference][static_cast<std::size_t>(operation)]++;
  return {decider_.decide(operation, reference, nth, elapsed_ms())};
}

void SandboxRail::handle(edge::Server& server, edge::Exchange exchange, wire::Request&& request) {
  after_flush([this, &server, exchange, reply = answer(request)]() mutable { leave(server, exchange, std::move(reply)); });
}

SandboxRail::Reply SandboxRail::answer(const wire::Request& request) {
  if (!options_.accept_unsigned) {
    const auto verified = verifier_.verify(request, options_.scheme, clock_.wall());
    if (!verified.ok()) return {.response = problem_reply(401, "signature_refused", "", verified.error().message)};
  }
  const auto segments = wire::split_path(request.path);
  const bool payments = segments.ok() && segments->size() >= 2 && (*segments)[0] == "v1" && (*segments)[1] == "payments";
  if (payments && segments->size() == 2 && request.method == "POST") return send(request);
  if (payments && segments->size() == 3 && request.method == "GET") return inquire((*segments)[2]);
  if (payments && segments->size() == 4 && (*segments)[3] == "void" && request.method == "POST") return void_payment((*segments)[2]);
  if (request.path == "/v1/statements" && request.method == "GET") return statement(request);
  return {.response = problem_reply(404, "path_unknown", "", "this rail has payments and statements")};
}

SandboxRail::Reply SandboxRail::send(const wire::Request& request) {
  const auto refused = [](std::string_view detail) { return Reply{.response = problem_reply(400, "request_not_understood", "", detail)}; };
  const auto document = wire::parse_json(base::as_bytes(request.body));
  if (!document.ok() || !document->root().is_object()) return refused("the order is not a JSON object");
  const wire::JsonValue root = document->root();
  Order order;
  order.reference = text_of(root, "reference");
  const auto kind = effects::parse_transfer_kind(text_of(root, "kind"));
  const auto amount = base::parse_decimal(text_of(root, "amount"));
  order.asset = text_of(root, "asset");
  order.original = text_of(root, "original");
  if (root.find("valid_until")) {
    order.valid_until = base::parse_rfc3339(text_of(root, "valid_until"));
    if (!order.valid_until) return refused("valid_until is not an instant");
  }
  if (!is_reference(order.reference)) return refused("the order has no reference");
  if (!kind || !amount || *amount == 0 || !model::parse_asset(order.asset)) return refused("kind, amount or asset is missing or malformed");
  order.kind = *kind;
  order.amount = *amount;
  const auto other_side = root.find(order.kind == TransferKind::collect ? "payer" : "beneficiary");
  if (other_side && other_side->is_object()) order.wanted_answer = text_of(*other_side, "sandbox_answer");
  if (!other_side && order.original.empty()) return refused("the order does not say who is on the other side");

  const Faults faults = faults_of(RailOperation::send, order.reference);
  if (faults.first_of({RailFault::refuse, RailFault::lost_request, RailFault::black_hole, RailFault::error, RailFault::ok_with_error_body}) != nullptr) {
    return with_faults({.response = problem_reply(200, "rail_internal_error", order.reference, "something went wrong")}, faults);
  }
  return carry_out(order, faults);
}

SandboxRail::Reply SandboxRail::carry_out(const Order& order, const Faults& faults) {
  const BookedPayment* const known = book_->find(order.reference);
  if (known != nullptr) {
    if (known->state == RailPaymentState::voided) return {.response = problem_reply(410, "reference_voided", order.reference, "this reference was voided")};
    if (!order.matches(*known)) return {.response = problem_reply(409, "reference_reused", order.reference, "this reference stands for another payment")};
    return with_faults({.response = payment_reply(200, known->view())}, faults);
  }
  if (order.valid_until && clock_.wall() >= *order.valid_until && !faults.has(RailFault::ignore_valid_until)) {
    return {.response = problem_reply(410, "valid_until_passed", order.reference, "the order came too late")};
  }
  const std::string_view unfit = this->unfit(order);
  if (!unfit.empty()) return {.response = problem_reply(422, unfit, order.reference, "the payment cannot be carried out")};
  const BookedPayment& payment = take_in(order, faults);
  if (const FaultRule* const rule = faults.find(RailFault::late_success)) {
    return {.response = problem_reply(422, rule->reason, order.reference, "no")};
  }
  effects::RailPayment stated = payment.view();
  if (faults.has(RailFault::wrong_asset)) stated.asset = stated.asset == "XTS/2" ? "XXX/2" : "XTS/2";
  return with_faults({.response = payment_reply(201, stated)}, faults);
}

/// Why the bank cannot do it; empty if it can.
std::string_view SandboxRail::unfit(const Order& order) {
  if (!order.wanted_answer.empty()) {
    const auto meaning = effects::meaning_of_refusal(order.wanted_answer);
    return meaning && meaning->result == model::RailResult::rejected ? meaning->code : std::string_view("request_not_understood");
  }
  if (order.original.empty()) return order.kind == TransferKind::recall ? "original_not_refundable" : "";
  const BookedPayment* const original = book_->find(order.original);
  const TransferKind gives_back = order.kind == TransferKind::recall ? TransferKind::payout : TransferKind::collect;
  const bool fits = original != nullptr && original->kind == gives_back && original->state == RailPaymentState::settled &&
                    original->asset == order.asset && original->given_back + order.amount <= original->amount;
  return fits ? "" : "original_not_refundable";
}

BookedPayment& SandboxRail::take_in(const Order& order, const Faults& faults) {
  BookedPayment taken;
  taken.reference = order.reference;
  taken.kind = order.kind;
  taken.asked = order.amount;
  taken.amount = order.amount + (faults.has(RailFault::wrong_amount) ? 1 : 0);
  taken.asset = order.asset;
  taken.original = order.original;
  taken.accepted_at = clock_.wall();
  BookedPayment& payment = book_->add(std::move(taken));
  if (!order.original.empty()) {
    BookedPayment* const original = book_->find(order.original);
    original->given_back += order.amount;
    book_->put(*original);
  }
  const RailProfileFile& profile = decider_.profile();
  const FaultRule* const ending = faults.first_of({RailFault::never_settle, RailFault::refuse_after, RailFault::return_after});
  if (profile.settle_at_once && ending == nullptr) {
    settle(payment);
    return payment;
  }
  book_->put(payment);
  if (profile.tell_accepted) {
    after_flush([this, &payment] { tell(payment); });
  }
  if (ending != nullptr && ending->fault == RailFault::never_settle) return payment;
  const std::uint64_t jitter = decider_.draw(order.reference, static_cast<std::uint64_t>(profile.settle_jitter_ms) + 1);
  const std::int64_t due_ns = loop_.now_ns() + (profile.settle_after_ms + static_cast<std::int64_t>(jitter)) * 1'000'000;
  settle_at(due_ns, order.reference, RailFault::delay, {});
  if (ending != nullptr && ending->fault == RailFault::return_after) {
    settle_at(due_ns + ending->delay_ms * 1'000'000, order.reference, RailFault::return_after, ending->reason);
  } else if (ending != nullptr) {
    due_.erase(std::prev(due_.upper_bound(due_ns)));   // the one just planned
    settle_at(due_ns, order.reference, RailFault::refuse_after, ending->reason);
  }
  return payment;
}

SandboxRail::Reply SandboxRail::inquire(const std::string& reference) {
  const Faults faults = faults_of(RailOperation::inquire, reference);
  const BookedPayment* const payment = book_->find(reference);
  if (payment == nullptr || faults.has(RailFault::not_visible)) {
    return with_faults({.response = problem_reply(404, "payment_not_found", reference, "no payment has this reference")}, faults);
  }
  return with_faults({.response = payment_reply(200, payment->view())}, faults);
}

SandboxRail::Reply SandboxRail::void_payment(const std::string& reference) {
  if (!is_reference(reference)) return {.response = problem_reply(400, "request_not_understood", "", "this is no reference")};
  const Faults faults = faults_of(RailOperation::void_payment, reference);
  const bool nothing_done =
      faults.first_of({RailFault::refuse, RailFault::lost_request, RailFault::black_hole, RailFault::error, RailFault::ok_with_error_body}) != nullptr;
  BookedPayment* payment = book_->find(reference);
  if (!nothing_done && payment == nullptr) {
    BookedPayment tombstone;
    tombstone.reference = reference;
    tombstone.known = false;
    tombstone.state = RailPaymentState::voided;
    tombstone.accepted_at = clock_.wall();
    payment = &book_->add(std::move(tombstone));
    book_->put(*payment);
  } else if (!nothing_done && is_open(*payment)) {
    finish(*payment, RailPaymentState::voided, {});
  }
  return with_faults({.response = payment != nullptr ? payment_reply(200, payment->view()) : problem_reply(200, "rail_internal_error", reference, "no")}, faults);
}

SandboxRail::Reply SandboxRail::statement(const wire::Request& request) {
  const auto query = wire::parse_query(request.query);
  const auto instant = [&](const char* name) -> std::optional<base::Instant> {
    const auto text = query.ok() ? query->find(name) : std::nullopt;
    return text ? base::parse_rfc3339(*text) : std::nullopt;
  };
  const auto from = instant("from"), until = instant("to");
  if (!from || !until) return {.response = problem_reply(400, "request_not_understood", "", "a statement is asked for with from and to")};
  const Faults faults = faults_of(RailOperation::statement, std::string(request.query));
  if (faults.has(RailFault::statement_missing)) return {.response = problem_reply(404, "statement_not_found", "", "not there yet")};
  wire::Response response;
  response.headers.add("content-type", "text/csv; charset=utf-8");
  response.headers.add("cache-control", "no-store");
  response.body = sandbox_statement(*book_, *from, *until, faults.rules, decider_);
  return with_faults({.response = std::move(response)}, faults);
}

// How a reply leaves, or does not. The first of the faults that applies has it.
SandboxRail::Reply SandboxRail::with_faults(Reply reply, const Faults& faults) {
  using Manner = Reply::Manner;
  if (const FaultRule* const rule = faults.find(RailFault::refuse)) {
    const auto meaning = effects::meaning_of_refusal(rule->reason);
    reply.response = problem_reply(meaning && meaning->result == model::RailResult::rejected ? 422 : 400, rule->reason, "", "refused on purpose");
  } else if (faults.first_of({RailFault::lost_request, RailFault::lost_reply}) != nullptr) {
    reply.manner = Manner::cut_off;
  } else if (faults.has(RailFault::reset_reply)) {
    reply.manner = Manner::cut_off;
    reply.reset = true;
  } else if (faults.first_of({RailFault::black_hole, RailFault::black_hole_after}) != nullptr) {
    reply.manner = Manner::silent;
  } else if (faults.first_of({RailFault::error, RailFault::error_committed}) != nullptr) {
    reply.response = problem_reply(503, "rail_internal_error", "", "something went wrong");
  } else if (faults.has(RailFault::ok_with_error_body)) {
    reply.response = problem_reply(200, "rail_internal_error", "", "something went wrong");
    wire::Headers headers;
    headers.add("content-type", "application/json");
    reply.response.headers = std::move(headers);
  } else if (faults.has(RailFault::truncated_json)) {
    reply.response.body.resize(reply.response.body.size() / 2);
  } else if (faults.has(RailFault::truncated_reply)) {
    reply.manner = Manner::truncated;
  } else if (const FaultRule* const drip = faults.find(RailFault::slow_drip)) {
    reply.manner = Manner::drip;
    reply.delay = base::milliseconds(std::max<std::int64_t>(drip->delay_ms, 1));
  } else if (const FaultRule* const late = faults.find(RailFault::delay)) {
    reply.delay = base::milliseconds(late->delay_ms);
  }
  return reply;
}

// --- what happens later -----------------------------------------------------------------------------------------------------

void SandboxRail::settle_at(std::int64_t due_ns, const std::string& reference, RailFault ending, std::string reason) {
  due_.emplace(due_ns, Due{reference, ending, std::move(reason)});
  plan_timer();
}

void SandboxRail::plan_timer() {
  std::int64_t next_ns = INT64_MAX;
  if (!due_.empty()) next_ns = due_.begin()->first;
  if (!delayed_.empty()) next_ns = std::min(next_ns, delayed_.begin()->first);
  if (next_ns != INT64_MAX) timer_.arm({std::max<std::int64_t>(next_ns - loop_.now_ns(), 0)});
}

void SandboxRail::run_due() {
  const std::int64_t now = loop_.now_ns();
  while (!due_.empty() && due_.begin()->first <= now) {
    const Due due = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    BookedPayment* const payment = book_->find(due.reference);
    if (payment == nullptr) continue;
    if (due.ending == RailFault::return_after) {
      if (payment->state == RailPaymentState::settled) finish(*payment, RailPaymentState::returned, due.reason);
    } else if (is_open(*payment)) {
      if (due.ending == RailFault::refuse_after) {
        finish(*payment, RailPaymentState::rejected, due.reason);
      } else {
        settle(*payment);
      }
    }
  }
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const std::function<void()> work = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    work();
  }
  plan_timer();
}

void SandboxRail::settle(BookedPayment& payment) {
  payment.settled_at = clock_.wall();
  finish(payment, RailPaymentState::settled, {});
}

void SandboxRail::finish(BookedPayment& payment, RailPaymentState state, std::string reason) {
  payment.state = state;
  payment.reason = std::move(reason);
  payment.told = false;
  if (state == RailPaymentState::returned) payment.returned_at = clock_.wall();
  const bool came_to_nothing = state == RailPaymentState::rejected || state == RailPaymentState::returned || state == RailPaymentState::voided;
  if (came_to_nothing && !payment.original.empty()) {
    BookedPayment* const original = book_->find(payment.original);
    original->given_back -= payment.asked;
    book_->put(*original);
  }
  book_->put(payment);
  if (state != RailPaymentState::voided) after_flush([this, &payment] { tell(payment); });
}

void SandboxRail::tell(BookedPayment& payment) {
  if (decider_.profile().callback_url.empty()) return;
  const Faults faults = faults_of(RailOperation::callback, payment.reference);
  const auto event = [this](const effects::RailPayment& view) {
    return CallbackEvent{"ev-" + view.payment.substr(3) + "-" + std::string(effects::to_text(view.state)), clock_.wall(), view};
  };
  if (faults.has(RailFault::lost_callback)) payment.told = true;   // and never tried again
  const RailPaymentState told = payment.state;
  callbacks_.tell(event(payment.view()), faults.rules, [this, &payment, told] {
    if (payment.state != told) return;
    payment.told = true;
    book_->put(payment);   // durable with whatever comes next: being told twice does no harm
  });
  if (!faults.has(RailFault::reordered_callback) || is_open(payment)) return;
  effects::RailPayment before = payment.view();
  before.state = RailPaymentState::accepted;
  before.reason.clear();
  delayed_.emplace(loop_.now_ns() + base::milliseconds(20).ns, [this, told_late = event(before)] { callbacks_.tell(told_late, {}, [] {}); });
  plan_timer();
}

// Whatever depends on the book waits for the end of the turn: one sync for all of it.
void SandboxRail::after_flush(std::function<void()> work) {
  waiting_.push_back(std::move(work));
  if (std::exchange(flush_planned_, true)) return;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) flush();
  });
}

void SandboxRail::flush() {
  flush_planned_ = false;
  const base::Status durable = book_->flush();
  if (!durable.ok()) {
    options_.broken(durable.error());
    return;
  }
  for (const std::function<void()>& work : std::exchange(waiting_, {})) work();
}

void SandboxRail::leave(edge::Server& server, const edge::Exchange& exchange, Reply&& reply) {
  using Manner = Reply::Manner;
  using End = WaywardStreams::End;
  switch (reply.manner) {
    case Manner::whole:
      if (reply.delay.ns == 0) return server.reply(exchange, reply.response);
      delayed_.emplace(loop_.now_ns() + reply.delay.ns, [&server, exchange, response = std::move(reply.response)] { server.reply(exchange, response); });
      return plan_timer();
    case Manner::cut_off:
      return streams_.take(server.take_over(exchange), {}, {}, reply.reset ? End::reset : End::close);
    case Manner::silent:
      return streams_.take(server.take_over(exchange), {}, {}, End::hold);
    case Manner::drip:
      return streams_.take(server.take_over(exchange), raw_bytes(reply.response), reply.delay, End::close);
    case Manner::truncated: {
      const std::string raw = raw_bytes(reply.response);
      return streams_.take(server.take_over(exchange), raw.substr(0, raw.size() - reply.response.body.size() / 2), {}, End::close);
    }
  }
}

}  // namespace holdfast
