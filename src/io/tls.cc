#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "io/tls_outgoing.h"
#include "io/tls_setup.h"

namespace io {

namespace {

constexpr std::size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;

/// A context with what its callbacks refer to.
struct HeldContext {
  tls_setup::Context context;
  std::string protocols;
};

/// RFC 7301 3.2: the server's order decides; no overlap is a fatal alert.
int select_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_length, const unsigned char* offered,
                    unsigned int offered_length, void* argument) {
  const auto& ours = *static_cast<const std::string*>(argument);
  unsigned char* found = nullptr;
  const int answer = SSL_select_next_proto(&found, chosen_length, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned int>(ours.size()), offered, offered_length);
  *chosen = found;
  return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

base::Result<std::unique_ptr<TlsServerContext>> TlsServerContext::open(FileSystem& files, TlsServerOptions options) {
  std::unique_ptr<TlsServerContext> context(new TlsServerContext(files, std::move(options)));
  TRY(context->reload());
  return context;
}

base::Status TlsServerContext::reload() {
  TRY_ASSIGN(auto fresh, load());
  std::lock_guard lock(mutex_);
  current_ = std::move(fresh);
  return base::ok();
}

std::shared_ptr<ssl_ctx_st> TlsServerContext::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

base::Result<std::shared_ptr<ssl_ctx_st>> TlsServerContext::load() const {
  auto held = std::make_shared<HeldContext>();
  held->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = held->context.get();
  if (context == nullptr) return base::Error{"tls_setup_failed", "cannot set up TLS: " + tls_setup::last_reason()};

  static const unsigned char session_context[] = "holdfast";
  const bool set =
      SSL_CTX_set_min_proto_version(context, options_.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
      SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) == 1 &&
      SSL_CTX_set_num_tickets(context, 1) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1 &&
      SSL_CTX_set_recv_max_early_data(context, 0) == 1;
  if (!set) return base::Error{"tls_setup_failed", "cannot set up TLS: " + tls_setup::last_reason()};
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets carry the sessions
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // A record's head and body come with one system call.
  SSL_CTX_set_read_ahead(context, 1);

  TRY(tls_setup::use_identity(context, files_, options_.certificate_file, options_.key_file));
  if (!options_.client_ca_file.empty()) {
    TRY(tls_setup::trust(context, files_, options_.client_ca_file, "tls_client_ca_unusable", true));
    SSL_CTX_set_verify(context,
                       SSL_VERIFY_PEER | (options_.client_certificate_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
  }
  if (!options_.protocols.empty()) {
    held->protocols = tls_setup::protocol_list(options_.protocols);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, &held->protocols);
  }
  return std::shared_ptr<ssl_ctx_st>(held, context);
}

TlsConnection::TlsConnection(const TlsServerContext& context, Descriptor fd)
    : fd_(std::move(fd)), context_(context.current()), ssl_(SSL_new(context_.get())) {
  CHECK_THAT(ssl_ != nullptr && SSL_set_fd(ssl_, fd_.get()) == 1, "memory for one more connection");
  SSL_set_accept_state(ssl_);
}

TlsConnection::TlsConnection(const TlsOutgoingContext& context, Descriptor fd, const std::string& server_name)
    : fd_(std::move(fd)), context_(context.shared()), ssl_(SSL_new(context_.get())) {
  CHECK_THAT(ssl_ != nullptr && SSL_set_fd(ssl_, fd_.get()) == 1, "memory for one more connection");
  SSL_set_connect_state(ssl_);
  // A name that cannot be one fails the handshake, because then no certificate is for it.
  if (!tls_setup::expect_server(ssl_, server_name)) broken_ = true;
}

TlsConnection::~TlsConnection() { SSL_free(ssl_); }

StreamResult TlsConnection::settle(int answer, std::size_t bytes) {
  if (answer > 0) return {StreamState::done, bytes};
  const int system_reason = errno;
  switch (SSL_get_error(ssl_, answer)) {
    case SSL_ERROR_WANT_READ:
      return {StreamState::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {StreamState::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {StreamState::closed, 0};
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      if (system_reason == EPIPE) return {StreamState::closed, 0};
      failure_ = system_reason == 0 ? "connection ended" : errno_text(system_reason);
      return {StreamState::failed, 0};
    default: {
      broken_ = true;
      const long verdict = SSL_get_verify_result(ssl_);
      failure_ = tls_setup::last_reason();
      if (verdict != X509_V_OK) failure_ = std::string("certificate not trusted: ") + X509_verify_cert_error_string(verdict);
      return {StreamState::failed, 0};
    }
  }
}

StreamResult TlsConnection::handshake() {
  if (broken_) {
    if (failure_.empty()) failure_ = "not a name a server can have";
    return {StreamState::failed, 0};
  }
  ERR_clear_error();
  errno = 0;
  return settle(SSL_do_handshake(ssl_), 0);
}

StreamResult TlsConnection::read(std::span<std::uint8_t> into) {
  if (into.empty()) return {};
  ERR_clear_error();
  errno = 0;
  std::size_t bytes = 0;
  const int answer = SSL_read_ex(ssl_, into.data(), into.size(), &bytes);
  return settle(answer, bytes);
}

// Read-ahead takes what the socket had, up to a record's length: less than that inside means the socket was empty.
bool TlsConnection::may_have_more() const { return SSL_has_pending(ssl_) == 1; }

StreamResult TlsConnection::write(base::ByteView bytes) {
  if (bytes.empty()) return {};
  ERR_clear_error();
  errno = 0;
  std::size_t written = 0;
  const int answer = SSL_write_ex(ssl_, bytes.data(), std::min(bytes.size(), record_bytes), &written);
  return settle(answer, written);
}

StreamResult TlsConnection::write_pieces(std::span<const base::ByteView> pieces) {
  if (pieces.size() == 1) return write(pieces[0]);
  thread_local std::array<std::uint8_t, record_bytes> record;
  std::size_t filled = 0;
  for (const base::ByteView piece : pieces) {
    const std::size_t n = std::min(piece.size(), record.size() - filled);
    std::copy_n(piece.begin(), n, record.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += n;
    if (filled == record.size()) break;
  }
  return write(std::span(record).first(filled));
}

StreamResult TlsConnection::shutdown() {
  // After a fatal error there is nobody to say goodbye to, and OpenSSL forbids it; before the handshake it has no
  // words for it.
  if (broken_ || SSL_in_init(ssl_)) return {};
  ERR_clear_error();
  errno = 0;
  const int answer = SSL_shutdown(ssl_);
  // 0: sent, the peer has not answered; we do not wait for that.
  return answer == 0 ? StreamResult{} : settle(answer, 0);
}

std::string TlsConnection::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_, &name, &length);
  return std::string(reinterpret_cast<const char*>(name), length);
}

std::string TlsConnection::version() const { return SSL_get_version(ssl_); }

bool TlsConnection::resumed() const { return SSL_session_reused(ssl_) == 1; }

base::Bytes TlsConnection::peer_certificate() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length <= 0) return {};
  base::Bytes bytes(der, der + length);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace io
