#pragma once
// Certificate path validation (RFC 5280 section 6) with a path builder of its own that tries all paths (RFC 4158).
//
// Pure: no clock, no network, no store. Certificates, lists and responses come in; an answer with its reason, the place and
// the evidence comes out. What is missing is named, never fetched.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/chain/certificate.h"
#include "crypto/chain/demands.h"
#include "crypto/chain/reason.h"
#include "crypto/chain/revocation.h"
#include "crypto/chain/signature.h"

namespace crypto::chain {

/// What there is to build from. The order of intermediates means nothing.
struct Materials {
  const Certificate& leaf;
  std::span<const Certificate> intermediates;
  std::span<const Certificate> anchors;  ///< trusted, self-signed or not
  std::span<const RevocationList> lists;
  std::span<const OcspResponse> responses;
};

/// How much one search may cost before it is stopped with path_search_is_exhausted.
constexpr std::size_t signatures_max = 200, candidates_max = 20'000, paths_max = 100, path_certificates_max = 32;

struct Step {
  Role role = Role::leaf;
  std::size_t index = 0;
};

/// The certificate that would continue the path.
struct MissingIssuer {
  std::string name;                    ///< of the issuer, as text
  std::string key_id;                  ///< hex of the authority key identifier; empty when there is none
  std::vector<std::string> addresses;  ///< where the certificate says it can be had; a proposal, not to be trusted
};

struct StepRevocation {
  std::size_t step = 0;  ///< index in the path
  RevocationAnswer answer;
};

struct Verdict {
  bool accepted = false;
  std::optional<Finding> refusal;  ///< why not, and where
  std::vector<Step> path;          ///< leaf first; the accepted path, or the one that came furthest
  std::vector<StepRevocation> revocation;
  std::vector<Finding> findings;   ///< everything else worth knowing
  std::optional<MissingIssuer> missing;
};

/// Judges the leaf. Never an error: input that cannot be judged is refused with a reason. `checker` may be used for many
/// verifications, one at a time.
Verdict verify(const Materials& materials, const Demands& demands, SignatureChecker& checker);

}  // namespace crypto::chain
