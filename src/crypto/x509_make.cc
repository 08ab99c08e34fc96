#include "crypto/x509_make.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/text.h"

namespace crypto {
namespace {

template <auto free_it>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;

std::string content_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  CHECK(size > 0);
  return {data, static_cast<std::size_t>(size)};
}

// An encrypted key would make OpenSSL ask on the terminal; this answers for everybody.
int no_passphrase(char*, int, int, void*) { return -1; }

base::Result<Key> read_key(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  CHECK(bio != nullptr);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) return base::Error{"private_key_unreadable", "not an unencrypted private key in PEM"};
  return key;
}

base::Result<Certificate> read_certificate(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  CHECK(bio != nullptr);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (certificate == nullptr) return base::Error{"certificate_unreadable", "not a certificate in PEM"};
  return certificate;
}

std::string certificate_pem(const Certificate& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  return content_of(bio);
}

base::Status set_terms(X509* certificate, const CertificateTerms& terms) {
  if (terms.not_before.ns < 0 || terms.not_after <= terms.not_before) {
    return base::Error{"certificate_validity_malformed", "valid from " + std::to_string(terms.not_before.ns) + " to " +
                                                             std::to_string(terms.not_after.ns) + " ns"};
  }
  CHECK(X509_set_version(certificate, X509_VERSION_3) == 1);
  CHECK(ASN1_TIME_set(X509_getm_notBefore(certificate), terms.not_before.ns / 1'000'000'000) != nullptr);
  CHECK(ASN1_TIME_set(X509_getm_notAfter(certificate), terms.not_after.ns / 1'000'000'000) != nullptr);
  auto serial = terms.serial;
  serial[0] &= 0x7F;
  const Number number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  CHECK(number != nullptr && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
  return base::ok();
}

void set_common_name(X509_NAME* name, std::string_view common_name) {
  const base::ByteView bytes = base::as_bytes(common_name);
  CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes.data(), static_cast<int>(bytes.size()), -1, 0) ==
        1);
}

// Values are fixed texts of ours, never input: OpenSSL's little language for extensions could otherwise be abused.
void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value));
  CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void sign(X509* certificate, EVP_PKEY* key) { CHECK(X509_sign(certificate, key, EVP_sha256()) > 0); }

bool is_host_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.size() > 253) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    const bool good = !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
                      std::ranges::all_of(label, [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
                      });
    if (!good) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

void add_name(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  CHECK(name != nullptr && value != nullptr);
  GENERAL_NAME_set0_value(name, type, value);
  CHECK(sk_GENERAL_NAME_push(names, name) > 0);
}

base::Result<Names> alternative_names(const ServerNames& wanted) {
  if (wanted.dns.empty() && wanted.addresses.empty()) {
    return base::Error{"server_name_missing", "a server certificate needs a host name or an address"};
  }
  Names names(GENERAL_NAMES_new());
  CHECK(names != nullptr);
  for (const std::string& host : wanted.dns) {
    if (!is_host_name(host)) return base::Error{"server_name_malformed", "`" + host + "` is not a host name"};
    ASN1_STRING* const value = ASN1_IA5STRING_new();
    CHECK(value != nullptr && ASN1_STRING_set(value, host.data(), static_cast<int>(host.size())) == 1);
    add_name(names.get(), GEN_DNS, value);
  }
  for (const std::string& address : wanted.addresses) {
    ASN1_OCTET_STRING* const value = a2i_IPADDRESS(address.c_str());
    if (value == nullptr) return base::Error{"server_name_malformed", "`" + address + "` is not an IP address"};
    add_name(names.get(), GEN_IPADD, value);
  }
  return names;
}

}  // namespace

std::string make_p256_key_pem() {
  const Key key(EVP_EC_gen("P-256"));
  CHECK_THAT(key != nullptr, "OpenSSL cannot make a P-256 key");
  const Bio bio(BIO_new(BIO_s_secmem()));
  CHECK(bio != nullptr &&
        PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return content_of(bio);
}

base::Result<std::string> make_ca_certificate_pem(std::string_view key_pem, std::string_view common_name,
                                                  const CertificateTerms& terms) {
  if (common_name.empty() || common_name.size() > 64 || !base::is_utf8(common_name)) {
    return base::Error{"certificate_name_malformed", "a common name has 1 to 64 bytes of UTF-8"};
  }
  TRY_ASSIGN(const Key key, read_key(key_pem));
  const Certificate certificate(X509_new());
  CHECK(certificate != nullptr);
  TRY(set_terms(certificate.get(), terms));
  set_common_name(X509_get_subject_name(certificate.get()), common_name);
  CHECK(X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) == 1);
  CHECK(X509_set_pubkey(certificate.get(), key.get()) == 1);
  add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash");
  sign(certificate.get(), key.get());
  return certificate_pem(certificate);
}

base::Result<std::string> make_server_certificate_pem(std::string_view ca_key_pem, std::string_view ca_certificate_pem,
                                                      std::string_view key_pem, const ServerNames& names,
                                                      const CertificateTerms& terms) {
  TRY_ASSIGN(const Key ca_key, read_key(ca_key_pem));
  TRY_ASSIGN(const Certificate ca, read_certificate(ca_certificate_pem));
  TRY_ASSIGN(const Key key, read_key(key_pem));
  if (X509_check_private_key(ca.get(), ca_key.get()) != 1) {
    return base::Error{"signing_key_not_of_certificate", "the CA's private key does not belong to its certificate"};
  }
  TRY_ASSIGN(const Names alternatives, alternative_names(names));
  const Certificate certificate(X509_new());
  CHECK(certificate != nullptr);
  TRY(set_terms(certificate.get(), terms));
  // Clients go by the alternative names; the common name is there for people. It holds 64 characters at most.
  const std::string& first = names.dns.empty() ? names.addresses.front() : names.dns.front();
  set_common_name(X509_get_subject_name(certificate.get()), std::string_view(first).substr(0, 64));
  CHECK(X509_set_issuer_name(certificate.get(), X509_get_subject_name(ca.get())) == 1);
  CHECK(X509_set_pubkey(certificate.get(), key.get()) == 1);
  add_extension(certificate.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), ca.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), ca.get(), NID_ext_key_usage, "serverAuth");
  add_extension(certificate.get(), ca.get(), NID_subject_key_identifier, "hash");
  add_extension(certificate.get(), ca.get(), NID_authority_key_identifier, "keyid");
  CHECK(X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, alternatives.get(), 0, X509V3_ADD_DEFAULT) == 1);
  sign(certificate.get(), ca_key.get());
  return certificate_pem(certificate);
}

}  // namespace crypto
