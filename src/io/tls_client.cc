#include "io/tls_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/check.h"
#include "io/socket.h"
#include "io/tls_setup.h"

namespace io {

namespace {

std::int64_t monotonic_ms() {
  timespec now{};
  CHECK(::clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// OpenSSL gives the ticket away here; 1 means it was taken.
int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* kept = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  if (kept == nullptr) return 0;
  *kept = TlsSession(session, SSL_SESSION_free);
  return 1;
}

base::Result<tls_setup::Context> make_context(FileSystem& files, const TlsClientOptions& options) {
  tls_setup::Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return base::Error{"tls_setup_failed", "cannot set up TLS: " + tls_setup::last_reason()};
  }
  if (options.newest_is_tls12) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), keep_session);
  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
      return base::Error{"tls_client_ca_unusable", "the system's trust store: " + tls_setup::last_reason()};
    }
  } else {
    TRY(tls_setup::trust(context.get(), files, options.ca_file, "tls_client_ca_unusable", false));
  }
  if (!options.certificate_file.empty()) {
    TRY(tls_setup::use_identity(context.get(), files, options.certificate_file, options.key_file));
  }
  const std::string protocols = tls_setup::protocol_list(options.protocols);
  if (!protocols.empty()) {
    // Here, unlike everywhere else, 0 is success.
    CHECK(SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                                  static_cast<unsigned int>(protocols.size())) == 0);
  }
  return context;
}

base::Error handshake_error(SSL* ssl, const std::string& name, const base::Error& found) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return {"server_name_does_not_match", "the server's certificate is not for \"" + name + "\""};
  }
  if (verdict != X509_V_OK) {
    return {"server_certificate_not_trusted",
            "the certificate of \"" + name + "\" is not trusted: " + X509_verify_cert_error_string(verdict)};
  }
  const bool late = std::string_view(found.code) == "connection_timed_out";
  return {late ? "connect_timed_out" : "tls_handshake_failed", "TLS with \"" + name + "\": " + found.message};
}

}  // namespace

TlsClient::TlsClient(Descriptor fd, ssl_st* ssl, base::Duration timeout)
    : fd_(std::move(fd)), ssl_(ssl), timeout_(timeout) {
  SSL_set_app_data(ssl_, &session_);
}

TlsClient::~TlsClient() { SSL_free(ssl_); }

base::Result<std::unique_ptr<TlsClient>> TlsClient::connect(FileSystem& files, const TlsClientOptions& options,
                                                            const TlsSession& resume) {
  const std::int64_t until_ms = monotonic_ms() + options.connect_timeout.ns / 1'000'000;
  TRY_ASSIGN(auto context, make_context(files, options));
  TRY_ASSIGN(auto fd, connect_blocking(options.host, options.port, options.connect_timeout));

  SSL* ssl = SSL_new(context.get());
  CHECK_THAT(ssl != nullptr && SSL_set_fd(ssl, fd.get()) == 1, "memory for one more connection");
  std::unique_ptr<TlsClient> client(new TlsClient(std::move(fd), ssl, options.transfer_timeout));
  const std::string& name = options.server_name.empty() ? options.host : options.server_name;
  if (!tls_setup::expect_server(ssl, name)) {
    return base::Error{"tls_handshake_failed",
                       "\"" + name + "\" cannot be the name of a server: " + tls_setup::last_reason()};
  }
  if (resume != nullptr) SSL_set_session(ssl, resume.get());
  while (true) {
    ERR_clear_error();
    const int answer = SSL_connect(ssl);
    if (answer == 1) return client;
    if (auto waited = client->wait(answer, until_ms); !waited.ok()) return handshake_error(ssl, name, waited.error());
  }
}

base::Status TlsClient::wait(int answer, std::int64_t until_ms) {
  const int system_reason = errno;
  pollfd waiting{fd_.get(), 0, 0};
  switch (SSL_get_error(ssl_, answer)) {
    case SSL_ERROR_WANT_READ:
      waiting.events = POLLIN;
      break;
    case SSL_ERROR_WANT_WRITE:
      waiting.events = POLLOUT;
      break;
    case SSL_ERROR_SYSCALL:
      return base::Error{"connection_broken", errno_text(system_reason)};
    default:
      return base::Error{"connection_broken", tls_setup::last_reason()};
  }
  const std::int64_t left = until_ms - monotonic_ms();
  const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
  // An interruption is as good as readiness: the caller tries again and comes back here.
  if (ready == 0) return base::Error{"connection_timed_out", "the server did not go on in time"};
  return base::ok();
}

base::Result<std::size_t> TlsClient::read(std::span<std::uint8_t> into) {
  if (into.empty()) return std::size_t{0};
  const std::int64_t until_ms = monotonic_ms() + timeout_.ns / 1'000'000;
  while (true) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int answer = SSL_read_ex(ssl_, into.data(), into.size(), &bytes);
    if (answer == 1) return bytes;
    if (SSL_get_error(ssl_, answer) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    TRY(wait(answer, until_ms));
  }
}

base::Status TlsClient::write_all(base::ByteView bytes) {
  const std::int64_t until_ms = monotonic_ms() + timeout_.ns / 1'000'000;
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t written = 0;
    const int answer = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
    if (answer == 1) {
      bytes = bytes.subspan(written);
    } else {
      TRY(wait(answer, until_ms));
    }
  }
  return base::ok();
}

void TlsClient::finish_writing() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_, &name, &length);
  return std::string(reinterpret_cast<const char*>(name), length);
}

bool TlsClient::resumed() const { return SSL_session_reused(ssl_) == 1; }

}  // namespace io
