#pragma once
// A small strict JSON reader (RFC 8259) that keeps places. For key files, not for speed; wire/ has its own for requests.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "intake/traced.h"
#include "intake/wiped.h"

namespace intake {

struct JsonValue {
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };
  Type type = Type::null;
  Text text;                                          ///< decoded string, or the digits of a number, or `true`
  std::vector<JsonValue> items;                       ///< of an array, or the values of an object
  std::vector<Text> names;                            ///< of an object, one for each item
  std::size_t begin = 0, end = 0;                     ///< offsets in the text it was read from

  bool is_object() const { return type == Type::object; }
  bool is_array() const { return type == Type::array; }
  bool is_string() const { return type == Type::string; }
  /// Member of that name, or null. Names are compared exactly.
  const JsonValue* find(std::string_view name) const;
  /// The same, but only a string; empty view when absent.
  std::string_view string(std::string_view name) const;
  /// An unsigned integer below 2^53, written without fraction or exponent.
  std::optional<std::uint64_t> uint() const;
};

/// Nothing when the text is not exactly one JSON value; `fault` is then the offset. Repeated member names and lone
/// surrogates are faults. At most 16 levels and 20,000 values.
std::optional<JsonValue> parse_json(std::string_view text, std::size_t& fault);

}  // namespace intake
