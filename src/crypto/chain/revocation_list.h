#pragma once
// Certificate revocation lists (RFC 5280 section 5), complete and delta. Indirect lists are told, not used.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/chain/certificate.h"

namespace crypto::chain {

/// CRLReason of RFC 5280 section 5.3.1.
std::string_view revocation_reason_name(std::uint32_t reason);
constexpr std::uint32_t reason_certificate_hold = 6, reason_remove_from_list = 8;

struct RevokedEntry {
  std::int64_t date_s = 0;
  std::uint32_t reason = 0;  ///< 0 unspecified
};

/// Owns its bytes, like Certificate.
struct RevocationList {
  RevocationList() = default;
  RevocationList(RevocationList&&) = default;
  RevocationList& operator=(RevocationList&&) = default;
  RevocationList(const RevocationList&) = delete;
  RevocationList& operator=(const RevocationList&) = delete;

  base::Bytes der;
  base::ByteView to_be_signed, algorithm, signature;
  int version = 1;
  base::ByteView issuer;
  CanonicalName issuer_name;
  std::int64_t this_update_s = 0;
  std::optional<std::int64_t> next_update_s;
  base::ByteView entries;  ///< content of revokedCertificates

  std::optional<base::ByteView> number;      ///< CRL number without leading zeros
  bool number_is_critical = false;
  std::optional<base::ByteView> delta_base;  ///< base CRL number: this is a delta list
  AuthorityKeyId authority_key_id;
  bool has_scope = false;                    ///< an issuing distribution point
  base::ByteView scope;                      ///< its content, for comparing a delta with its base
  DistributionPoint point;                   ///< its name and reasons
  bool only_users = false, only_authorities = false, only_attributes = false, indirect = false;

  /// For which nobody may use the list.
  std::vector<Fault> faults;

  /// The entry of that serial number (body of the INTEGER). Linear in the size of the list.
  std::optional<RevokedEntry> find(base::ByteView serial) const;
};

/// A list of at most 16 MiB. Error `revocation_list_is_malformed`.
base::Result<RevocationList> read_revocation_list(base::Bytes der);

}  // namespace crypto::chain
