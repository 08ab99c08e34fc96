#pragma once
// An OpenID provider's configuration (OpenID Connect Discovery 1.0 section 3, RFC 8414): two members of it count here.

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace effects {

constexpr std::size_t discovery_bytes_max = std::size_t{64} << 10;

struct DiscoveryDocument {
  std::string issuer;
  std::string key_set_url;   ///< `jwks_uri`
};

/// Errors: `discovery_malformed` (no JSON object, no issuer), `discovery_has_no_key_set_address`.
base::Result<DiscoveryDocument> read_discovery(base::ByteView body);

/// Whether the document speaks for `issuer`: letter by letter, as section 4.3 demands. Error: `discovery_names_another_issuer`, which names
/// the usual reasons (slash, scheme, case).
base::Status check_issuer(const DiscoveryDocument& document, std::string_view issuer);

/// Where the document of an issuer lies: `ISSUER/.well-known/openid-configuration` (section 4).
std::string discovery_url_of(std::string_view issuer);
/// The issuer whose document lies at `url`; empty when it is not such an address.
std::string_view issuer_of_discovery_url(std::string_view url);

}  // namespace effects
