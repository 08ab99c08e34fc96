#pragma once
// Reading a JSON object against a strict schema: every field is asked for by name, and whatever is missing, of the
// wrong kind or left over becomes a problem with its JSON pointer (RFC 6901), so that one reply names all of them.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json_value.h"

namespace wire {

/// One thing wrong with one field.
struct FieldProblem {
  /// request_field_missing, request_field_unknown, request_field_wrong_type, request_field_out_of_range,
  /// request_field_malformed; callers may add codes of their own. A string literal.
  const char* code = "";
  std::string pointer;     ///< `/postings/0/amount`; empty for the whole document
  std::string detail;      ///< one sentence without the value
  std::string suggestion;  ///< the name that was probably meant, or empty

  bool operator==(const FieldProblem& other) const {
    return std::string_view(code) == other.code && pointer == other.pointer && detail == other.detail &&
           suggestion == other.suggestion;
  }
};

/// `/` and `~` in a name are written `~1` and `~0` (RFC 6901 section 3).
std::string pointer_to(std::string_view parent, std::string_view name);
std::string pointer_to(std::string_view parent, std::size_t index);

/// The candidate closest to `name` (at most two typing errors, fewer for short names); nothing if none is close.
std::optional<std::string_view> closest_name(std::string_view name, const std::string_view* candidates,
                                             std::size_t candidate_count);

/// Walks one object. Ask for each field once, then call finish(). Names must be string literals (they are kept).
/// Asking costs no allocation while nothing is wrong. At most 48 names and 256 members; more members than that are
/// reported as one problem and not looked at.
class JsonFields {
 public:
  /// Reports request_field_wrong_type at `pointer` if `value` is not an object; every field then counts as absent
  /// without a further problem. `problems` must outlive the walker.
  JsonFields(JsonValue value, std::string pointer, std::vector<FieldProblem>& problems);

  /// The field as any kind. Null counts as present.
  std::optional<JsonValue> required(std::string_view name);
  std::optional<JsonValue> optional(std::string_view name);

  /// The field as one kind; another kind, null included, is request_field_wrong_type.
  std::optional<std::string_view> required_string(std::string_view name);
  std::optional<std::string_view> optional_string(std::string_view name);
  /// Within [min, max], otherwise request_field_out_of_range; fractions and exponents are request_field_wrong_type.
  std::optional<std::uint64_t> required_uint(std::string_view name, std::uint64_t min, std::uint64_t max);
  std::optional<std::uint64_t> optional_uint(std::string_view name, std::uint64_t min, std::uint64_t max);
  std::optional<bool> required_boolean(std::string_view name);
  std::optional<bool> optional_boolean(std::string_view name);
  std::optional<JsonValue> required_object(std::string_view name);
  std::optional<JsonValue> optional_object(std::string_view name);
  std::optional<JsonValue> required_array(std::string_view name);
  std::optional<JsonValue> optional_array(std::string_view name);

  /// Reports a problem of the caller's own with this field (code must be a literal).
  void report(const char* code, std::string_view name, std::string detail);

  /// Pointer of a field of this object.
  std::string pointer(std::string_view name) const { return pointer_to(pointer_, name); }

  /// Reports every member nobody asked for as request_field_unknown, with the closest asked name as suggestion.
  /// Call it last.
  void finish();

 private:
  std::optional<JsonValue> take(std::string_view name);
  std::optional<JsonValue> take_kind(std::string_view name, JsonKind kind, bool must);
  std::optional<std::uint64_t> take_uint(std::string_view name, std::uint64_t min, std::uint64_t max, bool must);
  void missing(std::string_view name);
  void wrong_type(std::string_view name, std::string_view wanted, JsonKind found);

  static constexpr std::size_t names_max = 48;
  static constexpr std::size_t members_max = 256;

  JsonValue value_;
  bool walkable_ = true;
  std::string pointer_;
  std::vector<FieldProblem>& problems_;
  std::array<std::string_view, names_max> names_{};
  std::size_t name_count_ = 0;
  std::array<std::uint64_t, members_max / 64> seen_{};
  std::size_t seen_count_ = 0;
};

}  // namespace wire
