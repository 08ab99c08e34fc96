#pragma once
// Object identifiers, encoded at compile time from their dotted form.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace intake {

/// Body of an OBJECT IDENTIFIER element.
class Oid {
 public:
  /// `dotted`: well-formed, at most 16 encoded bytes; a longer one does not compile.
  consteval explicit Oid(std::string_view dotted) {
    std::uint64_t arcs[16] = {};
    std::size_t count = 0;
    for (char c : dotted) {
      if (c == '.') ++count;
      else arcs[count] = arcs[count] * 10 + static_cast<std::uint64_t>(c - '0');
    }
    ++count;
    put(arcs[0] * 40 + arcs[1]);
    for (std::size_t i = 2; i < count; ++i) put(arcs[i]);
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
      const auto bits = static_cast<std::uint8_t>((arc >> (7 * i)) & 0x7F);
      bytes_[size_++] = static_cast<std::uint8_t>(bits | (i == 0 ? 0 : 0x80));
    }
  }
  std::array<std::uint8_t, 16> bytes_{};
  std::size_t size_ = 0;
};

namespace oid {
// Key algorithms: RFC 8017, RFC 5480, RFC 8410, GB/T 33560.
constexpr Oid rsa{"1.2.840.113549.1.1.1"}, rsa_pss{"1.2.840.113549.1.1.10"}, rsa_oaep{"1.2.840.113549.1.1.7"},
    ec{"1.2.840.10045.2.1"}, ecdh{"1.3.132.1.12"}, ed25519{"1.3.101.112"}, ed448{"1.3.101.113"}, x25519{"1.3.101.110"},
    x448{"1.3.101.111"}, dsa{"1.2.840.10040.4.1"}, dh{"1.2.840.113549.1.3.1"}, dhx{"1.2.840.10046.2.1"},
    sm2{"1.2.156.10197.1.301"};
// Fields of explicit curve parameters: X9.62.
constexpr Oid prime_field{"1.2.840.10045.1.1"}, binary_field{"1.2.840.10045.1.2"};
// CMS content types: RFC 5652; the GM/T 0010 twins.
constexpr Oid cms_data{"1.2.840.113549.1.7.1"}, cms_signed{"1.2.840.113549.1.7.2"},
    cms_enveloped{"1.2.840.113549.1.7.3"}, cms_encrypted{"1.2.840.113549.1.7.6"}, gm_signed{"1.2.156.10197.6.1.4.2.2"};
// Password-based encryption: RFC 8018 and RFC 7292.
constexpr Oid pbes2{"1.2.840.113549.1.5.13"}, pbkdf2{"1.2.840.113549.1.5.12"}, scrypt{"1.3.6.1.4.1.11591.4.11"},
    pbmac1{"1.2.840.113549.1.5.14"}, pbe_md5_des{"1.2.840.113549.1.5.3"}, pbe_md5_rc2{"1.2.840.113549.1.5.6"},
    pbe_sha1_des{"1.2.840.113549.1.5.10"}, pbe_sha1_rc2{"1.2.840.113549.1.5.11"},
    p12_rc4_128{"1.2.840.113549.1.12.1.1"}, p12_rc4_40{"1.2.840.113549.1.12.1.2"}, p12_3des{"1.2.840.113549.1.12.1.3"},
    p12_2des{"1.2.840.113549.1.12.1.4"}, p12_rc2_128{"1.2.840.113549.1.12.1.5"},
    p12_rc2_40{"1.2.840.113549.1.12.1.6"}, hmac_sha1{"1.2.840.113549.2.7"}, hmac_sha224{"1.2.840.113549.2.8"},
    hmac_sha256{"1.2.840.113549.2.9"}, hmac_sha384{"1.2.840.113549.2.10"}, hmac_sha512{"1.2.840.113549.2.11"},
    hmac_sm3{"1.2.156.10197.1.401.2"}, aes128_cbc{"2.16.840.1.101.3.4.1.2"}, aes192_cbc{"2.16.840.1.101.3.4.1.22"},
    aes256_cbc{"2.16.840.1.101.3.4.1.42"}, aes128_gcm{"2.16.840.1.101.3.4.1.6"}, aes256_gcm{"2.16.840.1.101.3.4.1.46"},
    des_ede3_cbc{"1.2.840.113549.3.7"}, des_cbc{"1.3.14.3.2.7"}, rc2_cbc{"1.2.840.113549.3.2"},
    sm4_cbc{"1.2.156.10197.1.104.2"};
// Digests.
constexpr Oid md5{"1.2.840.113549.2.5"}, sha1{"1.3.14.3.2.26"}, sha224{"2.16.840.1.101.3.4.2.4"},
    sha256{"2.16.840.1.101.3.4.2.1"}, sha384{"2.16.840.1.101.3.4.2.2"}, sha512{"2.16.840.1.101.3.4.2.3"},
    sm3{"1.2.156.10197.1.401"};
// Bags of PKCS#12.
constexpr Oid bag_key{"1.2.840.113549.1.12.10.1.1"}, bag_shrouded{"1.2.840.113549.1.12.10.1.2"},
    bag_certificate{"1.2.840.113549.1.12.10.1.3"}, bag_crl{"1.2.840.113549.1.12.10.1.4"},
    bag_secret{"1.2.840.113549.1.12.10.1.5"}, bag_nested{"1.2.840.113549.1.12.10.1.6"},
    x509_certificate{"1.2.840.113549.1.9.22.1"}, friendly_name{"1.2.840.113549.1.9.20"},
    local_key_id{"1.2.840.113549.1.9.21"};
// Signatures.
constexpr Oid sig_md5_rsa{"1.2.840.113549.1.1.4"}, sig_sha1_rsa{"1.2.840.113549.1.1.5"},
    sig_sha256_rsa{"1.2.840.113549.1.1.11"}, sig_sha384_rsa{"1.2.840.113549.1.1.12"},
    sig_sha512_rsa{"1.2.840.113549.1.1.13"}, sig_sha224_rsa{"1.2.840.113549.1.1.14"},
    sig_sha1_ecdsa{"1.2.840.10045.4.1"}, sig_sha224_ecdsa{"1.2.840.10045.4.3.1"},
    sig_sha256_ecdsa{"1.2.840.10045.4.3.2"}, sig_sha384_ecdsa{"1.2.840.10045.4.3.3"},
    sig_sha512_ecdsa{"1.2.840.10045.4.3.4"}, sig_sm2_sm3{"1.2.156.10197.1.501"}, sig_sha1_dsa{"1.2.840.10040.4.3"},
    sig_sha256_dsa{"2.16.840.1.101.3.4.3.2"};
// Names and extensions: RFC 5280.
constexpr Oid common_name{"2.5.4.3"}, organization{"2.5.4.10"}, country{"2.5.4.6"}, subject_alt_name{"2.5.29.17"},
    basic_constraints{"2.5.29.19"}, key_usage{"2.5.29.15"}, extended_key_usage{"2.5.29.37"},
    authority_key_id{"2.5.29.35"}, subject_key_id{"2.5.29.14"};
}  // namespace oid

/// `1.2.840.113549.1.1.1`; "malformed" when the bytes are no identifier.
std::string to_dotted(base::ByteView body);

}  // namespace intake
