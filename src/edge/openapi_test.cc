#include "edge/openapi.h"

#include <set>
#include <string>

#include "gate/routes.h"
#include "gate/scope.h"
#include "model/outcome.h"
#include "wire/json_value.h"

// clang-format off
#include <doctest/doctest.h>  // last: base/check.h has a CHECK too
// clang-format on

namespace {

wire::JsonDocument document() {
  auto parsed = wire::parse_json(base::as_bytes(edge::openapi_document()), {.bytes_max = 1 << 22, .depth_max = 64});
  REQUIRE(parsed.ok());
  return std::move(parsed).value();
}

// The OpenAPI name of a method, as the table writes it.
std::string upper(std::string_view method) {
  std::string text(method);
  for (char& c : text) c = static_cast<char>(c - 'a' + 'A');
  return text;
}

wire::JsonValue at(wire::JsonValue value, std::initializer_list<std::string_view> path) {
  for (const std::string_view name : path) {
    const auto next = value.find(name);
    REQUIRE_MESSAGE(next.has_value(), std::string(name));
    value = *next;
  }
  return value;
}

// Every `$ref` below, checked to lead somewhere.
void check_references(wire::JsonValue root, wire::JsonValue value) {
  if (value.is_array()) {
    for (const wire::JsonValue element : value.elements()) check_references(root, element);
  }
  for (const wire::JsonMember member : value.members()) {
    if (member.name == "$ref") {
      const std::string_view text = *member.value.string();
      REQUIRE(text.starts_with("#/components/"));
      const std::string_view rest = text.substr(13);
      const std::size_t slash = rest.find('/');
      const auto kind = at(root, {"components"}).find(rest.substr(0, slash));
      REQUIRE_MESSAGE(kind.has_value(), std::string(text));
      CHECK_MESSAGE(kind->find(rest.substr(slash + 1)).has_value(), std::string(text));
    } else {
      check_references(root, member.value);
    }
  }
}

}  // namespace

TEST_CASE("the document names exactly the routes there are") {
  const wire::JsonDocument parsed = document();
  std::set<std::string> documented, real;
  for (const wire::JsonMember path : at(parsed.root(), {"paths"}).members()) {
    for (const wire::JsonMember method : path.value.members()) {
      if (method.name != "servers") documented.insert(upper(method.name) + " " + std::string(path.name));
    }
  }
  for (const gate::Route& route : gate::routes())
    real.insert(std::string(route.method) + " " + std::string(route.path));
  for (const char* other : {"GET /openapi.json", "GET /problems/{code}", "GET /healthz", "GET /readyz", "GET /metrics",
                            "POST /clock/confirm"}) {
    real.insert(other);
  }
  CHECK_EQ(documented, real);
}

TEST_CASE("every route says its scope, and takes a key exactly if it changes something") {
  const wire::JsonDocument parsed = document();
  for (const gate::Route& route : gate::routes()) {
    CAPTURE(route.path);
    const auto operation = at(parsed.root(), {"paths", route.path, route.method == "GET" ? "get" : "post"});
    const std::string description(operation.find("description") ? *operation.find("description")->string() : "");
    CHECK_EQ(description, route.scope ? "Scope: " + std::string(gate::to_text(*route.scope)) + "." : "");
    bool takes_key = false;
    for (const wire::JsonValue parameter : at(operation, {"parameters"}).elements()) {
      const auto ref = parameter.find("$ref");
      if (ref && *ref->string() == "#/components/parameters/IdempotencyKey") takes_key = true;
    }
    CHECK_EQ(takes_key, route.operation != model::Operation::none);
    const auto content = operation.find("requestBody");
    const bool cbor = content && at(*content, {"content"}).find("application/cbor").has_value();
    CHECK_EQ(cbor, route.takes_cbor);
  }
}

TEST_CASE("every code of the table of outcomes is in the document, and no other") {
  const wire::JsonDocument parsed = document();
  std::set<std::string> documented, real;
  for (const wire::JsonValue code : at(parsed.root(), {"components", "schemas", "Code", "enum"}).elements()) {
    documented.insert(std::string(*code.string()));
  }
#define OUTCOME(number, code, status, hop, party, fate, retry, action) real.insert(#code);
#include "model/outcome.def"
#undef OUTCOME
  real.erase("done");
  CHECK_EQ(documented, real);
}

TEST_CASE("every reference in the document leads somewhere") {
  const wire::JsonDocument parsed = document();
  CHECK_EQ(at(parsed.root(), {"openapi"}).string(), "3.1.0");
  check_references(parsed.root(), parsed.root());
}

TEST_CASE("the scopes and operations of the document are those of the gate") {
  const wire::JsonDocument parsed = document();
  std::set<std::string> documented, real;
  for (const wire::JsonValue scope : at(parsed.root(), {"components", "schemas", "Scope", "enum"}).elements()) {
    documented.insert(std::string(*scope.string()));
  }
  for (const std::string_view scope : gate::to_texts(model::all_scopes)) real.insert(std::string(scope));
  CHECK_EQ(documented, real);
  for (const wire::JsonValue operation :
       at(parsed.root(), {"components", "schemas", "Problem", "properties", "operation", "enum"}).elements()) {
    CHECK(gate::parse_operation(*operation.string()).has_value());
  }
}
