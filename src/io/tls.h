#pragma once
// TLS for servers, over OpenSSL 3. TLS 1.3 (RFC 8446) only unless told otherwise; session tickets on, early data
// (0-RTT) off because it can be replayed; ALPN (RFC 7301) picks h2 or http/1.1.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/stream.h"

struct ssl_ctx_st;
struct ssl_st;

namespace io {

class TlsOutgoingContext;

/// Where the server's identity comes from, and what it demands of clients.
struct TlsServerOptions {
  std::string certificate_file;  ///< PEM: leaf first, then intermediates
  std::string key_file;          ///< PEM, unencrypted; its mode is the doctor's business
  std::string client_ca_file;    ///< PEM; empty: clients are not asked for certificates
  bool client_certificate_required = false;
  bool allow_tls12 = false;
  std::vector<std::string> protocols = {"h2", "http/1.1"};  ///< ALPN, most wanted first
};

/// Makes connections; replaces its certificate while they run. Thread-safe.
class TlsServerContext {
 public:
  /// `files` must outlive it. Errors: those of reading the files; tls_certificate_unusable, tls_key_unusable,
  /// tls_key_does_not_match_certificate, tls_client_ca_unusable, tls_setup_failed.
  static base::Result<std::unique_ptr<TlsServerContext>> open(FileSystem& files, TlsServerOptions options);

  /// Reads the files again. New connections use what they hold now, connections that exist are not touched, tickets
  /// given out before are no longer taken. After an error everything stays as it was. Errors: as open.
  base::Status reload();

  /// What new connections use; for TlsConnection.
  std::shared_ptr<ssl_ctx_st> current() const;

 private:
  TlsServerContext(FileSystem& files, TlsServerOptions options) : files_(files), options_(std::move(options)) {}
  base::Result<std::shared_ptr<ssl_ctx_st>> load() const;

  FileSystem& files_;
  TlsServerOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> current_;
};

/// One connection, of a server or of a client. Owns the descriptor (non-blocking). One thread at a time. The process must ignore
/// SIGPIPE (io/process.h).
class TlsConnection final : public Stream {
 public:
  TlsConnection(const TlsServerContext& context, Descriptor fd);
  /// The client's side; the handshake fails unless the server's certificate is for `server_name` (a host name or a numeric
  /// address) and leads to a trusted one. See io/tls_outgoing.h.
  TlsConnection(const TlsOutgoingContext& context, Descriptor fd, const std::string& server_name);
  ~TlsConnection() override;

  /// To be repeated until `done`; read and write do it by themselves where it was not.
  StreamResult handshake() override;
  StreamResult read(std::span<std::uint8_t> into) override;
  bool may_have_more() const override;
  /// At most one record (16,384 bytes) goes in one call.
  StreamResult write(base::ByteView bytes) override;
  /// Copies small pieces together, so that a head and a body travel in one record.
  StreamResult write_pieces(std::span<const base::ByteView> pieces) override;
  /// Sends close_notify.
  StreamResult shutdown() override;
  int fd() const override { return fd_.get(); }
  const std::string& failure() const override { return failure_; }

  /// The protocol ALPN agreed on; empty if the client offered none. After the handshake.
  std::string protocol() const;
  /// `TLSv1.3`
  std::string version() const;
  /// True if the client came back with a ticket.
  bool resumed() const;
  /// The peer's certificate in DER; empty without one. A client's is verified against client_ca_file if there.
  base::Bytes peer_certificate() const;

 private:
  StreamResult settle(int answer, std::size_t bytes);

  Descriptor fd_;
  std::shared_ptr<ssl_ctx_st> context_;  ///< the one it began with, also after a reload
  ssl_st* ssl_;
  bool broken_ = false;
  std::string failure_;
};

}  // namespace io
