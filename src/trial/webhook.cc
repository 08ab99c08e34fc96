// Standard Webhooks 1.0, read by wire/webhook_signature. `v1` is a MAC, `v1a` an Ed25519 signature.

#include "trial/specimen.h"
#include "trial/text_variants.h"
#include "wire/webhook_signature.h"

namespace trial {
namespace {

using intake::Cause;

constexpr std::int64_t second_ns = 1'000'000'000;

base::Result<wire::WebhookClaim> claim_of(const Message& message) {
  wire::Headers headers;
  for (const auto& [name, value] : message.headers) {
    if (!name.starts_with("webhook-")) continue;
    if (!wire::is_token(name) || !wire::is_field_value(value))
      return base::Error{"webhook_field_malformed", "the header " + name + " cannot stand in a message"};
    headers.add(name, value);
  }
  return wire::read_webhook(headers, {}, base::seconds(9'100'000'000));
}

// Senders of before the standard, and those that follow another's.
void add_older_forms(const wire::WebhookClaim& claim, const std::string& body, Specimen& specimen) {
  const std::string seconds = std::to_string(claim.timestamp.ns / second_ns);
  specimen.variants.push_back({Cause::protocol_version_differs, "over the body alone", body, {}});
  specimen.variants.push_back(
      {Cause::protocol_version_differs, "over time stamp and body, without the id", seconds + "." + body, {}});
  specimen.variants.push_back(
      {Cause::protocol_version_differs, "over id and body, without the time stamp", claim.id + "." + body, {}});
  specimen.variants.push_back({Cause::signature_time_is_in_milliseconds,
                               "with the time stamp in milliseconds",
                               claim.id + "." + seconds + "000." + body,
                               {}});
}

}  // namespace

Specimen read_webhook(const Case& one, const KeyRing& ring) {
  if (!one.message.body) return without_hope(Cause::signature_part_is_missing, "/message/body or /message/body_base64");
  const auto claim = claim_of(one.message);
  if (!claim.ok()) {
    const auto stamp = one.message.header("webhook-timestamp");
    if (stamp && stamp->size() >= 13)
      return without_hope(Cause::signature_time_is_in_milliseconds,
                          "webhook-timestamp has " + std::to_string(stamp->size()) + " digits");
    const bool missing = std::string_view(claim.error().code) == "webhook_field_missing";
    return without_hope(missing ? Cause::signature_part_is_missing : Cause::signature_text_is_malformed,
                        claim.error().message);
  }
  const bool mac = !ring.secrets.empty();
  const auto wanted = mac ? wire::WebhookSignatureVersion::v1 : wire::WebhookSignatureVersion::v1a;
  std::vector<std::string> signatures;
  for (const wire::WebhookSignature& signature : claim->signatures) {
    if (signature.version == wanted) signatures.emplace_back(base::as_text(signature.raw));
  }
  if (signatures.empty()) {
    return without_hope(Cause::protocol_version_differs, mac ? "there is no v1 signature, and a shared secret was given"
                                                             : "there is no v1a signature, and a public key was given");
  }
  const std::int64_t seconds = claim->timestamp.ns / second_ns;
  Specimen specimen;
  specimen.base = wire::webhook_signed_text(claim->id, seconds, *one.message.body);
  specimen.signature = signatures.front();
  specimen.other_signatures.assign(signatures.begin() + 1, signatures.end());
  specimen.text = SignatureText::octets;
  specimen.scheme = *scheme_of_name(mac ? "hmac-sha256" : "ed25519");
  specimen.nonce = claim->id;
  specimen.stamps.push_back({"webhook-timestamp", std::to_string(seconds), claim->timestamp, true});
  specimen.variants = variants_within(claim->id + "." + std::to_string(seconds) + ".", *one.message.body, "");
  add_older_forms(*claim, *one.message.body, specimen);
  return specimen;
}

}  // namespace trial
