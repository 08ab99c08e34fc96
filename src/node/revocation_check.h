#pragma once
// Is the certificate behind a key still good? Its validity, then what its authority says: OCSP where the certificate names a responder,
// else lists with their deltas, fetched and judged by crypto/chain.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "crypto/chain/certificate.h"
#include "crypto/chain/revocation.h"
#include "crypto/chain/signature.h"
#include "effects/revocation/revocation_fetch.h"

namespace node {

enum class RevocationResult : std::uint8_t {
  good,
  revoked,
  unknown,         ///< nobody who may speak said anything that counts; never means good
  expired,
  not_yet_valid,
};
constexpr std::size_t revocation_results = 5;
/// `good`, `revoked`, ...
std::string_view to_text(RevocationResult result);

struct RevocationFinding {
  RevocationResult result = RevocationResult::unknown;
  /// Why it is not good: a code of docs/chain-codes.md, of a fetch (docs/key-sets.md), `certificate_was_not_kept` or
  /// `revocation_is_not_published`. Empty if it is.
  std::string code = {};
  std::string evidence = {};   ///< one sentence of particulars; public data only
  bool operator==(const RevocationFinding&) const = default;
};

/// Addresses that are asked of one kind, of one certificate; further ones are left alone.
constexpr std::size_t revocation_addresses_max = 4;

/// One thread.
class RevocationCheck {
 public:
  /// `fetch` outlives it. `authorities` may have issued what is checked, besides those that came with it.
  RevocationCheck(const effects::RevocationFetch& fetch, std::vector<crypto::chain::Certificate> authorities)
      : fetch_(fetch), authorities_(std::move(authorities)) {}

  /// Judges the first certificate of `pem`; the others may be its issuer. Fetches, and waits for it.
  RevocationFinding check(std::string_view pem, base::Instant now);

 private:
  struct Case;
  const crypto::chain::Certificate* issuer_of(const Case& one);
  void ask_responders(Case& one);
  void fetch_lists(Case& one);
  void fetch_point(Case& one, const crypto::chain::DistributionPoint& point);
  bool judge(Case& one);

  const effects::RevocationFetch& fetch_;
  const std::vector<crypto::chain::Certificate> authorities_;
  crypto::chain::SignatureChecker checker_;
};

/// The certificates of a PEM text. Errors: `pem_is_malformed`, `certificate_is_malformed`.
base::Result<std::vector<crypto::chain::Certificate>> read_certificates(std::string_view pem);

}  // namespace node
