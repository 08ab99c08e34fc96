#pragma once
// HTTP/1.1 messages, server and client side alike: where a head ends, what it says, and the bytes of the body. llhttp
// in strict mode does the reading; the scanner before it refuses what llhttp would let pass (bare LF, bare CR, folds).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http_message.h"

namespace wire::http1 {

/// Looks for the empty line that ends a head, and at every byte once: only visible ASCII, blanks and tabs in lines that
/// end in CRLF and do not begin with a blank.
class HeadScanner {
 public:
  enum class Found { incomplete, complete, malformed };
  /// `text` starts with the head and only ever grows between calls.
  Found scan(std::string_view text);
  /// Size of the head with its empty line, once complete.
  std::size_t head_bytes() const { return at_; }
  /// Size of the first line without its end; 0 while that line is incomplete.
  std::size_t first_line_bytes() const { return first_line_; }
  void reset() { *this = {}; }

 private:
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  std::size_t first_line_ = 0;
};

/// How the end of a body is known (RFC 9112 section 6.3).
enum class Framing { none, length, chunked, until_close };

/// The framing the fields ask for, strictly; nothing if they could be read in two ways. `none` if they say nothing.
struct DeclaredFraming {
  Framing framing = Framing::none;
  std::uint64_t length = 0;
};
std::optional<DeclaredFraming> declared_framing(const Headers& headers);

/// True if a list-valued field has this (lower-case) member, compared without case.
bool list_contains(const Headers& headers, std::string_view field, std::string_view member);

struct BodyLimits {
  std::uint64_t body_bytes_max;
  std::uint32_t chunk_extension_bytes_max;
};

/// Reads one message after the other on one connection.
class MessageParser {
 public:
  enum class Kind { request, response };
  explicit MessageParser(Kind kind);
  ~MessageParser();
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  /// Reads exactly one complete, scanned head. False if llhttp refuses it or a field name or value is not one; more
  /// than `header_count_max` fields end in false with too_many_fields(). `no_body`: a reply to HEAD.
  bool read_head(std::string_view head, std::size_t header_count_max, bool no_body, Headers& headers);
  bool too_many_fields() const;
  /// Of a response head.
  std::uint16_t status() const;
  /// True if the message ended with its head.
  bool complete() const;

  enum class Body { incomplete, complete, malformed, too_large };
  /// Appends to `body` what `bytes` hold of it; `used` is how many of them belonged to this message.
  Body read_body(std::string_view bytes, const BodyLimits& limits, std::string& body, std::size_t& used);
  /// The stream ended: complete for a body that lasts until then, malformed otherwise.
  Body end_of_stream();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wire::http1
