#pragma once
// What a verifier asks of a path, apart from the certificates themselves.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/chain/general_name.h"

namespace crypto::chain {

/// How strictly certificates are read.
enum class Profile : std::uint8_t {
  webpki,       ///< RFC 5280 and what the CA/Browser Forum's baseline requirements say about what a client can see
  rfc5280,      ///< RFC 5280 alone
  private_use,  ///< private authorities: what is unsafe is refused, what is merely untidy is accepted
};

/// Whether a path is accepted when its revocation is not known.
enum class Revocation : std::uint8_t {
  off,   ///< not looked at
  soft,  ///< unknown is accepted with a warning; revoked never is
  hard,  ///< unknown is refused
};

struct ExpectedName {
  Form form = Form::dns;  ///< dns, address or email
  std::string value;
};

/// Inputs of RFC 5280 section 6.1.1 (c) to (g). Policies are bodies of OIDs.
struct PolicyDemands {
  std::vector<base::Bytes> acceptable;  ///< empty: any
  bool explicit_policy = false;
  bool inhibit_mapping = false;
  bool inhibit_any = false;
};

struct Demands {
  Profile profile = Profile::rfc5280;
  std::int64_t now_s = 0;                    ///< seconds since 1970, fractions cut off
  std::vector<std::int64_t> observed_s;      ///< times that independent sources named, if there are any
  std::vector<ExpectedName> names;           ///< each has to be in the leaf
  std::vector<base::Bytes> purposes;         ///< bodies of OIDs: each has to be allowed along the path
  std::uint32_t usage_bits = 0;              ///< each has to be allowed by the leaf's key usage, if it has one
  std::vector<std::string> signature_algorithms;  ///< names as in Scheme::name; empty: all that are not weak
  std::optional<std::uint32_t> intermediates_max;  ///< self-issued ones are not counted
  std::uint32_t rsa_bits_min = 2'048;
  PolicyDemands policy;
  Revocation revocation = Revocation::off;
  bool revocation_of_leaf_only = false;
  std::optional<base::Bytes> ocsp_nonce;     ///< what we sent; every OCSP response has to repeat it
  std::int64_t ocsp_age_max_s = 7 * 86'400;  ///< of a response that does not say when the next one comes
};

}  // namespace crypto::chain
