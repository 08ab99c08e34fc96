#pragma once
// X.509 certificates (RFC 5280) as path validation reads them. Reading judges nothing but readability: what is wrong with
// a certificate is written down in `faults` and only matters when it stands on a path.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/chain/general_name.h"
#include "crypto/chain/name.h"
#include "crypto/chain/public_key.h"
#include "crypto/chain/reason.h"

namespace crypto::chain {

/// Bits of the key usage extension (RFC 5280 section 4.2.1.3).
namespace usage {
constexpr std::uint32_t digital_signature = 1U << 0, content_commitment = 1U << 1, key_encipherment = 1U << 2,
                        data_encipherment = 1U << 3, key_agreement = 1U << 4, key_cert_sign = 1U << 5, crl_sign = 1U << 6,
                        encipher_only = 1U << 7, decipher_only = 1U << 8;
}  // namespace usage

struct Presence {
  bool present = false;
  bool critical = false;
};

struct BasicConstraints : Presence {
  bool authority = false;
  std::optional<std::uint32_t> path_length;
};
struct KeyUsage : Presence {
  std::uint32_t bits = 0;
};
struct ExtendedUsage : Presence {
  std::vector<base::ByteView> purposes;  ///< bodies of OIDs
  bool has(base::ByteView purpose) const;
};
struct AlternativeNames : Presence {
  std::vector<GeneralName> names;
};
struct SubjectKeyId : Presence {
  base::ByteView id;
};
struct AuthorityKeyId : Presence {
  std::optional<base::ByteView> id;
  bool has_issuer = false;
  bool has_serial = false;
};
struct NameConstraints : Presence {
  std::vector<GeneralName> permitted, excluded;
  std::size_t size() const { return permitted.size() + excluded.size(); }
};
struct Policies : Presence {
  std::vector<base::ByteView> ids;
};
struct PolicyMapping {
  base::ByteView issuer_domain, subject_domain;
};
struct PolicyConstraints : Presence {
  std::optional<std::uint32_t> require_explicit, inhibit_mapping;
};
struct InhibitAnyPolicy : Presence {
  std::uint32_t skip = 0;
};
/// One entry of the CRL distribution points, or the scope of a CRL.
struct DistributionPoint {
  std::vector<GeneralName> names;         ///< fullName
  base::ByteView relative;                ///< nameRelativeToCRLIssuer, content of the RDN; empty when absent
  std::optional<std::uint32_t> reasons;   ///< only these
  bool has_issuer = false;                ///< cRLIssuer: an indirect list
};
struct InformationAccess : Presence {
  std::vector<std::string_view> ocsp, ca_issuers;  ///< URLs
};

/// Owns its bytes; every view points into them, also after a move. Not copied.
struct Certificate {
  Certificate() = default;
  Certificate(Certificate&&) = default;
  Certificate& operator=(Certificate&&) = default;
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  base::Bytes der;
  base::ByteView to_be_signed;
  base::ByteView algorithm, inner_algorithm;  ///< AlgorithmIdentifiers, whole
  base::ByteView signature;                   ///< content of the BIT STRING
  int version = 1;
  base::ByteView serial;  ///< body of the INTEGER
  base::ByteView issuer, subject;  ///< Names, whole
  CanonicalName issuer_name, subject_name;
  std::int64_t not_before_s = 0, not_after_s = 0;  ///< both included, seconds since 1970
  PublicKey key;

  BasicConstraints basic_constraints;
  KeyUsage key_usage;
  ExtendedUsage extended_usage;
  AlternativeNames alternative_names;
  SubjectKeyId subject_key_id;
  AuthorityKeyId authority_key_id;
  NameConstraints name_constraints;
  Policies policies;
  Presence mappings_presence;
  std::vector<PolicyMapping> mappings;
  PolicyConstraints policy_constraints;
  InhibitAnyPolicy inhibit_any_policy;
  InformationAccess access;
  Presence points_presence;
  std::vector<DistributionPoint> distribution_points;
  std::vector<DistributionPoint> freshest_points;   ///< where delta lists are (RFC 5280 section 4.2.1.15)
  bool ocsp_no_check = false;

  /// Whatever breaks RFC 5280 so plainly that no profile accepts it.
  std::vector<Fault> faults;

  bool self_issued() const { return issuer_name == subject_name; }
  bool authority() const { return basic_constraints.present && basic_constraints.authority; }
  bool is(const Certificate& other) const { return std::equal(der.begin(), der.end(), other.der.begin(), other.der.end()); }
};

/// A certificate of at most 1 MiB. Error `certificate_is_malformed` when the structure itself cannot be read; the message
/// names the field.
base::Result<Certificate> read_certificate(base::Bytes der);

/// The extensions of a certificate or CRL, one after the other; false when the list is not well-formed.
/// `visit(id, critical, value)`: bodies of the OID and of the OCTET STRING.
template <typename Visit>
bool each_extension(const Element& list, Visit&& visit) {
  Reader reader(list);
  if (reader.at_end()) return false;
  while (!reader.at_end()) {
    const auto extension = reader.next(tag::sequence);
    if (!extension) return false;
    Reader parts(*extension);
    const auto id = parts.next(tag::oid);
    bool critical = false;
    if (const auto flag = parts.next_if(tag::boolean)) {
      const auto value = boolean_of(*flag);
      if (!value) return false;
      critical = *value;
    }
    const auto value = parts.next(tag::octet_string);
    if (!id || !value || !parts.done()) return false;
    visit(id->body, critical, value->body);
  }
  return true;
}

/// Content of a CRLDistributionPoints extension.
std::optional<std::vector<DistributionPoint>> distribution_points_of(base::ByteView value);
/// Content of a DistributionPointName element ([0] fullName or [1] relative name) into `point`.
bool read_point_name(const Element& element, DistributionPoint& point);
/// Content of an AuthorityKeyIdentifier extension.
bool read_authority_key_id(base::ByteView value, AuthorityKeyId& out);

}  // namespace crypto::chain
