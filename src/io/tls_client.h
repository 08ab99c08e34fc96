#pragma once
// A small blocking TLS client: for the command line and for tests that talk to our own server. Outbound calls of the
// service go through effects, not through this.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "io/descriptor.h"
#include "io/file.h"

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace io {

struct TlsClientOptions {
  std::string host;  ///< name or numeric address to connect to
  std::uint16_t port = 0;
  std::string server_name;       ///< what the certificate must be for; empty: `host`
  std::string ca_file;           ///< PEM; empty: the system's trust store
  std::string certificate_file;  ///< client certificate in PEM; empty: none
  std::string key_file;
  std::vector<std::string> protocols;                   ///< ALPN; empty: not offered
  bool newest_is_tls12 = false;                         ///< behaves like a client that does not know TLS 1.3
  base::Duration connect_timeout = base::seconds(10);   ///< TCP and TLS together
  base::Duration transfer_timeout = base::seconds(30);  ///< for each read and write_all
};

/// A ticket for coming back to a server with a shorter handshake.
using TlsSession = std::shared_ptr<ssl_session_st>;

/// One connection; TLS 1.2 at least. One thread at a time. The process must ignore SIGPIPE.
class TlsClient {
 public:
  /// Connects, and verifies the server's chain and name. Errors: those of connect_blocking and of reading files;
  /// tls_setup_failed, tls_client_ca_unusable, tls_certificate_unusable, tls_key_unusable,
  /// tls_key_does_not_match_certificate, server_certificate_not_trusted, server_name_does_not_match,
  /// tls_handshake_failed, connect_timed_out.
  static base::Result<std::unique_ptr<TlsClient>> connect(FileSystem& files, const TlsClientOptions& options,
                                                          const TlsSession& resume = nullptr);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// At least one byte, or 0 at the proper end of the stream. Errors: connection_timed_out, connection_broken (also an
  /// end without close_notify: the data may have been cut).
  base::Result<std::size_t> read(std::span<std::uint8_t> into);
  /// Errors: connection_timed_out, connection_broken.
  base::Status write_all(base::ByteView bytes);
  /// Sends close_notify; reading goes on.
  void finish_writing();

  std::string protocol() const;
  bool resumed() const;
  /// The latest ticket; arrives with the first read. Null if there is none.
  TlsSession session() const { return session_; }
  /// For polling from outside.
  int fd() const { return fd_.get(); }

 private:
  TlsClient(Descriptor fd, ssl_st* ssl, base::Duration timeout);
  base::Status wait(int answer, std::int64_t until_ms);

  Descriptor fd_;
  ssl_st* ssl_;
  base::Duration timeout_;
  TlsSession session_;
};

}  // namespace io
