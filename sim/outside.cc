// The process's own end of its connections, and time. What banks do with what arrives: outside_banks.cc.

#include "sim/outside.h"

#include <algorithm>

#include "base/check.h"
#include "sim/places.h"

namespace sim {

using model::RailReason;
using model::RailResult;

namespace {

constexpr std::int64_t year_ns = 365LL * 86'400 * ns_per_second;

std::unique_ptr<effects::OwnEd25519Signer> signer_from(io::SimulatedRandom& random) {
  std::array<std::uint8_t, 32> seed;
  random.fill(seed);
  auto memory = io::SecretMemory::copy_of(seed);
  CHECK(memory.ok());
  return std::make_unique<effects::OwnEd25519Signer>(std::move(memory).value());
}

model::RailProfile profile_of(model::RailCapabilities capabilities, std::uint64_t cost) {
  model::RailProfile profile;
  profile.capabilities = static_cast<model::RailCapabilities>(capabilities | model::statement_supported);
  profile.directions = model::payouts | model::collects;
  profile.amount_max = 1'000'000;
  profile.cost_fixed = cost;
  profile.send_window = base::seconds(2);
  profile.reply_timeout = base::seconds(2);
  profile.visibility_horizon = base::seconds(10);
  profile.settle_within = base::seconds(15);
  profile.inquiry_first = base::milliseconds(500);
  profile.inquiry_max = base::seconds(8);
  profile.inquiries_max = 12;
  profile.in_flight_max = 12;
  return profile;
}

}  // namespace

Outside::Outside(std::uint64_t seed, io::SimulatedClock& clock) : clock_(clock), random_(seed), bank_key_(signer_from(random_)), foreign_key_(signer_from(random_)) {
  using namespace model;
  const std::pair<const char*, RailCapabilities> kinds[] = {
      {"alpha", all_rail_capabilities},
      {"beta", inquiry_supported | expiry_honoured | callback_supported},
      {"gamma", inquiry_supported | void_supported | recall_supported | idempotent_reference},
      {"delta", inquiry_supported | callback_supported},   // never proves absence
      {"epsilon", callback_supported},                     // cannot even be asked
  };
  std::uint64_t cost = 0;
  for (const auto& [name, capabilities] : kinds) {
    sites_.push_back({name, sim::profile_of(capabilities, cost++), Bank(capabilities)});
    node::RailSettings settings;
    settings.name = *parse_rail_name(name);
    settings.callback_keys.push_back({"bank", effects::VerificationKey::Algorithm::ed25519, bank_key_->public_key()});
    settings_.push_back(std::move(settings));
  }
  boot_read_ns_ = clock_.boot_ns();
  process_started();
}

std::int64_t Outside::true_ns() {
  const std::int64_t boot_ns = clock_.boot_ns();
  true_ns_ += boot_ns - boot_read_ns_;
  boot_read_ns_ = boot_ns;
  return true_ns_;
}

bool Outside::strikes(Row row, std::uint64_t share) {
  if (!weather_.has(row) || !percent(share)) return false;
  ++faults_;
  return true;
}

// Three classes: near, busy, and a drip that may outlast every time-out. Never as long as a visibility horizon: bytes that are on
// their way for longer are what `valid_until` is for (freeze).
std::int64_t Outside::latency() {
  if (strikes(Row::G4, 15)) return static_cast<std::int64_t>(1'000 + random_.below(4'000)) * ns_per_ms;
  return static_cast<std::int64_t>(1 + random_.below(percent(10) ? 400 : 40)) * ns_per_ms;
}

// --- the process -------------------------------------------------------------------------------------------------------------

// Rails here publish no key sets, so nothing is said of any; and no log is restored.
void Outside::process_started() {
  ears_ = std::make_unique<node::RailCallbacks>(settings_, model::Epochs{}, clock_, [](const std::string&) {});
}

void Outside::process_died() {
  open_.clear();
  heard_.clear();
  std::erase_if(queue_, [](const auto& entry) { return entry.second.own; });
  // Whoever waited for a 2xx tries again.
  for (auto& [number, delivery] : deliveries_) {
    if (delivery.done) continue;
    later(ns_per_second, [this, which = number] { deliver(which); });
  }
}

