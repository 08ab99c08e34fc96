#include "node/effect_runner.h"

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace node {

namespace {

constexpr base::Duration retry_after = base::milliseconds(20);
constexpr base::Duration unrecorded_again_after = base::seconds(1);
constexpr model::PartitionNumber partition = 0;

// What a rail without a driver that can be used answers: nothing can have left.
effects::RailAnswer nothing_left(std::string detail, model::RailReason reason = model::RailReason::rail_in_maintenance) {
  effects::RailAnswer answer;
  answer.result = model::RailResult::not_sent;
  answer.reason = reason;
  answer.detail = std::move(detail);
  return answer;
}

}  // namespace

EffectRunner::EffectRunner(io::Clock& clock, Service& service, const gate::GateKeys& keys, const gate::ClientBook& clients)
    : clock_(clock), service_(service), gate_(keys, clients, [this](std::span<std::uint8_t> out) { random_.fill(out); }) {}

base::Result<std::unique_ptr<EffectRunner>> EffectRunner::open(io::FileSystem& files, io::Clock& clock, Service& service,
                                                               const gate::GateKeys& keys, const gate::ClientBook& clients,
                                                               custody::Signer& rail_signer, const DataPlace& place,
                                                               const std::vector<RailSettings>& rails) {
  std::unique_ptr<EffectRunner> runner(new EffectRunner(clock, service, keys, clients));
  TRY_ASSIGN(runner->loop_, io::Loop::open());
  runner->resolver_ = std::make_unique<io::Resolver>();
  EffectRunner* const raw = runner.get();
  runner->retry_ = std::make_unique<io::Timer>(*runner->loop_, [raw] { raw->bring_in(); });
  runner->again_ = std::make_unique<io::Timer>(*runner->loop_, [raw] {
    for (gate::RailReport& one : std::exchange(raw->postponed_, {})) raw->report(std::move(one));
  });
  const RailDriverParts parts{.files = files, .clock = clock, .random = runner->random_, .loop = *runner->loop_,
                              .resolver = *runner->resolver_, .rail_signer = rail_signer, .place = place};
  for (const RailSettings& settings : rails) TRY(runner->drivers_.add(parts, settings));
  return runner;
}

EffectRunner::~EffectRunner() { stop(); }

void EffectRunner::start() {
  CHECK(!started_);
  started_ = true;
  drivers_.start_anchoring();
  thread_ = std::thread([this] { loop_->run(); });
}

void EffectRunner::stop() {
  if (!started_) return;
  started_ = false;
  loop_->stop();
  thread_.join();
}

EffectStats EffectRunner::stats() const {
  return {.sent = sent_.load(std::memory_order_relaxed),
          .asked = asked_.load(std::memory_order_relaxed),
          .reports = reports_.load(std::memory_order_relaxed),
          .unrecorded = unrecorded_.load(std::memory_order_relaxed),
          .without_driver = without_driver_.load(std::memory_order_relaxed),
          .beyond_driver = beyond_driver_.load(std::memory_order_relaxed)};
}

void EffectRunner::take(std::vector<EffectOrder>&& orders, std::int64_t core_minus_boot_ns) {
  if (orders.empty()) return;
  loop_->post([this, moved = std::move(orders), core_minus_boot_ns] {
    for (const EffectOrder& order : moved) carry(order, core_minus_boot_ns);
  });
}

void EffectRunner::fetch_statement(model::TenantNumber tenant, const model::RailName& rail, base::Instant from, base::Instant until,
                                   effects::StatementFetched done) {
  loop_->post([this, tenant, rail, from, until, done = std::move(done)]() mutable {
    effects::Rail* const driver = drivers_.find(tenant, rail);
    if (driver == nullptr) return done(base::Error{"statement_not_available", "the file of rails does not name it"});
    driver->statement(from, until, std::move(done));
  });
}

effects::Rail* EffectRunner::driver_of(const EffectOrder& order) {
  return drivers_.find(order.tenant, order.rail);
}

void EffectRunner::carry(const EffectOrder& order, std::int64_t core_minus_boot_ns) {
  if (const auto* wanted = std::get_if<model::SendToRail>(&order.effect)) return send(order, *wanted, core_minus_boot_ns);
  if (const auto* asked = std::get_if<model::InquireAtRail>(&order.effect)) return ask(order, asked->key, asked->inquiry, false);
  if (const auto* asked = std::get_if<model::VoidAtRail>(&order.effect)) return ask(order, asked->key, asked->inquiry, true);
  if (const auto* open = std::get_if<model::ReportInterrupted>(&order.effect)) {
    effects::RailAnswer answer;
    answer.result = model::RailResult::unknown;
    answer.reason = model::RailReason::process_died;
    return answered(order, open->key, model::ReportSource::recovery, 0, std::move(answer));
  }
}

void EffectRunner::send(const EffectOrder& order, const model::SendToRail& wanted, std::int64_t core_minus_boot_ns) {
  const auto done = [this, order, key = wanted.key](effects::RailAnswer&& answer) {
    answered(order, key, model::ReportSource::reply, 0, std::move(answer));
  };
  effects::Rail* const rail = driver_of(order);
  if (rail == nullptr) {
    without_driver_.fetch_add(1, std::memory_order_relaxed);
    return done(nothing_left("the file of rails does not name it"));
  }
  // A new registration of that kind is refused; this one is older than the file of rails as it is now.
  if (drivers_.beyond(order.tenant, order.rail, order.promised) != 0) {
    beyond_driver_.fetch_add(1, std::memory_order_relaxed);
    return done(nothing_left("it is registered with capabilities that its driver does not have", model::RailReason::rail_beyond_driver));
  }
  effects::SendOrder out;
  out.reference = service_.epochs().reference(partition, wanted.key.reference);
  out.kind = wanted.kind;
  out.amount = wanted.amount;
  out.asset = model::to_text(order.asset);
  out.may_repeat = (order.promised & model::idempotent_reference) != 0;
  if (wanted.original_attempt != 0) out.original = service_.epochs().reference(partition, wanted.original_attempt);
  const auto told = service_.reader().read_private(wanted.about, model::PrivateField::transfer_beneficiary);
  if (!told.ok()) return done(nothing_left("what the rail needs to know cannot be read"));
  if (*told && !(*told)->erased) out.beneficiary = base::as_text((*told)->value);
  // Erased, or never there: an order that names nobody is not for a rail to guess at.
  if (out.beneficiary.empty() && out.original.empty()) return done(nothing_left("nobody is named any more that could be paid"));
  out.send_not_after_boot_ns = wanted.send_not_after.ns - core_minus_boot_ns;
  out.valid_until = clock_.wall() + base::Duration{out.send_not_after_boot_ns - clock_.boot_ns()};
  sent_.fetch_add(1, std::memory_order_relaxed);
  rail->send(std::move(out), done);
}

void EffectRunner::ask(const EffectOrder& order, const model::AttemptKey& key, std::uint32_t inquiry, bool is_void) {
  effects::Rail* const rail = driver_of(order);
  const auto done = [this, order, key, inquiry](effects::RailAnswer&& answer) {
    answered(order, key, model::ReportSource::inquiry, inquiry, std::move(answer));
  };
  if (rail == nullptr) {
    // Nobody to ask: that says nothing about the payment.
    effects::RailAnswer answer;
    answer.reason = model::RailReason::rail_in_maintenance;
    return done(std::move(answer));
  }
  asked_.fetch_add(1, std::memory_order_relaxed);
  const effects::Rail::Expected expected{.kind = order.kind, .amount = order.amount, .asset = model::to_text(order.asset)};
  const std::string reference = service_.epochs().reference(partition, key.reference);
  if (is_void) rail->void_payment(reference, expected, done);
  else rail->inquire(reference, expected, done);
}

void EffectRunner::answered(const EffectOrder& order, const model::AttemptKey& key, model::ReportSource source, std::uint32_t inquiry,
                            effects::RailAnswer&& answer) {
  gate::RailReport one;
  one.tenant = order.tenant;
  one.reference = key.reference;
  one.source = source;
  one.result = answer.result;
  one.reason = answer.reason;
  // A driver says that it knows nothing; to the core that is evidence of absence, of which it decides when it is a proof.
  if (source == model::ReportSource::inquiry && answer.reason == model::RailReason::not_found_at_rail) one.result = model::RailResult::not_sent;
  one.inquiry = inquiry;
  one.latency = answer.latency;
  one.amount = answer.amount;
  if (!answer.asset.empty()) one.asset = model::parse_asset(answer.asset);
  one.rail_name = std::string(model::to_text(order.rail));
  one.rail_reference = std::move(answer.rail_reference);
  one.body = answer.body;
  report(std::move(one));
}

void EffectRunner::report(gate::RailReport&& one) {
  backlog_.push_back(std::move(one));
  if (backlog_.size() == 1) bring_in();
}

void EffectRunner::bring_in() {
  while (!backlog_.empty()) {
    const model::Outcome outcome = submit(std::move(backlog_.front()));
    // The core knows what is open when this process ends; anything else passes.
    if (outcome == model::Outcome::shutting_down) return backlog_.clear();
    if (outcome != model::Outcome::done) return retry_->arm(retry_after);
    reports_.fetch_add(1, std::memory_order_relaxed);
    backlog_.pop_front();
  }
}

// A report that was not taken is back where it came from. The answer may come before this call returns.
model::Outcome EffectRunner::submit(gate::RailReport&& one) {
  const std::uint64_t token = next_token_++;
  model::Admitted admitted = gate_.admit_report(one);
  {
    const std::lock_guard lock(mutex_);
    submitted_.emplace(token, std::move(one));
  }
  const model::Outcome outcome = service_.pipeline().submit({.content = std::move(admitted), .sink = this, .token = token});
  if (outcome == model::Outcome::done) return outcome;
  const std::lock_guard lock(mutex_);
  one = std::move(submitted_.extract(token).mapped());
  return outcome;
}

void EffectRunner::deliver(std::uint64_t token, Answer&& answer) {
  std::unique_lock lock(mutex_);
  auto found = submitted_.extract(token);
  lock.unlock();
  CHECK_THAT(!found.empty(), "an answer belongs to one report");
  if (!is_unrecorded(answer)) return;
  loop_->post([this, one = std::move(found.mapped())]() mutable { bring_again(std::move(one)); });
}

void EffectRunner::bring_again(gate::RailReport&& one) {
  unrecorded_.fetch_add(1, std::memory_order_relaxed);
  postponed_.push_back(std::move(one));
  if (!again_->armed()) again_->arm(unrecorded_again_after);
}

}  // namespace node
