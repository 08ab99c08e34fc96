#include "io/tls_outgoing.h"

#include <openssl/ssl.h>

#include "base/check.h"
#include "io/tls_setup.h"

namespace io {

base::Result<std::unique_ptr<TlsOutgoingContext>> TlsOutgoingContext::open(FileSystem& files, const TlsOutgoingOptions& options) {
  tls_setup::Context made(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = made.get();
  const bool set = context != nullptr && SSL_CTX_set_min_proto_version(context, options.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
  if (!set) return base::Error{"tls_setup_failed", "cannot set up TLS: " + tls_setup::last_reason()};
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      return base::Error{"tls_server_ca_unusable", "the system's trust store: " + tls_setup::last_reason()};
    }
  } else {
    TRY(tls_setup::trust(context, files, options.ca_file, "tls_server_ca_unusable", false));
  }
  if (!options.certificate_file.empty()) {
    TRY(tls_setup::use_identity(context, files, options.certificate_file, options.key_file));
  }
  const std::string protocols = tls_setup::protocol_list(options.protocols);
  if (!protocols.empty()) {
    // Here, unlike everywhere else, 0 is success.
    CHECK(SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                                  static_cast<unsigned int>(protocols.size())) == 0);
  }
  return std::unique_ptr<TlsOutgoingContext>(new TlsOutgoingContext(std::shared_ptr<ssl_ctx_st>(made.release(), SSL_CTX_free)));
}

}  // namespace io
