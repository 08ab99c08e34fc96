#pragma once
// JSON out: appends text to a string, no tree in between. The same calls always give the same bytes (no white space,
// members in call order, the shortest escapes), because a replayed reply must equal the first one byte for byte.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

namespace wire {

/// Appends one JSON value, in pieces, to a string it does not own. Wrong nesting is our own mistake (CHECK).
/// Strings must be UTF-8; bytes that are not are written as U+FFFD, so that the output is always JSON.
class JsonWriter {
 public:
  /// `out` must outlive the writer; what it holds already stays.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{', true); }
  void end_object() { close('}', true); }
  void begin_array() { open('[', false); }
  void end_array() { close(']', false); }
  /// Name of the next member; only inside an object.
  void key(std::string_view name);

  void string(std::string_view text);
  void uint(std::uint64_t value);
  void sint(std::int64_t value);
  void boolean(bool value);
  void null();
  /// A value that is JSON already (a stored body, a sub-document), copied as it is.
  void raw(std::string_view json);

  /// key() and value in one call.
  void member(std::string_view name, std::string_view text) {
    key(name);
    string(text);
  }
  /// A literal is a string, never a boolean.
  void member(std::string_view name, const char* text) {
    key(name);
    string(text);
  }
  void member(std::string_view name, std::uint64_t value) {
    key(name);
    uint(value);
  }
  void member(std::string_view name, bool value) {
    key(name);
    boolean(value);
  }

  /// True when every object and array is closed and one value was written.
  bool complete() const { return depth_ == 0 && wrote_; }

 private:
  void open(char bracket, bool object);
  void close(char bracket, bool object);
  void before_value();
  void quoted(std::string_view text);

  static constexpr unsigned depth_max = 64;

  std::string& out_;
  std::uint64_t objects_ = 0;  ///< bit per open level: 1 is an object
  unsigned depth_ = 0;
  bool comma_ = false;      ///< a value precedes at this level
  bool after_key_ = false;  ///< a key waits for its value
  bool wrote_ = false;
};

}  // namespace wire
