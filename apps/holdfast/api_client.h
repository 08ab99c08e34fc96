#pragma once
// The command line's way to a running service: HTTPS over one kept connection, requests repeated under the same
// idempotency key when a reply is lost.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "apps/holdfast/command.h"
#include "io/file.h"
#include "io/tls_client.h"
#include "wire/http_client.h"

namespace holdfast {

/// Where a service is and who we are, as `holdfast help credentials` describes the file.
struct Credentials {
  std::string base_url;
  std::string operator_url;      ///< empty if not named
  std::string ca_file;           ///< empty: the system's trust store
  std::string token;             ///< an access token; empty if there is a refresh secret instead
  std::string client_id;
  std::string refresh_secret;
};

/// Errors: those of reading; `credentials_malformed`, `credentials_readable_by_others`.
base::Result<Credentials> load_credentials(io::FileSystem& files, const std::string& path);
/// The file that --credentials, --data or $HOME lead to. Error `credentials_not_found`.
base::Result<std::string> credentials_file(io::FileSystem& files, const Arguments& arguments);

/// `https://127.0.0.1:8443` in parts.
struct Url {
  bool secure = true;
  std::string host;
  std::uint16_t port = 0;
};
/// Error `url_malformed`.
base::Result<Url> parse_url(std::string_view text);

struct ApiRequest {
  std::string method = "GET";
  std::string path = "/";                      ///< raw
  std::string query = {};                      ///< raw
  std::string body = {};                       ///< empty: none
  std::string key = {};                        ///< idempotency key; empty: none
  std::string content_type = "application/json";
};

struct ApiReply {
  std::uint16_t status = 0;
  std::string body;
  bool replayed = false;
  std::optional<std::uint32_t> retry_after_s;
  bool good() const { return status >= 200 && status < 300; }
};

struct ApiClientOptions {
  /// How long lost replies and refusals that pass by themselves are tried again.
  base::Duration patience = base::seconds(10);
  base::Duration reply_timeout = base::seconds(40);
};

/// One thread.
class ApiClient {
 public:
  /// Connects with the first request. Errors: `url_malformed`.
  static base::Result<std::unique_ptr<ApiClient>> open(io::FileSystem& files, Credentials credentials, ApiClientOptions options = {});

  /// Sends and waits for the reply, whatever its status. A request with a key, or one that only reads, is repeated when the
  /// reply is lost or the service is overloaded; the first refusal to connect of a fresh client is final. Errors:
  /// `connect_failed` and its like (certainly nothing happened), `outcome_unknown` (a request that changes something was sent,
  /// and no reply came: the message names the key), those of TLS.
  base::Result<ApiReply> call(const ApiRequest& request);

  /// Sends the request and drops the connection without reading the reply: what a client sees whose reply is lost.
  base::Status call_and_lose_reply(const ApiRequest& request);

  /// The newest position token; sent along, so that reads see what this client wrote.
  const std::string& position() const { return position_; }

 private:
  ApiClient(io::FileSystem& files, Credentials credentials, Url url, ApiClientOptions options);
  base::Status connect();
  base::Status authenticate();
  base::Status send(const ApiRequest& request);
  base::Result<ApiReply> receive();
  base::Result<ApiReply> call_once(const ApiRequest& request, bool& sent);

  io::FileSystem& files_;
  Credentials credentials_;
  const Url url_;
  const ApiClientOptions options_;
  std::unique_ptr<io::TlsClient> connection_;
  io::TlsSession session_;
  std::unique_ptr<wire::HttpClientMachine> machine_;
  std::string position_;
  bool reached_ = false;
};

/// A fresh idempotency key.
std::string draw_key();
/// One request of some KiB to an http:// address, without credentials: a sandbox's control address. Errors: `url_malformed`,
/// `connect_failed` and its like, `connection_broken`.
base::Result<ApiReply> ask_plainly(const std::string& base_url, const ApiRequest& request);
/// A GET of the operator address, which may be without TLS. Errors: as ApiClient::call.
base::Result<ApiReply> get_operator(io::FileSystem& files, const Credentials& credentials, const std::string& path);

}  // namespace holdfast
