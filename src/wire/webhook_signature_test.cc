#include "wire/webhook_signature.h"

#include <doctest/doctest.h>

namespace wire {
namespace {

constexpr base::Instant now{1'700'000'000'000'000'000};

Headers headers(std::string_view id, std::string_view timestamp, std::string_view signature) {
  Headers headers;
  headers.add("webhook-id", id);
  headers.add("webhook-timestamp", timestamp);
  headers.add("webhook-signature", signature);
  return headers;
}

std::string code(const Headers& headers) {
  const auto claim = read_webhook(headers, now, base::seconds(300));
  return claim.ok() ? "taken" : claim.error().code;
}

TEST_CASE("the text that is signed") {
  CHECK_EQ(webhook_signed_text("msg_1", 1'700'000'000, "{\"a\":1}"), "msg_1.1700000000.{\"a\":1}");
  const base::Bytes raw{1, 2, 3};
  CHECK_EQ(to_webhook_signature(WebhookSignatureVersion::v1, raw), "v1,AQID");
  CHECK_EQ(to_webhook_signature(WebhookSignatureVersion::v1a, raw), "v1a,AQID");
}

TEST_CASE("keys as text") {
  const base::Bytes secret(24, 7), key(32, 9);
  const std::string text = to_webhook_key(WebhookKeyKind::secret, secret);
  CHECK(text.starts_with("whsec_"));
  CHECK_EQ(parse_webhook_key(WebhookKeyKind::secret, text), secret);
  CHECK_EQ(parse_webhook_key(WebhookKeyKind::signing_seed, to_webhook_key(WebhookKeyKind::signing_seed, key)), key);
  CHECK_EQ(parse_webhook_key(WebhookKeyKind::public_key, to_webhook_key(WebhookKeyKind::public_key, key)), key);
  CHECK_FALSE(parse_webhook_key(WebhookKeyKind::public_key, text).has_value());
  CHECK_FALSE(parse_webhook_key(WebhookKeyKind::secret, "whsec_AAAA").has_value());
  CHECK_FALSE(parse_webhook_key(WebhookKeyKind::secret, "whsec_*").has_value());
  CHECK_FALSE(parse_webhook_key(WebhookKeyKind::public_key, to_webhook_key(WebhookKeyKind::public_key, secret)).has_value());
}

TEST_CASE("received fields") {
  const auto claim = read_webhook(headers("msg_1", "1700000000", "v9,zzz v1,AQID v1a,BAUG"), now, base::seconds(300));
  REQUIRE(claim.ok());
  CHECK_EQ(claim->id, "msg_1");
  CHECK_EQ(claim->timestamp.ns, now.ns);
  REQUIRE_EQ(claim->signatures.size(), 2u);
  CHECK_EQ(claim->signatures[0].version, WebhookSignatureVersion::v1);
  CHECK_EQ(claim->signatures[1].raw, base::Bytes{4, 5, 6});

  CHECK_EQ(code({}), "webhook_field_missing");
  Headers twice = headers("msg_1", "1700000000", "v1,AQID");
  twice.add("webhook-id", "msg_2");
  CHECK_EQ(code(twice), "webhook_field_missing");
  CHECK_EQ(code(headers("msg.1", "1700000000", "v1,AQID")), "webhook_field_malformed");
  CHECK_EQ(code(headers("", "1700000000", "v1,AQID")), "webhook_field_malformed");
  CHECK_EQ(code(headers("m", "1.7e9", "v1,AQID")), "webhook_field_malformed");
  CHECK_EQ(code(headers("m", "-1", "v1,AQID")), "webhook_field_malformed");
  CHECK_EQ(code(headers("m", "1700000000", "v1")), "webhook_field_malformed");
  CHECK_EQ(code(headers("m", "1700000000", "v1,***")), "webhook_field_malformed");
  std::string many;
  for (int i = 0; i < 17; ++i) many += "v1,AQID ";
  CHECK_EQ(code(headers("m", "1700000000", many)), "webhook_field_malformed");
  CHECK_EQ(code(headers("m", "1700000000", "v2,AQID")), "webhook_signature_not_supported");
  CHECK_EQ(code(headers("m", "1699999699", "v1,AQID")), "webhook_too_old");
  CHECK_EQ(code(headers("m", "1700000301", "v1,AQID")), "webhook_from_the_future");
  CHECK_EQ(code(headers("m", "1700000300", "v1,AQID")), "taken");
}

}  // namespace
}  // namespace wire
