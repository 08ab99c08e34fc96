#include "io/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/check.h"

namespace io {

namespace {

struct Freed {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Memory = std::unique_ptr<BIO, Freed>;
using Certificate = std::unique_ptr<X509, Freed>;
using Key = std::unique_ptr<EVP_PKEY, Freed>;

Memory over(const std::string& text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

void extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestIdentity make_test_identity(const std::string& common_name, const std::string& names, const TestIdentity* issuer) {
  static long serial = 1000;
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  CHECK(key != nullptr && certificate != nullptr);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  Certificate issuing_certificate;
  Key issuing_key;
  if (issuer != nullptr) {
    issuing_certificate.reset(PEM_read_bio_X509(over(issuer->certificate_pem).get(), nullptr, nullptr, nullptr));
    issuing_key.reset(PEM_read_bio_PrivateKey(over(issuer->key_pem).get(), nullptr, nullptr, nullptr));
  }
  X509* above = issuer != nullptr ? issuing_certificate.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(above));
  const bool authority = names.empty();
  extend(certificate.get(), above, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(certificate.get(), above, NID_key_usage, authority ? "critical,keyCertSign" : "critical,digitalSignature");
  if (!authority) extend(certificate.get(), above, NID_subject_alt_name, names.c_str());
  CHECK(X509_sign(certificate.get(), issuer != nullptr ? issuing_key.get() : key.get(), EVP_sha256()) > 0);

  const Memory certificate_pem(BIO_new(BIO_s_mem()));
  const Memory key_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_pem.get(), certificate.get());
  PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(certificate_pem.get()), text_of(key_pem.get())};
}

}  // namespace io
