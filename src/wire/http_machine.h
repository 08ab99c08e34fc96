#pragma once
// The server side of one HTTP connection as a machine without input or output: bytes go in, requests come out; replies
// go in, bytes come out; time is an argument. HTTP/1.1 (http1.h) and HTTP/2 (http2.h) are two of them, and the edge
// picks one by ALPN. The same machine runs behind a real socket, in the false world, and under the fuzzer.
//
// How to drive one (one thread at a time):
//   readable:  if wants_input(): receive(bytes, now); while (auto r = take_request()) ...
//   a reply:   respond(stream, response, date, now)
//   writable:  write(output()); consume(written, now)
//   timer at next_deadline(): on_time(now)
//   then:      if wants_close(): send what output() holds, close our half, drain shortly, close
// After any call, look at output(), take_request(), wants_input(), wants_close() and next_deadline() again.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "wire/http_message.h"

namespace wire {

/// Names a request within its connection.
using StreamId = std::uint64_t;

/// A rate a peer has to keep: after `grace_ns`, at least `bytes_per_second` on average. Bytes that came faster count for at
/// most two graces to come, so that nobody buys hours with one burst.
struct RateLimit {
  std::int64_t grace_ns = 10'000'000'000;
  std::uint64_t bytes_per_second = 1024;
};

/// What one connection may ask of us. Every bound has a refusal of its own (see Refusal). Times are nanoseconds of the
/// monotonic clock that `now_ns` is read from.
struct HttpLimits {
  std::uint32_t header_bytes_max = 16 * 1024;  ///< start line and fields (HTTP/2: decoded, RFC 9113 section 6.5.2)
  std::uint32_t header_count_max = 100;
  std::uint32_t target_bytes_max = 8 * 1024;
  std::uint64_t body_bytes_max = std::uint64_t{1} << 20;
  std::int64_t header_deadline_ns = 5'000'000'000;  ///< from the first byte of a head to its end
  std::int64_t idle_timeout_ns = 60'000'000'000;    ///< nothing asked, nothing owed
  RateLimit body_rate;                              ///< slow POST
  RateLimit output_rate;                            ///< slow read
  std::uint64_t output_bytes_max = std::uint64_t{1} << 20;  ///< unfetched replies; no request is begun beyond it
};

/// Why the machine refused a request or gave up a connection by itself.
enum class Refusal : std::uint8_t {
  none,
  malformed,               ///< 400 http_request_malformed
  header_too_large,        ///< 431 http_header_too_large
  target_too_long,         ///< 414 http_target_too_long
  body_too_large,          ///< 413 http_body_too_large
  header_timeout,          ///< 408 http_header_timeout
  body_too_slow,           ///< 408 http_body_too_slow
  expectation_unknown,     ///< 417 http_expectation_unknown
  method_not_implemented,  ///< 501 http_method_not_implemented
  version_not_supported,   ///< 505 http_version_not_supported
  idle,                    ///< closed without a reply: nothing was asked for
  output_too_slow,         ///< closed without a reply: the peer does not read
  flood,                   ///< HTTP/2: resets, pings, settings, empty frames, CONTINUATION: GOAWAY ENHANCE_YOUR_CALM
  protocol_error,          ///< HTTP/2: GOAWAY with the error of RFC 9113
  truncated,               ///< the peer ended in the middle of a request
};

struct RefusalText {
  std::uint16_t status;  ///< 0: no reply is possible
  const char* code;      ///< stable snake_case literal, for replies, logs and metrics
  const char* detail;    ///< one sentence for a person
};
const RefusalText& to_text(Refusal refusal);
/// The reply the machine sends for a refusal with a status: problem+json, RFC 9457. It carries no Date: the machine has
/// no clock (RFC 9110 section 6.6.1).
Response refusal_response(Refusal refusal);

struct ReceivedRequest {
  StreamId stream;
  Request request;
};

class HttpMachine {
 public:
  /// `next_deadline()` when nothing is timed.
  static constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();

  virtual ~HttpMachine() = default;

  /// Takes all of `bytes`. What cannot be worked on yet (too many requests outstanding) is kept, so pass at most a few
  /// times 16 KiB per call and none while !wants_input(). Bytes after wants_close() are ignored.
  virtual void receive(base::ByteView bytes, std::int64_t now_ns) = 0;
  /// The peer will send no more (end of stream). Requests that are complete are still answered.
  virtual void end_of_input(std::int64_t now_ns) = 0;
  /// The next complete request, each exactly once.
  virtual std::optional<ReceivedRequest> take_request() = 0;
  /// True while a reply to `stream` would still reach somebody. HTTP/2 clients may cancel.
  virtual bool is_open(StreamId stream) const = 0;
  /// The reply to a taken request, each once; `date` is the value of the Date field (to_imf_fixdate). Ignored if the
  /// stream is no longer open. HTTP/1.1 replies leave in the order of the requests, whatever order they come in.
  virtual void respond(StreamId stream, const Response& response, std::string_view date, std::int64_t now_ns) = 0;

  /// Bytes to send now; empty if none. Valid until the next call that is not const.
  virtual base::ByteView output() = 0;
  /// The first `size` bytes of output() were sent.
  virtual void consume(std::size_t size, std::int64_t now_ns) = 0;

  /// False while the machine can take no more bytes: stop reading, so that the peer feels it (back pressure).
  virtual bool wants_input() const = 0;
  /// The connection is over: send what output() holds, then close.
  virtual bool wants_close() const = 0;
  /// When to call on_time(), monotonic nanoseconds; no_deadline if nothing is timed.
  virtual std::int64_t next_deadline() const = 0;
  /// Enforces the deadlines that have passed; harmless when called early.
  virtual void on_time(std::int64_t now_ns) = 0;
  /// No new requests: what was received is answered, then wants_close().
  virtual void begin_shutdown(std::int64_t now_ns) = 0;

  /// Requests received in part or whole and not yet answered.
  virtual std::size_t outstanding() const = 0;
  /// The first refusal of the machine's own, for logs and metrics.
  virtual Refusal refusal() const = 0;
};

}  // namespace wire
