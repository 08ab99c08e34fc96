#include "node/rail_callbacks.h"

#include <algorithm>

#include "base/check.h"
#include "effects/rails/http_rail.h"
#include "effects/rails/rail_callback.h"
#include "model/ids.h"

namespace node {

namespace {

// Whether it may be sent again, and who has to look, depends on which check it failed.
model::Outcome outcome_of(std::string_view code) {
  if (code == "callback_malformed") return model::Outcome::request_malformed;
  if (code == "signature_nonce_replayed" || code == "signature_nonces_exhausted") return model::Outcome::callback_replayed;
  if (code == "signature_too_old" || code == "signature_expired" || code == "signature_from_the_future" ||
      code == "webhook_too_old" || code == "webhook_from_the_future") {
    return model::Outcome::callback_too_old;
  }
  return model::Outcome::callback_signature_invalid;
}

}  // namespace

RailCallbacks::RailCallbacks(const std::vector<RailSettings>& rails, model::Epochs epochs, io::Clock& clock,
                             std::function<void(const std::string&)> say, RegistryReader registry)
    : epochs_(std::move(epochs)) {
  const bool published = std::ranges::any_of(rails, [](const RailSettings& settings) { return settings.callback_key_set.has_value(); });
  if (published) key_sets_ = std::make_unique<RailKeySets>(rails, clock, std::move(say));
  for (const RailSettings& settings : rails) add(settings, registry);
}

void RailCallbacks::add(const RailSettings& settings, const RegistryReader& registry) {
  const effects::WebhookVerification& webhooks = settings.callback_webhooks;
  const bool silent = settings.callback_keys.empty() && webhooks.secrets.empty() && webhooks.public_keys.empty();
  if (silent && !settings.callback_key_set && !settings.callback_place) return;
  const auto [named, added] = voices_.emplace(
      settings.name, Voice{settings.tenant, effects::RequestVerifier(settings.callback_keys, std::string(effects::rail_signature_tag), false), webhooks,
                           webhooks.public_keys});
  if (!added) return;
  Voice& voice = named->second;
  if (settings.callback_key_set) voice.verifier.ask_too(*key_sets_->of(settings.name));
  if (!settings.callback_place) return;
  CHECK_THAT(registry != nullptr, "a rail whose keys are in the registry needs one");
  voice.place = std::make_unique<RegistryMessageKeys>(registry, settings.tenant, *settings.callback_place);
  voice.verifier.ask_too(*voice.place);
}

// Standard Webhooks name no key: all that verify are tried.
const effects::WebhookVerification& RailCallbacks::webhook_keys(Voice& voice) {
  if (voice.place) {
    voice.webhooks.public_keys = voice.public_keys;
    for (const effects::VerificationKey& key : voice.place->usable()) voice.webhooks.public_keys.push_back(key.material);
  }
  return voice.webhooks;
}

std::variant<gate::RailReport, gate::VoiceRefused> RailCallbacks::hear(std::string_view rail, const wire::Request& request, base::Instant now) {
  const auto name = model::parse_rail_name(rail);
  const auto found = name ? voices_.find(*name) : voices_.end();
  if (found == voices_.end()) return gate::VoiceRefused{model::Outcome::rail_not_found, "no rail of that name calls here"};
  auto heard = request.headers.count("webhook-signature") != 0
                   ? effects::verify_rail_webhook(request, webhook_keys(found->second), now)
                   : effects::verify_rail_callback(request, "https", found->second.verifier, now);
  if (!heard.ok()) return gate::VoiceRefused{outcome_of(heard.error().code), heard.error().message + " [" + heard.error().code + "]"};
  effects::RailCallback& callback = *heard;
  gate::RailReport report;
  report.tenant = found->second.tenant;
  report.reference = epochs_.event_of_reference(0, callback.reference);
  report.rail = std::string(rail);
  report.source = model::ReportSource::callback;
  report.result = callback.answer.result;
  report.reason = callback.answer.reason;
  report.amount = callback.answer.amount;
  if (!callback.answer.asset.empty()) report.asset = model::parse_asset(callback.answer.asset);
  report.rail_reference = std::move(callback.answer.rail_reference);
  report.body = callback.answer.body;
  report.raw = base::to_bytes(base::as_bytes(request.body));
  return report;
}

}  // namespace node
