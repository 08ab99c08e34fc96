#pragma once
// OCSP requests (RFC 6960 section 4.1, in the lightweight form of RFC 5019): made here, sent by somebody else.

#include "base/bytes.h"
#include "crypto/chain/certificate.h"

namespace crypto::chain {

/// Asks about one certificate, without signature, name or nonce: such requests are answered by responders that sign ahead of time as
/// well, and their answers say how fresh they are. CertID is over SHA-1, the one hash that every responder knows.
base::Bytes ocsp_request(const Certificate& certificate, const Certificate& issuer);

}  // namespace crypto::chain
