#pragma once
// Making keys and certificates: the small private CA that `--dev` and `init` set up for TLS. P-256 only. Time, serial
// numbers and names come in as arguments; only the key pair itself is drawn by OpenSSL.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace crypto {

/// A fresh P-256 private key as unencrypted PKCS#8 PEM. A secret: write it with mode 0600, never log it.
std::string make_p256_key_pem();

/// What a certificate says apart from its subject's names.
struct CertificateTerms {
  base::Instant not_before;
  base::Instant not_after;
  /// Drawn at random by the caller, 16 bytes; the top bit is cleared so that the number is positive.
  std::array<std::uint8_t, 16> serial{};
};

/// A self-signed CA certificate (PEM) for `key_pem` that may sign end-entity certificates only (path length 0).
/// Errors: `private_key_unreadable`, `certificate_name_malformed` (common name empty, above 64 bytes or not UTF-8),
/// `certificate_validity_malformed` (ends before it begins, or before 1970).
base::Result<std::string> make_ca_certificate_pem(std::string_view key_pem, std::string_view common_name,
                                                  const CertificateTerms& terms);

/// Who a server is: at least one of the two lists has an entry.
struct ServerNames {
  std::vector<std::string> dns;        ///< host names of letters, digits, hyphens and dots; a leading `*.` is allowed
  std::vector<std::string> addresses;  ///< IPv4 or IPv6 in text form
};

/// A TLS server certificate (PEM) for the public half of `key_pem`, signed by the CA.
/// Errors: those above, `certificate_unreadable`, `signing_key_not_of_certificate` (the CA's key is not the CA
/// certificate's), `server_name_malformed`, `server_name_missing`.
base::Result<std::string> make_server_certificate_pem(std::string_view ca_key_pem, std::string_view ca_certificate_pem,
                                                      std::string_view key_pem, const ServerNames& names,
                                                      const CertificateTerms& terms);

}  // namespace crypto
