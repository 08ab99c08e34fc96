#include "effects/key_sets/discovery.h"

#include "crypto/chain/general_name.h"
#include "wire/json_value.h"

namespace effects {
namespace {

constexpr std::string_view well_known = "/.well-known/openid-configuration";
constexpr std::size_t shown_max = 200;

std::string_view without_slash(std::string_view text) {
  if (text.ends_with('/')) text.remove_suffix(1);
  return text;
}
std::string_view without_scheme(std::string_view text) {
  const std::size_t end = text.find("://");
  return end == std::string_view::npos ? text : text.substr(end + 3);
}

std::string reason(std::string_view said, std::string_view wanted) {
  if (without_slash(said) == without_slash(wanted)) return "one ends with a slash, the other does not";
  if (without_scheme(said) == without_scheme(wanted)) return "the schemes differ";
  if (crypto::chain::same_text(said, wanted)) return "they differ in upper and lower case";
  return "they name different parties";
}

// Issuers are URLs; anything else in one is not shown.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, shown_max)) out.push_back(c > 0x20 && c < 0x7F ? c : '?');
  return out;
}

}  // namespace

base::Result<DiscoveryDocument> read_discovery(base::ByteView body) {
  const auto document = wire::parse_json(body, {.bytes_max = discovery_bytes_max, .depth_max = 16});
  if (!document.ok()) return base::Error{"discovery_malformed", document.error().message};
  const wire::JsonValue root = document->root();
  const auto text_of = [&](std::string_view name) -> std::string {
    const auto member = root.find(name);
    const auto text = member ? member->string() : std::nullopt;
    return std::string(text.value_or(""));
  };
  if (!root.is_object()) return base::Error{"discovery_malformed", "it is no JSON object"};
  DiscoveryDocument found{text_of("issuer"), text_of("jwks_uri")};
  if (found.issuer.empty()) return base::Error{"discovery_malformed", "it names no issuer"};
  if (found.key_set_url.empty()) return base::Error{"discovery_has_no_key_set_address", "it has no text jwks_uri"};
  return found;
}

base::Status check_issuer(const DiscoveryDocument& document, std::string_view issuer) {
  if (document.issuer == issuer) return base::ok();
  return base::Error{"discovery_names_another_issuer",
                     "it speaks for " + shown(document.issuer) + ", not for " + shown(issuer) + ": " + reason(document.issuer, issuer)};
}

std::string discovery_url_of(std::string_view issuer) { return std::string(without_slash(issuer)) + std::string(well_known); }

std::string_view issuer_of_discovery_url(std::string_view url) {
  if (!url.ends_with(well_known)) return {};
  return url.substr(0, url.size() - well_known.size());
}

}  // namespace effects
