#pragma once
// The client side of HTTP/1.1 without a socket, for the CLI, tests and benchmarks: requests to bytes, bytes to replies.
// Effects talk to the world through their own, fuller client.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/http_message.h"

namespace wire {

/// Appends `request` in origin form with Host and, when there is a body or the method is POST, PUT or PATCH,
/// Content-Length. `request.headers` must not hold either. Path and query are sent as they are.
void write_request(const Request& request, std::string& out);

struct HttpClientLimits {
  std::uint32_t header_bytes_max = 64 * 1024;
  std::uint64_t body_bytes_max = std::uint64_t{64} << 20;
};

struct ReceivedResponse {
  Response response;        ///< header names in lower case; interim (1xx) replies are skipped
  bool keep_alive = false;  ///< the connection may carry another request
};

/// Parses the replies on one connection. Bodies: Content-Length, chunked, or until the end of the stream.
class HttpClientMachine {
 public:
  explicit HttpClientMachine(HttpClientLimits limits = {});
  ~HttpClientMachine();
  HttpClientMachine(const HttpClientMachine&) = delete;
  HttpClientMachine& operator=(const HttpClientMachine&) = delete;

  /// Say which method each request had, in order, before its reply can arrive: a reply to HEAD has no body.
  void expect_reply_to(std::string_view method);
  /// Errors (final, the connection is of no more use): http_response_malformed, http_response_too_large,
  /// http_response_unexpected (no request is waiting for it).
  base::Status receive(base::ByteView bytes);
  /// The server ended the stream. http_response_truncated if a reply is incomplete or was never begun.
  base::Status end_of_input();
  /// The next complete reply.
  std::optional<ReceivedResponse> take_response();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wire
