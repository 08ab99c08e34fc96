#include "core/webhook/webhooks.h"

namespace core {

using model::Outcome;

namespace {

// The endpoint a command names; null, and refused, if its tenant has none such.
const WebhookRecord* find(Draft& draft, model::WebhookNumber number) {
  const WebhookRecord* found = draft.state().webhook(number);
  if (found != nullptr && found->removed == 0 && found->tenant == draft.command().tenant) return found;
  draft.refuse(Outcome::webhook_not_found, {.subject = number});
  return nullptr;
}

}  // namespace

void decide(Draft& draft, const model::CreateWebhook& body) {
  const State& state = draft.state();
  std::uint32_t own = 0;
  for (model::WebhookNumber number = 1; number <= state.webhook_count(); ++number) {
    const WebhookRecord& other = *state.webhook(number);
    own += other.removed == 0 && other.tenant == draft.command().tenant ? 1 : 0;
  }
  if (own >= model::webhooks_of_tenant_max || state.webhook_count() >= model::webhooks_max) return draft.refuse(Outcome::too_many_webhooks);
  draft.emit(model::WebhookCreated{.number = state.webhook_count() + 1,
                                   .tenant = draft.command().tenant,
                                   .events = body.events,
                                   .flags = body.flags,
                                   .url = body.url,
                                   .key = body.key});
}

void decide(Draft& draft, const model::ChangeWebhook& body) {
  const WebhookRecord* webhook = find(draft, body.webhook);
  if (webhook == nullptr) return;
  if ((body.set & body.clear) != 0) return draft.refuse(Outcome::webhook_flags_contradict, {.subject = body.webhook});
  // What the process found out about an endpoint is no news where people were faster.
  if (body.cause != model::WebhookCause::request && !webhook->enabled()) return draft.refuse(Outcome::webhook_disabled, {.subject = body.webhook});
  draft.emit(model::WebhookChanged{.number = body.webhook,
                                   .events = body.events == 0 ? webhook->events : body.events,
                                   .flags = static_cast<model::WebhookFlags>((webhook->flags | body.set) & ~body.clear),
                                   .url = body.url,
                                   .cause = body.cause});
}

void decide(Draft& draft, const model::RemoveWebhook& body) {
  if (find(draft, body.webhook) != nullptr) draft.emit(model::WebhookRemoved{.number = body.webhook});
}

void decide(Draft& draft, const model::RotateWebhook& body) {
  if (find(draft, body.webhook) == nullptr) return;
  draft.emit(model::WebhookRotated{.number = body.webhook, .key = body.key, .former_valid_until = draft.at() + body.overlap});
}

void decide(Draft& draft, const model::MarkWebhook& body) {
  const WebhookRecord* webhook = find(draft, body.webhook);
  if (webhook == nullptr) return;
  if (body.told_through <= webhook->told_through || body.told_through >= draft.next_event()) {
    return draft.refuse(Outcome::webhook_told_already, {.subject = body.webhook});
  }
  draft.emit(model::WebhookMarked{.number = body.webhook, .told_through = body.told_through});
}

}  // namespace core
