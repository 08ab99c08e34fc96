#pragma once
// A case of `holdfast verify-chain`: JSON in, what path validation takes out. The format is in docs/verify-chain.md; a test
// case of x509-limbo is one as it stands.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "crypto/chain/verify.h"
#include "wire/json_value.h"

namespace holdfast {

/// A case that was understood. Certificates, lists and responses that cannot be read are no error of the case: they stand
/// in their place without content, and `unreadable` says so.
struct ChainCase {
  std::string id;                               ///< as given, or empty
  std::optional<bool> expected_accept;          ///< `expected_result`, for suites
  crypto::chain::Certificate leaf;
  bool leaf_is_readable = false;
  std::vector<crypto::chain::Certificate> intermediates, anchors;
  std::vector<crypto::chain::RevocationList> lists;
  std::vector<crypto::chain::OcspResponse> responses;
  crypto::chain::Demands demands;
  std::vector<crypto::chain::Finding> unreadable;

  crypto::chain::Materials materials() const { return {leaf, intermediates, anchors, lists, responses}; }
};

/// `now` counts when the case names no time; `profile` when the case names none, and webpki when that
/// is not given either. Error `chain_case_malformed`, naming every
/// field that is wrong.
base::Result<ChainCase> read_chain_case(wire::JsonValue json, base::Instant now, std::optional<crypto::chain::Profile> profile);

/// `webpki`, `rfc5280`, `private`.
std::optional<crypto::chain::Profile> profile_of_name(std::string_view name);
std::string_view name_of(crypto::chain::Profile profile);
/// `off`, `soft`, `hard`.
std::string_view name_of(crypto::chain::Revocation revocation);

/// RFC 3339 with `Z` or a numeric offset, years 1970 to 2261.
std::optional<base::Instant> parse_time(std::string_view text);
/// Body of an OBJECT IDENTIFIER from its dotted form.
std::optional<base::Bytes> parse_dotted(std::string_view text);

}  // namespace holdfast
