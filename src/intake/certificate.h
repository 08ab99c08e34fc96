#pragma once
// The parts of an X.509 certificate (RFC 5280) that the doctor reads. Views point into the certificate.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "intake/der.h"

namespace intake {

struct Certificate {
  base::ByteView whole, to_be_signed;
  base::ByteView signature;             ///< content of the BIT STRING
  base::ByteView signature_algorithm;   ///< AlgorithmIdentifier, whole
  base::ByteView inner_algorithm;
  base::ByteView serial;                ///< body of the INTEGER
  base::ByteView issuer, subject;       ///< Names, whole
  Element spki;
  int version = 1;
  std::int64_t not_before_s = 0, not_after_s = 0;  ///< seconds since 1970
  bool has_alternative_names = false;
  bool is_authority = false;
  std::vector<std::string> dns_names;
  std::string subject_text, issuer_text;  ///< `CN=..., O=...`

  bool self_issued() const;
};

/// Nothing when the structure cannot be read; `fault` then is the offset.
std::optional<Certificate> read_certificate(const Element& element, std::size_t& fault);
/// UTCTime or GeneralizedTime as RFC 5280 allows them, in seconds since 1970.
std::optional<std::int64_t> read_time(const Element& time);
/// A Name as text: `CN=example, O=Shop`. Characters outside of printable text are shown as '?'.
std::string name_text(const Element& name);
/// The signature over `message` verifies under `spki`. Nothing when the algorithm is not one we can check.
std::optional<bool> verify_signature(base::ByteView spki, base::ByteView algorithm, base::ByteView message,
                                     base::ByteView signature);

}  // namespace intake
