#pragma once
// Object identifiers of certificates, encoded at compile time from their dotted form.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace crypto::chain {

/// Body of an OBJECT IDENTIFIER element.
class Oid {
 public:
  /// `dotted`: well-formed, at most 16 encoded bytes; anything longer does not compile.
  consteval explicit Oid(std::string_view dotted) {
    std::uint64_t arcs[16] = {};
    std::size_t count = 0;
    for (const char c : dotted) {
      if (c == '.') {
        ++count;
      } else {
        arcs[count] = arcs[count] * 10 + static_cast<std::uint64_t>(c - '0');
      }
    }
    put(arcs[0] * 40 + arcs[1]);
    for (std::size_t i = 2; i <= count; ++i) put(arcs[i]);
  }
  constexpr base::ByteView view() const { return {bytes_.data(), size_}; }
  bool operator==(base::ByteView other) const {
    return other.size() == size_ && std::equal(other.begin(), other.end(), bytes_.begin());
  }

 private:
  constexpr void put(std::uint64_t arc) {
    int groups = 1;
    for (std::uint64_t rest = arc >> 7; rest != 0; rest >>= 7) ++groups;
    for (int i = groups - 1; i >= 0; --i) {
      bytes_[size_++] = static_cast<std::uint8_t>((arc >> (7 * i) & 0x7F) | (i == 0 ? 0U : 0x80U));
    }
  }
  std::array<std::uint8_t, 16> bytes_{};
  std::size_t size_ = 0;
};

namespace oid {
// Extensions: RFC 5280 section 4.2; the TLS feature of RFC 7633; SCT lists and the poison of RFC 6962.
constexpr Oid subject_key_id{"2.5.29.14"}, key_usage{"2.5.29.15"}, subject_alt_name{"2.5.29.17"},
    issuer_alt_name{"2.5.29.18"}, basic_constraints{"2.5.29.19"}, crl_number{"2.5.29.20"}, crl_reason{"2.5.29.21"},
    invalidity_date{"2.5.29.24"}, delta_crl_indicator{"2.5.29.27"}, issuing_distribution_point{"2.5.29.28"},
    certificate_issuer{"2.5.29.29"}, name_constraints{"2.5.29.30"}, crl_distribution_points{"2.5.29.31"},
    certificate_policies{"2.5.29.32"}, any_policy{"2.5.29.32.0"}, policy_mappings{"2.5.29.33"},
    authority_key_id{"2.5.29.35"}, policy_constraints{"2.5.29.36"}, extended_key_usage{"2.5.29.37"},
    any_usage{"2.5.29.37.0"}, freshest_crl{"2.5.29.46"}, inhibit_any_policy{"2.5.29.54"},
    authority_information_access{"1.3.6.1.5.5.7.1.1"};
// Access methods.
constexpr Oid access_ocsp{"1.3.6.1.5.5.7.48.1"}, access_ca_issuers{"1.3.6.1.5.5.7.48.2"};
// Extended key usages.
constexpr Oid server_auth{"1.3.6.1.5.5.7.3.1"}, client_auth{"1.3.6.1.5.5.7.3.2"}, code_signing{"1.3.6.1.5.5.7.3.3"},
    email_protection{"1.3.6.1.5.5.7.3.4"}, time_stamping{"1.3.6.1.5.5.7.3.8"}, ocsp_signing{"1.3.6.1.5.5.7.3.9"};
// OCSP: RFC 6960.
constexpr Oid ocsp_basic{"1.3.6.1.5.5.7.48.1.1"}, ocsp_nonce{"1.3.6.1.5.5.7.48.1.2"}, ocsp_no_check{"1.3.6.1.5.5.7.48.1.5"};
// Attributes of names.
constexpr Oid common_name{"2.5.4.3"}, surname{"2.5.4.4"}, serial_number{"2.5.4.5"}, country{"2.5.4.6"}, locality{"2.5.4.7"},
    state{"2.5.4.8"}, street{"2.5.4.9"}, organization{"2.5.4.10"}, organizational_unit{"2.5.4.11"},
    email_address{"1.2.840.113549.1.9.1"}, domain_component{"0.9.2342.19200300.100.1.25"};
// Public keys and curves.
constexpr Oid rsa{"1.2.840.113549.1.1.1"}, rsa_pss{"1.2.840.113549.1.1.10"}, ec{"1.2.840.10045.2.1"}, dsa{"1.2.840.10040.4.1"},
    ed25519{"1.3.101.112"}, ed448{"1.3.101.113"}, p192{"1.2.840.10045.3.1.1"}, p224{"1.3.132.0.33"},
    p256{"1.2.840.10045.3.1.7"}, p384{"1.3.132.0.34"}, p521{"1.3.132.0.35"}, secp256k1{"1.3.132.0.10"},
    sm2{"1.2.156.10197.1.301"}, brainpool256{"1.3.36.3.3.2.8.1.1.7"}, brainpool384{"1.3.36.3.3.2.8.1.1.11"},
    brainpool512{"1.3.36.3.3.2.8.1.1.13"};
// Signatures and digests.
constexpr Oid md5_rsa{"1.2.840.113549.1.1.4"}, sha1_rsa{"1.2.840.113549.1.1.5"}, sha256_rsa{"1.2.840.113549.1.1.11"},
    sha384_rsa{"1.2.840.113549.1.1.12"}, sha512_rsa{"1.2.840.113549.1.1.13"}, sha224_rsa{"1.2.840.113549.1.1.14"},
    sha1_ecdsa{"1.2.840.10045.4.1"}, sha224_ecdsa{"1.2.840.10045.4.3.1"}, sha256_ecdsa{"1.2.840.10045.4.3.2"},
    sha384_ecdsa{"1.2.840.10045.4.3.3"}, sha512_ecdsa{"1.2.840.10045.4.3.4"}, sha1_dsa{"1.2.840.10040.4.3"},
    sha224_dsa{"2.16.840.1.101.3.4.3.1"}, sha256_dsa{"2.16.840.1.101.3.4.3.2"}, sm3_sm2{"1.2.156.10197.1.501"},
    mgf1{"1.2.840.113549.1.1.8"}, md5{"1.2.840.113549.2.5"}, sha1{"1.3.14.3.2.26"}, sha256{"2.16.840.1.101.3.4.2.1"},
    sha384{"2.16.840.1.101.3.4.2.2"}, sha512{"2.16.840.1.101.3.4.2.3"}, sha224{"2.16.840.1.101.3.4.2.4"};
}  // namespace oid

/// `1.2.840.113549.1.1.1`; "malformed" when the bytes are no identifier.
std::string to_dotted(base::ByteView body);

}  // namespace crypto::chain
