// RFC 7515 compact serialisation, detached payloads (appendix F) and unencoded ones (RFC 7797).

#include <algorithm>

#include "base/text.h"
#include "intake/json.h"
#include "trial/specimen.h"
#include "trial/text_variants.h"

namespace trial {
namespace {

using intake::Cause;

struct Header {
  std::string algorithm, key_id, nonce;
  bool encoded = true;  ///< b64
};

std::optional<Header> read_header(std::string_view text) {
  const auto bytes = base::parse_base64url(text);
  if (!bytes) return std::nullopt;
  std::size_t fault = 0;
  const auto json = intake::parse_json(base::as_text(*bytes), fault);
  if (!json || !json->is_object()) return std::nullopt;
  Header header{std::string(json->string("alg")), std::string(json->string("kid")), std::string(json->string("nonce")),
                true};
  if (const auto* const b64 = json->find("b64"))
    header.encoded = b64->type != intake::JsonValue::Type::boolean || b64->text == "true";
  return header;
}

// iat, nbf and exp of a token, shown and never judged: a captured token is old by nature.
void read_times(std::string_view payload, Specimen& specimen) {
  std::size_t fault = 0;
  const auto json = intake::parse_json(payload, fault);
  if (!json || !json->is_object()) return;
  for (const char* const name : {"iat", "nbf", "exp"}) {
    const auto* const value = json->find(name);
    const auto seconds = value == nullptr ? std::nullopt : value->uint();
    if (seconds && *seconds < 9'000'000'000)
      specimen.stamps.push_back(
          {name, std::to_string(*seconds), base::Instant{static_cast<std::int64_t>(*seconds) * 1'000'000'000}});
  }
}

std::string encoded(std::string_view payload) { return base::to_base64url(base::as_bytes(payload)); }

// A mistaken algorithm is refused whatever would fit: `none`, and a MAC under a public key, are attacks by their name.
bool judge_algorithm(const Header& header, const Scheme& scheme, const KeyRing& ring, Specimen& specimen) {
  const bool mac = scheme.algorithm == Algorithm::hmac;
  if (mac && ring.secrets.empty()) {
    specimen = without_hope(
        Cause::jwk_algorithm_does_not_fit,
        "alg is " + header.algorithm + ", a MAC, and the key is a public one: whoever knows it could make the MAC");
    return false;
  }
  const bool fits =
      mac || std::ranges::any_of(ring.keys, [&](const TrialKey& key) { return can_make(key.verifier.kind(), scheme); });
  if (fits) return true;
  specimen = without_hope(Cause::signature_algorithm_does_not_fit_key,
                          "alg is " + header.algorithm + ", and the key is " +
                              (ring.keys.empty() ? std::string("a secret") : ring.keys.front().describe()));
  return false;
}

}  // namespace

Specimen read_jws(const Case& one, const KeyRing& ring) {
  const std::string_view compact = one.message.compact;
  const std::size_t first = compact.find('.');
  const std::size_t second = first == std::string_view::npos ? first : compact.find('.', first + 1);
  if (second == std::string_view::npos || compact.find('.', second + 1) != std::string_view::npos) {
    return without_hope(Cause::signature_text_is_malformed,
                        "/message/compact is not three parts with dots between them");
  }
  const std::string_view head = compact.substr(0, first), middle = compact.substr(first + 1, second - first - 1);
  const auto header = read_header(head);
  if (!header) return without_hope(Cause::signature_text_is_malformed, "the header is not base64url of a JSON object");
  if (header->algorithm == "none" || header->algorithm.empty())
    return without_hope(Cause::jwk_algorithm_does_not_fit, "alg is none: nothing is signed");
  const auto scheme = scheme_of_name(header->algorithm);
  if (!scheme)
    return without_hope(Cause::algorithm_not_allowed,
                        "alg is `" + header->algorithm.substr(0, 32) + "`, which is none of RFC 7518, 8037 and 8812");
  const bool detached = middle.empty() && one.message.body.has_value();
  const std::string in_message(middle);
  Specimen specimen;
  if (!judge_algorithm(*header, *scheme, ring, specimen)) return specimen;
  const std::string dotted = std::string(head) + ".";
  const std::string payload =
      detached ? *one.message.body : std::string(base::as_text(base::parse_base64url(middle).value_or(base::Bytes{})));
  specimen.base = dotted + (!detached ? in_message : header->encoded ? encoded(payload) : payload);
  specimen.signature = compact.substr(second + 1);
  specimen.text = SignatureText::base64url;
  specimen.scheme = *scheme;
  specimen.key_name = header->key_id;
  specimen.nonce = header->nonce;
  read_times(payload, specimen);
  if (detached) {
    const bool encode = header->encoded;
    specimen.variants.push_back({Cause::signature_base_differs,
                                 encode ? "with the payload not encoded (b64: false of RFC 7797)"
                                        : "with the payload encoded (without b64: false of RFC 7797)",
                                 dotted + (encode ? payload : encoded(payload)),
                                 {}});
    for (BaseVariant& variant : variants_of(payload)) {
      variant.bytes = dotted + (encode ? encoded(variant.bytes) : variant.bytes);
      specimen.variants.push_back(std::move(variant));
    }
  } else {
    specimen.variants.push_back(
        {Cause::signature_base_differs, "with the payload decoded (b64: false of RFC 7797)", dotted + payload, {}});
    specimen.variants.push_back({Cause::signature_base_differs, "over the payload alone", payload, {}});
    specimen.variants.push_back({Cause::signature_line_ends_differ,
                                 "with a line feed at the end of the payload",
                                 dotted + encoded(payload + "\n"),
                                 {}});
  }
  return specimen;
}

}  // namespace trial
