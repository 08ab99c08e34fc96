// What becomes of messages: attempts, giving up, disabling, tests and resending, and the marks in the journal.

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "base/int128.h"
#include "base/text.h"
#include "node/webhook_teller.h"

namespace node {

using effects::WebhookAttempt;

namespace {

// A message is tried for seventy-one hours. An endpoint that took nothing for so long takes nothing.
constexpr base::Duration failing_too_long = base::seconds(70LL * 3600);
constexpr base::Duration own_again_after = base::seconds(1);

base::Error unknown_endpoint() { return {"webhook_endpoint_unknown", "the endpoint is disabled, or there is none"}; }

store::AttemptOutcome outcome_of(WebhookAttempt::Outcome outcome) {
  switch (outcome) {
    case WebhookAttempt::Outcome::delivered: return store::AttemptOutcome::delivered;
    case WebhookAttempt::Outcome::failed: return store::AttemptOutcome::failed;
    case WebhookAttempt::Outcome::given_up: return store::AttemptOutcome::given_up;
    case WebhookAttempt::Outcome::endpoint_gone: return store::AttemptOutcome::endpoint_gone;
  }
  CHECK_THAT(false, "an outcome outside the enumeration");
}

}  // namespace

void WebhookTeller::attempted(const WebhookAttempt& attempt) {
  const auto number = base::parse_decimal(attempt.endpoint);
  const model::EventNumber event = service_.epochs().event_of_message(0, attempt.message);
  Endpoint* const endpoint = number ? active(static_cast<model::WebhookNumber>(*number)) : nullptr;
  if (endpoint == nullptr || event == 0) return;
  const auto found = endpoint->outstanding.find(event);
  if (found == endpoint->outstanding.end()) return;
  const store::PendingMessage message = found->second;
  found->second.attempts = attempt.attempt;
  if (attempt.outcome != WebhookAttempt::Outcome::failed) endpoint->outstanding.erase(found);
  const base::Status kept = keep(*endpoint, attempt, message);
  // Not from within this call: it belongs to what would be torn down.
  if (!kept.ok()) loop_->post([this, error = kept.error()] { recover_from(error); });
}

base::Status WebhookTeller::keep(Endpoint& endpoint, const WebhookAttempt& attempt, const store::PendingMessage& message) {
  const base::Instant now = clock_.wall();
  store::DeliveryProgress& progress = endpoint.progress;
  store::AttemptRow row{.number = 0,
                        .event = message.event,
                        .type = message.type,
                        .attempt = attempt.attempt,
                        .at = now,
                        .outcome = outcome_of(attempt.outcome),
                        .status = attempt.status,
                        .failure = {},
                        .next_at = {}};
  if (attempt.failure != effects::HttpFailure::none) row.failure = std::string(effects::to_text(attempt.failure));
  if (!store_.in_transaction()) TRY(store_.begin());
  endpoint.progress_changed = true;
  if (attempt.outcome == WebhookAttempt::Outcome::delivered) {
    delivered_.fetch_add(1, std::memory_order_relaxed);
    progress.delivered_at = now;
    progress.failing_since = {};
    TRY(store_.remove_message(endpoint.number, message.event));
    return store_.put_attempt(endpoint.number, row);
  }
  failed_.fetch_add(1, std::memory_order_relaxed);
  if (progress.failing_since.ns == 0) progress.failing_since = now;
  switch (attempt.outcome) {
    case WebhookAttempt::Outcome::given_up:
      given_up_.fetch_add(1, std::memory_order_relaxed);
      TRY(store_.count_attempt(endpoint.number, message.event, attempt.attempt, {}));
      TRY(store_.give_up(endpoint.number, message.event, now));
      if (now - progress.failing_since >= failing_too_long) disable(endpoint, model::WebhookCause::failed_for_long);
      break;
    case WebhookAttempt::Outcome::endpoint_gone:
      // It waits, for the day somebody enables the endpoint again.
      TRY(store_.count_attempt(endpoint.number, message.event, attempt.attempt, {}));
      disable(endpoint, model::WebhookCause::endpoint_gone);
      break;
    default:
      row.next_at = now + attempt.pause;
      TRY(store_.count_attempt(endpoint.number, message.event, attempt.attempt, row.next_at));
  }
  return store_.put_attempt(endpoint.number, row);
}

void WebhookTeller::disable(const Endpoint& endpoint, model::WebhookCause cause) {
  own_.push_back({endpoint.record.tenant, gate::WebhookChange{.webhook = endpoint.number, .clear = model::webhook_enabled, .cause = cause}});
  loop_->post([this, number = endpoint.number] {
    if (Endpoint* const still = active(number)) deactivate(*still);
  });
}

// Tells the journal now and then how far an endpoint is: from there it is told again if the store is lost.
void WebhookTeller::mark() {
  const std::int64_t now = clock_.boot_ns();
  for (auto& [number, endpoint] : endpoints_) {
    if (!endpoint.active || !endpoint.told_since_mark || now - endpoint.marked_boot_ns < base::milliseconds(options_.mark_interval_ms).ns) continue;
    const model::EventNumber through = endpoint.outstanding.empty() ? endpoint.progress.told_through : endpoint.outstanding.begin()->first - 1;
    if (through <= endpoint.record.told_through) continue;
    endpoint.marked_boot_ns = now;
    endpoint.told_since_mark = !endpoint.outstanding.empty();
    own_.push_back({endpoint.record.tenant, gate::WebhookMark{.webhook = number, .told_through = through}});
  }
}

// One that the service could not record is submitted again after a while: an endpoint that is to be disabled is not told any more
// meanwhile, and nobody else would disable it.
void WebhookTeller::submit_own() {
  const std::int64_t now = clock_.boot_ns();
  {
    const std::lock_guard lock(mutex_);
    if (!own_unrecorded_.empty()) own_not_before_boot_ns_ = now + own_again_after.ns;
    std::ranges::move(own_unrecorded_, std::back_inserter(own_));
    own_unrecorded_.clear();
  }
  while (!own_.empty() && now >= own_not_before_boot_ns_) {
    auto admission = gate_.admit_body({.tenant = own_.front().tenant}, {}, own_.front().body);
    auto* const admitted = std::get_if<model::Admitted>(&admission);
    CHECK_THAT(admitted != nullptr, "the process's own commands are well-formed");
    const std::uint64_t token = next_token_++;
    {
      const std::lock_guard lock(mutex_);
      own_submitted_.emplace(token, own_.front());
    }
    const model::Outcome taken = service_.pipeline().submit({.content = std::move(*admitted), .sink = this, .token = token});
    if (taken != model::Outcome::done) {   // full: the next turn
      const std::lock_guard lock(mutex_);
      own_submitted_.erase(token);
      return;
    }
    own_.pop_front();
  }
}

// On the pipeline's thread.
void WebhookTeller::deliver(std::uint64_t token, Answer&& answer) {
  const std::lock_guard lock(mutex_);
  auto found = own_submitted_.extract(token);
  CHECK_THAT(!found.empty(), "an answer belongs to one command");
  if (is_unrecorded(answer)) own_unrecorded_.push_back(std::move(found.mapped()));
}

void WebhookTeller::test(model::WebhookNumber webhook, Tested done) {
  loop_->post([this, webhook, done = std::move(done)] {
    base::Tag128 random;
    random_.fill(random);
    const effects::WebhookMessage message{.id = "msg_test_" + base::to_hex(random), .body = WebhookMessages::test_body(webhook, clock_.wall())};
    const base::Status sent = delivery_->probe(std::to_string(webhook), message, [done](const WebhookAttempt& attempt) { done(attempt); });
    if (!sent.ok()) done(unknown_endpoint());
  });
}

void WebhookTeller::resend(model::WebhookNumber webhook, const std::string& message, std::optional<base::Instant> failed_since, Resent done) {
  const model::EventNumber event = service_.epochs().event_of_message(0, message);
  loop_->post([this, webhook, event, failed_since, done = std::move(done)] { done(resend_now(webhook, event, failed_since)); });
}

base::Result<std::uint64_t> WebhookTeller::resend_now(model::WebhookNumber webhook, model::EventNumber message,
                                                      std::optional<base::Instant> failed_since) {
  Endpoint* const endpoint = active(webhook);
  if (endpoint == nullptr) return unknown_endpoint();
  std::uint64_t told = 0;
  if (!failed_since) {
    TRY_ASSIGN(const bool known, resend_one(*endpoint, message));
    if (!known) return base::Error{"webhook_message_unknown", "the endpoint is told of no such event"};
    told = 1;
  } else {
    TRY_ASSIGN(const auto given_up, store_.given_up_since(webhook, *failed_since));
    for (store::PendingMessage one : given_up) {
      one.attempts = 0;
      TRY(store_.put_message(webhook, one));
      TRY(tell_again(*endpoint, one));
      ++told;
    }
    // What failed and waits for its next attempt does not wait any longer.
    for (const auto& [event, one] : endpoint->outstanding) {
      told += delivery_->resend(endpoint->name(), service_.epochs().message_id(0, event)) && one.attempts != 0 ? 1 : 0;
    }
  }
  TRY(store_.commit());
  return told;
}

// False if it is not of a kind the endpoint is told of.
base::Result<bool> WebhookTeller::resend_one(Endpoint& endpoint, model::EventNumber event) {
  if (event == 0) return false;
  if (delivery_->resend(endpoint.name(), service_.epochs().message_id(0, event))) return true;
  if (event > endpoint.progress.told_through || event < endpoint.record.created) return false;
  TRY_ASSIGN(const store::StoredEntry stored, service_.reader().read_entry(event));
  TRY_ASSIGN(const model::Entry entry, model::decode_entry(stored.bytes, stored.first_event));
  const std::size_t index = event - entry.first_event;
  const auto type = webhook_event_of(entry, index);
  if (!type || !endpoint.wants(*type)) return false;
  const bool personal = (endpoint.record.flags & model::webhook_personal) != 0;
  TRY_ASSIGN(auto body, messages_.body(entry, index, *type, endpoint.record.tenant, personal));
  if (!body) return false;
  const store::PendingMessage message{.event = event, .type = *type, .attempts = 0, .next_at = {}};
  TRY(store_.put_message(endpoint.number, message));
  TRY(hand_over(endpoint, message, *std::move(body)));
  return true;
}

}  // namespace node
