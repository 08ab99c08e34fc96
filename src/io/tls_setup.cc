#include "io/tls_setup.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "io/secret_memory.h"

namespace io::tls_setup {

namespace {

constexpr std::uint64_t pem_bytes_max = 1 << 20;

struct Freed {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Input = std::unique_ptr<BIO, Freed>;
using Certificate = std::unique_ptr<X509, Freed>;
using Key = std::unique_ptr<EVP_PKEY, Freed>;

Input input_of(const base::Bytes& bytes) {
  Input input(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  CHECK_THAT(input != nullptr, "memory for a few pointers");
  return input;
}

/// Instead of asking on the terminal.
int no_password(char*, int, int, void*) { return -1; }

/// All certificates of a PEM file; at least one.
base::Result<std::vector<Certificate>> read_certificates(FileSystem& files, const std::string& path, const char* code) {
  TRY_ASSIGN(const base::Bytes pem, read_whole_file(files, path, pem_bytes_max));
  const Input input = input_of(pem);
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (X509* one = PEM_read_bio_X509(input.get(), nullptr, no_password, nullptr)) certificates.emplace_back(one);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = last_reason();
  if (!at_end) return base::Error{code, "\"" + path + "\" holds a damaged certificate: " + reason};
  if (certificates.empty()) return base::Error{code, "\"" + path + "\" holds no certificate in PEM form"};
  return certificates;
}

base::Result<Key> read_key(FileSystem& files, const std::string& path) {
  TRY_ASSIGN(base::Bytes pem, read_whole_file(files, path, pem_bytes_max));
  ERR_clear_error();
  Key key(PEM_read_bio_PrivateKey(input_of(pem).get(), nullptr, no_password, nullptr));
  wipe(pem);
  if (key == nullptr) {
    return base::Error{"tls_key_unusable",
                       "\"" + path + "\" holds no private key that opens without a password: " + last_reason()};
  }
  return key;
}

}  // namespace

std::string last_reason() {
  const unsigned long number = ERR_peek_last_error();
  const char* reason = number == 0 ? nullptr : ERR_reason_error_string(number);
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

base::Status use_identity(SSL_CTX* context, FileSystem& files, const std::string& certificate_file,
                          const std::string& key_file) {
  TRY_ASSIGN(auto certificates, read_certificates(files, certificate_file, "tls_certificate_unusable"));
  TRY_ASSIGN(auto key, read_key(files, key_file));
  X509* leaf = certificates.front().get();
  if (X509_check_private_key(leaf, key.get()) != 1) {
    ERR_clear_error();
    return base::Error{"tls_key_does_not_match_certificate",
                       "\"" + key_file + "\" is not the key of the first certificate in \"" + certificate_file + "\""};
  }
  if (SSL_CTX_use_certificate(context, leaf) != 1) {
    return base::Error{"tls_certificate_unusable", "\"" + certificate_file + "\": " + last_reason()};
  }
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, certificates[i].get()) != 1) {
      return base::Error{"tls_certificate_unusable", "\"" + certificate_file + "\": " + last_reason()};
    }
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return base::Error{"tls_key_unusable", "\"" + key_file + "\": " + last_reason()};
  }
  return base::ok();
}

base::Status trust(SSL_CTX* context, FileSystem& files, const std::string& ca_file, const char* code, bool announce) {
  TRY_ASSIGN(auto certificates, read_certificates(files, ca_file, code));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const Certificate& one : certificates) {
    const bool added = X509_STORE_add_cert(store, one.get()) == 1;
    if (!added || (announce && SSL_CTX_add_client_CA(context, one.get()) != 1)) {
      return base::Error{code, "\"" + ca_file + "\": " + last_reason()};
    }
  }
  return base::ok();
}

bool expect_server(SSL* ssl, const std::string& name) {
  in6_addr room{};
  const bool numeric = ::inet_pton(AF_INET, name.c_str(), &room) == 1 || ::inet_pton(AF_INET6, name.c_str(), &room) == 1;
  if (numeric) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  return !name.empty() && SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

std::string protocol_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    CHECK_THAT(!protocol.empty() && protocol.size() < 256, "a protocol name has 1 to 255 bytes");
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  return list;
}

}  // namespace io::tls_setup
