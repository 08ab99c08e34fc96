#include "crypto/x509_make.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

using crypto::CertificateTerms;

namespace {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

Certificate parse(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  REQUIRE(certificate != nullptr);
  return certificate;
}

base::Instant at(std::string_view text) {
  const auto instant = base::parse_rfc3339(text);
  REQUIRE(instant);
  return *instant;
}

CertificateTerms terms() { return {at("2026-01-01T00:00:00Z"), at("2036-01-01T00:00:00Z"), {0xFF, 1, 2, 3}}; }

// The result of a chain check by OpenSSL itself, as a TLS client would do it at `now`.
int chain_result(X509* ca, X509* leaf, std::string_view now) {
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, ca);
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf, nullptr);
  X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_set_time(context, X509_V_FLAG_USE_CHECK_TIME, at(now).ns / 1'000'000'000);
  X509_verify_cert(context);
  const int result = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return result;
}

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

}  // namespace

TEST_CASE("a server certificate chains to its CA under strict rules and names the server") {
  const std::string ca_key = crypto::make_p256_key_pem();
  const std::string key = crypto::make_p256_key_pem();
  CHECK(ca_key != key);
  CHECK(ca_key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto ca_pem = crypto::make_ca_certificate_pem(ca_key, "Holdfast development CA", terms());
  REQUIRE(ca_pem.ok());
  const auto server_pem = crypto::make_server_certificate_pem(
      ca_key, *ca_pem, key, {{"localhost", "*.dev.test"}, {"127.0.0.1", "::1"}}, terms());
  REQUIRE(server_pem.ok());

  const Certificate ca = parse(*ca_pem);
  const Certificate server = parse(*server_pem);
  CHECK(chain_result(ca.get(), server.get(), "2026-06-01T00:00:00Z") == X509_V_OK);
  CHECK(chain_result(ca.get(), server.get(), "2025-12-31T23:59:59Z") == X509_V_ERR_CERT_NOT_YET_VALID);
  CHECK(chain_result(ca.get(), server.get(), "2036-01-01T00:00:01Z") == X509_V_ERR_CERT_HAS_EXPIRED);
  CHECK(X509_check_host(server.get(), "localhost", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(server.get(), "a.dev.test", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(server.get(), "example.com", 0, 0, nullptr) == 0);
  CHECK(X509_check_ip_asc(server.get(), "127.0.0.1", 0) == 1);
  CHECK(X509_check_ip_asc(server.get(), "::1", 0) == 1);
  CHECK(X509_check_ip_asc(server.get(), "127.0.0.2", 0) == 0);
  CHECK(X509_check_ca(ca.get()) == 1);
  CHECK(X509_check_ca(server.get()) == 0);
  CHECK(ASN1_STRING_length(X509_get0_serialNumber(server.get())) == 16);
}

TEST_CASE("a certificate of addresses alone carries the first as its common name") {
  const std::string key = crypto::make_p256_key_pem();
  const auto ca = crypto::make_ca_certificate_pem(key, "CA", terms());
  REQUIRE(ca.ok());
  const auto server = crypto::make_server_certificate_pem(key, *ca, key, {{}, {"127.0.0.1"}}, terms());
  REQUIRE(server.ok());
  char text[80] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(parse(*server).get()), NID_commonName, text, sizeof text);
  CHECK(std::string(text) == "127.0.0.1");
}

TEST_CASE("what cannot become a certificate is refused by name") {
  const std::string key = crypto::make_p256_key_pem();
  const auto ca = crypto::make_ca_certificate_pem(key, "CA", terms());
  REQUIRE(ca.ok());
  CHECK(code(crypto::make_ca_certificate_pem("nonsense", "CA", terms())) == "private_key_unreadable");
  CHECK(code(crypto::make_ca_certificate_pem(key, "", terms())) == "certificate_name_malformed");
  CHECK(code(crypto::make_ca_certificate_pem(key, "\xFF", terms())) == "certificate_name_malformed");
  CHECK(code(crypto::make_ca_certificate_pem(key, std::string(65, 'a'), terms())) == "certificate_name_malformed");
  CertificateTerms backwards = terms();
  std::swap(backwards.not_before, backwards.not_after);
  CHECK(code(crypto::make_ca_certificate_pem(key, "CA", backwards)) == "certificate_validity_malformed");
  backwards.not_before.ns = -1;
  CHECK(code(crypto::make_ca_certificate_pem(key, "CA", backwards)) == "certificate_validity_malformed");

  const auto server = [&](const std::string& ca_key, const std::string& ca_pem, const crypto::ServerNames& names) {
    return code(crypto::make_server_certificate_pem(ca_key, ca_pem, key, names, terms()));
  };
  CHECK(server(key, *ca, {{"localhost"}, {}}).empty());
  CHECK(server(key, "nonsense", {{"localhost"}, {}}) == "certificate_unreadable");
  CHECK(server(crypto::make_p256_key_pem(), *ca, {{"localhost"}, {}}) == "signing_key_not_of_certificate");
  CHECK(server(key, *ca, {}) == "server_name_missing");
  for (const char* host : {"", "a..b", "-a", "a-", "a b", "a,DNS:evil.example", "*", "*.*.x", "caf\xC3\xA9"}) {
    CHECK(server(key, *ca, {{host}, {}}) == "server_name_malformed");
  }
  CHECK(server(key, *ca, {{std::string(64, 'a')}, {}}) == "server_name_malformed");
  CHECK(server(key, *ca, {{}, {"127.0.0"}}) == "server_name_malformed");
  CHECK(server(key, *ca, {{}, {"localhost"}}) == "server_name_malformed");
}