void Outside::freeze(std::int64_t ns) {
  pass();
  std::vector<std::pair<std::pair<std::int64_t, std::uint64_t>, Happening>> own;
  std::erase_if(queue_, [&](auto& entry) {
    const bool is_own = entry.second.own;
    if (is_own) own.emplace_back(entry.first, std::move(entry.second));
    return is_own;
  });
  const std::int64_t awake_ns = now_ns_ + ns;
  for (auto& [when, happening] : own) queue_.emplace(std::pair(std::max(when.first, awake_ns), ++serial_), std::move(happening));
  for (auto& [number, question] : open_) question.checked = question.checked || percent(50);
  clock_.advance(ns);
}

void Outside::pass() {
  const std::int64_t until_ns = true_ns();
  for (;;) {
    std::int64_t next_ns = queue_.empty() ? INT64_MAX : queue_.begin()->first.first;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      const std::int64_t at_ns = sites_[i].bank.next_at_ns();
      if (at_ns > std::min(next_ns, until_ns)) continue;
      now_ns_ = std::max(now_ns_, at_ns);
      for (const effects::RailPayment& payment : sites_[i].bank.pass(now_ns_)) tell(i, payment);
      next_ns = queue_.empty() ? INT64_MAX : queue_.begin()->first.first;
    }
    if (next_ns > until_ns) break;
    const auto first = queue_.begin();
    now_ns_ = std::max(now_ns_, first->first.first);
    const std::function<void()> what = std::move(first->second.what);
    queue_.erase(first);
    what();
  }
  now_ns_ = until_ns;
}

std::int64_t Outside::next_in_ns() {
  std::int64_t next_ns = queue_.empty() ? INT64_MAX : queue_.begin()->first.first;
  for (const Site& site : sites_) next_ns = std::min(next_ns, site.bank.next_at_ns());
  if (!heard_.empty()) return 0;
  return next_ns == INT64_MAX ? year_ns : std::max<std::int64_t>(next_ns - true_ns(), 0);
}

const Bank& Outside::bank_of(const std::string& rail) const {
  const auto found = std::find_if(sites_.begin(), sites_.end(), [&](const Site& site) { return site.name == rail; });
  CHECK(found != sites_.end());
  return found->bank;
}

bool Outside::may_arrive(model::EventNumber attempt) const {
  const auto is_send = [&](const auto& one) { return one.second.kind == effects::RailQuestion::send && one.second.key.reference == attempt; };
  return on_the_wire_.contains(attempt) || std::any_of(open_.begin(), open_.end(), is_send);
}

std::optional<Heard> Outside::hear() {
  if (heard_.empty()) return std::nullopt;
  Heard heard = std::move(heard_.front());
  heard_.pop_front();
  return heard;
}

// --- effects -------------------------------------------------------------------------------------------------------------------

std::optional<std::size_t> Outside::site_of(const node::EffectOrder& order) const {
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (order.rail == settings_[i].name) return i;
  }
  return std::nullopt;
}

