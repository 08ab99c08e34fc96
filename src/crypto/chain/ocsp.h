#pragma once
// OCSP responses (RFC 6960): reading them. Nothing is asked of anybody here.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "crypto/chain/certificate.h"

namespace crypto::chain {

enum class OcspStatus : std::uint8_t { good, revoked, unknown };

/// What a response says about one certificate.
struct OcspAnswer {
  base::ByteView hash_algorithm;  ///< AlgorithmIdentifier, whole
  base::ByteView issuer_name_hash, issuer_key_hash;
  base::ByteView serial;          ///< body of the INTEGER
  OcspStatus status = OcspStatus::unknown;
  std::int64_t revoked_s = 0;
  std::uint32_t reason = 0;
  std::int64_t this_update_s = 0;
  std::optional<std::int64_t> next_update_s;
};

/// Owns its bytes, like Certificate.
struct OcspResponse {
  OcspResponse() = default;
  OcspResponse(OcspResponse&&) = default;
  OcspResponse& operator=(OcspResponse&&) = default;
  OcspResponse(const OcspResponse&) = delete;
  OcspResponse& operator=(const OcspResponse&) = delete;

  base::Bytes der;
  std::uint32_t response_status = 0;  ///< 0 is successful; everything below is then filled
  base::ByteView to_be_signed, algorithm, signature;
  CanonicalName responder_name;           ///< byName, or empty
  base::ByteView responder_key_hash;      ///< byKey, or empty
  std::int64_t produced_s = 0;
  std::optional<base::ByteView> nonce;    ///< content of the inner OCTET STRING
  bool has_unknown_critical = false;
  std::vector<OcspAnswer> answers;
  std::vector<Certificate> certificates;  ///< those that came with it
};

/// A response of at most 256 KiB. Error `ocsp_response_is_malformed`.
base::Result<OcspResponse> read_ocsp_response(base::Bytes der);

}  // namespace crypto::chain
