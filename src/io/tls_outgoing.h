#pragma once
// TLS for connections that the service opens: whom it trusts, and who it is. The connection itself is a TlsConnection.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "io/tls.h"

struct ssl_ctx_st;

namespace io {

struct TlsOutgoingOptions {
  std::string ca_file = {};                           ///< PEM; empty: the system's trust store
  std::string certificate_file = {};                  ///< client certificate in PEM; empty: none
  std::string key_file = {};                          ///< PEM, unencrypted
  std::vector<std::string> protocols = {"http/1.1"};  ///< ALPN, most wanted first; empty: not offered
  bool allow_tls12 = true;
};

/// Read once; connections share it. Immutable, any thread.
class TlsOutgoingContext {
 public:
  /// Errors: those of reading the files; `tls_setup_failed`, `tls_server_ca_unusable`, `tls_certificate_unusable`,
  /// `tls_key_unusable`, `tls_key_does_not_match_certificate`.
  static base::Result<std::unique_ptr<TlsOutgoingContext>> open(FileSystem& files, const TlsOutgoingOptions& options);

  /// For TlsConnection.
  const std::shared_ptr<ssl_ctx_st>& shared() const { return context_; }

 private:
  explicit TlsOutgoingContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace io
