#include "effects/rails/rail_callback.h"

#include "crypto/hash.h"
#include "effects/rails/rail_reply.h"
#include "wire/json_value.h"

namespace effects {

namespace {

constexpr std::size_t event_bytes_max = 128;

base::Result<RailCallback> read(const std::string& body) {
  const base::Error malformed{"callback_malformed", "the callback is not an event with a payment"};
  const auto document = wire::parse_json(base::as_bytes(body));
  if (!document.ok() || !document->root().is_object()) return malformed;
  const wire::JsonValue root = document->root();
  const auto text = [&](std::string_view name) {
    const auto member = root.find(name);
    return member ? member->string() : std::nullopt;
  };
  const auto event = text("event");
  const auto occurred = text("occurred_at");
  const auto occurred_at = occurred ? base::parse_rfc3339(*occurred) : std::nullopt;
  const auto member = root.find("payment");
  const auto payment = member ? read_rail_payment(*member) : std::nullopt;
  if (!event || event->empty() || event->size() > event_bytes_max || !occurred_at || !payment) return malformed;
  return RailCallback{.key_id = {},
                      .event = std::string(*event),
                      .occurred_at = *occurred_at,
                      .reference = payment->reference,
                      .kind = payment->kind,
                      .answer = answer_of(*payment)};
}

}  // namespace

base::Result<RailCallback> verify_rail_callback(const wire::Request& request, std::string_view scheme, RequestVerifier& verifier,
                                                base::Instant now) {
  TRY_ASSIGN(VerifiedMessage message, verifier.verify(request, scheme, now));
  TRY_ASSIGN(RailCallback callback, read(request.body));
  callback.key_id = std::move(message.key_id);
  callback.answer.body = crypto::sha256(base::as_bytes(request.body));
  return callback;
}

base::Result<RailCallback> verify_rail_webhook(const wire::Request& request, const WebhookVerification& keys, base::Instant now) {
  TRY_ASSIGN(wire::WebhookClaim claim, verify_webhook(request.headers, request.body, keys, now));
  TRY_ASSIGN(RailCallback callback, read(request.body));
  callback.key_id = std::move(claim.id);
  callback.answer.body = crypto::sha256(base::as_bytes(request.body));
  return callback;
}

}  // namespace effects
