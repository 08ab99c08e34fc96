#pragma once
// Time-stamps of RFC 3161 with SHA-256: asking for one, taking it out of the answer, and checking it. Pure: no clock, no
// network; certificates are judged at the time that the token itself says, and nobody is trusted but whom the caller names.
//
// A token is a CMS SignedData (RFC 5652) around a TSTInfo, with the authority's certificates inside.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace crypto {

/// What is sent to an authority (RFC 3161 section 2.4.1). Certificates are always asked for.
struct TimeStampRequest {
  base::Digest imprint{};                   ///< SHA-256 of what is stamped
  std::array<std::uint8_t, 16> nonce{};     ///< drawn at random by the caller; the token has to repeat it
  std::string policy;                       ///< object identifier in dots of the policy wanted; empty: the authority's choice
};

/// DER of the request. Error `time_stamp_policy_malformed` (not an object identifier).
base::Result<base::Bytes> time_stamp_request(const TimeStampRequest& request);
/// The inverse. Error `time_stamp_request_malformed`.
base::Result<TimeStampRequest> parse_time_stamp_request(base::ByteView der);

/// DER of the token in an answer (TimeStampResp, RFC 3161 section 2.4.2). Errors `time_stamp_malformed`,
/// `time_stamp_refused` (the authority gave none; the message has its reason).
base::Result<base::Bytes> token_of_response(base::ByteView der);

/// What a token stamps. Not checked: to find the request it answers. Errors `time_stamp_malformed`.
base::Result<base::Digest> imprint_of_time_stamp(base::ByteView token);

/// A token that holds.
struct TimeStamp {
  std::uint64_t seconds = 0;                ///< since 1970, fractions cut off
  std::string policy;                       ///< object identifier in dots
  std::size_t trusted = 0;                  ///< index of the certificate it was believed for
};

/// Checks a token against what it should stamp. `trusted` are SHA-256 fingerprints of whole certificates (DER): the
/// authority's own, or one above it; it must be in the token. With `asked`, nonce and policy must be the request's.
/// Errors, in this order:
///   time_stamp_malformed                    not one token, or not of version 1
///   time_stamp_imprint_differs              it stamps something else, or by another hash than SHA-256
///   time_stamp_nonce_differs, time_stamp_policy_differs
///   time_stamp_not_trusted                  no certificate in it is a trusted one; the message names those that are there
///   time_stamp_certificate_not_valid_then   the signer's or the trusted certificate had not begun or had ended
///   time_stamp_signature_wrong              signature, chain, or purpose of the signer's certificate
base::Result<TimeStamp> verify_time_stamp(base::ByteView token, const base::Digest& imprint,
                                          std::span<const base::Digest> trusted, const TimeStampRequest* asked = nullptr);

}  // namespace crypto
