#pragma once
// HTTP/1.1 for servers (RFC 9112), strict: whatever two parsers might read differently is refused with 400 and the
// connection is closed, because a front proxy may sit before us (request smuggling). Refused: a bare CR or LF,
// obs-fold, control characters or bytes above 0x7E in fields, blanks around a field name, Content-Length together with
// Transfer-Encoding, more than one of either, any coding but a single `chunked`, a list or sign in Content-Length,
// missing or repeated Host (RFC 9112 section 3.2), a target with a fragment or characters RFC 3986 does not know,
// trailer fields, HTTP/1.0 with Transfer-Encoding.
//
// Served: keep-alive, pipelining with bounded depth, Expect: 100-continue, chunked bodies, HEAD, absolute-form targets
// whose authority equals Host. The machine parses no request that follows a refused one.

#include "wire/http_machine.h"

namespace wire {

struct Http1Limits {
  HttpLimits http;
  std::uint32_t pipelined_max = 16;              ///< requests received and not yet answered
  std::uint32_t chunk_extension_bytes_max = 256;  ///< in one body, all extensions together
};

/// A machine for one accepted connection; `now_ns` starts the clock of the first head.
std::unique_ptr<HttpMachine> make_http1_machine(const Http1Limits& limits, std::int64_t now_ns);

}  // namespace wire
