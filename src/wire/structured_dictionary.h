#pragma once
// Structured fields (RFC 8941) as far as message signatures and content digests use them: dictionaries of items and inner
// lists, with parameters. Strict, and one spelling out: to_text gives the canonical form that signatures are made over.
//
// Not taken: decimals and dates. No field that is read here has them, and a number with two spellings has no place under a
// signature.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace wire {

enum class StructuredKind : std::uint8_t { boolean, integer, string, token, bytes };

/// A bare item (section 3.3).
struct StructuredValue {
  StructuredKind kind = StructuredKind::boolean;
  std::int64_t integer = 0;   ///< integer; a boolean as 0 or 1
  std::string text;           ///< string (unescaped), token, or the octets of a byte sequence
  bool operator==(const StructuredValue&) const = default;

  static StructuredValue of_integer(std::int64_t value) { return {StructuredKind::integer, value, {}}; }
  static StructuredValue of_string(std::string_view value) { return {StructuredKind::string, 0, std::string(value)}; }
  static StructuredValue of_bytes(base::ByteView value) { return {StructuredKind::bytes, 0, std::string(base::as_text(value))}; }
};

struct StructuredParameter {
  std::string name;
  StructuredValue value;
  bool operator==(const StructuredParameter&) const = default;
};
using StructuredParameters = std::vector<StructuredParameter>;

struct StructuredItem {
  StructuredValue value;
  StructuredParameters parameters;
  bool operator==(const StructuredItem&) const = default;
};

/// A member of a dictionary: an inner list, or one item (then `items` holds it and `parameters` stays empty).
struct StructuredMember {
  std::string name;
  bool is_list = false;
  std::vector<StructuredItem> items;
  StructuredParameters parameters;   ///< of the inner list
};
using StructuredDictionary = std::vector<StructuredMember>;

struct StructuredLimits {
  std::size_t members_max = 32;
  std::size_t items_max = 64;        ///< in one inner list
  std::size_t parameters_max = 32;   ///< of one item or inner list
};

/// The trimmed value of a field, lines already joined by ", ". Nothing if it is not exactly a dictionary within the limits, or
/// if a member or a parameter is named twice: RFC 8941 lets the last one win, and two readers that disagree about that are two
/// meanings of one signature.
std::optional<StructuredDictionary> parse_structured_dictionary(std::string_view value, const StructuredLimits& limits = {});

/// Canonical text (section 4.1). Strings must be printable ASCII, tokens and names well-formed, integers of at most 15 digits
/// (CHECK: they were parsed, or are our own).
std::string to_text(const StructuredValue& value);
std::string to_text(const StructuredItem& item);
/// An inner list with its parameters: `("a" "b");created=1`.
std::string to_text(const std::vector<StructuredItem>& items, const StructuredParameters& parameters);

/// The parameter of this name, or null.
const StructuredValue* find_parameter(const StructuredParameters& parameters, std::string_view name);

}  // namespace wire
