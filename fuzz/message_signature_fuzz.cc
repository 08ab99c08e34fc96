// rooms: wire base
// Structured dictionaries, signatures and digests of received requests: no input crashes, what is read is written in one form
// that reads back the same, and a claim that was read has a base that ends with its own parameters.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/content_digest.h"
#include "wire/message_signature.h"
#include "wire/webhook_signature.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string printable(std::string_view text) {
  std::string clean;
  for (const char c : text) clean.push_back(c >= 0x20 && c < 0x7F ? c : ' ');
  return clean;
}

std::string write(const wire::StructuredDictionary& dictionary) {
  std::string text;
  for (const wire::StructuredMember& member : dictionary) {
    if (!text.empty()) text += ", ";
    text += member.name + "=" + (member.is_list ? to_text(member.items, member.parameters) : to_text(member.items.front()));
  }
  return text;
}

}  // namespace

// Lines: Signature-Input, Signature, query, Content-Digest, webhook-signature.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string lines[5];
  for (std::string& line : lines) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto dictionary = wire::parse_structured_dictionary(lines[0]);
  if (dictionary) {
    const std::string text = write(*dictionary);
    const auto again = wire::parse_structured_dictionary(text);
    require(again.has_value() && write(*again) == text);
  }
  wire::Request request;
  request.method = "POST";
  request.path = "/v1/payments";
  request.query = printable(lines[2]);
  request.authority = "bank.example";
  request.headers.add("content-type", "application/json");
  request.headers.add("signature-input", printable(lines[0]));
  request.headers.add("signature", printable(lines[1]));
  wire::SignaturePolicy policy;
  policy.nonce_required = size % 2 == 0;
  const auto claim = wire::read_signature(wire::SignableMessage::of(request), policy, {1'800'000'000'000'000'000});
  if (claim.ok()) {
    require(claim->text.find("\"@signature-params\": (") != std::string::npos);
    require(!claim->key_id.empty());
  }
  const auto digest = wire::parse_content_digest(printable(lines[3]));
  if (digest.ok()) require(wire::check_content_digest(wire::to_content_digest(*digest), *digest).ok());
  wire::Headers headers;
  headers.add("webhook-id", "msg_1");
  headers.add("webhook-timestamp", "1800000000");
  headers.add("webhook-signature", printable(lines[4]));
  const auto webhook = wire::read_webhook(headers, {1'800'000'000'000'000'000}, base::seconds(300));
  if (webhook.ok()) require(!webhook->signatures.empty());
  return 0;
}
