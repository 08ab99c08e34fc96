#pragma once
// For tests: a time-stamping authority of RFC 3161, made of OpenSSL's own server side, with a CA and a signing certificate
// that is good for the years 2026 to 2028.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace crypto {

class TestTimeStampAuthority {
 public:
  static constexpr std::int64_t begin = 1'767'225'600;   // 2026-01-01
  static constexpr std::int64_t end = 1'861'920'000;     // 2029-01-01
  static constexpr const char* policy = "1.3.6.1.4.1.99999.1";

  explicit TestTimeStampAuthority(const std::string& name, const char* purpose = "critical,timeStamping") {
    ca_key_ = EVP_EC_gen("P-256");
    key_ = EVP_EC_gen("P-256");
    ca_ = certificate(name + " CA", ca_key_, nullptr, 1);
    certificate_ = certificate(name, key_, purpose, 2);
  }
  ~TestTimeStampAuthority() {
    X509_free(ca_);
    X509_free(certificate_);
    EVP_PKEY_free(ca_key_);
    EVP_PKEY_free(key_);
  }
  TestTimeStampAuthority(const TestTimeStampAuthority&) = delete;
  TestTimeStampAuthority& operator=(const TestTimeStampAuthority&) = delete;

  base::Digest ca_fingerprint() const { return fingerprint(ca_); }
  base::Digest own_fingerprint() const { return fingerprint(certificate_); }

  /// The answer to a request at a time in seconds since 1970; DER.
  base::Bytes answer(base::ByteView request, std::int64_t seconds) const {
    TS_RESP_CTX* const context = TS_RESP_CTX_new();
    TS_RESP_CTX_set_signer_cert(context, certificate_);
    TS_RESP_CTX_set_signer_key(context, key_);
    TS_RESP_CTX_set_signer_digest(context, EVP_sha256());
    TS_RESP_CTX_set_ess_cert_id_digest(context, EVP_sha256());
    TS_RESP_CTX_add_md(context, EVP_sha256());
    STACK_OF(X509)* const chain = sk_X509_new_null();
    sk_X509_push(chain, ca_);
    TS_RESP_CTX_set_certs(context, chain);
    ASN1_OBJECT* const own_policy = OBJ_txt2obj(policy, 1);
    TS_RESP_CTX_set_def_policy(context, own_policy);
    TS_RESP_CTX_set_serial_cb(context, serial, nullptr);
    TS_RESP_CTX_set_time_cb(context, time_of, &seconds);
    BIO* const in = BIO_new_mem_buf(request.data(), static_cast<int>(request.size()));
    TS_RESP* const response = TS_RESP_create_response(context, in);
    unsigned char* der = nullptr;
    const int size = response == nullptr ? 0 : i2d_TS_RESP(response, &der);
    base::Bytes bytes(der, der + (size > 0 ? size : 0));
    OPENSSL_free(der);
    TS_RESP_free(response);
    BIO_free(in);
    ASN1_OBJECT_free(own_policy);
    sk_X509_free(chain);
    TS_RESP_CTX_free(context);
    return bytes;
  }

 private:
  static base::Digest fingerprint(X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    const base::Digest digest = sha256(base::ByteView(der, static_cast<std::size_t>(size)));
    OPENSSL_free(der);
    return digest;
  }
  static ASN1_INTEGER* serial(TS_RESP_CTX*, void*) {
    ASN1_INTEGER* const number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, 7);
    return number;
  }
  static int time_of(TS_RESP_CTX*, void* data, long* seconds, long* microseconds) {
    *seconds = static_cast<long>(*static_cast<const std::int64_t*>(data));
    *microseconds = 0;
    return 1;
  }
  X509* certificate(const std::string& name, EVP_PKEY* key, const char* purpose, long number) const {
    X509* const out = X509_new();
    X509_set_version(out, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(out), number);
    // The CA outlives whom it certifies.
    ASN1_TIME_set(X509_getm_notBefore(out), begin);
    ASN1_TIME_set(X509_getm_notAfter(out), purpose == nullptr ? end + 1'000'000'000 : end);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* const issuer = purpose == nullptr ? out : ca_;
    X509_set_issuer_name(out, X509_get_subject_name(issuer));
    X509_set_pubkey(out, key);
    const auto extend = [&](int nid, const char* value) {
      X509V3_CTX context;
      X509V3_set_ctx(&context, issuer, out, nullptr, nullptr, 0);
      X509_EXTENSION* const extension = X509V3_EXT_nconf_nid(nullptr, &context, nid, value);
      X509_add_ext(out, extension, -1);
      X509_EXTENSION_free(extension);
    };
    if (purpose == nullptr) {
      extend(NID_basic_constraints, "critical,CA:TRUE");
      extend(NID_key_usage, "critical,keyCertSign");
    } else {
      extend(NID_basic_constraints, "critical,CA:FALSE");
      extend(NID_key_usage, "critical,digitalSignature");
      extend(NID_ext_key_usage, purpose);
    }
    X509_sign(out, ca_key_, EVP_sha256());
    return out;
  }

  EVP_PKEY* ca_key_ = nullptr;
  EVP_PKEY* key_ = nullptr;
  X509* ca_ = nullptr;
  X509* certificate_ = nullptr;
};

}  // namespace crypto
