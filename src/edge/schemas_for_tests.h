#pragma once
// Rendered bodies against the schemas of the OpenAPI document: as much of JSON Schema as that uses. For tests only.

#include <string>
#include <string_view>

#include "edge/openapi.h"
#include "wire/json_value.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace edge {

inline wire::JsonValue element(wire::JsonValue array, std::size_t index) {
  auto at = array.elements().begin();
  while (index-- > 0) ++at;
  return *at;
}

/// Checks rendered bodies against the schemas of the OpenAPI document: as much of JSON Schema as that uses.
class Schemas {
 public:
  Schemas()
      : document_(
            wire::parse_json(base::as_bytes(openapi_document()), {.bytes_max = 1 << 22, .depth_max = 64}).value()) {}

  void check(std::string_view name, const std::string& body) {
    CAPTURE(body);
    const auto parsed = wire::parse_json(base::as_bytes(body));
    REQUIRE(parsed.ok());
    check(named(name), parsed->root(), std::string(name));
  }

 private:
  wire::JsonValue named(std::string_view name) {
    const auto schema = document_.root().find("components")->find("schemas")->find(name);
    REQUIRE_MESSAGE(schema.has_value(), std::string(name));
    return *schema;
  }
  bool fits_kind(wire::JsonValue schema, wire::JsonValue value) {
    const std::string_view type = schema.find("type") ? *schema.find("type")->string() : "object";
    if (value.is_object()) return type == "object";
    if (value.is_null()) return type == "null";
    return type == "string";
  }
  wire::JsonValue resolved(wire::JsonValue schema) {
    const auto ref = schema.find("$ref");
    if (!ref) return schema;
    return resolved(named(ref->string()->substr(std::string_view("#/components/schemas/").size())));
  }
  void check(wire::JsonValue given, wire::JsonValue value, const std::string& where) {
    CAPTURE(where);
    const wire::JsonValue schema = resolved(given);
    if (const auto choices = schema.find("anyOf")) {  // a problem has a code, a transfer over a rail a history
      check(element(*choices, value.find("code") || value.find("history") ? 1 : 0), value, where);
      return;
    }
    if (const auto choices = schema.find("oneOf")) {
      bool fits = false;
      for (const wire::JsonValue choice : choices->elements()) fits = fits || fits_kind(resolved(choice), value);
      CHECK(fits);
      return;
    }
    if (const auto allowed = schema.find("enum")) {
      bool found = false;
      for (const wire::JsonValue one : allowed->elements()) found = found || one.string() == value.string();
      CHECK(found);
    }
    const std::string_view type = *schema.find("type")->string();
    if (type == "string") CHECK(value.string().has_value());
    if (type == "boolean") CHECK(value.boolean().has_value());
    if (type == "integer") CHECK(value.int64().has_value());
    if (type == "array") {
      CHECK(value.is_array());
      for (const wire::JsonValue element : value.elements()) check(*schema.find("items"), element, where + "/-");
    }
    if (type != "object") return;
    CHECK(value.is_object());
    const auto properties = schema.find("properties");
    for (const wire::JsonMember member : value.members()) {
      const auto extra = schema.find("additionalProperties");
      if (!properties && extra && extra->boolean() == true) continue;  // an object of somebody else's making
      const auto property = properties ? properties->find(member.name) : extra;
      CHECK_MESSAGE(property.has_value(), where << "/" << std::string(member.name));
      if (property) check(*property, member.value, where + "/" + std::string(member.name));
    }
    if (const auto required = schema.find("required")) {
      for (const wire::JsonValue name : required->elements()) {
        CHECK_MESSAGE(value.find(*name.string()).has_value(), where << "/" << std::string(*name.string()));
      }
    }
  }

  wire::JsonDocument document_;
};

}  // namespace edge
