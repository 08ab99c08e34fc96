#include "wire/json_value.h"

#include <string.h>

#include <limits>

namespace wire {

std::string_view to_text(JsonKind kind) {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "boolean";
    case JsonKind::integer:
      return "integer";
    case JsonKind::inexact_number:
      return "number with a fraction, an exponent or too many digits";
    case JsonKind::string:
      return "string";
    case JsonKind::array:
      return "array";
    case JsonKind::object:
      return "object";
  }
  return "";
}

json::Arena::~Arena() {
  if (text) explicit_bzero(text.get(), text_bytes);
}

std::optional<bool> JsonValue::boolean() const {
  if (kind() != JsonKind::boolean) return std::nullopt;
  return node().number != 0;
}

std::optional<std::string_view> JsonValue::string() const {
  if (kind() != JsonKind::string) return std::nullopt;
  return text();
}

std::optional<std::uint64_t> JsonValue::uint64() const {
  if (kind() != JsonKind::integer || node().negative) return std::nullopt;
  return node().number;
}

std::optional<std::int64_t> JsonValue::int64() const {
  if (kind() != JsonKind::integer) return std::nullopt;
  if (!node().negative && node().number > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(node().number);
}

std::optional<std::string_view> JsonValue::number_text() const {
  if (kind() != JsonKind::inexact_number) return std::nullopt;
  return text();
}

std::size_t JsonValue::size() const { return is_array() || is_object() ? node().count : 0; }

std::optional<JsonValue> JsonValue::find(std::string_view name) const {
  for (const JsonMember member : members()) {
    if (member.name == name) return member.value;
  }
  return std::nullopt;
}

JsonValue::Elements JsonValue::elements() const {
  const std::uint32_t first = index_ + 1;
  return {arena_, first, is_array() ? node().after : first};
}

JsonValue::Members JsonValue::members() const {
  const std::uint32_t first = index_ + 1;
  return {arena_, first, is_object() ? node().after : first};
}

}  // namespace wire
