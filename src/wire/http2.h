#pragma once
// HTTP/2 for servers (RFC 9113) over nghttp2, with prior knowledge or ALPN `h2`; no upgrade from HTTP/1.1, no push, no
// CONNECT. On top of nghttp2's own checks every cheap-to-send, dear-to-serve frame draws from a bucket: resets (rapid
// reset, CVE-2023-44487, and resets the peer provokes us to send), CONTINUATION (CVE-2024-27316), PING, SETTINGS,
// PRIORITY, WINDOW_UPDATE and empty DATA frames. An empty bucket ends the connection with ENHANCE_YOUR_CALM.
//
// StreamId is the HTTP/2 stream identifier. A request whose body does not fit the connection's memory is reset with
// REFUSED_STREAM, which tells the client that it was not processed (RFC 9113 section 8.7).

#include "wire/http_machine.h"

namespace wire {

/// Tokens: `burst` at first, `per_second` more every second up to `burst`.
struct TokenBucketLimit {
  std::uint32_t burst;
  std::uint32_t per_second;
};

struct Http2Limits {
  HttpLimits http;
  std::uint32_t streams_max = 100;              ///< concurrent, announced in SETTINGS
  std::uint32_t continuations_max = 8;          ///< CONTINUATION frames in one header block
  TokenBucketLimit resets = {100, 20};          ///< RST_STREAM by the peer, or by us for the peer's mistakes
  TokenBucketLimit controls = {200, 50};        ///< PING, SETTINGS, PRIORITY, unknown frames, empty DATA
  TokenBucketLimit window_updates = {2000, 2000};
  std::uint32_t stream_window_bytes = 256 * 1024;      ///< receive window of a stream
  std::uint32_t connection_window_bytes = 1024 * 1024;  ///< receive window of the connection
  std::uint64_t buffered_body_bytes_max = std::uint64_t{8} << 20;  ///< request bodies of all streams together
  std::uint32_t hpack_table_bytes = 4096;       ///< dynamic table of either direction
};

/// A machine for one accepted connection whose first bytes are the client's connection preface.
std::unique_ptr<HttpMachine> make_http2_machine(const Http2Limits& limits, std::int64_t now_ns);

}  // namespace wire