void Outside::carry(const node::EffectOrder& order, std::int64_t core_minus_boot_ns) {
  pass();
  Question question{.order = order, .key = {}, .out = {}};
  const std::uint64_t number = ++numbers_;
  if (const auto* interrupted = std::get_if<model::ReportInterrupted>(&order.effect)) {
    gate::RailReport report;
    report.reference = interrupted->key.reference;
    report.source = model::ReportSource::recovery;
    report.result = RailResult::unknown;
    report.reason = RailReason::process_died;
    heard_.push_back({std::move(report)});
    return;
  }
  if (const auto* send = std::get_if<model::SendToRail>(&order.effect)) {
    question.key = send->key;
    const std::int64_t left_ns = send->send_not_after.ns - core_minus_boot_ns - clock_.boot_ns();
    question.deadline_ns = now_ns_ + left_ns;
    question.out = {.attempt = send->key.reference,
                    .reference = model::transfer_id(0, send->key.reference),
                    .kind = send->kind,
                    .amount = send->amount,
                    .asset = model::to_text(order.asset),
                    .original = send->original_attempt == 0 ? std::string() : model::transfer_id(0, send->original_attempt),
                    .valid_until = clock_.wall() + base::Duration{left_ns}};
    open_.emplace(number, std::move(question));
    later(static_cast<std::int64_t>(random_.below(60)) * ns_per_ms, [this, number] { first_byte(number); }, true);
    return;
  }
  if (const auto* asked = std::get_if<model::InquireAtRail>(&order.effect)) {
    question.key = asked->key;
    question.inquiry = asked->inquiry;
    question.kind = effects::RailQuestion::inquire;
  } else if (const auto* voided = std::get_if<model::VoidAtRail>(&order.effect)) {
    question.key = voided->key;
    question.inquiry = voided->inquiry;
    question.kind = effects::RailQuestion::void_payment;
  } else {
    return;   // webhooks
  }
  question.out.reference = model::transfer_id(0, question.key.reference);
  open_.emplace(number, std::move(question));
  later(ns_per_ms, [this, number] { first_byte(number); }, true);
}

void Outside::first_byte(std::uint64_t number) {
  const auto found = open_.find(number);
  if (found == open_.end()) return;
  const Question& question = found->second;
  const bool is_send = question.kind == effects::RailQuestion::send;
  const auto site = site_of(question.order);
  if (!site) return fail(number, RailResult::not_sent, RailReason::rail_in_maintenance);
  // Looked at right before the first byte; a process that froze in between has looked too early.
  if (is_send && now_ns_ > question.deadline_ns && !question.checked) return fail(number, RailResult::not_sent, RailReason::send_deadline_passed);
  if (strikes(Row::G1, 30) || (is_flapping(*site) && percent(50))) {
    constexpr RailReason reasons[] = {RailReason::connection_refused, RailReason::name_not_resolved, RailReason::tls_failed};
    return fail(number, is_send ? RailResult::not_sent : RailResult::unknown, reasons[random_.below(3)]);
  }
  const std::int64_t timeout_ns = sites_[*site].profile.reply_timeout.ns;
  later(timeout_ns, [this, number] { fail(number, RailResult::unknown, RailReason::reply_timed_out); }, true);
  const bool silent = strikes(Row::G2, 30);
  if (silent && percent(50)) return;   // swallowed on the way
  const bool breaks = !silent && strikes(Row::G3, 30);
  if (is_send) on_the_wire_.insert(question.key.reference);
  later(latency(), [this, number, copy = question, silent, breaks] { arrive(number, copy, !silent, breaks); });
}

void Outside::reply(std::uint64_t number, const wire::Response& response) {
  const auto found = open_.find(number);
  if (found == open_.end()) return;
  const Question& question = found->second;
  const effects::Rail::Expected expected{.kind = question.order.kind, .amount = question.order.amount, .asset = model::to_text(question.order.asset)};
  answered(number, effects::judge_reply(question.kind, question.out.reference, expected, response));
}

void Outside::fail(std::uint64_t number, RailResult result, RailReason reason) {
  effects::RailAnswer answer;
  answer.result = result;
  answer.reason = reason;
  answered(number, std::move(answer));
}

void Outside::answered(std::uint64_t number, effects::RailAnswer&& answer) {
  const auto question = open_.extract(number);
  if (question.empty()) return;   // timed out before
  const Question& asked = question.mapped();
  gate::RailReport report;
  report.reference = asked.key.reference;
  report.source = asked.kind == effects::RailQuestion::send ? model::ReportSource::reply : model::ReportSource::inquiry;
  report.result = answer.result;
  report.reason = answer.reason;
  if (report.source == model::ReportSource::inquiry && answer.reason == RailReason::not_found_at_rail) report.result = RailResult::not_sent;
  report.inquiry = asked.inquiry;
  report.amount = answer.amount;
  if (!answer.asset.empty()) report.asset = model::parse_asset(answer.asset);
  report.rail_reference = std::move(answer.rail_reference);
  report.body = answer.body;
  heard_.push_back({std::move(report)});
}

}  // namespace sim
