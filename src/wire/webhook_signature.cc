#include "wire/webhook_signature.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace wire {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t id_bytes_max = 256;
constexpr std::size_t signatures_max = 16;

std::string_view prefix_of(WebhookKeyKind kind) {
  switch (kind) {
    case WebhookKeyKind::secret:
      return "whsec_";
    case WebhookKeyKind::signing_seed:
      return "whsk_";
    case WebhookKeyKind::public_key:
      return "whpk_";
  }
  return {};
}

bool size_fits(WebhookKeyKind kind, std::size_t size) {
  return kind == WebhookKeyKind::secret ? size >= 24 && size <= 64 : size == 32;
}

bool is_webhook_id(std::string_view id) {
  return !id.empty() && id.size() <= id_bytes_max &&
         std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7F && c != '.'; });
}

base::Error malformed(const char* what) { return {"webhook_field_malformed", what}; }

/// `VERSION,BASE64 VERSION,BASE64`; versions nobody here knows are passed over, as the specification wants it.
base::Result<std::vector<WebhookSignature>> read_signatures(std::string_view field) {
  std::vector<WebhookSignature> signatures;
  for (std::size_t count = 0; !field.empty(); ++count) {
    if (count == signatures_max) return malformed("webhook-signature holds too many signatures");
    const std::size_t end = std::min(field.find(' '), field.size());
    const std::string_view one = field.substr(0, end);
    field.remove_prefix(std::min(end + 1, field.size()));
    const std::size_t comma = one.find(',');
    if (comma == std::string_view::npos) return malformed("a webhook signature is VERSION,BASE64");
    const std::string_view version = one.substr(0, comma);
    if (version != "v1" && version != "v1a") continue;
    auto raw = base::parse_base64(one.substr(comma + 1));
    if (!raw) return malformed("a webhook signature is not base64");
    signatures.push_back({version == "v1" ? WebhookSignatureVersion::v1 : WebhookSignatureVersion::v1a, std::move(*raw)});
  }
  if (signatures.empty()) return base::Error{"webhook_signature_not_supported", "no signature is of version v1 or v1a"};
  return signatures;
}

}  // namespace

std::string to_webhook_key(WebhookKeyKind kind, base::ByteView raw) { return std::string(prefix_of(kind)) + base::to_base64(raw); }

std::optional<base::Bytes> parse_webhook_key(WebhookKeyKind kind, std::string_view text) {
  const std::string_view prefix = prefix_of(kind);
  if (!text.starts_with(prefix)) return std::nullopt;
  auto raw = base::parse_base64(text.substr(prefix.size()));
  if (!raw || !size_fits(kind, raw->size())) return std::nullopt;
  return raw;
}

std::string webhook_signed_text(std::string_view id, std::int64_t timestamp_seconds, std::string_view body) {
  std::string text;
  text.reserve(id.size() + body.size() + 24);
  text.append(id).append(".").append(std::to_string(timestamp_seconds)).append(".").append(body);
  return text;
}

std::string to_webhook_signature(WebhookSignatureVersion version, base::ByteView raw) {
  return (version == WebhookSignatureVersion::v1 ? "v1," : "v1a,") + base::to_base64(raw);
}

base::Result<WebhookClaim> read_webhook(const Headers& headers, base::Instant now, base::Duration tolerance) {
  const auto id = headers.find("webhook-id");
  const auto timestamp = headers.find("webhook-timestamp");
  const auto signature = headers.find("webhook-signature");
  if (!id || !timestamp || !signature) {
    return base::Error{"webhook_field_missing", "a webhook has webhook-id, webhook-timestamp and webhook-signature, each once"};
  }
  if (!is_webhook_id(*id)) return malformed("webhook-id is empty, too long or holds a dot");
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(timestamp->data(), timestamp->data() + timestamp->size(), seconds);
  constexpr std::int64_t seconds_max = 9'000'000'000;
  if (problem != std::errc{} || end != timestamp->data() + timestamp->size() || seconds < 0 || seconds > seconds_max) {
    return malformed("webhook-timestamp is not a number of seconds");
  }
  WebhookClaim claim{.id = std::string(*id), .timestamp = {seconds * second_ns}, .signatures = {}};
  if (now.ns - claim.timestamp.ns > tolerance.ns) return base::Error{"webhook_too_old", "webhook-timestamp lies too far back"};
  if (claim.timestamp.ns - now.ns > tolerance.ns) return base::Error{"webhook_from_the_future", "webhook-timestamp lies ahead of our clock"};
  TRY_ASSIGN(claim.signatures, read_signatures(*signature));
  return claim;
}

}  // namespace wire
