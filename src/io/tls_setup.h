#pragma once
// What the sides of TLS set up alike. Private to tls.cc, tls_client.cc and tls_outgoing.cc.

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace io::tls_setup {

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

/// The reason OpenSSL gave last on this thread; forgets all of them.
std::string last_reason();

/// Certificate chain and key from two PEM files. Errors: see TlsServerContext::open.
base::Status use_identity(SSL_CTX* context, FileSystem& files, const std::string& certificate_file,
                          const std::string& key_file);

/// Trusts every certificate of a PEM file; `code` if there is none or one is broken. `announce` also names them to
/// clients that are asked for a certificate.
base::Status trust(SSL_CTX* context, FileSystem& files, const std::string& ca_file, const char* code, bool announce);

/// Whom the server has to be: checked in the handshake, and told to the server if it is a name (RFC 6066 section 3: never an
/// address). False if it can be neither.
bool expect_server(SSL* ssl, const std::string& name);

/// Names with their lengths before them (RFC 7301 3.1).
std::string protocol_list(const std::vector<std::string>& protocols);

}  // namespace io::tls_setup
