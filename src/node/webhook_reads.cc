// Reads of webhook endpoints and their deliveries, and what is asked of the teller without the journal.

#include "core/ledger/state.h"
#include "node/backend.h"
#include "node/readings.h"

namespace node {

using model::Outcome;

namespace {

edge::DeliveryReading reading_of(store::AttemptRow&& row) {
  return {.number = row.number,
          .event = row.event,
          .type = row.type,
          .attempt = row.attempt,
          .at = row.at,
          .outcome = store::to_text(row.outcome),
          .status = row.status,
          .failure = std::move(row.failure),
          .next_at = row.next_at};
}

Outcome outcome_of(std::string_view code) {
  if (code == "webhook_endpoint_unknown") return Outcome::webhook_disabled;
  if (code == "webhook_message_unknown") return Outcome::webhook_message_not_found;
  if (code == core_takes_no_questions) return Outcome::overloaded;
  return Outcome::journal_read_failed;
}

}  // namespace

bool Backend::is_about_webhooks(const gate::QueryBody& body) {
  return std::visit(
      [](const auto& one) {
        using Body = std::decay_t<decltype(one)>;
        return std::is_same_v<Body, gate::ListWebhooks> || std::is_same_v<Body, gate::GetWebhook> || std::is_same_v<Body, gate::ListDeliveries> ||
               std::is_same_v<Body, gate::TestWebhook> || std::is_same_v<Body, gate::ResendWebhook>;
      },
      body);
}

base::Result<edge::WebhookReading> Backend::webhook_reading(model::WebhookNumber number, const core::WebhookRecord& record) {
  edge::WebhookReading reading{.number = number,
                               .url = {},
                               .events = record.events,
                               .flags = record.flags,
                               .cause = record.cause == 0 ? model::WebhookCause::request : static_cast<model::WebhookCause>(record.cause),
                               .public_key = {},
                               .former_until = {record.former_until_ns},
                               .changed_at = {record.changed_at_ns}};
  std::copy(std::begin(record.public_key), std::end(record.public_key), reading.public_key.begin());
  TRY_ASSIGN(const auto url, service_.reader().read_private(record.url_event, model::PrivateField::webhook_url));
  if (url && !url->erased) reading.url = std::string(base::as_text(url->value));
  TRY_ASSIGN(const auto summary, deliveries_->summary(number));
  reading.waiting = summary.waiting;
  reading.given_up = summary.given_up;
  reading.delivered_at = summary.progress.delivered_at;
  reading.failing_since = summary.progress.failing_since;
  return reading;
}

std::optional<edge::Reading> Backend::read_webhooks(Waiting& waiting, const Answer& answer) {
  const gate::Query& query = *waiting.query;
  const model::EventNumber position = answer.position;
  if (answer.refusal != Outcome::done) return refused(position, answer.refusal);
  if (teller_ == nullptr) return refused(position, Outcome::webhook_delivery_not_running);
  // As of the answer's position, all of which is durable; what the teller follows may be ahead of it.
  const auto* found = std::get_if<StateFound>(&answer.finding);
  if (found == nullptr) return refused(position, Outcome::overloaded);
  const auto& records = found->state->webhooks;
  if (std::holds_alternative<gate::ListWebhooks>(query.body)) {
    edge::WebhooksReading all;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const core::WebhookRecord& record = records[i];
      if (record.tenant != query.tenant || record.removed != 0) continue;
      auto reading = webhook_reading(static_cast<model::WebhookNumber>(i + 1), record);
      if (!reading.ok()) return failed(position, reading.error());
      all.webhooks.push_back(std::move(reading).value());
    }
    return edge::Reading{position, std::move(all)};
  }
  const model::WebhookNumber number = std::visit(
      [](const auto& one) -> model::WebhookNumber {
        if constexpr (requires { one.webhook; }) return one.webhook;
        else return 0;
      },
      query.body);
  const bool known = number != 0 && number <= records.size() && records[number - 1].tenant == query.tenant && records[number - 1].removed == 0;
  if (!known) return refused(position, Outcome::webhook_not_found);
  if (std::holds_alternative<gate::GetWebhook>(query.body)) {
    auto reading = webhook_reading(number, records[number - 1]);
    if (!reading.ok()) return failed(position, reading.error());
    return edge::Reading{position, std::move(reading).value()};
  }
  if (const auto* list = std::get_if<gate::ListDeliveries>(&query.body)) {
    auto rows = deliveries_->attempts(number, list->before, list->limit + 1);
    if (!rows.ok()) return failed(position, rows.error());
    edge::DeliveriesPage page;
    if (rows->size() > list->limit) {
      rows->pop_back();
      page.next = rows->back().number;
    }
    for (store::AttemptRow& row : *rows) page.attempts.push_back(reading_of(std::move(row)));
    return edge::Reading{position, std::move(page)};
  }
  // The teller answers on its own thread, later.
  auto kept = std::make_shared<Waiting>(std::move(waiting));
  const auto later = [this, kept, position](auto&& body) { post_reading(std::move(*kept), {position, std::forward<decltype(body)>(body)}); };
  if (const auto* resend = std::get_if<gate::ResendWebhook>(&kept->query->body)) {
    teller_->resend(number, resend->message, resend->failed_since, [later](base::Result<std::uint64_t> told) {
      if (told.ok()) later(edge::WebhookResendReading{*told});
      else later(edge::ReadRefused{outcome_of(told.error().code), told.error().message});
    });
  } else {
    teller_->test(number, [later](base::Result<effects::WebhookAttempt> answered) {
      if (!answered.ok()) return later(edge::ReadRefused{outcome_of(answered.error().code), answered.error().message});
      edge::WebhookTestReading test{.message = answered->message, .status = answered->status, .failure = {}};
      if (answered->failure != effects::HttpFailure::none) test.failure = std::string(effects::to_text(answered->failure));
      later(std::move(test));
    });
  }
  return std::nullopt;
}

}  // namespace node
