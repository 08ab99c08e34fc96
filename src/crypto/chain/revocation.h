#pragma once
// Is one certificate of a path revoked? From lists and responses that somebody else fetched; nothing is fetched here.

#include <span>
#include <string>
#include <vector>

#include "crypto/chain/certificate.h"
#include "crypto/chain/demands.h"
#include "crypto/chain/ocsp.h"
#include "crypto/chain/revocation_list.h"
#include "crypto/chain/signature.h"

namespace crypto::chain {

enum class Standing : std::uint8_t { good, revoked, unknown };
/// `good`, `revoked`, `unknown`.
std::string_view name_of(Standing standing);

struct RevocationAnswer {
  Standing standing = Standing::unknown;
  Role source = Role::whole_case;  ///< revocation_list or ocsp_response; whole_case when nothing answered
  std::size_t index = 0;           ///< of the source
  std::string evidence;            ///< why, in one sentence
};

struct RevocationEvidence {
  std::span<const RevocationList> lists;
  std::span<const OcspResponse> responses;
};

/// `issuer`: the certificate above `certificate` on the path. Revoked by one source is revoked, whatever others say; good
/// takes a source that is entitled, fresh and covers the certificate for every reason. What made a source useless goes to
/// `problems`.
RevocationAnswer judge_revocation(const Certificate& certificate, const Certificate& issuer, const RevocationEvidence& evidence,
                                  const Demands& demands, SignatureChecker& checker, std::vector<Finding>& problems);

}  // namespace crypto::chain
